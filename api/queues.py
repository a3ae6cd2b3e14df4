"""What waits where: events for their commit, the inbox, marks for the streams and for features, tasks, streams."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.errors import UnavailableError
from graph.driver import Graph
from graph.repositories.outbox import count_marks
from ingest import inbox
from ingest.pipeline import Ingest
from ingest.streams import STREAMS

CELERY_QUEUES = ("default", "ml")
# Where Celery's transport keeps what workers have taken and not finished.
_UNACKED = "unacked"
_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Queues:
    """Asks for all lengths at once, with a second's patience for each server."""

    graph: Graph
    client: Redis | None
    ingest: Ingest
    thread: ThreadPoolExecutor

    async def read(self) -> dict[str, Any]:
        """Queue → what waits there; None for those that cannot be told now."""
        in_redis, marks = await asyncio.gather(_within(self._in_redis), _within(self._marks))
        return {
            "commit": {"events": self.ingest.waiting_events, "oldest_seconds": self.ingest.oldest_seconds},
            "inbox": in_redis and in_redis["inbox"],
            "marks": marks,
            "tasks": in_redis and in_redis["tasks"],
            "streams": in_redis and in_redis["streams"],
        }

    async def _in_redis(self) -> dict[str, Any] | None:
        if self.client is None:
            return None
        async with self.client.pipeline(transaction=False) as pipe:
            pipe.xlen(inbox.STREAM)
            pipe.get(inbox.BYTES)
            pipe.xrange(inbox.STREAM, count=1)
            for queue in CELERY_QUEUES:
                pipe.llen(queue)
            pipe.hlen(_UNACKED)
            for stream in STREAMS:
                pipe.xlen(stream)
            waiting, size, oldest, *rest = await pipe.execute()
        at = len(CELERY_QUEUES)
        return {
            "inbox": {"entries": waiting, "bytes": int(size or 0), "oldest_seconds": _age(oldest)},
            "tasks": {**dict(zip(CELERY_QUEUES, rest[:at], strict=True)), "under_way": rest[at]},
            "streams": dict(zip(STREAMS, rest[at + 1 :], strict=True)),
        }

    async def _marks(self) -> dict[str, Any]:
        return await asyncio.get_running_loop().run_in_executor(self.thread, count_marks, self.graph)


def lengths(queues: dict[str, Any]) -> dict[str, float]:
    """The numbers among them, by one name each."""
    found: dict[str, float] = {"commit": queues["commit"]["events"]}
    if queues["inbox"] is not None:
        found["inbox"] = queues["inbox"]["entries"]
    for name, mark in (queues["marks"] or {}).items():
        found[f"marks_{name}"] = mark["marks"]
    for name, count in (queues["tasks"] or {}).items():
        found[f"tasks_{name}"] = count
    for name, count in (queues["streams"] or {}).items():
        found[f"stream_{name}"] = count
    return found


async def _within(ask: Callable[[], Awaitable[dict[str, Any] | None]]) -> dict[str, Any] | None:
    try:
        async with asyncio.timeout(_SECONDS):
            return await ask()
    except (UnavailableError, RedisError, OSError, TimeoutError):
        return None


def _age(oldest: Any) -> float:
    """Seconds since the oldest entry of a stream was written, 0 without one."""
    if not oldest:
        return 0.0
    return round(max(0.0, time.time() - int(oldest[0][0].split(b"-")[0]) / 1000), 1)
