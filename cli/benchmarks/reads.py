"""Bench `--read`: what reads cost beside one hand-written read of a profile: as calls, over HTTP, and under load."""

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from cli.benchmarks.endpoints import EndpointCost, endpoints_markdown, get_request, measure_endpoints
from cli.benchmarks.http_load import build_request
from cli.benchmarks.mix import encode_bodies, make_samples
from cli.benchmarks.paced import PacedJob, PacedReport, run_paced
from cli.benchmarks.read_brand import WIDE, ReadBrand, ReadPlan, load_brand, wide_identifier
from cli.benchmarks.servers import Servers
from core.collector import settle_collector
from graph.driver import Graph
from graph.repositories.profiles import Page, find_profile_id
from insight.profile360 import get_profile360
from insight.timeline import list_timeline
from insight.why import explain

TARGETS = (("360", "read", 6.0), ("360 of 10 K events", "360", 2.0), ("lookup", "read", 2.0))
"""(what, beside what, p95 at most so many times)."""
_TIMELINE = "timeline of 10 K events"
_WHY = f"why, half across {WIDE} identifiers"
LIMITS = ((_TIMELINE, 20.0), (_WHY, 50.0))
"""(what, p95 in milliseconds at most)."""
READS_A_SECOND, EVENTS_A_SECOND = 300, 500
_EVENTS_OF_REQUEST = 50


@dataclass(slots=True)
class ReadCost:
    """Milliseconds of one kind of read: medians over the rounds."""

    name: str
    p50: float
    p95: float


@dataclass(slots=True)
class ReadResult:
    """Costs by name, and what readers and senders saw under mixed load (milliseconds)."""

    costs: dict[str, ReadCost] = field(default_factory=dict)
    mixed: dict[str, dict[str, float]] = field(default_factory=dict)
    endpoints: list[EndpointCost] = field(default_factory=list)
    refused: int = 0
    """Timed requests that were not answered 200."""


def measure_reads(plan: ReadPlan, servers: Servers, tell: Callable[[str], None]) -> ReadResult:
    """Load a brand, time each kind of read in turn, then read and write at once at fixed rates."""
    result = ReadResult()
    with Graph.connect(servers.settings) as graph:
        brand = load_brand(plan, servers, graph, tell)
        kinds = _kinds(graph, brand)
        # As the API does before it takes requests.
        settle_collector()
        rounds: dict[str, list[list[float]]] = {name: [] for name in kinds}
        for number in range(plan.rounds + 1):
            for name, read in kinds.items():
                times = _time(read, plan.reads, random.Random(f"{plan.seed} {number} {name}"), brand)  # noqa: S311
                if number:
                    rounds[name].append(times)
        for name, found in rounds.items():
            cuts = [statistics.quantiles(times, n=100, method="inclusive") for times in found]
            p50, p95 = (statistics.median(cut[place] for cut in cuts) for place in (49, 94))
            result.costs[name] = ReadCost(name, p50, p95)
            tell(f"{name}: p50 {p50:.2f} ms, p95 {p95:.2f} ms")
        result.endpoints, result.refused = measure_endpoints(plan, servers.api_url, brand)
        # The first time warms up, as the first round does: the database compiles what it meets often.
        for number in range(2):
            result.mixed = _mixed(plan, servers, brand, number)
    return result


def _kinds(graph: Graph, brand: ReadBrand) -> dict[str, Callable[[dict[str, Any]], object]]:
    name = brand.settings.id
    busy = {"id": brand.busy_id}
    ends = [f"{one.type}:{one.value}" for one in map(wide_identifier, (WIDE // 4, WIDE * 3 // 4))]
    return {
        "read": lambda one: graph.read("bench/read_profile", brand=name, id=one["id"]),
        "360": lambda one: get_profile360(graph, name, one["id"]),
        "360 of 10 K events": lambda _: get_profile360(graph, name, busy["id"]),
        "lookup": lambda one: find_profile_id(graph, brand.settings, one["type"], one["value"]),
        _TIMELINE: lambda _: list_timeline(graph, name, busy["id"], Page()),
        _WHY: lambda _: explain(graph, brand.settings, brand.wide_id, *ends),
    }


def _time(read: Callable[[dict[str, Any]], object], count: int, rng: random.Random, brand: ReadBrand) -> list[float]:
    times = []
    for _ in range(count):
        one = rng.choice(brand.usual)
        began = time.perf_counter()
        read(one)
        times.append((time.perf_counter() - began) * 1_000)
    return times


def _mixed(plan: ReadPlan, servers: Servers, brand: ReadBrand, number: int) -> dict[str, dict[str, float]]:
    """Reads and events at the same time, each at its rate; each number has events of its own."""
    rng = random.Random(f"mixed {plan.seed} {number}")  # noqa: S311 (no secret)
    count = READS_A_SECOND * plan.seconds
    paths = [
        f"/api/customer360/{rng.choice(brand.usual)['id']}"
        if place % 2
        else "/api/customer360/lookup?type={type}&value={value}".format(
            **{name: quote(str(value)) for name, value in rng.choice(brand.usual).items()}
        )
        for place in range(count)
    ]
    reads = [get_request(servers.api_url, path, brand.key) for path in paths]
    events = make_samples(EVENTS_A_SECOND * plan.seconds, plan.seed + 1 + number)
    encoded = encode_bodies(events)
    portions = [encoded[start : start + _EVENTS_OF_REQUEST] for start in range(0, len(encoded), _EVENTS_OF_REQUEST)]
    bodies = [b'{"events":[' + b",".join(portion) + b"]}" for portion in portions]
    writes = [build_request(servers.api_url, "/api/events/batch", brand.key, body) for body in bodies]
    reports = run_paced(
        [
            PacedJob(servers.api_url, reads, READS_A_SECOND),
            PacedJob(servers.api_url, writes, EVENTS_A_SECOND / _EVENTS_OF_REQUEST),
        ]
    )
    return {name: _summary(report) for name, report in zip(("reads", "batches of events"), reports, strict=True)}


def _summary(report: PacedReport) -> dict[str, float]:
    cut = statistics.quantiles([second * 1_000 for second in report.seconds], n=100, method="inclusive")
    return {"requests": len(report.seconds), "errors": report.errors, "p50": cut[49], "p95": cut[94], "p99": cut[98]}


def reads_markdown(result: ReadResult) -> str:
    """The tables of costs, ratios and mixed load."""
    lines = ["| read | p50 ms | p95 ms |", "| --- | --: | --: |"]
    lines += [f"| {one.name} | {one.p50:.2f} | {one.p95:.2f} |" for one in result.costs.values()]
    lines += ["", "| ratio of p95 | found | at most | |", "| --- | --: | --: | --- |"]
    for what, beside, most in TARGETS:
        ratio = result.costs[what].p95 / result.costs[beside].p95
        lines.append(f"| {what} / {beside} | {ratio:.2f} | {most} | {'reached' if ratio <= most else 'MISSED'} |")
    for what, most in LIMITS:
        p95 = result.costs[what].p95
        lines.append(f"| {what}, ms | {p95:.1f} | {most:.0f} | {'reached' if p95 <= most else 'MISSED'} |")
    lines += ["", endpoints_markdown(result.endpoints, result.costs["read"].p95)]
    lines += ["", f"{result.refused} of these requests were not answered 200."]
    lines += ["", f"At the same time, {READS_A_SECOND} reads and {EVENTS_A_SECOND} events a second over HTTP:", ""]
    lines += ["| | requests | errors | p50 ms | p95 ms | p99 ms |", "| --- | --: | --: | --: | --: | --: |"]
    lines += [
        f"| {name} | {one['requests']:,.0f} | {one['errors']:.0f} | "
        f"{one['p50']:.1f} | {one['p95']:.1f} | {one['p99']:.1f} |"
        for name, one in result.mixed.items()
    ]
    return "\n".join(lines)
