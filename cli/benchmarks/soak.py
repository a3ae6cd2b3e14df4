"""Bench `--soak`: half of the measured limit for minutes; memory and latency must stay flat, all queues end at zero."""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from queue import Empty
from typing import Any

import httpx

from brands.onboarding import NewBrand, create_brand
from cli.benchmarks.http_load import build_request, run_load
from cli.benchmarks.measure import SINGLE_CONNECTIONS, resident_mb
from cli.benchmarks.servers import Servers
from cli.benchmarks.soak_load import Door, Interval, Load, make_bodies, send
from graph.driver import Graph
from graph.migrations import migrate

LATENCY_TARGET = 4.0
"""p99 over p50 of webhooks at half load: at most this."""
MEMORY_TARGET = 1.10
"""Memory of a process in the last third over that in the second: at most this."""
_LIMIT_EVENTS = 3_000
_LIMIT_ROUNDS = 3
_DRAIN_SECONDS = 180.0
_POLL_SECONDS = 0.5
_GIVE_UP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class SoakPlan:
    """How long, and the seed of the event mix; `rate` in events a second instead of half the measured limit."""

    minutes: float
    seed: int = 0
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class SoakResult:
    """The whole soak; `drained_seconds` is None when the queues were not empty in time."""

    limit: float
    rate: float
    intervals: list[Interval]
    drained_seconds: float | None
    left: dict[str, float]

    @property
    def latency_ratio(self) -> float:
        """p99 over p50 of single events, the medians of the intervals."""
        return _ratio([one.p99 for one in self.intervals], [one.p50 for one in self.intervals])

    @property
    def webhook_ratio(self) -> float:
        """The same of the signed deliveries among them."""
        return _ratio([one.webhook_p99 for one in self.intervals], [one.webhook_p50 for one in self.intervals])

    def growth(self, process: str) -> float:
        """Memory of a process in the last third of the time over that in the second third."""
        found = [one.memory[process] for one in self.intervals if process in one.memory]
        third = max(1, len(found) // 3)
        return statistics.mean(found[-third:]) / statistics.mean(found[third : 2 * third] or found)


def _ratio(above: Sequence[float], below: Sequence[float]) -> float:
    under = statistics.median(below)
    return statistics.median(above) / under if under else 0.0


def run_soak(plan: SoakPlan, servers: Servers, tell: Callable[[str], None]) -> SoakResult:
    """Measure the limit of single events, then send half of it for so long on a fixed schedule; `tell` gets lines."""
    with Graph.connect(servers.settings) as graph:
        migrate(graph)
        brand = create_brand(graph, NewBrand("bench-soak")).as_dict()
    key = brand["api_key"]
    shop = Door(brand["webhook_urls"]["shopify"], brand["webhook_secrets"]["shopify"])
    limit = _measure_limit(plan, servers, key)
    rate = plan.rate or limit / 2
    tell(f"limit {limit:,.0f} events/s, soaking with {rate:,.0f} events/s for {plan.minutes:g} minutes")
    load = Load(servers.api_url, key, shop, rate, plan.minutes, plan.seed)
    intervals = list(_watch(load, servers, key, tell))
    started = time.monotonic()
    while True:
        left = {name: count for name, count in read_queues(servers.api_url, key).items() if count}
        waited = time.monotonic() - started
        if not left or waited > _DRAIN_SECONDS:
            return SoakResult(limit, rate, intervals, waited if not left else None, left)
        time.sleep(_POLL_SECONDS)


def read_queues(url: str, key: str) -> dict[str, float]:
    """Queue → what waits there; the streams are no queues, and neither are tasks that beat sends on time."""
    answer = httpx.get(f"{url}/api/monitoring/queues", headers={"Authorization": f"Bearer {key}"}, timeout=30)
    queues = answer.raise_for_status().json()
    found = {"commit": queues["commit"]["events"], "dead_letters": queues["dead_letters"]}
    found["inbox"] = queues["inbox"]["entries"] if queues["inbox"] else None
    found |= {f"marks_{name}": mark["marks"] for name, mark in (queues["marks"] or {"unknown": {"marks": 1}}).items()}
    return {name: 1.0 if count is None else float(count) for name, count in found.items()}


def soak_markdown(result: SoakResult) -> str:
    """The report as a Markdown table with its verdict."""
    names = list(result.intervals[0].memory) if result.intervals else []
    latencies = ["p50 ms", "p95 ms", "p99 ms", "webhook p50", "webhook p99"]
    head = ["second", "events", "refused", *latencies, *(f"{name} MB" for name in names), "waiting"]
    lines = [
        f"## Soak at {result.rate:,.0f} events/s (limit {result.limit:,.0f})",
        "",
        "| " + " | ".join(head) + " |",
        "| " + " | ".join("---:" for _ in head) + " |",
    ]
    for one in result.intervals:
        cells = [f"{one.ends_at:.0f}", str(one.sent), str(one.refused)]
        cells += [f"{value:.1f}" for value in (one.p50, one.p95, one.p99, one.webhook_p50, one.webhook_p99)]
        cells += [f"{one.memory.get(name, 0):.0f}" for name in names]
        lines.append("| " + " | ".join([*cells, f"{sum(one.queues.values()):.0f}"]) + " |")
    end = (
        f"empty after {result.drained_seconds:.1f} s"
        if result.drained_seconds is not None
        else f"NOT empty: {result.left}"
    )
    growth = ", ".join(f"{name} {result.growth(name):.2f}" for name in names)
    lines += [
        "",
        f"- p99 over p50 of webhooks: {result.webhook_ratio:.1f} (at most {LATENCY_TARGET:g}); "
        f"of single events: {result.latency_ratio:.1f}",
        f"- memory, last third over second third: {growth} (at most {MEMORY_TARGET:g})",
        f"- queues: {end}",
    ]
    return "\n".join(lines)


def to_json(result: SoakResult) -> dict[str, Any]:
    """The whole soak as plain data."""
    names = list(result.intervals[0].memory) if result.intervals else []
    return {
        **asdict(result),
        "latency_ratio": result.latency_ratio,
        "webhook_ratio": result.webhook_ratio,
        "growth": {n: result.growth(n) for n in names},
    }


def is_good(result: SoakResult) -> bool:
    """Whether nothing was refused and everything was worked off; figures of time and memory are for people to judge."""
    return result.drained_seconds is not None and not any(one.refused for one in result.intervals)


def _measure_limit(plan: SoakPlan, servers: Servers, key: str) -> float:
    """Events a second that the service takes of 64 connections which send as fast as they are answered."""
    rates = []
    for number in range(_LIMIT_ROUNDS):
        bodies = list(make_bodies(plan.seed, f"limit-{number}", _LIMIT_EVENTS))
        requests = [build_request(servers.api_url, "/api/events", key, body) for body in bodies]
        report = run_load(servers.api_url, requests, SINGLE_CONNECTIONS, batched=False)
        rates.append(len(bodies) / (report.ended - report.began))
    # The first one meets a cold service.
    return statistics.median(rates[1:])


def _watch(load: Load, servers: Servers, key: str, tell: Callable[[str], None]) -> Iterator[Interval]:
    """Send from a process of its own and look at the servers at the end of each interval."""
    context = multiprocessing.get_context("spawn")
    seen: Any = context.Queue()
    process = context.Process(target=send, args=(load, seen))
    process.start()
    try:
        while True:
            try:
                found: Interval | None = seen.get(timeout=load.interval + _GIVE_UP_SECONDS)
            except Empty as error:
                raise RuntimeError("the load generator tells nothing any more") from error
            if found is None:
                return
            found.memory, found.queues = _memory(servers), read_queues(servers.api_url, key)
            tell(
                f"{found.ends_at:5.0f} s: {found.sent} events, p50 {found.p50:.1f} ms, p99 {found.p99:.1f} ms, "
                + ", ".join(f"{name} {mb:.0f} MB" for name, mb in found.memory.items())
            )
            yield found
    finally:
        process.terminate()
        process.join()


def _memory(servers: Servers) -> dict[str, float]:
    pids: dict[str, Sequence[int]] = {
        "api": servers.api_pids,
        "worker": servers.worker_pids,
        "neo4j": [servers.neo4j_pid] if servers.neo4j_pid else [],
        "redis": [servers.redis_pid] if servers.redis_pid else [],
    }
    found = {name: resident_mb(one) for name, one in pids.items()}
    return {name: megabytes for name, megabytes in found.items() if megabytes is not None}
