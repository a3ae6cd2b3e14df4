"""Does the graph answer? One probe for a whole process: requests need not each wait to find out that it is away."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import structlog

from core.errors import UnavailableError

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 0.5
SUSPECT_SECONDS = 1.0
"""A commit takes milliseconds: after this time the graph is asked whether it is there at all."""
_AWAY = "Neo4j is not reachable."
_THREADS = 8

T = TypeVar("T")


class GraphWatch:
    """A circuit breaker: `suspect` starts asking, `is_away` holds from the first failed answer to the next good one.

    `probe` asks the graph over a connection of its own and raises when it gets no answer; it must give up by itself
    within seconds. All methods belong to one event loop.
    """

    def __init__(self, probe: Callable[[], None], pause_seconds: float = PAUSE_SECONDS) -> None:
        self._probe = probe
        self._pause_seconds = pause_seconds
        self._asking: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "graph-watch")
        # Of their own: others need the loop's threads to find out how to do without the graph.
        self._threads = ThreadPoolExecutor(_THREADS, "graph-work")
        self._returned: list[Callable[[], None]] = []
        self.is_away = False

    def on_return(self, callback: Callable[[], None]) -> None:
        """Call `callback` on the loop each time the graph answers again."""
        self._returned.append(callback)

    def suspect(self) -> None:
        """Ask the graph unless that is under way; returns at once."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.get_running_loop().create_task(self._ask())

    async def run(self, work: Callable[[], T]) -> T:
        """The answer of `work`, which asks the graph; UnavailableError as soon as the graph is known to be away.

        It runs in a thread and may go on there after that: it must be idempotent.
        """
        if self.is_away:
            raise UnavailableError(_AWAY)
        going = asyncio.get_running_loop().run_in_executor(self._threads, work)
        # Nobody may be left to hear what became of it.
        going.add_done_callback(lambda done: done.cancelled() or done.exception())
        while not (await asyncio.wait((going,), timeout=SUSPECT_SECONDS))[0]:
            self.suspect()
            if self.is_away:
                # What no thread has begun is taken back.
                going.cancel()
                raise UnavailableError(_AWAY)
        try:
            return going.result()
        except UnavailableError:
            self.suspect()
            raise

    async def _ask(self) -> None:
        """Ask until the graph answers."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                await loop.run_in_executor(self._thread, self._probe)
            except Exception as error:  # noqa: BLE001 (whatever the reason: it does not answer, and this must go on)
                if not self.is_away:
                    log.warning("graph_away", reason=type(error).__name__)
                self.is_away = True
                await asyncio.sleep(self._pause_seconds)
                continue
            if self.is_away:
                self.is_away = False
                log.info("graph_back")
                for callback in self._returned:
                    callback()
            return

    async def close(self) -> None:
        """Stop asking."""
        if self._asking is not None:
            self._asking.cancel()
            with suppress(asyncio.CancelledError):
                await self._asking
        for threads in (self._thread, self._threads):
            threads.shutdown(wait=False, cancel_futures=True)
