"""Bench `--read`: requests sent at a given rate whatever the answers take, from a process of its own."""

import asyncio
import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cli.benchmarks.http_load import read_answer

_CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class PacedJob:
    """Whole HTTP requests, each sent `1 / rate` seconds after the one before."""

    url: str
    requests: Sequence[bytes]
    rate: float


@dataclass(frozen=True, slots=True)
class PacedReport:
    """Seconds from the moment each request was due to its whole answer, and how many were not answered with 200."""

    seconds: list[float]
    errors: int


def run_paced(jobs: Sequence[PacedJob]) -> list[PacedReport]:
    """Run all jobs at the same time."""
    context = multiprocessing.get_context("spawn")
    results: Any = context.Queue()
    process = context.Process(target=_run, args=(list(jobs), results))
    process.start()
    try:
        answer = results.get()
    finally:
        process.join()
    if isinstance(answer, str):
        raise RuntimeError(f"the load generator failed: {answer}")
    reports: list[PacedReport] = answer
    return reports


def _run(jobs: list[PacedJob], results: Any) -> None:
    try:
        results.put(asyncio.run(_all(jobs)))
    except Exception as error:  # noqa: BLE001 (edge of a process: the parent reports it)
        results.put(f"{type(error).__name__}: {error}")


async def _all(jobs: list[PacedJob]) -> list[PacedReport]:
    return list(await asyncio.gather(*map(_one, jobs)))


async def _one(job: PacedJob) -> PacedReport:
    begin = time.perf_counter() + 0.2
    due: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
    for place, request in enumerate(job.requests):
        due.put_nowait((begin + place / job.rate, request))
    for _ in range(_CONNECTIONS):
        due.put_nowait(None)
    parts = await asyncio.gather(*(_connection(job.url, due) for _ in range(_CONNECTIONS)))
    return PacedReport([second for part in parts for second in part.seconds], sum(part.errors for part in parts))


async def _connection(url: str, due: "asyncio.Queue[tuple[float, bytes] | None]") -> PacedReport:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    seconds, errors = [], 0
    while (item := await due.get()) is not None:
        at, request = item
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        writer.write(request)
        errors += not await read_answer(reader)
        seconds.append(time.perf_counter() - at)
    writer.close()
    return PacedReport(seconds, errors)
