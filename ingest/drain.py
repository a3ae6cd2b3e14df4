"""Empties the inbox once the graph answers again: one leased caller at a time, through the commit of every event."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace

import redis
import structlog

from core.brand import DEFAULT_MOVED_AT_ONCE, BrandSettings
from core.catalogue import ToldRecords
from core.decisions import EventResult
from core.errors import PoisonedEventError, TimedOutEventError, UnavailableError
from core.events import IncomingEvent
from core.settings import Settings
from graph.commit import commit_batch
from graph.driver import Graph
from graph.repositories.brands import find_brand
from graph.repositories.catalogue import store_records
from graph.repositories.dead_letters import DeadLetter, event_letter, keep_letters
from ingest.committer import commit_halving
from ingest.inbox import LEASE_KEY, UNREADABLE, Entry, count_failure, inbox_length, read_entries, remove_entries
from ingest.leases import Lease, hold_lease

log = structlog.get_logger(__name__)

# Longer than one batch can take with its retries; a drainer that dies is replaced after it.
_LEASE_MS = 30_000
# Requests wait for the locks of a batch: smaller ones than theirs.
_AT_ONCE = 200
_ROUNDS = 200
# After so many failures alone, while the graph takes others, an event is not worth another try by itself.
_MAX_FAILURES = 5
# And when it has waited so long: a slow graph must not make dead letters of what is only late.
_SLOW_SECONDS = 600.0
_PAUSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class DrainPlan:
    """What commits of the drainer share with those of the door."""

    budget_seconds: float
    moved_at_once: int = DEFAULT_MOVED_AT_ONCE


def drain_plan(settings: Settings) -> DrainPlan:
    """The plan of this installation."""
    return DrainPlan(settings.retry_budget_seconds, settings.moved_at_once)


@dataclass(slots=True)
class Drained:
    """What one call did: events, records and letters that went to the graph, events that became dead letters."""

    events: int = 0
    records: int = 0
    letters: int = 0
    refused: int = 0


class _LeaseLostError(Exception):
    """Somebody else drains now."""


@dataclass(slots=True)
class _Round:
    """Entries of one reading, and those of them whose work is committed."""

    graph: Graph
    client: redis.Redis
    plan: DrainPlan
    held: Lease
    drained: Drained
    done: list[Entry] = field(default_factory=list)

    def work_off(self, entries: Sequence[Entry]) -> None:
        """Commit entries, brand by brand in their order; raises UnavailableError when the graph does not take them."""
        events: dict[str, list[tuple[Entry, IncomingEvent]]] = {}
        letters: dict[str, list[tuple[Entry, DeadLetter]]] = {}
        records: list[tuple[Entry, ToldRecords]] = []
        for entry in entries:
            if isinstance(entry.content, IncomingEvent):
                events.setdefault(entry.content.brand, []).append((entry, entry.content))
            elif isinstance(entry.content, ToldRecords):
                records.append((entry, entry.content))
            elif entry.content is not None:
                letters.setdefault(entry.content.brand, []).append((entry, entry.content))
            else:
                self._put_aside(entry)
        for brand, waiting in letters.items():
            keep_letters(self.graph, brand, [letter for _, letter in waiting])
            self.done += [entry for entry, _ in waiting]
            self.drained.letters += len(waiting)
        self._take_away()
        self._store_records(records)
        for brand, pairs in events.items():
            self._commit(brand, pairs)

    def _store_records(self, records: Sequence[tuple[Entry, ToldRecords]]) -> None:
        """Products, stock and privacy requests: of one thing the newest stands, whatever comes first."""
        brands = {told.brand for _, told in records}
        gone = {brand for brand in brands if find_brand(self.graph, brand) is None}
        for entry, told in records:
            if told.brand in gone:
                log.error("records_without_brand", place=entry.place)
                self._put_aside(entry)
            elif self._is_stored(entry, told):
                self.done.append(entry)
                self.drained.records += 1
            self._take_away()

    def _is_stored(self, entry: Entry, told: ToldRecords) -> bool:
        """Store records; False when they stay for another try or, after many, are put aside."""
        try:
            store_records(self.graph, told.brand, told.records, received_at=told.received_at)
        except Exception as error:  # what no try will store keeps nothing else waiting; the reason is logged by type
            # While the graph is away, or knows us no more, everything stays.
            self.graph.verify()
            log.warning("records_not_stored", place=entry.place, reason=type(error).__name__)
            if self._is_hopeless(entry):
                log.error("records_refused_by_graph", place=entry.place, exc_info=error)
                self._put_aside(entry)
            return False
        return True

    def _put_aside(self, entry: Entry) -> None:
        """Keep it in Redis for a person: there is no place for it in the graph."""
        self.client.lpush(UNREADABLE, entry.body)
        self.done.append(entry)

    def _commit(self, brand: str, pairs: Sequence[tuple[Entry, IncomingEvent]]) -> None:
        settings = find_brand(self.graph, brand)
        if settings is None:
            for entry, event in pairs:
                self._refuse(entry, event, PoisonedEventError("The brand of this event is gone."))
            self._take_away()
            return
        settings = replace(settings, moved_at_once=self.plan.moved_at_once)
        waiting = [pairs]
        while waiting:
            late = self._commit_together(settings, waiting.pop())
            if len(late) > 1:
                # Together they take too long although the graph answers: in smaller parts more of them get through.
                middle = len(late) // 2
                waiting += [late[middle:], late[:middle]]
            elif late:
                self._count_failure(*late[0])
            self._take_away()

    def _count_failure(self, entry: Entry, event: IncomingEvent) -> None:
        """An event failed alone: one that goes on so for long is given up, so that it costs the others nothing."""
        if self._is_hopeless(entry):
            error = TimedOutEventError("The event could not be stored in time, again and again.")
            self._refuse(entry, event, error)

    def _is_hopeless(self, entry: Entry) -> bool:
        """Note that an entry failed though the graph answers; whether that was often enough, for long enough."""
        return count_failure(self.client, entry) >= _MAX_FAILURES and entry.age_seconds() > _SLOW_SECONDS

    def _take_away(self) -> None:
        """Take entries away whose work is committed, and hold the lease for what is next; raises _LeaseLostError."""
        done, self.done = self.done, []
        if not remove_entries(self.client, self.held, done) or not self.held.renew():
            raise _LeaseLostError

    def _commit_together(
        self, settings: BrandSettings, pairs: Sequence[tuple[Entry, IncomingEvent]]
    ) -> list[tuple[Entry, IncomingEvent]]:
        """Commit these; those that were not taken in time. Raises UnavailableError when the graph does not answer."""

        def commit(brand: BrandSettings, events: Sequence[IncomingEvent]) -> list[EventResult]:
            return commit_batch(self.graph, brand, events, budget_seconds=self.plan.budget_seconds)

        late = []
        outcomes = commit_halving(commit, settings, [event for _, event in pairs])
        for (entry, event), outcome in zip(pairs, outcomes, strict=True):
            if isinstance(outcome, EventResult):
                self.done.append(entry)
                self.drained.events += 1
            elif isinstance(outcome, PoisonedEventError):
                self._refuse(entry, event, outcome)
            else:
                late.append((entry, event))
        if late:
            self.graph.verify()
        return late

    def _refuse(self, entry: Entry, event: IncomingEvent, error: PoisonedEventError) -> None:
        keep_letters(self.graph, event.brand, [event_letter(event, error)])
        self.done.append(entry)
        self.drained.refused += 1


def drain_inbox(
    graph: Graph, client: redis.Redis, plan: DrainPlan, keep_on: Callable[[], bool] = lambda: True
) -> Drained:
    """Commit what waits, oldest first, and take it out of the inbox after that; nothing while another does.

    At least once: whoever dies between the two leaves entries behind that are stored already, and storing them again
    changes nothing. Raises UnavailableError or redis' errors when one of the two is away; what was not done stays.
    """

    drained = Drained()
    with hold_lease(client, LEASE_KEY, _LEASE_MS) as held, suppress(_LeaseLostError):
        after: str | None = None
        for _ in range(_ROUNDS if held is not None else 0):
            entries = read_entries(client, _AT_ONCE, after)
            if not entries or not keep_on() or held is None:
                break
            after = entries[-1].place
            work = _Round(graph, client, plan, held, drained)
            try:
                work.work_off(entries)
            finally:
                remove_entries(client, held, work.done)
    if drained != Drained():
        log.info("inbox_drained", **asdict(drained))
    return drained


class Drainer:
    """A thread of the API that empties the inbox when the graph is back: no worker has to be there for that.

    It also looks now and then by itself: this process may be new, or another one's thread may have died.
    """

    def __init__(
        self, graph: Graph, client: redis.Redis, plan: DrainPlan, pause_seconds: float = _PAUSE_SECONDS
    ) -> None:
        self._graph = graph
        self._client = client
        self._plan = plan
        self._pause_seconds = pause_seconds
        self._woken = threading.Event()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="inbox-drainer", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look now."""
        self._woken.set()

    async def close(self) -> None:
        """Stop after the batch under way."""
        self._is_closing = True
        self._woken.set()
        await asyncio.to_thread(self._thread.join, _LEASE_MS / 1000)
        self._client.close()

    def _run(self) -> None:
        while not self._is_closing:
            self._woken.wait(self._pause_seconds)
            self._woken.clear()
            try:
                if not self._is_closing and inbox_length(self._client):
                    drain_inbox(self._graph, self._client, self._plan, lambda: not self._is_closing)
            except (UnavailableError, redis.RedisError, OSError) as error:
                log.warning("inbox_waits", reason=type(error).__name__)
            except Exception as error:  # this thread must outlive whatever it finds
                log.error("inbox_drainer_failed", exc_info=error)
