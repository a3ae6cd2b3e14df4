"""Bench `--ml`, last part: all profiles of a brand scored as a worker does it, while the API serves reads."""

import json
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np

from brands.onboarding import NewBrand, create_brand
from cli.benchmarks.servers import Servers
from core.clock import utc_now
from core.errors import ConfigurationError
from core.settings import Settings
from graph.driver import Graph
from graph.repositories.model_runs import RunKind, find_run, start_run
from graph.repositories.predictions import read_customers
from ml.runs.carry_out import carry_out_run
from ml.serving.active import ActiveModels
from ml.serving.store import make

TARGET = 100_000
"""Profiles a minute."""
ALONE_TARGET = 10.0
"""Milliseconds of one profile beyond the read, p95."""
_ALONE = 500
READS_A_SECOND = 20
_PATIENCE_SECONDS = 30.0
_DAYS = 500
_BATCH = 1_000
_PRODUCTS, _CATEGORIES = 500, 12
_STOPS = 0.15


@dataclass(frozen=True, slots=True)
class ScorePlan:
    """Profiles of the brand, about five orders each, and how often all are scored."""

    profiles: int = 100_000
    rounds: int = 2
    seed: int = 0


@dataclass(slots=True)
class ScoreResult:
    """Profiles a minute in each round, and milliseconds of the reads meanwhile."""

    plan: ScorePlan
    orders: int = 0
    model_version: str = ""
    a_minute: list[float] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)
    refused: int = 0
    alone: list[float] = field(default_factory=list)
    """Milliseconds of one profile beyond the read."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "reads": _percentiles(self.reads), "alone": _percentiles(self.alone)}


def measure_scoring(plan: ScorePlan, servers: Servers, tell: Callable[[str], None]) -> ScoreResult:
    """Make a brand, train its models, then score everybody, features included, as every night."""
    brand, now = f"bench-scoring-{plan.seed}", utc_now()
    result = ScoreResult(plan)
    with Graph.connect(servers.settings) as graph, TemporaryDirectory(prefix="constintel-bench-") as folder:
        key = create_brand(graph, NewBrand(brand)).api_key
        ids = []
        for rows in _shoppers(plan, now):
            graph.write("bench/make_shoppers", brand=brand, rows=rows)
            ids += [row["id"] for row in rows]
            result.orders += sum(len(row["orders"]) for row in rows)
        tell(f"{plan.profiles:,} profiles with {result.orders:,} orders are there")
        trained = _Run(servers.settings, Path(folder), brand, RunKind.TRAIN).wait(graph)
        tell(f"trained: {trained['result']['reason']}")
        # An activation starts a run of its own, which makes predictions only: nobody counts it.
        _Run(servers.settings, Path(folder), brand, RunKind.SCORE).wait(graph)
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=servers.api_url, headers=headers, timeout=_PATIENCE_SECONDS) as client:
            for number in range(plan.rounds):
                run = _Run(servers.settings, Path(folder), brand, RunKind.SCORE)
                result.refused += _read_meanwhile(client, ids, run, result.reads)
                found = run.wait(graph)
                result.model_version = found["result"]["model_version"]
                seconds = _seconds(found)
                result.a_minute.append(plan.profiles / seconds * 60)
                tell(f"scoring, round {number + 1}: {seconds:.1f} s, {result.a_minute[-1]:,.0f} profiles a minute")
        result.alone = _one_by_one(graph, ActiveModels(Path(folder)), brand, ids)
    return result


def _one_by_one(graph: Graph, models: ActiveModels, brand: str, ids: list[str]) -> list[float]:
    """Milliseconds for features and prediction of one profile at a time, reasons in words included, once it is read."""
    model, now, times = models.of(graph, brand), utc_now(), []
    for place in range(_ALONE):
        rows = read_customers(graph, brand, [ids[place * 7_919 % len(ids)]], now)
        began = time.perf_counter()
        make(model, rows, now, set())
        times.append((time.perf_counter() - began) * 1_000)
    return times


class _Run:
    """A run of the brand in a process of its own, which is what a worker is."""

    def __init__(self, settings: Settings, folder: Path, brand: str, kind: RunKind) -> None:
        with Graph.connect(settings) as graph:
            waiting = start_run(graph, brand, kind, {"with_features": True}, by="bench", now=utc_now())
        self.brand, self.id = brand, waiting["id"]
        context = multiprocessing.get_context("spawn")
        self.process = context.Process(target=_carry_out, args=(settings, folder, brand, self.id))
        self.process.start()

    def wait(self, graph: Graph) -> dict[str, Any]:
        """The run when it is done; raises ConfigurationError when it did not get there."""
        self.process.join()
        found = find_run(graph, self.brand, self.id)
        if found["state"] != "done":
            raise ConfigurationError(f"The run of the bench ended as {found['state']}: {found['error']}")
        return found


def _carry_out(settings: Settings, folder: Path, brand: str, run_id: str) -> None:
    with Graph.connect(settings) as graph:
        carry_out_run(graph, ActiveModels(folder), brand, run_id)


def _read_meanwhile(client: httpx.Client, ids: list[str], run: _Run, found: list[float]) -> int:
    """Ask for 360s at a fixed rate until the run is over; how many were not answered."""
    refused, due, place = 0, time.perf_counter(), 0
    while run.process.is_alive():
        began = time.perf_counter()
        try:
            refused += client.get(f"/api/customer360/{ids[place % len(ids)]}").status_code != httpx.codes.OK
        except httpx.TransportError:
            refused += 1
        found.append((time.perf_counter() - began) * 1_000)
        place += 7_919
        due += 1 / READS_A_SECOND
        time.sleep(max(0.0, due - time.perf_counter()))
    return refused


def _seconds(run: dict[str, Any]) -> float:
    began, ended = (datetime.fromisoformat(run[name]) for name in ("started_at", "finished_at"))
    return (ended - began).total_seconds()


def _shoppers(plan: ScorePlan, now: datetime) -> Iterator[list[dict[str, Any]]]:
    """Customers who buy at their own pace and stop at some moment; products by popularity."""
    rng = np.random.default_rng(plan.seed)
    for start in range(0, plan.profiles, _BATCH):
        yield [_shopper(rng, number, plan.seed, now) for number in range(start, min(plan.profiles, start + _BATCH))]


def _shopper(rng: np.random.Generator, number: int, seed: int, now: datetime) -> dict[str, Any]:
    begin = now - timedelta(days=_DAYS)
    pace, at = float(rng.gamma(2.0, 20.0)) + 3.0, float(rng.uniform(0, _DAYS * 0.8))
    orders: list[list[Any]] = []
    while at < _DAYS:
        lines = [_line(rng) for _ in range(int(rng.integers(1, 4)))]
        minor = int(rng.gamma(4.0, 1500.0)) + 100
        key = f"bench-{seed}-{number}-{len(orders)}"
        channel = ("website", "store")[int(rng.random() < 0.3)]  # noqa: PLR2004 (three of ten)
        orders.append([key, begin + timedelta(days=at), minor, json.dumps(lines), channel])
        if rng.random() < _STOPS:
            break
        at += float(rng.exponential(pace)) + 0.5
    return {
        "id": f"bench-{seed}-c{number:07d}", "at": orders[0][1], "last_at": orders[-1][1], "orders": orders,
        "events": 4 * len(orders), "channels": [f"store:{len(orders)}", f"website:{3 * len(orders)}"],
    }  # fmt: skip


def _line(rng: np.random.Generator) -> dict[str, Any]:
    product = int(_PRODUCTS * rng.random() ** 2)
    return {"product_id": f"P{product}", "category": f"C{product % _CATEGORIES}", "quantity": 1, "price": "12.50"}


def _percentiles(times: list[float]) -> dict[str, float]:
    cut = statistics.quantiles(times, n=100, method="inclusive") if len(times) > 1 else [0.0] * 99
    return {"count": len(times), "p50": cut[49], "p95": cut[94], "p99": cut[98]}


def scoring_markdown(result: ScoreResult) -> str:
    """The rate beside its target, and what readers saw."""
    reads, alone, best = _percentiles(result.reads), _percentiles(result.alone), statistics.median(result.a_minute)
    verdict = "reached" if best >= TARGET else "MISSED"
    return "\n".join([
        f"Batch scoring of {result.plan.profiles:,} profiles with {result.orders:,} orders by {result.model_version},"
        f" features and predictions written to the graph: {best:,.0f} profiles a minute"
        f" (median of {len(result.a_minute)}; at least {TARGET:,}: {verdict}).",
        f"Reads of a 360 meanwhile, {READS_A_SECOND} a second: p50 {reads['p50']:.1f} ms, p95 {reads['p95']:.1f} ms,"
        f" p99 {reads['p99']:.1f} ms, {result.refused} refused.",
        f"One profile alone, features and prediction beyond the read: p50 {alone['p50']:.1f} ms,"
        f" p95 {alone['p95']:.1f} ms (at most {ALONE_TARGET:g}).",
    ])  # fmt: skip
