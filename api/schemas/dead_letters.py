"""Dead letters: what was received and could not become an event."""

from typing import Annotated, Any

from pydantic import Field

from api.schemas.base import Command, Id, Shape, example
from api.schemas.events import RESULT_EXAMPLE
from graph.repositories.dead_letters import LetterState

MAX_LETTERS = 200
LETTER_ID = "dead_5d41402abc4b2a76b9719d911017c592"
_LETTER: dict[str, Any] = {
    "id": LETTER_ID,
    "state": "waiting",
    "way": "segment",
    "code": "invalid_input",
    "field": "event",
    "detail": "event: missing",
    "count": 2,
    "replays": 0,
    "event_id": None,
    "received_at": "2026-11-01T12:00:00Z",
    "last_at": "2026-11-01T12:05:00Z",
    "settled_at": None,
    "settled_by": None,
}


class LetterBase(Shape):
    """One message that could not be taken, why, and what became of it."""

    id: str
    state: LetterState
    way: str
    code: str
    field: str | None
    detail: str
    count: int
    replays: int
    event_id: str | None
    received_at: str
    last_at: str
    settled_at: str | None
    settled_by: str | None


class LetterSummary(LetterBase):
    """As in a list: the beginning of the message."""

    preview: str | None


class Letter(LetterBase):
    """With the whole message, and the event that it became where it did; both are gone once it is settled."""

    model_config = example({**_LETTER, "message": {"type": "track", "userId": "u-1"}, "event": None})

    message: Any
    event: dict[str, Any] | None


class LetterPage(Shape):
    """A page of letters, newest first."""

    model_config = example({"items": [{**_LETTER, "preview": '{"type":"track","userId":"u-1"}'}], "next_cursor": None})

    items: list[LetterSummary]
    next_cursor: str | None


class LetterSelection(Command):
    """Letters by their ids, or the oldest that wait, by the way they came and why they were refused."""

    model_config = example({"code": "event_timed_out", "limit": 100})

    ids: Annotated[list[Id] | None, Field(min_length=1, max_length=MAX_LETTERS)] = None
    way: str | None = None
    code: str | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_LETTERS)] = MAX_LETTERS


class Replayed(Shape):
    """The outcome of the event that the letter is now."""

    model_config = example({"id": LETTER_ID, "state": "replayed", "outcome": RESULT_EXAMPLE})

    id: str
    state: LetterState
    outcome: dict[str, Any]


class Discarded(Shape):
    """The letter that was given up."""

    model_config = example({"id": LETTER_ID, "state": "discarded"})

    id: str
    state: LetterState


class LettersDone(Shape):
    """One entry for each letter, its state or `{"id", "error": problem}`; `remaining` counts those that wait."""

    model_config = example(
        {
            "done": 1,
            "failed": 0,
            "remaining": 0,
            "results": [{"id": LETTER_ID, "state": "replayed", "outcome": RESULT_EXAMPLE}],
        }
    )

    done: int
    failed: int
    remaining: int
    results: list[dict[str, Any]]
