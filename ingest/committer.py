"""Group commit: waiting requests of one brand share a transaction, and each is answered after it is committed.

Two writers that touch the same identifier wait for each other inside the database, holding everything else meanwhile.
So a writer leaves requests alone that share an identifier or an order with a transaction under way, and takes others
first. Which profile an identifier led to last time is remembered as a hint, since profiles are locked too. The locks in
the graph keep several processes right; this keeps one process fast.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from core.brand import BrandSettings
from core.decisions import EventResult
from core.errors import ConstIntelError, PoisonedEventError, TimedOutError, TimedOutEventError, UnavailableError
from core.events import IncomingEvent
from graph.commit import PartlyStoredError

log = structlog.get_logger(__name__)

# How many requests a writer passes over in search of ones that it can take now.
_LOOK_AHEAD = 1_000
_MOST_HINTS = 200_000

Outcome = EventResult | ConstIntelError
CommitBatch = Callable[[BrandSettings, Sequence[IncomingEvent]], list[EventResult]]


@dataclass(slots=True, eq=False)
class _Waiting:
    """One request: its events in order and the future of its caller."""

    settings: BrandSettings
    events: list[IncomingEvent]
    future: "asyncio.Future[list[Outcome]]"
    touched: frozenset[object]
    """Identifiers and order keys of its events."""
    guarded: frozenset[object] = frozenset()
    """What no other writer touches while it is under way: all of `touched` and the profiles it led to last time."""
    is_taken: bool = False
    since: float = field(default_factory=time.monotonic)
    """When it came, on the machine's monotonic clock."""


class GroupCommitter:
    """Writer threads that take what is waiting, brand by brand, and commit it in one transaction each.

    A single caller waits no longer than one transaction; a thousand callers share one. The events of one request stay
    in one transaction and in their order. `commit` must be idempotent by event id.
    """

    def __init__(self, commit: CommitBatch, *, max_events: int, writers: int, max_waiting: int = 20_000) -> None:
        self._commit = commit
        self._max_events = max_events
        self._max_waiting = max_waiting
        self._queues: dict[str, deque[_Waiting]] = {}
        self._unanswered: dict[int, _Waiting] = {}
        self._under_way: dict[str, set[object]] = {}
        self._hints: dict[str, dict[object, str]] = {}
        self._turns: deque[str] = deque()
        self._waiting_events = 0
        self._is_closing = False
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=self._write, name=f"writer-{n}", daemon=True) for n in range(writers)]
        for thread in self._threads:
            thread.start()

    @property
    def waiting_events(self) -> int:
        """Events that no writer has taken yet."""
        return self._waiting_events

    def submit(self, settings: BrandSettings, events: list[IncomingEvent]) -> "asyncio.Future[list[Outcome]]":
        """Queue one request's events; the future resolves after their commit with one outcome for each.

        Call it from an event loop. Raises UnavailableError when too much is waiting or the service is stopping.
        """
        future: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()
        with self._changed:
            if self._is_closing or self._waiting_events + len(events) > self._max_waiting:
                raise UnavailableError("Too many events are waiting to be stored; try again shortly.")
            queue = self._queues.setdefault(settings.id, deque())
            if not queue:
                self._turns.append(settings.id)
            waiting = _Waiting(settings, events, future, _touched(events))
            queue.append(waiting)
            self._unanswered[id(waiting)] = waiting
            self._waiting_events += len(events)
            self._changed.notify()
        return future

    def oldest_seconds(self) -> float:
        """How long the oldest request without an answer has waited; 0 without any."""
        # Requests are answered out of order, but none comes in with an earlier time.
        with self._changed:
            oldest = next(iter(self._unanswered.values()), None)
        return time.monotonic() - oldest.since if oldest is not None else 0.0

    def give_up(self, seconds: float, *, with_taken: bool) -> int:
        """Answer requests that have waited so long with UnavailableError; how many. Call it on their event loop.

        What no writer has taken yet is not stored. With `with_taken` also what one is at: it may be stored all the
        same, and a repeat of it is a duplicate.
        """
        latest = time.monotonic() - seconds
        with self._changed:
            late = [
                waiting
                for waiting in self._unanswered.values()
                if waiting.since <= latest and (with_taken or not waiting.is_taken)
            ]
            if not late:
                return 0
            for waiting in late:
                del self._unanswered[id(waiting)]
            for brand, queue in list(self._queues.items()):
                kept = [waiting for waiting in queue if id(waiting) in self._unanswered]
                self._waiting_events -= sum(len(waiting.events) for waiting in queue)
                self._waiting_events += sum(len(waiting.events) for waiting in kept)
                queue.clear()
                queue.extend(kept)
                if not kept:
                    del self._queues[brand]
                    self._turns.remove(brand)
        for waiting in late:
            error = UnavailableError("The graph does not answer in time.")
            _answer([(waiting.future, [error] * len(waiting.events))])
        return len(late)

    def close(self) -> None:
        """Commit what is waiting, then stop the writers."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _take(self) -> list[_Waiting]:
        """Block until there is work that no other writer is at; requests of one brand, empty when closing."""
        with self._changed:
            while True:
                for _ in range(len(self._turns)):
                    brand = self._turns.popleft()
                    taken = self._take_from(brand)
                    if self._queues[brand]:
                        self._turns.append(brand)
                    else:
                        del self._queues[brand]
                    if taken:
                        return taken
                if self._is_closing and not self._turns:
                    return []
                self._changed.wait()

    def _take_from(self, brand: str) -> list[_Waiting]:
        """The oldest requests of a brand that fit one transaction and touch nothing that is under way.

        A request that is passed over also keeps back later ones that share something with it: order is kept.
        """
        queue = self._queues[brand]
        under_way = self._under_way.setdefault(brand, set())
        hints = self._hints.setdefault(brand, {})
        blocked: set[object] = set()
        taken: list[_Waiting] = []
        passed: list[_Waiting] = []
        size = 0
        while queue and len(passed) < _LOOK_AHEAD:
            waiting = queue.popleft()
            guarded = waiting.touched.union([hints[one] for one in waiting.touched if one in hints])
            is_free = under_way.isdisjoint(guarded) and blocked.isdisjoint(guarded)
            if is_free and (not taken or size + len(waiting.events) <= self._max_events):
                waiting.guarded = guarded
                waiting.is_taken = True
                taken.append(waiting)
                size += len(waiting.events)
            else:
                passed.append(waiting)
                blocked |= guarded
                if is_free:
                    break
        queue.extendleft(reversed(passed))
        for waiting in taken:
            under_way |= waiting.guarded
        self._waiting_events -= size
        return taken

    def _release(self, brand: str, taken: list[_Waiting], outcomes: list[Outcome]) -> None:
        with self._changed:
            under_way = self._under_way[brand]
            for waiting in taken:
                under_way -= waiting.guarded
                self._unanswered.pop(id(waiting), None)
            self._remember(brand, taken, outcomes)
            if not under_way and brand not in self._queues:
                del self._under_way[brand]
            self._changed.notify_all()

    def _remember(self, brand: str, taken: list[_Waiting], outcomes: list[Outcome]) -> None:
        hints = self._hints.setdefault(brand, {})
        if len(hints) > _MOST_HINTS:
            hints.clear()
        events = (event for waiting in taken for event in waiting.events)
        for event, outcome in zip(events, outcomes, strict=True):
            if isinstance(outcome, EventResult) and outcome.profile_id is not None:
                for identifier in event.identifiers:
                    hints[identifier] = outcome.profile_id

    def _write(self) -> None:
        while taken := self._take():
            settings = taken[0].settings
            events = [event for waiting in taken for event in waiting.events]
            outcomes = commit_halving(self._commit, settings, events)
            self._release(settings.id, taken, outcomes)
            by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[list[Outcome]], list[Outcome]]]] = {}
            start = 0
            for waiting in taken:
                end = start + len(waiting.events)
                by_loop.setdefault(waiting.future.get_loop(), []).append((waiting.future, outcomes[start:end]))
                start = end
            for loop, answers in by_loop.items():
                loop.call_soon_threadsafe(_answer, answers)


def commit_halving(commit: CommitBatch, settings: BrandSettings, events: Sequence[IncomingEvent]) -> list[Outcome]:
    """Commit `events`; a batch that keeps failing is halved until the bad event stands alone.

    Its outcome is a PoisonedEventError; when the graph is away, that of all that are left is an UnavailableError.
    """
    try:
        return list(commit(settings, events))
    except PartlyStoredError as error:
        rest = events[len(error.answered) :]
        is_away = isinstance(error.__cause__, UnavailableError)
        return [*error.answered, *([error] * len(rest) if is_away else commit_halving(commit, settings, rest))]
    except UnavailableError as error:
        return [error] * len(events)
    except Exception as error:  # writers must outlive any bad event; the reason is logged by type
        if len(events) > 1:
            middle = len(events) // 2
            first = commit_halving(commit, settings, events[:middle])
            return first + commit_halving(commit, settings, events[middle:])
        log.error("event_refused_by_graph", event_id=events[0].id, exc_info=error)
        if isinstance(error, TimedOutError):
            return [TimedOutEventError("The event took longer to store than it may; it is kept as a dead letter.")]
        return [PoisonedEventError("The event could not be stored; it is kept as a dead letter.")]


def _touched(events: Sequence[IncomingEvent]) -> frozenset[object]:
    touched: set[object] = set()
    for event in events:
        touched.update(event.identifiers)
        if event.order is not None:
            touched.add(event.order.key)
    return frozenset(touched)


def _answer(answers: "list[tuple[asyncio.Future[list[Outcome]], list[Outcome]]]") -> None:
    for future, outcomes in answers:
        if not future.done():
            future.set_result(outcomes)
