"""Does the graph answer? One probe for a whole process: requests need not each wait to find out that it is away."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import structlog

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 0.5


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
        self._returned: list[Callable[[], None]] = []
        self.is_away = False

    def on_return(self, callback: Callable[[], None]) -> None:
        """Call `callback` on the loop each time the graph answers again."""
        self._returned.append(callback)

    def suspect(self) -> None:
        """Ask the graph unless that is under way; returns at once."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.get_running_loop().create_task(self._ask())

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
        self._thread.shutdown(wait=False, cancel_futures=True)
