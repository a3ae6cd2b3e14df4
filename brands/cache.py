"""A small cache for what every request needs: fresh for seconds, and the last known value while Neo4j is away."""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.errors import UnavailableError

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# After this many keys everything is forgotten: a guesser of keys must not fill the memory.
_MAX_ENTRIES = 20_000
_UNKNOWN_SECONDS = 2.0
_RETRY_SECONDS = 2.0
_STALE_SECONDS = 3600.0


@dataclass(slots=True)
class _Entry(Generic[V]):
    value: V | None
    loaded_at: float
    fresh_until: float


class FreshCache(Generic[K, V]):
    """Loads by key and keeps the value `ttl` seconds (an absent one two seconds); safe to use from many threads.

    While the loader raises UnavailableError a known value counts on for up to an hour, so that a restart of the
    database does not turn callers away; only one thread at a time waits for the loader then.
    """

    def __init__(self, loader: Callable[[K], V | None], *, ttl: float) -> None:
        self._loader = loader
        self._ttl = ttl
        self._entries: dict[K, _Entry[V]] = {}
        self._locks: dict[K, threading.Lock] = {}
        self._guard = threading.Lock()

    def peek(self, key: K) -> V | None:
        """The value when it is known and fresh, else None; never waits."""
        entry = self._entries.get(key)
        return entry.value if entry is not None and entry.fresh_until > time.monotonic() else None

    def get(self, key: K) -> V | None:
        """The value, loaded when it is not fresh; None when there is none; raises what the loader raises."""
        entry = self._entries.get(key)
        if entry is not None and entry.fresh_until > time.monotonic():
            return entry.value
        lock = self._lock(key)
        is_usable = (
            entry is not None and entry.value is not None and time.monotonic() - entry.loaded_at < _STALE_SECONDS
        )
        if not lock.acquire(blocking=not is_usable):
            return entry.value if entry is not None else None
        try:
            return self._refresh(key)
        finally:
            lock.release()

    def forget(self, key: K) -> None:
        """Load the value again at its next use."""
        self._entries.pop(key, None)

    def _refresh(self, key: K) -> V | None:
        entry = self._entries.get(key)
        now = time.monotonic()
        if entry is not None and entry.fresh_until > now:
            return entry.value
        try:
            value = self._loader(key)
        except UnavailableError:
            if entry is None or entry.value is None or now - entry.loaded_at > _STALE_SECONDS:
                raise
            entry.fresh_until = time.monotonic() + _RETRY_SECONDS
            return entry.value
        now = time.monotonic()
        if len(self._entries) >= _MAX_ENTRIES:
            self._entries.clear()
        self._entries[key] = _Entry(value, now, now + (self._ttl if value is not None else _UNKNOWN_SECONDS))
        return value

    def _lock(self, key: K) -> threading.Lock:
        with self._guard:
            if len(self._locks) >= _MAX_ENTRIES:
                self._locks = {kept: lock for kept, lock in self._locks.items() if lock.locked()}
            return self._locks.setdefault(key, threading.Lock())
