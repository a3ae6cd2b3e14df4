"""Dead letters: messages that were received but could not become events, kept until they are replayed or discarded."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any

import msgspec

from core.clock import EARLIEST
from core.errors import ConstIntelError, InvalidInputError, NotFoundError
from core.events import IncomingEvent
from core.paging import decode_cursor, encode_cursor
from core.strict_json import canonical_json, parse_json, to_json
from graph.driver import Graph
from graph.values import to_time, to_time_text

_ID_BYTES = 16
_MOST_CHARACTERS = 1024 * 1024
_SHOWN_BODY = 2_000

_events = msgspec.json.Decoder(IncomingEvent)
_encoder = msgspec.json.Encoder()


class LetterState(StrEnum):
    """What became of a letter."""

    WAITING = "waiting"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message and why it was refused, ready to be stored.

    `body` is the message as JSON text, `event` the normalised event as JSON text where the message became one.
    """

    id: str
    brand: str
    way: str
    code: str
    detail: str
    received_at: datetime
    body: str
    field: str | None = None
    event: str | None = None
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Which letters a list shows; None shows all."""

    state: LetterState | None = LetterState.WAITING
    way: str | None = None
    code: str | None = None


def message_letter(brand: str, way: str, item: Any, error: ConstIntelError, received_at: datetime) -> DeadLetter:
    """The letter of a message `item` (as parsed) that is no event; the same message again is the same letter."""
    return DeadLetter(
        id=_letter_id([brand, way, item]),
        brand=brand,
        way=way,
        code=error.code,
        detail=error.detail,
        received_at=received_at,
        body=to_json(item)[:_MOST_CHARACTERS],
        field=error.field,
    )


def event_letter(event: IncomingEvent, error: ConstIntelError) -> DeadLetter:
    """The letter of an event that the graph refuses; the same event again is the same letter."""
    return DeadLetter(
        id=_letter_id([event.brand, "event", event.id]),
        brand=event.brand,
        way=event.source,
        code=error.code,
        detail=error.detail,
        received_at=event.received_at,
        body=event.payload,
        field=error.field,
        event=_encoder.encode(event).decode(),
        event_id=event.id,
    )


def keep_letters(graph: Graph, brand: str, letters: Sequence[DeadLetter]) -> None:
    """Store letters of a brand; one that is there already is counted once more and waits again."""
    # In order of their ids: two requests with the same letters must not wait for each other.
    rows = [asdict(letter) for letter in sorted(letters, key=lambda letter: letter.id)]
    graph.write("dead_letters/keep_letters", brand=brand, letters=rows)


def list_letters(
    graph: Graph, brand: str, limit: int, cursor: str | None = None, wanted: LetterFilter | None = None
) -> dict[str, Any]:
    """A page of a brand's letters, newest first: `items` (bodies cut short) and `next_cursor`."""
    wanted = wanted or LetterFilter(state=None)
    after = decode_cursor(cursor)
    rows = graph.read(
        "dead_letters/list_letters",
        brand=brand,
        limit=limit + 1,
        state=wanted.state,
        way=wanted.way,
        code=wanted.code,
        before_at=after[0] if after else None,
        before_id=after[1] if after else None,
    )
    items = [_shown(row["letter"], is_whole=False) for row in rows[:limit]]
    last = rows[limit - 1]["letter"] if len(rows) > limit else None
    at = to_time(last["received_at"]) if last is not None else None
    next_cursor = encode_cursor(at, last["id"]) if last is not None and at is not None else None
    return {"items": items, "next_cursor": next_cursor}


def get_letter(graph: Graph, brand: str, letter_id: str) -> dict[str, Any]:
    """One letter with its whole message; raises NotFoundError when unknown or of another brand."""
    return _shown(_stored(graph, brand, letter_id), is_whole=True)


@dataclass(frozen=True, slots=True)
class Replayable:
    """What a replay needs: the event where there is one, else the message and the way it came."""

    id: str
    way: str
    state: LetterState
    received_at: datetime
    message: Any
    event: IncomingEvent | None


def read_replayable(graph: Graph, brand: str, letter_id: str) -> Replayable:
    """A letter to be replayed; raises NotFoundError."""
    stored = _stored(graph, brand, letter_id)
    event = stored.get("event")
    return Replayable(
        id=stored["id"],
        way=stored["way"],
        state=LetterState(stored.get("state") or LetterState.WAITING),
        received_at=to_time(stored["received_at"]) or EARLIEST,
        message=_message(stored.get("body")),
        event=_events.decode(event.encode()) if event else None,
    )


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a letter, by whose hand, and the event it is now."""

    state: LetterState
    by: str
    at: datetime
    event_id: str | None = None


def settle_letter(graph: Graph, brand: str, letter_id: str, settlement: Settlement) -> None:
    """Note what became of a letter; its message is removed, for the event has it or nobody wants it."""
    graph.write("dead_letters/settle_letter", brand=brand, id=letter_id, **asdict(settlement))


def note_failure(graph: Graph, brand: str, letter_id: str, error: ConstIntelError, at: datetime) -> None:
    """Note that a replay failed, and why this time."""
    graph.write(
        "dead_letters/note_failure",
        brand=brand, id=letter_id, code=error.code, field=error.field, detail=error.detail, at=at,
    )  # fmt: skip


def list_waiting_ids(graph: Graph, brand: str, limit: int, wanted: LetterFilter) -> list[str]:
    """Ids of letters that wait, oldest first."""
    rows = graph.read(
        "dead_letters/list_waiting", brand=brand, limit=limit, way=wanted.way, code=wanted.code, state=wanted.state
    )
    return [row["id"] for row in rows]


def count_letters(graph: Graph, brand: str) -> int:
    """How many letters of the brand wait."""
    return int(graph.read("dead_letters/count_waiting", brand=brand)[0]["waiting"])


def _stored(graph: Graph, brand: str, letter_id: str) -> dict[str, Any]:
    rows = graph.read("dead_letters/get_letter", brand=brand, id=letter_id)
    if not rows:
        raise NotFoundError("No such dead letter.")
    stored: dict[str, Any] = rows[0]["letter"]
    return stored


def _shown(stored: dict[str, Any], *, is_whole: bool) -> dict[str, Any]:
    body = stored.get("body")
    shown = {
        "id": stored["id"],
        "state": stored.get("state") or LetterState.WAITING,
        "way": stored["way"],
        "code": stored["code"],
        "field": stored.get("field"),
        "detail": stored["detail"],
        "count": stored["count"],
        "replays": stored.get("replays") or 0,
        "event_id": stored.get("event_id"),
        "received_at": to_time_text(stored["received_at"]),
        "last_at": to_time_text(stored["last_at"]),
        "settled_at": to_time_text(stored.get("settled_at")),
        "settled_by": stored.get("settled_by"),
    }
    if is_whole:
        return {**shown, "message": _message(body), "event": _message(stored.get("event"))}
    return {**shown, "preview": body[:_SHOWN_BODY] if body else None}


def _message(text: str | None) -> Any:
    """Stored JSON text as data with exact numbers; a message that was too long to be kept whole stays text."""
    try:
        return parse_json(text.encode()) if text else None
    except InvalidInputError:
        return text


def _letter_id(name: Any) -> str:
    return f"dead_{blake2b(canonical_json(name), digest_size=_ID_BYTES).hexdigest()}"
