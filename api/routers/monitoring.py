"""Health for people and load balancers, queues and numbers for operators; nothing here tells of any brand's data."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from api.answers import JsonAnswer
from api.auth import is_open, needs
from api.metrics import Snapshot, exposition
from api.openapi import answers
from api.queues import lengths
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.monitoring import Health, QueueLengths, Stats
from api.wiring import services_of
from core.errors import UnavailableError
from graph.repositories.dead_letters import count_letters
from ingest.meters import SECONDS, quantile

router = APIRouter(tags=["monitoring"], route_class=GuardedRoute)

_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@router.get(
    "/api/monitoring/health", summary="How the service is", operation_id="get_health", responses=answers(Health)
)
@is_open()
async def read_health(request: Request) -> Response:
    """Always 200 while the process lives; `degraded` names what is away."""
    return JsonAnswer(await services_of(request).health.report())


@router.get(
    "/api/monitoring/health/ready",
    summary="Whether events can be accepted",
    operation_id="get_readiness",
    responses={**answers(Health), 503: {"description": "Events cannot be accepted now; `checks` says why."}},
)
@is_open()
async def read_readiness(request: Request) -> Response:
    """200 only when events can be accepted, by Neo4j or by the inbox; else 503."""
    is_ready, checks = await services_of(request).health.readiness()
    body = {"status": "ok" if is_ready else "unavailable", "checks": checks}
    return JsonAnswer(body, 200 if is_ready else 503, None if is_ready else {"Retry-After": "2"})


@router.get(
    "/api/monitoring/queues",
    summary="What waits where",
    operation_id="get_queues",
    responses=answers(QueueLengths, 401, 403, 503),
)
@needs("read")
async def read_queues(caller: CallerDep, services: ServicesDep) -> Response:
    """Lengths of all queues of the installation, and the caller's dead letters."""
    queues = await services.queues.read()
    letters: int | None = None
    if queues["marks"] is not None:
        try:
            letters = await run_in_threadpool(count_letters, services.graph, caller.brand)
        except UnavailableError:
            letters = None
    return JsonAnswer({**queues, "dead_letters": letters})


@router.get(
    "/api/monitoring/stats",
    summary="What was done",
    operation_id="get_stats",
    responses=answers(Stats, 401, 403),
)
@needs("read")
async def read_stats(services: ServicesDep) -> Response:
    """Events by source and decision, times, commits and their retries, over all API processes."""
    snapshots = await services.metrics.read()
    return JsonAnswer({**_stats(snapshots), "graph_is_away": services.ingest.watch.is_away})


@router.get(
    "/metrics",
    summary="Numbers for Prometheus",
    operation_id="get_metrics",
    response_class=PlainTextResponse,
    responses={
        200: {
            "description": "Prometheus' text format, with the series of all processes.",
            "content": {"text/plain": {"example": 'constintel_events_received_total{process="a",source="api"} 3.0\n'}},
        }
    },
)
@is_open()
async def read_metrics(request: Request) -> Response:
    """Counters and histograms of events, requests, commits and retries; queue lengths; what is there and what not."""
    services = services_of(request)
    snapshots, queues, health = await asyncio.gather(
        services.metrics.read(), services.queues.read(), services.health.report()
    )
    gauges = {
        "queue_length": lengths(queues),
        "up": {name: float(check["status"] == "ok") for name, check in health["checks"].items()},
    }
    return Response(exposition(snapshots, gauges), media_type=_TEXT)


def _stats(snapshots: Mapping[str, Snapshot]) -> dict[str, Any]:
    decisions: dict[str, Counter[str]] = {}
    rejected, repeated, retries = Counter[str](), Counter[str](), Counter[str]()
    taking: dict[str, list[int]] = {}
    commits, sizes = [0] * (len(SECONDS) + 1), 0.0
    for numbers in snapshots.values():
        for source, decision, count in numbers["decisions"]:
            decisions.setdefault(source, Counter())[decision] += count
        rejected.update(numbers["rejected"])
        repeated.update(numbers["duplicates"])
        retries.update(numbers["retries"])
        for source, (counts, _) in numbers["taking"].items():
            taking[source] = _sum(taking.get(source), counts)
        commits = _sum(commits, numbers["commits"][0])
        sizes += numbers["commit_sizes"][1]
    sources = {
        source: {
            "received": decisions.get(source, Counter()).total() + rejected[source],
            "accepted": decisions.get(source, Counter()).total(),
            "rejected": rejected[source],
            "duplicates": repeated[source],
            "decisions": dict(decisions.get(source, Counter())),
            "milliseconds": _percentiles(taking.get(source, [])),
        }
        for source in sorted({*decisions, *rejected})
    }
    done = sum(commits)
    return {
        "processes": len(snapshots),
        "sources": sources,
        "commits": {
            "count": done,
            "events": int(sizes),
            "events_each": round(sizes / done, 1) if done else None,
            "milliseconds": _percentiles(commits),
        },
        "retries": dict(retries),
    }


def _sum(a: list[int] | None, b: list[int]) -> list[int]:
    return b if a is None else [x + y for x, y in zip(a, b, strict=True)]


def _percentiles(counts: list[int]) -> dict[str, float | None]:
    found = {name: quantile(SECONDS, counts, share) for name, share in _SHARES.items()}
    return {name: None if value is None else round(value * 1000, 1) for name, value in found.items()}
