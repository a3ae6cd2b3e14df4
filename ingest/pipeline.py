"""THE FLOW: one event from a parsed request to its acknowledged decision; read this file first.

authenticate and parse (`api/`, `ingest/sources/`) → `parse_event` (validate, extract) → `to_incoming` (normalise, give
it its id) → `GroupCommitter` (one transaction for many: `graph/commit.py`, decided by `resolver/`) → answer.
"""

import asyncio
from collections.abc import Sequence

from core.brand import BrandSettings
from core.clock import Clock, utc_now
from core.decisions import EventResult
from core.errors import ConstIntelError
from core.events import IncomingEvent, RawEvent
from core.settings import Settings
from graph.commit import commit_batch
from graph.driver import Graph
from ingest.committer import GroupCommitter, Outcome
from ingest.steps import to_incoming


class Ingest:
    """The way in of one process: normalises events and hands them to the group committer."""

    def __init__(self, graph: Graph, settings: Settings, clock: Clock = utc_now) -> None:
        budget = settings.retry_budget_seconds

        def commit(brand: BrandSettings, events: Sequence[IncomingEvent]) -> list[EventResult]:
            return commit_batch(graph, brand, events, budget_seconds=budget)

        self._clock = clock
        self._committer = GroupCommitter(
            commit, max_events=settings.group_commit_max_events, writers=settings.group_commit_writers
        )

    @property
    def waiting_events(self) -> int:
        """Events that wait for a transaction."""
        return self._committer.waiting_events

    async def take(self, brand: BrandSettings, raws: Sequence[RawEvent]) -> list[Outcome]:
        """Store `raws` in their order; for each its result after the commit, or the error that refused it."""
        received_at = self._clock()
        outcomes: list[Outcome | None] = [None] * len(raws)
        incoming: list[IncomingEvent] = []
        places: list[int] = []
        for place, raw in enumerate(raws):
            try:
                incoming.append(to_incoming(raw, brand, received_at))
                places.append(place)
            except ConstIntelError as error:
                outcomes[place] = error
        if incoming:
            # A caller that goes away must not take back what others share a transaction with.
            results = await asyncio.shield(self._committer.submit(brand, incoming))
            for place, result in zip(places, results, strict=True):
                outcomes[place] = result
        return [outcome for outcome in outcomes if outcome is not None]

    async def close(self) -> None:
        """Commit what is waiting and stop."""
        await asyncio.to_thread(self._committer.close)
