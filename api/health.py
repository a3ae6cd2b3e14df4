"""Is everything there: each dependency asked directly, with a second's patience, for people and load balancers."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.errors import ConfigurationError, UnavailableError
from graph.driver import Graph
from ingest.graph_watch import GraphWatch

CHECK_SECONDS = 1.0
# Written by the worker's heartbeat (`api/worker.py`) with a short life.
WORKER_KEY = "constintel:worker:alive"

Check = dict[str, Any]
_OK = "ok"
_DOWN = "down"


class HealthChecks:
    """Asks Neo4j, Redis and the worker; one question at a time each, so that polling never piles up threads."""

    def __init__(self, graph: Graph, client: Redis | None, watch: GraphWatch | None = None) -> None:
        self._graph = graph
        self._watch = watch
        self._redis = client
        # A thread of its own: with Neo4j away the shared ones are full of requests that wait for it.
        self._thread = ThreadPoolExecutor(1, "health")
        self._neo4j_question: asyncio.Future[None] | None = None

    def close(self) -> None:
        """Let the thread end after its question."""
        self._thread.shutdown(wait=False)

    async def report(self) -> dict[str, Any]:
        """`{"status": "ok"|"degraded", "checks": {"neo4j": …, "redis": …, "worker": …}}`; never raises."""
        neo4j, redis_check, worker = await asyncio.gather(
            self._check_neo4j(), self._check_redis(), self._check_worker()
        )
        checks = {"neo4j": neo4j, "redis": redis_check, "worker": worker}
        is_ok = all(check["status"] == _OK for check in checks.values())
        return {"status": _OK if is_ok else "degraded", "checks": checks}

    async def readiness(self) -> tuple[bool, dict[str, Any]]:
        """Whether events can be accepted now, and the checks that say so: by Neo4j, or by the inbox in Redis."""
        neo4j, redis_check = await asyncio.gather(self._check_neo4j(), self._check_redis())
        is_ready = neo4j["status"] == _OK or redis_check["status"] == _OK
        return is_ready, {"neo4j": neo4j, "redis": redis_check}

    async def _check_neo4j(self) -> Check:
        if self._watch is not None and self._watch.is_away:
            return {"status": _DOWN, "reason": "it does not answer; events go to the inbox"}
        return await _timed(self._ask_neo4j)

    async def _ask_neo4j(self) -> None:
        # A driver call cannot be cancelled: the next check waits for the one under way instead of starting another.
        if self._neo4j_question is None or self._neo4j_question.done():
            self._neo4j_question = asyncio.get_running_loop().run_in_executor(self._thread, self._graph.verify)
        await asyncio.shield(self._neo4j_question)

    async def _check_redis(self) -> Check:
        if self._redis is None:
            return {"status": _DOWN, "reason": "REDIS_URL is not set"}
        return await _timed(self._redis.ping)

    async def _check_worker(self) -> Check:
        if self._redis is None:
            return {"status": _DOWN, "reason": "REDIS_URL is not set"}
        client = self._redis

        async def ask() -> None:
            if not await client.exists(WORKER_KEY):
                raise UnavailableError("no worker has reported for 30 s")

        return await _timed(ask)


async def _timed(ask: Callable[[], Awaitable[Any]]) -> Check:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await ask()
    except TimeoutError:
        return {"status": _DOWN, "reason": f"no answer within {CHECK_SECONDS:g} s"}
    except (UnavailableError, ConfigurationError) as error:
        return {"status": _DOWN, "reason": error.detail}
    except (RedisError, OSError):
        return {"status": _DOWN, "reason": "not reachable"}
    return {"status": _OK, "milliseconds": round((time.perf_counter() - started) * 1000, 1)}
