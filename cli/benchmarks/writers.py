"""Bench, measurements (a), (b) and (c): writer processes that push prepared work and time each transaction."""

import asyncio
import multiprocessing
import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from typing import Any

from cli.benchmarks.plan import RawBatch
from core.brand import BrandSettings
from core.collector import settle_collector
from core.decisions import EventResult
from core.events import IncomingEvent
from core.settings import Settings
from graph.commit import commit_batch
from graph.driver import Graph
from graph.transactions import Transaction, in_transaction, retry_stats
from ingest.committer import GroupCommitter
from resolver.protection import NOTHING
from resolver.working_set import WorkingSet

_BUDGET_SECONDS = 60.0
_START_TIMEOUT_SECONDS = 120.0
_POLL_SECONDS = 1.0
GROUPED_BATCH = 500
GROUPED_WRITERS = 2


@dataclass(frozen=True, slots=True)
class WriterReport:
    """What one writer saw: begin and end on the machine's clock, seconds per transaction, retries by reason."""

    began: float
    ended: float
    seconds: list[float]
    retries: dict[str, int]


@dataclass(frozen=True, slots=True)
class WriterJob:
    """What all writers of one measurement share."""

    kind: str
    settings: Settings
    brand: BrandSettings


Unit = RawBatch | IncomingEvent | dict[str, Any]

GROUPED = "grouped"
"""The kind whose events one process hands to the group committer, which makes the batches and has two writers."""
UNPROTECTED = "unprotected"
"""The same with merge protection taken out of the decision: what is left is matching, counting and the threshold."""


def run_writers(job: WriterJob, work: Sequence[Sequence[Unit]]) -> list[WriterReport]:
    """Run one process for each list of `work` at the same moment; each unit is one transaction.

    Processes, because threads of one interpreter would share its lock: the limit is the server's, not Python's.
    """
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(len(work))
    results: Any = context.Queue()
    processes = [context.Process(target=_write, args=(job, list(units), barrier, results)) for units in work]
    for process in processes:
        process.start()
    try:
        reports: list[WriterReport] = []
        while len(reports) < len(processes):
            answer = _next_answer(results, processes)
            if isinstance(answer, str):
                raise RuntimeError(f"a writer of measurement {job.kind} failed: {answer}")
            reports.append(answer)
    finally:
        for process in processes:
            process.terminate() if len(processes) != len(reports) else None
            process.join()
    return reports


def _next_answer(results: Any, processes: Sequence[BaseProcess]) -> Any:
    """What a writer says next; raises RuntimeError when one died without a word."""
    while True:
        try:
            return results.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            died = [process.exitcode for process in processes if process.exitcode]
            if died:
                raise RuntimeError(f"a writer ended with status {died[0]}") from None


def _write(job: WriterJob, units: list[Unit], barrier: Barrier, results: Any) -> None:
    try:
        with Graph.connect(job.settings) as graph:
            graph.verify()
            if job.kind == UNPROTECTED:
                _take_protection_out()
            grouped = job.kind in {GROUPED, UNPROTECTED}
            write = _timed_grouped if grouped else partial(_timed, _WRITE[job.kind])
            results.put(write(graph, job.brand, units, barrier))
    except Exception as error:  # noqa: BLE001 (edge of a process: the parent reports it)
        barrier.abort()
        results.put(f"{type(error).__name__}: {error}")


def _take_protection_out() -> None:
    """In this process the resolver decides without the rules: the yardstick for what they cost."""
    WorkingSet._protect = lambda *_: NOTHING  # type: ignore[method-assign]
    WorkingSet._note_people = lambda *_: None  # type: ignore[method-assign]


def _timed(
    write: Callable[[Graph, BrandSettings, Any], None],
    graph: Graph,
    brand: BrandSettings,
    units: list[Unit],
    barrier: Barrier,
) -> WriterReport:
    # The prepared work is garbage to nobody: the collector must not walk it while the clock runs.
    settle_collector()
    barrier.wait(_START_TIMEOUT_SECONDS)
    began = last = time.perf_counter()
    seconds = []
    for unit in units:
        write(graph, brand, unit)
        now = time.perf_counter()
        seconds.append(now - last)
        last = now
    return WriterReport(began, last, seconds, asdict(retry_stats))


def _write_raw(graph: Graph, brand: BrandSettings, unit: RawBatch) -> None:
    def work(tx: Transaction) -> None:
        if unit.customers:
            tx.run("bench/raw_customers", brand=brand.id, currency=brand.currency, rows=unit.customers)
        if unit.identifiers:
            at = unit.events[0]["occurred_at"]
            tx.run("bench/raw_identifiers", brand=brand.id, at=at, rows=unit.identifiers)
        if unit.links:
            tx.run("bench/raw_links", rows=unit.links)
        tx.run(
            "bench/raw_events",
            brand=brand.id, rule_version=brand.rule_version, rows=unit.events,
            performed=unit.performed, carried=unit.carried,
        )  # fmt: skip

    in_transaction(graph, work, budget_seconds=_BUDGET_SECONDS)


def _write_naive(graph: Graph, brand: BrandSettings, unit: dict[str, Any]) -> None:
    event = {name: value for name, value in unit.items() if name != "identifiers"}

    def work(tx: Transaction) -> None:
        tx.run(
            "bench/naive_event",
            brand=brand.id, rule_version=brand.rule_version, event=event, identifiers=unit["identifiers"],
        )  # fmt: skip

    in_transaction(graph, work, budget_seconds=_BUDGET_SECONDS)


def _timed_grouped(graph: Graph, brand: BrandSettings, events: list[Any], barrier: Barrier) -> WriterReport:
    """As many callers with one event each: the committer makes batches of them."""
    seconds: list[float] = []

    def commit(settings: BrandSettings, batch: Sequence[IncomingEvent]) -> list[EventResult]:
        began = time.perf_counter()
        results = commit_batch(graph, settings, batch, budget_seconds=_BUDGET_SECONDS)
        seconds.append(time.perf_counter() - began)
        return results

    async def send() -> None:
        committer = GroupCommitter(
            commit, max_events=GROUPED_BATCH, writers=GROUPED_WRITERS, max_waiting=len(events) + 1
        )
        answers = await asyncio.gather(*[committer.submit(brand, [event]) for event in events])
        committer.close()
        for [answer] in answers:
            if isinstance(answer, Exception):
                raise answer

    settle_collector()
    barrier.wait(_START_TIMEOUT_SECONDS)
    began = time.perf_counter()
    asyncio.run(send())
    return WriterReport(began, time.perf_counter(), seconds, asdict(retry_stats))


_WRITE: dict[str, Callable[[Graph, BrandSettings, Any], None]] = {
    "raw": _write_raw,
    "naive": _write_naive,
}
