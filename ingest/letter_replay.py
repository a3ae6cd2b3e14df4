"""Dead letters once more: replayed through the door that they came to, or discarded by a person."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.brand import BrandSettings
from core.clock import utc_now
from core.decisions import EventResult
from core.errors import ConflictError, ConstIntelError, InvalidInputError, PoisonedEventError
from core.events import IncomingEvent, RawEvent
from graph.driver import Graph
from graph.repositories.dead_letters import (
    LetterState,
    Replayable,
    Settlement,
    note_failure,
    read_replayable,
    settle_letter,
)
from ingest.crm.again import read_again
from ingest.crm.mapping import WAY as CRM
from ingest.pipeline import Ingest
from ingest.sources import pos, posthog, segment
from ingest.sources.tracking import Upload
from ingest.steps import to_incoming

_PARSERS: dict[str, Callable[[Any, Upload, BrandSettings], list[RawEvent]]] = {
    segment.NAME: lambda message, upload, _: [segment.parse_message(message, None, upload)],
    posthog.NAME: lambda message, upload, _: [posthog.parse_item(message, upload)],
    # By the field mapping of now: it may be what was wrong.
    pos.NAME: lambda message, _, brand: pos.read_transaction(message, brand),
}


@dataclass(frozen=True, slots=True)
class Steward:
    """Who replays or discards, and with what."""

    graph: Graph
    ingest: Ingest
    brand: BrandSettings
    by: str


async def replay_letter(steward: Steward, letter: Replayable) -> EventResult:
    """Send a letter through its door again; settled when it is taken, counted as one more failure when it is not.

    Raises ConflictError for a letter that is settled already, and what refuses the message this time; the error names
    the letter.
    """
    if letter.state is not LetterState.WAITING:
        raise ConflictError(f"This letter is {letter.state} already.")
    try:
        outcome = await _take(steward, letter)
        if isinstance(outcome, ConstIntelError):
            raise outcome
    except ConstIntelError as error:
        if not error.is_retryable:
            await asyncio.to_thread(note_failure, steward.graph, steward.brand.id, letter.id, error, utc_now())
        error.extensions["dead_letter_id"] = letter.id
        raise
    settlement = Settlement(LetterState.REPLAYED, steward.by, utc_now(), outcome.event_id)
    await asyncio.to_thread(settle_letter, steward.graph, steward.brand.id, letter.id, settlement)
    return outcome


def discard_letter(steward: Steward, letter_id: str) -> None:
    """Give a letter up; raises NotFoundError, ConflictError when it was replayed; a repeat changes nothing."""
    letter = read_replayable(steward.graph, steward.brand.id, letter_id)
    if letter.state is LetterState.REPLAYED:
        raise ConflictError("This letter is replayed already.")
    if letter.state is LetterState.WAITING:
        settlement = Settlement(LetterState.DISCARDED, steward.by, utc_now())
        settle_letter(steward.graph, steward.brand.id, letter.id, settlement)


async def _take(steward: Steward, letter: Replayable) -> EventResult | ConstIntelError:
    events = [letter.event] if letter.event is not None else await asyncio.to_thread(_events, steward, letter)
    outcomes = await steward.ingest.take_incoming(steward.brand, events)
    failed = [outcome for outcome in outcomes if isinstance(outcome, ConstIntelError)]
    outcome = failed[0] if failed else outcomes[0]
    if isinstance(outcome, PoisonedEventError) and letter.event is None:
        # It has a letter of its own now, with the event that it became.
        return PoisonedEventError("The message is an event now, which the graph refuses; see its own dead letter.")
    return outcome


def _events(steward: Steward, letter: Replayable) -> list[IncomingEvent]:
    """The events of a message that became none when it came."""
    brand = steward.brand
    if letter.way == CRM:
        raw = read_again(steward.graph, brand, letter.message, letter.received_at)
        return [to_incoming(raw, brand, letter.received_at)]
    parse = _PARSERS.get(letter.way)
    if parse is None:
        raise InvalidInputError("Messages that came this way cannot be replayed; send them again.")
    raws = parse(letter.message, Upload(letter.received_at), brand)
    return [to_incoming(raw, brand, letter.received_at) for raw in raws]
