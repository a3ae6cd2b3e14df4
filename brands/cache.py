"""A small cache for what every request needs: fresh for seconds, and the last known value while Neo4j is away."""

import asyncio
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from brands.last_known import KNOWN_SECONDS
from core.errors import UnavailableError

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# After this many keys everything is forgotten: a guesser of keys must not fill the memory.
_MAX_ENTRIES = 20_000
_UNKNOWN_SECONDS = 2.0
_RETRY_SECONDS = 2.0
_STALE_SECONDS = KNOWN_SECONDS
# How long a caller with a known value waits for a newer one.
_PATIENCE_SECONDS = 1.0
_LOADERS = 4


@dataclass(slots=True)
class _Entry(Generic[V]):
    value: V | None
    loaded_at: float
    fresh_until: float


class FreshCache(Generic[K, V]):
    """Loads by key and keeps the value `ttl` seconds (an absent one two seconds); safe to use from many threads.

    Of many that ask for one key at once, one load serves all. While the loader raises UnavailableError, or takes longer
    than a second, a known value counts on for up to an hour: a restart of the database turns no caller away.
    """

    def __init__(
        self,
        loader: Callable[[K], V | None],
        *,
        ttl: float,
        recall: Callable[[K], tuple[V, float] | None] | None = None,
    ) -> None:
        self._loader = loader
        self._recall = recall
        self._ttl = ttl
        self._entries: dict[K, _Entry[V]] = {}
        self._loading: dict[K, Future[V | None]] = {}
        # Re-entrant: a load that ends at once reports while its starter still holds it.
        self._guard = threading.RLock()
        self._threads = ThreadPoolExecutor(_LOADERS, "fresh-cache")

    def peek(self, key: K) -> V | None:
        """The value when it is known and fresh, else None; never waits."""
        entry = self._entries.get(key)
        return entry.value if entry is not None and entry.fresh_until > time.monotonic() else None

    def get(self, key: K) -> V | None:
        """The value, loaded when it is not fresh; None when there is none; raises what the loader raises."""
        entry = self._entries.get(key)
        now = time.monotonic()
        if entry is not None and entry.fresh_until > now:
            return entry.value
        load = self._load(key)
        if entry is None or entry.value is None or now - entry.loaded_at > _STALE_SECONDS:
            if self._recall is None:
                return load.result()
            try:
                return load.result(_PATIENCE_SECONDS)
            except (UnavailableError, TimeoutError):
                recalled = self._recalled(key)
                return recalled if recalled is not None else load.result()
        try:
            return load.result(_PATIENCE_SECONDS)
        except (UnavailableError, TimeoutError):
            entry.fresh_until = time.monotonic() + _RETRY_SECONDS
            return entry.value

    async def fetch(self, key: K) -> V | None:
        """As `get`, without holding a thread: however many ask for unknown keys, others are served meanwhile."""
        entry = self._entries.get(key)
        now = time.monotonic()
        if entry is not None and entry.fresh_until > now:
            return entry.value
        load = asyncio.wrap_future(self._load(key))
        # Whoever stops waiting leaves the load to the others: nobody may miss the error.
        load.add_done_callback(_heard)
        if entry is None or entry.value is None or now - entry.loaded_at > _STALE_SECONDS:
            if self._recall is None:
                return await asyncio.shield(load)
            try:
                return await asyncio.wait_for(asyncio.shield(load), _PATIENCE_SECONDS)
            except (UnavailableError, TimeoutError):
                recalled = await asyncio.to_thread(self._recalled, key)
                return recalled if recalled is not None else await asyncio.shield(load)
        try:
            return await asyncio.wait_for(asyncio.shield(load), _PATIENCE_SECONDS)
        except (UnavailableError, TimeoutError):
            entry.fresh_until = time.monotonic() + _RETRY_SECONDS
            return entry.value

    def forget(self, key: K) -> None:
        """Load the value again at its next use."""
        with self._guard:
            self._entries.pop(key, None)
            # A load under way may have read what was before.
            self._loading.pop(key, None)

    def forget_where(self, is_meant: Callable[[V], bool]) -> None:
        """As `forget`, for every known value that is meant."""
        with self._guard:
            for key, entry in list(self._entries.items()):
                if entry.value is not None and is_meant(entry.value):
                    self.forget(key)

    def renew(self, key: K) -> "Future[V | None]":
        """As `forget`, and load it at once; no recalled value stands in for this load, which may raise."""
        with self._guard:
            self.forget(key)
            return self._load(key)

    def expire(self, key: K) -> None:
        """Load the value again at its next use; while that cannot be done the known one counts on."""
        with self._guard:
            entry = self._entries.get(key)
            if entry is not None:
                entry.fresh_until = 0.0
            self._loading.pop(key, None)

    def expire_older(self, key: K, seconds: float) -> bool:
        """As `expire` when the value was loaded longer than `seconds` ago; whether it was."""
        entry = self._entries.get(key)
        if entry is None or time.monotonic() - entry.loaded_at < seconds:
            return False
        self.expire(key)
        return True

    def close(self) -> None:
        """Start no more loads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _load(self, key: K) -> "Future[V | None]":
        """The load under way for `key`, or a new one."""
        with self._guard:
            entry = self._entries.get(key)
            if entry is not None and entry.fresh_until > time.monotonic():
                # It arrived between the look and the lock.
                arrived: Future[V | None] = Future()
                arrived.set_result(entry.value)
                return arrived
            load = self._loading.get(key)
            if load is None:
                load = self._loading[key] = self._threads.submit(self._loader, key)
                load.add_done_callback(lambda done: self._keep(key, done))
            return load

    def _recalled(self, key: K) -> V | None:
        """The value that counts until the next load, as old as it is; None when there is none that counts."""
        found = self._recall(key) if self._recall is not None else None
        if found is None or found[1] > _STALE_SECONDS:
            return None
        value, age = found
        with self._guard:
            now = time.monotonic()
            held = self._entries.get(key)
            if held is not None and held.loaded_at >= now - age:
                # A load was faster.
                return held.value
            self._entries[key] = _Entry(value, now - age, now + _RETRY_SECONDS)
        return value

    def _keep(self, key: K, load: "Future[V | None]") -> None:
        with self._guard:
            if self._loading.get(key) is not load:
                return
            del self._loading[key]
            if load.exception() is not None:
                return
            if len(self._entries) >= _MAX_ENTRIES:
                self._entries.clear()
            now = time.monotonic()
            value = load.result()
            self._entries[key] = _Entry(value, now, now + (self._ttl if value is not None else _UNKNOWN_SECONDS))


def _heard(load: "asyncio.Future[V | None]") -> None:
    if not load.cancelled():
        load.exception()
