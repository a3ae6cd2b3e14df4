"""Bench `--soak`: half of the measured limit for minutes; memory and latency must stay flat, all queues end at zero."""

import asyncio
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from queue import Empty
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from brands.onboarding import NewBrand, create_brand
from cli.benchmarks.http_load import build_request, run_load
from cli.benchmarks.measure import SINGLE_CONNECTIONS, resident_mb
from cli.benchmarks.mix import make_samples
from cli.benchmarks.servers import Servers
from graph.driver import Graph
from graph.migrations import migrate

LATENCY_TARGET = 4.0
"""p99 over p50 at half load: at most this."""
MEMORY_TARGET = 1.10
"""Memory of a process in the last third over that in the second: at most this."""
_LIMIT_EVENTS = 3_000
_LIMIT_ROUNDS = 3
_INTERVALS = 15
_SHORTEST_INTERVAL = 4.0
_CONNECTIONS = 64
_CHUNK_SECONDS = 5.0
_DRAIN_SECONDS = 180.0
_POLL_SECONDS = 0.5
_GIVE_UP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class SoakPlan:
    """How long, and the seed of the event mix; `rate` in events a second instead of half the measured limit."""

    minutes: float
    seed: int = 0
    rate: float | None = None


@dataclass(slots=True)
class Interval:
    """What was seen in one stretch of time: latencies in milliseconds from when a request was due, memory in MB."""

    ends_at: float
    sent: int
    refused: int
    p50: float
    p95: float
    p99: float
    memory: dict[str, float] = field(default_factory=dict)
    queues: dict[str, float] = field(default_factory=dict)


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
        """p99 over p50, the medians of the intervals."""
        p50 = statistics.median(one.p50 for one in self.intervals)
        return statistics.median(one.p99 for one in self.intervals) / p50 if p50 else 0.0

    def growth(self, process: str) -> float:
        """Memory of a process in the last third of the time over that in the second third."""
        found = [one.memory[process] for one in self.intervals if process in one.memory]
        third = max(1, len(found) // 3)
        return statistics.mean(found[-third:]) / statistics.mean(found[third : 2 * third] or found)


def run_soak(plan: SoakPlan, servers: Servers, tell: Callable[[str], None]) -> SoakResult:
    """Measure the limit of single events, then send half of it for so long on a fixed schedule; `tell` gets lines."""
    with Graph.connect(servers.settings) as graph:
        migrate(graph)
        key = create_brand(graph, NewBrand("bench-soak")).api_key
    limit = _measure_limit(plan, servers, key)
    rate = plan.rate or limit / 2
    tell(f"limit {limit:,.0f} events/s, soaking with {rate:,.0f} events/s for {plan.minutes:g} minutes")
    intervals = list(_watch(_Load(servers.api_url, key, rate, plan), servers, key, tell))
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
    head = ["second", "events", "refused", "p50 ms", "p95 ms", "p99 ms", *(f"{name} MB" for name in names), "waiting"]
    lines = [
        f"## Soak at {result.rate:,.0f} events/s (limit {result.limit:,.0f})",
        "",
        "| " + " | ".join(head) + " |",
        "| " + " | ".join("---:" for _ in head) + " |",
    ]
    for one in result.intervals:
        cells = [f"{one.ends_at:.0f}", str(one.sent), str(one.refused)]
        cells += [f"{value:.1f}" for value in (one.p50, one.p95, one.p99)]
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
        f"- p99 over p50: {result.latency_ratio:.1f} (at most {LATENCY_TARGET:g})",
        f"- memory, last third over second third: {growth} (at most {MEMORY_TARGET:g})",
        f"- queues: {end}",
    ]
    return "\n".join(lines)


def to_json(result: SoakResult) -> dict[str, Any]:
    """The whole soak as plain data."""
    names = list(result.intervals[0].memory) if result.intervals else []
    return {**asdict(result), "latency_ratio": result.latency_ratio, "growth": {n: result.growth(n) for n in names}}


def is_good(result: SoakResult) -> bool:
    """Whether nothing was refused and everything was worked off; figures of time and memory are for people to judge."""
    return result.drained_seconds is not None and not any(one.refused for one in result.intervals)


def _measure_limit(plan: SoakPlan, servers: Servers, key: str) -> float:
    """Events a second that the service takes of 64 connections which send as fast as they are answered."""
    rates = []
    for number in range(_LIMIT_ROUNDS):
        bodies = list(_bodies(plan.seed, f"limit-{number}", _LIMIT_EVENTS))
        requests = [build_request(servers.api_url, "/api/events", key, body) for body in bodies]
        report = run_load(servers.api_url, requests, SINGLE_CONNECTIONS, batched=False)
        rates.append(len(bodies) / (report.ended - report.began))
    # The first one meets a cold service.
    return statistics.median(rates[1:])


def _bodies(seed: int, name: str, count: int) -> Iterator[bytes]:
    """Events of the mix whose keys and orders belong to this chunk alone; the people are the same in all chunks."""
    for place, sample in enumerate(make_samples(count, seed)):
        body = {**sample.body, "message_id": f"{name}-{place}"}
        if "order_id" in body["payload"]:
            body["payload"] = {**body["payload"], "order_id": f"{name}-{place}"}
        yield msgspec.json.encode(body)


def _chunk(seed: int, number: int, size: int) -> list[bytes]:
    return list(_bodies(seed, f"soak-{number}", size))


@dataclass(frozen=True, slots=True)
class _Load:
    """What the sending process has to know."""

    url: str
    key: str
    rate: float
    plan: SoakPlan

    @property
    def interval(self) -> float:
        """Seconds of one line of the report."""
        return max(_SHORTEST_INTERVAL, self.plan.minutes * 60 / _INTERVALS)


def _watch(load: _Load, servers: Servers, key: str, tell: Callable[[str], None]) -> Iterator[Interval]:
    """Send from a process of its own and look at the servers at the end of each interval."""
    context = multiprocessing.get_context("spawn")
    seen: Any = context.Queue()
    process = context.Process(target=_send, args=(load, seen))
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


def _send(load: _Load, seen: Any) -> None:
    """Main of the sending process."""
    try:
        asyncio.run(_Sending(load, seen).run())
    finally:
        seen.put(None)


class _Sending:
    """An open loop: each request is due at its own time, however late the answers before it are."""

    def __init__(self, load: _Load, seen: Any) -> None:
        self._load = load
        self._seen = seen
        self._due: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
        self._seconds: list[float] = []
        self._refused = 0

    async def run(self) -> None:
        """Send for the time of the plan; one Interval for each stretch goes to the parent."""
        connections = [asyncio.create_task(self._connection()) for _ in range(_CONNECTIONS)]
        reporter = asyncio.create_task(self._report(time.monotonic()))
        await self._schedule()
        for _ in connections:
            self._due.put_nowait(None)
        await asyncio.gather(*connections)
        await reporter

    async def _schedule(self) -> None:
        load = self._load
        began, end = time.monotonic(), time.monotonic() + load.plan.minutes * 60
        size, place, chunk = max(1, int(load.rate * _CHUNK_SECONDS)), 0, 0
        while time.monotonic() < end:
            bodies = await asyncio.to_thread(_chunk, load.plan.seed, chunk, size)
            for body in bodies:
                due = began + place / load.rate
                if due >= end:
                    return
                place += 1
                if (pause := due - time.monotonic()) > 0:
                    await asyncio.sleep(pause)
                self._due.put_nowait((due, build_request(load.url, "/api/events", load.key, body)))
            chunk += 1

    async def _connection(self) -> None:
        parts = urlsplit(self._load.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        while (item := await self._due.get()) is not None:
            due, request = item
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            self._refused += b" 200 " not in head[:20]
            self._seconds.append(time.monotonic() - due)
        writer.close()

    async def _report(self, began: float) -> None:
        stretches = max(1, round(self._load.plan.minutes * 60 / self._load.interval))
        for number in range(1, stretches + 1):
            await asyncio.sleep(max(0.0, began + number * self._load.interval - time.monotonic()))
            seconds, refused = self._seconds, self._refused
            self._seconds, self._refused = [], 0
            cuts = statistics.quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else seconds * 99
            p50, p95, p99 = (cuts[place] * 1000 if cuts else 0.0 for place in (49, 94, 98))
            self._seen.put(Interval(number * self._load.interval, len(seconds), refused, p50, p95, p99))
