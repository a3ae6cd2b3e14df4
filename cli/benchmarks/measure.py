"""Bench, third step: one measurement of one kind, from a fresh brand to numbers."""

import os
import secrets
import statistics
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from brands.onboarding import NewBrand, create_brand
from cli.benchmarks.http_load import LoadReport, build_request, run_load
from cli.benchmarks.mix import Sample, encode_bodies, make_samples, to_events
from cli.benchmarks.plan import plan_naive, plan_raw
from cli.benchmarks.servers import Servers
from cli.benchmarks.writers import (
    GROUPED,
    GROUPED_BATCH,
    GROUPED_WRITERS,
    UNPROTECTED,
    Unit,
    WriterJob,
    WriterReport,
    run_writers,
)
from core.brand import BrandSettings
from graph.driver import Graph

BATCH = 500
HTTP_BATCH = 100
RAW_WRITERS = 2
NAIVE_WRITERS = 4
BATCH_CONNECTIONS = 4
SINGLE_CONNECTIONS = 64


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the measurements: what it is, how many events it begins with, and what one latency stands for."""

    letter: str
    title: str
    first_events: int
    unit: str


KINDS: dict[str, Kind] = {
    kind.letter: kind
    for kind in (
        Kind("a", f"raw limit: UNWIND … CREATE, batches of {BATCH}, {RAW_WRITERS} writers", 20_000, "transaction"),
        Kind("b", f"naive: one transaction an event, all MERGE, {NAIVE_WRITERS} writers", 2_000, "transaction"),
        Kind("c", f"resolver + graph: batches of {GROUPED_BATCH}, {GROUPED_WRITERS} writers", 10_000, "transaction"),
        Kind("d", f"HTTP batches of {HTTP_BATCH}, {BATCH_CONNECTIONS} connections", 10_000, "request"),
        Kind("e", f"HTTP single events, {SINGLE_CONNECTIONS} connections", 3_000, "request"),
        Kind("f", "as (c), without merge protection", 10_000, "transaction"),
    )
}


@dataclass(frozen=True, slots=True)
class Measured:
    """Result of one measurement; latencies in milliseconds, memory in MB (None where it cannot be told)."""

    letter: str
    events: int
    seconds: float
    p50: float
    p95: float
    p99: float
    retries: dict[str, int] | None
    """Transactions tried again, by reason; None where the service does not tell."""
    refused: int
    rows: dict[str, int]
    neo4j_mb: float | None
    api_mb: float | None

    @property
    def rate(self) -> float:
        """Events in a second."""
        return self.events / self.seconds


def measure(letter: str, events: int, seed: int, servers: Servers, graph: Graph) -> Measured:
    """Run measurement `letter` with `events` events in a brand of its own."""
    samples = make_samples(events, seed)
    brand = f"bench-{letter}-{secrets.token_hex(5)}"
    if letter in _WRITERS:
        settings = BrandSettings(brand)
        reports = run_writers(WriterJob(_WRITERS[letter], servers.settings, settings), _WORK[letter](samples, settings))
        return _from_writers(letter, reports, brand, samples, servers, graph)
    key = create_brand(graph, NewBrand(brand)).api_key
    report = run_load(
        servers.api_url,
        _requests(letter, samples, servers.api_url, key),
        BATCH_CONNECTIONS if letter == "d" else SINGLE_CONNECTIONS,
        batched=letter == "d",
    )
    return _from_load(letter, report, brand, samples, servers, graph)


def _raw_work(samples: Sequence[Sample], settings: BrandSettings) -> list[list[Unit]]:
    """Each writer has people of its own: what a batch matches was created by the same writer before."""
    parts = [[sample for sample in samples if sample.person % RAW_WRITERS == place] for place in range(RAW_WRITERS)]
    return [list(plan_raw(to_events(part, settings), settings, BATCH)) for part in parts]


def _naive_work(samples: Sequence[Sample], settings: BrandSettings) -> list[list[Unit]]:
    rows = plan_naive(to_events(list(samples), settings), settings)
    return [list(rows[place::NAIVE_WRITERS]) for place in range(NAIVE_WRITERS)]


def _layer_work(samples: Sequence[Sample], settings: BrandSettings) -> list[list[Unit]]:
    return [list(to_events(list(samples), settings))]


_WRITERS = {"a": "raw", "b": "naive", "c": GROUPED, "f": UNPROTECTED}
_WORK: dict[str, Callable[[Sequence[Sample], BrandSettings], list[list[Unit]]]] = {
    "a": _raw_work,
    "b": _naive_work,
    "c": _layer_work,
    "f": _layer_work,
}


def _requests(letter: str, samples: Sequence[Sample], url: str, key: str) -> list[bytes]:
    bodies = encode_bodies(list(samples))
    if letter == "e":
        return [build_request(url, "/api/events", key, body) for body in bodies]
    batches = [bodies[place : place + HTTP_BATCH] for place in range(0, len(bodies), HTTP_BATCH)]
    return [
        build_request(url, "/api/events/batch", key, b'{"events":[' + b",".join(batch) + b"]}") for batch in batches
    ]


def _from_writers(
    letter: str, reports: list[WriterReport], brand: str, samples: Sequence[Sample], servers: Servers, graph: Graph
) -> Measured:
    seconds = max(report.ended for report in reports) - min(report.began for report in reports)
    latencies = [value for report in reports for value in report.seconds]
    retries: Counter[str] = Counter()
    for report in reports:
        retries.update(report.retries)
    return _measured(letter, (seconds, latencies, dict(+retries), 0), brand, samples, servers, graph)


def _from_load(
    letter: str, report: LoadReport, brand: str, samples: Sequence[Sample], servers: Servers, graph: Graph
) -> Measured:
    outcome = (report.ended - report.began, report.seconds, None, report.refused)
    return _measured(letter, outcome, brand, samples, servers, graph)


def _measured(
    letter: str,
    outcome: tuple[float, list[float], dict[str, int] | None, int],
    brand: str,
    samples: Sequence[Sample],
    servers: Servers,
    graph: Graph,
) -> Measured:
    seconds, latencies, retries, refused = outcome
    cuts = statistics.quantiles(latencies, n=100, method="inclusive") if len(latencies) > 1 else latencies * 99
    return Measured(
        letter=letter,
        events=len(samples),
        seconds=seconds,
        p50=cuts[49] * 1000,
        p95=cuts[94] * 1000,
        p99=cuts[98] * 1000,
        retries=retries,
        refused=refused,
        rows=graph.read("bench/count_rows", brand=brand)[0],
        neo4j_mb=resident_mb([servers.neo4j_pid] if servers.neo4j_pid else []),
        api_mb=resident_mb(servers.api_pids),
    )


def resident_mb(pids: Sequence[int]) -> float | None:
    """Resident memory of some processes together in MB; None when there are none or the system does not tell."""
    if not pids or os.name != "posix":
        return None
    listing = subprocess.run(  # noqa: S603 (fixed program, numbers only)
        ["ps", "-o", "rss=", "-p", ",".join(map(str, pids))],  # noqa: S607 (found on the path of every system)
        capture_output=True,
        text=True,
        check=False,
    )
    return sum(map(int, listing.stdout.split())) / 1024 if listing.stdout.split() else None
