"""What the graph said last, kept in Redis: a process that starts while Neo4j is away still knows whose call it is.

Entries are sealed with what follows from the password of Neo4j: who can only write into Redis makes nobody a caller,
and who can only read it learns nothing of what they say.
"""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

import redis
import structlog
from redis.exceptions import RedisError

from core.sealing import BrokenSealError, Sealer

log = structlog.get_logger(__name__)

KNOWN_SECONDS: Final = 3600.0
"""How long an answer of the graph counts after it was given, wherever it is kept."""
_PREFIX = "constintel:known:"
_GONE: Final[dict[str, Any]] = {}
# An answer that did not change is written again after this time only.
_AGAIN_SECONDS = 60.0
_MAX_WAITING = 1_000
_MAX_NOTED = 20_000
# Of two processes that write, the answer that was asked for later stands: a key that was taken back stays so.
_PUT = """
local held = redis.call('HGET', KEYS[1], 'at')
if held and tonumber(held) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'at', ARGV[1], 'body', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""


class LastKnown:
    """Keeps and finds answers of one process; keeping never waits, finding waits for the client's time-out at most."""

    def __init__(self, client: redis.Redis, secret: str, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._sealer = Sealer(b"last known|" + secret.encode())
        self._clock = clock
        self._put = client.register_script(_PUT)
        self._thread = ThreadPoolExecutor(1, "last-known")
        self._room = threading.BoundedSemaphore(_MAX_WAITING)
        self._noted: dict[str, tuple[str, float]] = {}

    def now(self) -> float:
        """Seconds since 1970: take it before asking the graph."""
        return self._clock()

    def keep(self, kind: str, key: str, value: dict[str, Any], at: float) -> None:
        """Remember what the graph answered when it was asked at `at`; a Redis that is away is passed over."""
        name = f"{kind}|{key}"
        body = json.dumps(value, sort_keys=True)
        noted = self._noted.get(name)
        is_same = noted is not None and noted[0] == body and 0 <= at - noted[1] < _AGAIN_SECONDS
        if is_same or not self._room.acquire(blocking=False):
            return
        if len(self._noted) >= _MAX_NOTED:
            self._noted.clear()
        self._noted[name] = (body, at)
        # At the end of the process a look-up may come after `close`.
        with suppress(RuntimeError):
            self._thread.submit(self._write, name, body, at)

    def drop(self, kind: str, key: str) -> None:
        """Forget what was kept until now: it was changed. The next answer is written whatever it says."""
        self.keep(kind, key, _GONE, self.now())

    def find(self, kind: str, key: str) -> tuple[dict[str, Any], float] | None:
        """The last answer and how old it is in seconds; None without one that is whole and young enough."""
        name = f"{kind}|{key}"
        try:
            found: list[bytes | None] = self._client.hmget(_PREFIX + name, "at", "body")  # type: ignore[assignment]
            at, body = (one.decode() if one is not None else "" for one in found)
            if not body:
                return None
            stored = json.loads(self._sealer.open(body, _about(name, at)))
        except RedisError as error:
            log.warning("last_known_not_read", reason=type(error).__name__)
            return None
        except (BrokenSealError, ValueError):
            log.warning("last_known_refused", kind=kind)
            return None
        if stored == _GONE:
            return None
        age = self._clock() - float(at)
        # Clocks of two machines may differ by a moment.
        return (stored, max(0.0, age)) if age <= KNOWN_SECONDS else None

    def close(self) -> None:
        """Write what waits, then let go."""
        self._thread.shutdown(wait=True)
        self._client.close()

    def _write(self, name: str, body: str, at: float) -> None:
        self._room.release()
        told = repr(at)
        args: list[str | int] = [told, self._sealer.seal(body, _about(name, told)), int(KNOWN_SECONDS * 1000)]
        try:
            self._put(keys=[_PREFIX + name], args=args)
        except RedisError as error:
            self._noted.pop(name, None)
            log.warning("last_known_not_kept", reason=type(error).__name__)


def _about(name: str, at: str) -> str:
    return f"{name}|{at}"
