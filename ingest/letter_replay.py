"""Dead letters once more: replayed through the door that they came to, or discarded by a person."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.brand import BrandSettings
from core.clock import utc_now
from core.decisions import EventResult
from core.errors import ConflictError, ConstIntelError, InvalidInputError, PoisonedEventError
from core.events import RawEvent
from graph.driver import Graph
from graph.repositories.dead_letters import (
    LetterState,
    Replayable,
    Settlement,
    note_failure,
    read_replayable,
    settle_letter,
)
from ingest.pipeline import Ingest
from ingest.sources import posthog, segment
from ingest.sources.tracking import Upload
from ingest.steps import to_incoming

_PARSERS: dict[str, Callable[[Any, Upload], RawEvent]] = {
    segment.NAME: lambda message, upload: segment.parse_message(message, None, upload),
    posthog.NAME: posthog.parse_item,
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
    event = letter.event
    if event is None:
        parse = _PARSERS.get(letter.way)
        if parse is None:
            raise InvalidInputError("Messages that came this way cannot be replayed; send them again.")
        event = to_incoming(parse(letter.message, Upload(letter.received_at)), steward.brand, letter.received_at)
    [outcome] = await steward.ingest.take_incoming(steward.brand, [event])
    if isinstance(outcome, PoisonedEventError) and letter.event is None:
        # It has a letter of its own now, with the event that it became.
        return PoisonedEventError("The message is an event now, which the graph refuses; see its own dead letter.")
    return outcome
