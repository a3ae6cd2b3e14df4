"""Replay of what came in: stored events go through the door once more; what is there already stays as it is."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from core.brand import BrandSettings
from core.decisions import EventResult
from core.errors import ConstIntelError, InvalidInputError
from graph.driver import Graph
from graph.repositories.event_replay import ReplayFilter, list_stored
from ingest.pipeline import Ingest

MAX_EVENTS = 500
_PREFIX = "evt_"
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class ReplayPage:
    """Where to go on (an event id, None from the beginning) and how many events to take."""

    cursor: str | None = None
    limit: int = MAX_EVENTS
    wanted: ReplayFilter = field(default_factory=ReplayFilter)


async def replay_page(ingest: Ingest, graph: Graph, brand: BrandSettings, page: ReplayPage) -> dict[str, Any]:
    """Replay one page: `replayed`, `already_there`, `stored`, `failed`, `progress` (0 to 1) and `next_cursor`.

    Safe to repeat from any cursor. Raises UnavailableError while Neo4j is away: a replay does not go to the inbox.
    """
    if page.cursor and not page.cursor.startswith(_PREFIX):
        raise InvalidInputError("cursor is not one that this service gave out.", field="cursor")
    events = await asyncio.to_thread(list_stored, graph, brand.id, page.cursor or "", page.limit, page.wanted)
    outcomes = await ingest.take_incoming(brand, events, may_queue=False) if events else []
    for outcome in outcomes:
        if isinstance(outcome, ConstIntelError) and outcome.is_retryable:
            raise outcome
    taken = [outcome for outcome in outcomes if isinstance(outcome, EventResult)]
    repeated = sum(outcome.duplicate for outcome in taken)
    is_last = len(events) < page.limit
    return {
        "replayed": len(events),
        "already_there": repeated,
        "stored": len(taken) - repeated,
        "failed": len(events) - len(taken),
        "progress": 1.0 if is_last else _place(events[-1].id),
        "next_cursor": None if is_last else events[-1].id,
    }


def _place(event_id: str) -> float:
    """How far an id lies among all: they are digests, spread evenly."""
    digits = event_id.removeprefix(_PREFIX)[:_DIGITS]
    try:
        return round(int(digits, 16) / float(16**_DIGITS), 4)
    except ValueError:
        return 0.0
