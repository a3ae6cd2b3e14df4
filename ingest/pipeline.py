"""THE FLOW: one event from a parsed request to its acknowledged decision; read this file first.

authenticate and parse (`api/`, `ingest/sources/`) → `parse_event` (validate, extract) → `to_incoming` (normalise, give
it its id) → `GroupCommitter` (one transaction for many: `graph/commit.py`, decided by `resolver/`) → answer.
While the graph is away: → `Inbox` (a Redis stream) → answer `queued`; `ingest/drain.py` commits it later.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from core.brand import BrandSettings
from core.clock import Clock, utc_now
from core.decisions import DecisionKind, EventResult
from core.errors import BusyError, ConstIntelError, PoisonedEventError, UnavailableError
from core.events import IncomingEvent, RawEvent
from core.settings import Settings
from graph.commit import commit_batch
from graph.driver import Graph, probe
from graph.repositories.dead_letters import DeadLetter
from ingest.committer import GroupCommitter, Outcome
from ingest.dead_letters import LetterBox
from ingest.graph_watch import SUSPECT_SECONDS, GraphWatch
from ingest.inbox import Inbox
from ingest.meters import Meters
from ingest.steps import to_incoming
from ingest.told_records import RecordBox

_TICK_SECONDS = 0.2
# What one process stores at least on small machines: for telling senders when to come back.
_EVENTS_A_SECOND = 1_000


@dataclass(frozen=True, slots=True)
class _Taking:
    """One request's events on their way, and whether they may wait in the inbox."""

    brand: BrandSettings
    events: list[IncomingEvent]
    may_queue: bool


class Ingest:
    """The way in of one process: normalises events and hands them to the group committer, or to the inbox."""

    def __init__(self, graph: Graph, settings: Settings, inbox: Inbox | None = None, clock: Clock = utc_now) -> None:
        budget = settings.retry_budget_seconds

        self.meters = meters = Meters()

        def commit(brand: BrandSettings, events: Sequence[IncomingEvent]) -> list[EventResult]:
            started = time.perf_counter()
            results = commit_batch(graph, brand, events, budget_seconds=budget)
            meters.committed(len(events), time.perf_counter() - started)
            return results

        self._clock = clock
        self._room = settings.max_waiting_events
        self._budget = budget
        self._inbox = inbox
        self.watch = GraphWatch(partial(probe, settings))
        self._letters = LetterBox(graph, inbox, self.watch)
        self.records = RecordBox(graph, inbox, self.watch)
        self._ticking: asyncio.Task[None] | None = None
        self._committer = GroupCommitter(
            commit, max_events=settings.group_commit_max_events, writers=settings.group_commit_writers
        )

    @property
    def waiting_events(self) -> int:
        """Events that wait for a transaction."""
        return self._committer.waiting_events

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest request waits for its commit."""
        return round(self._committer.oldest_seconds(), 3)

    def check_room(self, *, is_bulk: bool) -> None:
        """Refuse a request before anything of it is read, when too much is waiting or there is nowhere to put it.

        Raises BusyError for bulk from half of the room on, UnavailableError for all when it is used up.
        """
        waiting = self._committer.waiting_events
        if waiting > self._room // 2:
            pause = 1 + waiting // _EVENTS_A_SECOND
            if waiting > self._room:
                raise UnavailableError("Too many events are waiting to be stored.", retry_after=pause)
            if is_bulk:
                raise BusyError("Many events are waiting to be stored; send again more slowly.", retry_after=pause)
        if self.watch.is_away and (self._inbox is None or self._inbox.is_refusing):
            raise UnavailableError("Neither the graph nor the inbox can take events now.")

    async def take(self, brand: BrandSettings, raws: Sequence[RawEvent], *, may_queue: bool = True) -> list[Outcome]:
        """Store `raws` in their order; for each its result after the commit, or the error that refused it.

        While the graph is away their result is `queued`, unless they may not be: then it is an UnavailableError.
        """
        started = time.perf_counter()
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
            results = await self.take_incoming(brand, incoming, may_queue=may_queue)
            for place, result in zip(places, results, strict=True):
                outcomes[place] = result
        settled = [outcome for outcome in outcomes if outcome is not None]
        if raws:
            self.meters.took(raws[0].way, settled, time.perf_counter() - started)
        return settled

    async def take_incoming(
        self, brand: BrandSettings, events: list[IncomingEvent], *, may_queue: bool = True
    ) -> list[Outcome]:
        """Store normalised events as `take` does."""
        taking = _Taking(brand, events, may_queue and self._inbox is not None)
        if self.watch.is_away:
            away = UnavailableError("Neo4j is not reachable.")
            return await self._settle(taking, [away] * len(events))
        if self._ticking is None or self._ticking.done():
            self._ticking = asyncio.get_running_loop().create_task(self._tick())
        # A caller that goes away must not take back what others share a transaction with.
        outcomes = await asyncio.shield(self._committer.submit(brand, events))
        if all(isinstance(outcome, EventResult) for outcome in outcomes):
            return outcomes
        return await self._settle(taking, outcomes)

    async def _settle(self, taking: _Taking, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Find a place for what the graph did not take: the inbox for what it may take later, else a dead letter."""
        settled = list(outcomes)
        late = []
        for place, outcome in enumerate(outcomes):
            if isinstance(outcome, UnavailableError):
                late.append(place)
            elif isinstance(outcome, PoisonedEventError):
                try:
                    await self._letters.keep_event(taking.events[place], outcome)
                except UnavailableError as error:
                    settled[place] = error
        if late and not self.watch.is_away:
            self.watch.suspect()
        if late and taking.may_queue and self._inbox is not None:
            try:
                added = await self._inbox.put([taking.events[place] for place in late])
            except UnavailableError as error:
                added = None
                for place in late:
                    settled[place] = error
            for place, is_new in zip(late, added or (), strict=False):
                settled[place] = _queued(taking.events[place], is_new=is_new)
        return settled

    async def keep_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Keep messages that are no events; raises UnavailableError when there is nowhere to put them."""
        await self._letters.keep(letters)

    async def find_queued(self, brand: str, event_id: str) -> IncomingEvent | None:
        """The event of this brand that waits in the inbox under this id."""
        return await self._inbox.find(brand, event_id) if self._inbox is not None else None

    async def _tick(self) -> None:
        """Ask after a graph that keeps requests waiting, and let nobody wait for one that is away."""
        while True:
            if self._committer.oldest_seconds() > SUSPECT_SECONDS:
                self.watch.suspect()
            if self.watch.is_away:
                self._committer.give_up(0.0, with_taken=True)
            else:
                # A transaction under way will end; taking its events twice would only add to the load.
                self._committer.give_up(self._budget, with_taken=False)
            await asyncio.sleep(_TICK_SECONDS)

    async def close(self) -> None:
        """Commit what is waiting and stop."""
        await self.watch.close()
        if self._ticking is not None:
            self._ticking.cancel()
            with suppress(asyncio.CancelledError):
                await self._ticking
        await asyncio.to_thread(self._committer.close)


def _queued(event: IncomingEvent, *, is_new: bool) -> EventResult:
    return EventResult(event.id, DecisionKind.QUEUED.value, duplicate=not is_new, warnings=event.warnings)
