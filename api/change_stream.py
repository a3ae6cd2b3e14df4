"""The change feed as it happens: one poller for all listeners of this process, each of which holds only its cursor."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog

from core.errors import ConstIntelError, GoneError, UnavailableError
from graph.driver import Graph
from graph.repositories.changes import newest_entries, read_changes

log = structlog.get_logger(__name__)

MAX_LISTENERS = 500
_POLL_SECONDS = 0.5
_LONGEST_PAUSE = 5.0
_HEARTBEAT_SECONDS = 15.0
# Entries of a brand kept for those who are up to date; everybody else reads pages at his own pace.
_RECENT = 256
_PAGE = 100

_encoder = msgspec.json.Encoder()
_RETRY = b"retry: 2000\n\n"


@dataclass(frozen=True, slots=True)
class _Entry:
    seq: int
    kind: str
    text: bytes


@dataclass(slots=True)
class _Topic:
    """What listeners of one brand share."""

    newest: int
    listeners: int = 0
    recent: deque[_Entry] = field(default_factory=lambda: deque(maxlen=_RECENT))
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self) -> None:
        """Wake all that wait."""
        woken, self.moved = self.moved, asyncio.Event()
        woken.set()

    def after(self, cursor: int) -> list[_Entry] | None:
        """Kept entries after `cursor`; None when some of them are not kept."""
        if cursor >= self.newest:
            return []
        if not self.recent or self.recent[0].seq > cursor + 1:
            return None
        return [entry for entry in self.recent if entry.seq > cursor][:_PAGE]


@dataclass(frozen=True, slots=True)
class Listener:
    """What one connection asked for; `recheck` raises what the door would say to its key now."""

    brand: str
    cursor: int
    newest: int
    """The newest entry when it came."""
    kinds: frozenset[str]
    follows: bool
    recheck: Callable[[], Awaitable[object]]


class ChangeStreams:
    """Server-sent events for any number of listeners; a slow one holds nothing but its place."""

    def __init__(
        self, graph: Graph, *, poll_seconds: float = _POLL_SECONDS, heartbeat_seconds: float = _HEARTBEAT_SECONDS
    ) -> None:
        self._graph = graph
        self._poll_seconds = poll_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._topics: dict[str, _Topic] = {}
        self._poller: asyncio.Task[None] | None = None
        self._is_stopping = False
        self._listeners = 0
        self.outages = 0
        """Times that the graph could not be asked for news."""

    def stop(self) -> None:
        """End every stream soon: their listeners come back with the last id they saw."""
        self._is_stopping = True
        for topic in self._topics.values():
            topic.tell()

    async def close(self) -> None:
        """Stop and let go of the poller."""
        self.stop()
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)

    def check_room(self) -> None:
        """Raises UnavailableError when the process has as many listeners as it takes, or is about to end."""
        if self._is_stopping or self._listeners >= MAX_LISTENERS:
            raise UnavailableError("No more listeners are taken here now.", retry_after=5)

    async def listen(self, listener: Listener) -> AsyncIterator[bytes]:
        """The text of the stream: everything after the cursor, then what comes, with signs of life in between."""
        topic = self._enter(listener)
        cursor = listener.cursor
        try:
            yield _RETRY
            while not self._is_stopping:
                moved = topic.moved
                try:
                    entries, cursor_after = await self._next(topic, listener, cursor)
                except GoneError:
                    yield b"event: gone\ndata: {}\n\n"
                    return
                except UnavailableError:
                    entries, cursor_after = [], cursor
                text = b"".join(entry.text for entry in entries if not listener.kinds or entry.kind in listener.kinds)
                if text:
                    yield text
                if cursor_after > cursor:
                    cursor = cursor_after
                    continue
                if not listener.follows:
                    return
                if not await self._wait(moved):
                    if not await _may_stay(listener):
                        return
                    # The id alone moves a listener on whose kinds do not occur.
                    yield b": alive\nid: %d\n\n" % cursor
        finally:
            self._leave(listener.brand, topic)

    async def _wait(self, moved: asyncio.Event) -> bool:
        """Whether something came before the next sign of life is due."""
        try:
            await asyncio.wait_for(moved.wait(), self._heartbeat_seconds)
        except TimeoutError:
            return False
        return True

    async def _next(self, topic: _Topic, listener: Listener, cursor: int) -> tuple[Sequence[_Entry], int]:
        """The entries after the cursor, kept ones or a page from the graph, and the cursor after them."""
        entries = topic.after(cursor) if listener.follows else None
        if entries is None:
            page = await asyncio.to_thread(read_changes, self._graph, listener.brand, cursor, _PAGE, listener.kinds)
            return [_entry(item) for item in page.items], page.cursor
        return entries, entries[-1].seq if entries else cursor

    def _enter(self, listener: Listener) -> _Topic:
        topic = self._topics.setdefault(listener.brand, _Topic(listener.newest))
        topic.listeners += 1
        self._listeners += 1
        if self._poller is None or self._poller.done():
            self._poller = asyncio.get_running_loop().create_task(self._poll())
        return topic

    def _leave(self, brand: str, topic: _Topic) -> None:
        topic.listeners -= 1
        self._listeners -= 1
        if topic.listeners == 0:
            del self._topics[brand]

    async def _poll(self) -> None:
        """Ask for all brands at once how far they are, as long as anybody listens."""
        pause = self._poll_seconds
        while self._topics and not self._is_stopping:
            try:
                newest = await asyncio.to_thread(newest_entries, self._graph, list(self._topics))
                for brand, seq in newest.items():
                    await self._advance(brand, seq)
                pause = self._poll_seconds
            except UnavailableError:
                self.outages += 1
                pause = min(2 * pause, _LONGEST_PAUSE)
            except Exception as error:  # the listeners of every brand hang on this task: it must not end
                log.error("change_poll_failed", exc_info=error)
                pause = _LONGEST_PAUSE
            await asyncio.sleep(pause)

    async def _advance(self, brand: str, seq: int) -> None:
        topic = self._topics.get(brand)
        if topic is None or seq <= topic.newest:
            return
        cursor = max(topic.newest, seq - _RECENT)
        if cursor > topic.newest:
            topic.recent.clear()
        while cursor < seq:
            try:
                page = await asyncio.to_thread(read_changes, self._graph, brand, cursor, _PAGE)
            except GoneError:
                topic.recent.clear()
                cursor = seq
                break
            topic.recent.extend(_entry(item) for item in page.items)
            if page.cursor == cursor:
                break
            cursor = page.cursor
        topic.newest = cursor
        topic.tell()


async def _may_stay(listener: Listener) -> bool:
    try:
        await listener.recheck()
    except UnavailableError:
        return True
    except ConstIntelError:
        return False
    return True


def _entry(item: dict[str, Any]) -> _Entry:
    text = b"id: %s\nevent: %s\ndata: %s\n\n" % (item["cursor"].encode(), item["kind"].encode(), _encoder.encode(item))
    return _Entry(int(item["cursor"]), item["kind"], text)
