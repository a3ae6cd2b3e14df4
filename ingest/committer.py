"""Group commit: waiting requests of one brand share a transaction, and each is answered after it is committed."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from core.brand import BrandSettings
from core.decisions import EventResult
from core.errors import ConstIntelError, InvalidInputError, UnavailableError
from core.events import IncomingEvent

log = structlog.get_logger(__name__)

Outcome = EventResult | ConstIntelError
CommitBatch = Callable[[BrandSettings, Sequence[IncomingEvent]], list[EventResult]]


@dataclass(slots=True)
class _Waiting:
    """One request: its events in order and the future of its caller."""

    settings: BrandSettings
    events: list[IncomingEvent]
    future: "asyncio.Future[list[Outcome]]"


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
            queue.append(_Waiting(settings, events, future))
            self._waiting_events += len(events)
            self._changed.notify()
        return future

    def close(self) -> None:
        """Commit what is waiting, then stop the writers."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _take(self) -> list[_Waiting]:
        """Block until there is work; requests of one brand, at least one, empty when closing."""
        with self._changed:
            while not self._turns:
                if self._is_closing:
                    return []
                self._changed.wait()
            brand = self._turns.popleft()
            queue = self._queues[brand]
            taken = [queue.popleft()]
            size = len(taken[0].events)
            while queue and size + len(queue[0].events) <= self._max_events:
                size += len(queue[0].events)
                taken.append(queue.popleft())
            if queue:
                self._turns.append(brand)
            else:
                del self._queues[brand]
            self._waiting_events -= size
            return taken

    def _write(self) -> None:
        while taken := self._take():
            events = [event for waiting in taken for event in waiting.events]
            outcomes = self._outcomes(taken[0].settings, events)
            by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[list[Outcome]], list[Outcome]]]] = {}
            start = 0
            for waiting in taken:
                end = start + len(waiting.events)
                by_loop.setdefault(waiting.future.get_loop(), []).append((waiting.future, outcomes[start:end]))
                start = end
            for loop, answers in by_loop.items():
                loop.call_soon_threadsafe(_answer, answers)

    def _outcomes(self, settings: BrandSettings, events: list[IncomingEvent]) -> list[Outcome]:
        """Commit `events`; a batch that keeps failing is halved until the bad event stands alone."""
        try:
            return list(self._commit(settings, events))
        except UnavailableError as error:
            return [error] * len(events)
        except Exception as error:  # noqa: BLE001 (a writer thread must outlive any bad event; the reason is logged by type)
            if len(events) > 1:
                middle = len(events) // 2
                return self._outcomes(settings, events[:middle]) + self._outcomes(settings, events[middle:])
            log.error("event_refused_by_graph", event_id=events[0].id, reason=type(error).__name__)
            return [InvalidInputError("The event could not be stored.")]


def _answer(answers: "list[tuple[asyncio.Future[list[Outcome]], list[Outcome]]]") -> None:
    for future, outcomes in answers:
        if not future.done():
            future.set_result(outcomes)
