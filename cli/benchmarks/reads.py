"""Bench `--read`: what a 360, a look-up and a page of the timeline cost beside one hand-written read of a profile."""

import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from brands.onboarding import NewBrand, create_brand
from cli.benchmarks.http_load import build_request
from cli.benchmarks.mix import encode_bodies, make_samples, to_events
from cli.benchmarks.paced import PacedJob, PacedReport, run_paced
from cli.benchmarks.servers import Servers
from cli.benchmarks.writers import GROUPED, WriterJob, run_writers
from core.brand import BrandSettings
from core.clock import format_time
from core.events import IncomingEvent
from graph.commit import commit_batch
from graph.driver import Graph
from graph.repositories.profiles import Page, find_profile_id
from ingest.steps.normalise import to_incoming
from ingest.steps.validate import parse_event
from insight.profile360 import get_profile360
from insight.timeline import list_timeline

TARGETS = (("360", "read", 6.0), ("360 of 10 K events", "360", 2.0), ("lookup", "read", 2.0))
"""(what, beside what, p95 at most so many times)."""
READS_A_SECOND, EVENTS_A_SECOND = 300, 500
_START = datetime(2026, 7, 1, tzinfo=UTC)
_BATCH = 500
_EVENTS_OF_REQUEST = 50
_PICKED = 5_000


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """Events of the brand and of its busiest customer, reads of each kind in a round, rounds, seconds of mixed load."""

    events: int = 20_000
    busy_events: int = 10_000
    reads: int = 300
    rounds: int = 3
    seconds: int = 20
    seed: int = 0


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


@dataclass(slots=True)
class _Brand:
    settings: BrandSettings
    key: str
    usual: list[dict[str, Any]]
    """Profiles with the median number of events."""
    busy_id: str


def measure_reads(plan: ReadPlan, servers: Servers, tell: Callable[[str], None]) -> ReadResult:
    """Load a brand, time each kind of read in turn, then read and write at once at fixed rates."""
    result = ReadResult()
    with Graph.connect(servers.settings) as graph:
        brand = _load(plan, servers, graph, tell)
        kinds = _kinds(graph, brand)
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
        result.mixed = _mixed(plan, servers, brand)
    return result


def _kinds(graph: Graph, brand: _Brand) -> dict[str, Callable[[dict[str, Any]], object]]:
    name = brand.settings.id
    busy = {"id": brand.busy_id}
    return {
        "read": lambda one: graph.read("bench/read_profile", brand=name, id=one["id"]),
        "360": lambda one: get_profile360(graph, name, one["id"]),
        "360 of 10 K events": lambda _: get_profile360(graph, name, busy["id"]),
        "lookup": lambda one: find_profile_id(graph, brand.settings, one["type"], one["value"]),
        "timeline of 10 K events": lambda _: list_timeline(graph, name, busy["id"], Page()),
    }


def _time(read: Callable[[dict[str, Any]], object], count: int, rng: random.Random, brand: _Brand) -> list[float]:
    times = []
    for _ in range(count):
        one = rng.choice(brand.usual)
        began = time.perf_counter()
        read(one)
        times.append((time.perf_counter() - began) * 1_000)
    return times


def _load(plan: ReadPlan, servers: Servers, graph: Graph, tell: Callable[[str], None]) -> _Brand:
    brand_id = f"bench-reads-{plan.seed}"
    key = create_brand(graph, NewBrand(brand_id)).api_key
    settings = BrandSettings(brand_id)
    samples = make_samples(plan.events, plan.seed)
    run_writers(WriterJob(GROUPED, servers.settings, settings), [list(to_events(samples, settings))])
    picked = graph.read("bench/pick_profiles", brand=brand_id, limit=_PICKED)
    middle = statistics.median_low(one["events"] for one in picked)
    usual = [one for one in picked if one["events"] == middle]
    busy_id = ""
    for batch in _busy(plan, settings):
        busy_id = commit_batch(graph, settings, batch, budget_seconds=60)[-1].profile_id or ""
    tell(f"{plan.events:,} events; {len(usual)} profiles have the median of {middle}, one has {plan.busy_events:,}")
    return _Brand(settings, key, usual, busy_id)


def _busy(plan: ReadPlan, settings: BrandSettings) -> Iterator[list[IncomingEvent]]:
    """A customer who looks, puts into carts and buys: one event of ten is an order."""
    for start in range(0, plan.busy_events, _BATCH):
        yield [_event(settings, place) for place in range(start, min(plan.busy_events, start + _BATCH))]


def _event(settings: BrandSettings, place: int) -> IncomingEvent:
    at = _START + timedelta(minutes=place)
    item = {"product_id": f"P{place % 200}", "category": f"C{place % 7}", "quantity": 1, "price": "12.50"}
    kind = "purchase" if place % 10 == 1 else ("page_view", "product_view", "cart_add")[place % 3]
    payload: dict[str, Any] = {"product_id": item["product_id"]}
    if kind == "purchase":
        payload = {"order_id": f"busy-{place}", "total": "12.50", "currency": "USD", "items": [item]}
    body = {
        "type": kind,
        "channel": ("website", "store", "mobile_app")[place % 3],
        "source": "bench",
        "occurred_at": format_time(at),
        "message_id": f"busy-{place}",
        "identifiers": {"email": "busy@mail.example", "cookie_id": f"busy-{place // 2_000}"},
        "payload": payload,
    }
    now = at + timedelta(days=1)
    return to_incoming(parse_event(body, settings, now), settings, now)


def _mixed(plan: ReadPlan, servers: Servers, brand: _Brand) -> dict[str, dict[str, float]]:
    """Reads and events at the same time, each at its rate."""
    rng = random.Random(f"mixed {plan.seed}")  # noqa: S311 (no secret)
    count = READS_A_SECOND * plan.seconds
    paths = [
        f"/api/customer360/{rng.choice(brand.usual)['id']}"
        if place % 2
        else "/api/customer360/lookup?type={type}&value={value}".format(
            **{name: quote(str(value)) for name, value in rng.choice(brand.usual).items()}
        )
        for place in range(count)
    ]
    reads = [_get(servers.api_url, path, brand.key) for path in paths]
    events = make_samples(EVENTS_A_SECOND * plan.seconds, plan.seed + 1)
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


def _get(url: str, path: str, key: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nAuthorization: Bearer {key}\r\n\r\n".encode()


def reads_markdown(result: ReadResult) -> str:
    """The tables of costs, ratios and mixed load."""
    lines = ["| read | p50 ms | p95 ms |", "| --- | --: | --: |"]
    lines += [f"| {one.name} | {one.p50:.2f} | {one.p95:.2f} |" for one in result.costs.values()]
    lines += ["", "| ratio of p95 | found | at most | |", "| --- | --: | --: | --- |"]
    for what, beside, most in TARGETS:
        ratio = result.costs[what].p95 / result.costs[beside].p95
        lines.append(f"| {what} / {beside} | {ratio:.2f} | {most} | {'reached' if ratio <= most else 'MISSED'} |")
    lines += ["", f"At the same time, {READS_A_SECOND} reads and {EVENTS_A_SECOND} events a second over HTTP:", ""]
    lines += ["| | requests | errors | p50 ms | p95 ms | p99 ms |", "| --- | --: | --: | --: | --: | --: |"]
    lines += [
        f"| {name} | {one['requests']:,.0f} | {one['errors']:.0f} | "
        f"{one['p50']:.1f} | {one['p95']:.1f} | {one['p99']:.1f} |"
        for name, one in result.mixed.items()
    ]
    return "\n".join(lines)
