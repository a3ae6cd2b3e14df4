"""Replaying stored events."""

from typing import Annotated

from pydantic import Field

from api.schemas.base import Command, Shape, example
from ingest.replay import MAX_EVENTS


class ReplayCommand(Command):
    """Which stored events to send through the door once more, page by page."""

    model_config = example({"type": "purchase", "since": "2026-11-01T00:00:00Z", "limit": 500})

    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_EVENTS)] = MAX_EVENTS
    type: str | None = None
    since: Annotated[str | None, Field(description="Received at this time or later.")] = None
    until: Annotated[str | None, Field(description="Received before this time.")] = None


class ReplayOutcome(Shape):
    """What the page came to; go on with `next_cursor` until it is null."""

    model_config = example({
        "replayed": 500, "already_there": 500, "stored": 0, "failed": 0, "progress": 0.25,
        "next_cursor": "evt_3fffd93b2e5c4a0f9a51c0de5b1e7a11",
    })  # fmt: skip

    replayed: int
    already_there: int
    stored: int
    failed: int
    progress: float
    next_cursor: str | None
