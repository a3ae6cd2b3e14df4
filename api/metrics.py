"""Numbers of all processes of an installation in Prometheus' text: each leaves its own in Redis every two seconds."""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec
import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ingest.meters import SECONDS, SIZES, Meters

log = structlog.get_logger(__name__)

KEY = "constintel:metrics"
_PUBLISH_SECONDS = 2.0
# A process that has not told of itself for so long has ended.
_STALE_SECONDS = 30.0
_ANSWER_SECONDS = 1.0

Snapshot = dict[str, Any]


class MetricsBoard:
    """Publishes this process's numbers and reads everybody's."""

    def __init__(self, meters: Meters, client: Redis | None) -> None:
        self._meters = meters
        self._client = client
        # A restart begins at zero: it must not look like the process before.
        self._name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"
        self._publishing: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Tell of this process from now on; call it on the event loop."""
        if self._client is not None:
            self._publishing = asyncio.get_running_loop().create_task(self._publish(self._client))

    async def close(self) -> None:
        """Take this process off the board."""
        if self._publishing is not None:
            self._publishing.cancel()
            with suppress(asyncio.CancelledError):
                await self._publishing
        if self._client is not None:
            with suppress(RedisError, OSError, TimeoutError):
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await self._client.hdel(KEY, self._name)

    async def _publish(self, client: Redis) -> None:
        while True:
            body = msgspec.json.encode({"at": time.time(), "numbers": self._meters.snapshot()})
            with suppress(RedisError, OSError):
                await client.hset(KEY, self._name, body)
            await asyncio.sleep(_PUBLISH_SECONDS)

    async def read(self) -> dict[str, Snapshot]:
        """Process → its numbers; only this process's while Redis does not tell."""
        found: dict[str, Snapshot] = {}
        with suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(_ANSWER_SECONDS):
                rows: Any = await self._client.hgetall(KEY) if self._client is not None else {}
            oldest = time.time() - _STALE_SECONDS
            for name, body in rows.items():
                told = msgspec.json.decode(body)
                if told["at"] >= oldest:
                    found[name.decode()] = told["numbers"]
                elif self._client is not None:
                    await self._client.hdel(KEY, name)
        found[self._name] = self._meters.snapshot()
        return found


def exposition(snapshots: Mapping[str, Snapshot], gauges: Mapping[str, Mapping[str, float]]) -> bytes:
    """Prometheus' text of these numbers; `gauges`: name → label → value."""
    registry = CollectorRegistry()
    registry.register(_Numbers(snapshots, gauges))
    return generate_latest(registry)


class _Numbers:
    def __init__(self, snapshots: Mapping[str, Snapshot], gauges: Mapping[str, Mapping[str, float]]) -> None:
        self._snapshots = snapshots
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        """One family after the other, with the series of all processes."""
        yield from self._events()
        yield from self._work()
        for name, values in self._gauges.items():
            family = GaugeMetricFamily(f"constintel_{name}", _GAUGES[name][0], labels=[_GAUGES[name][1]])
            for label, value in values.items():
                family.add_metric([label], value)
            yield family

    def _events(self) -> Iterator[Metric]:
        labels = ["process", "source"]
        received = CounterMetricFamily("constintel_events_received", "Events that came in.", labels=labels)
        accepted = CounterMetricFamily(
            "constintel_events_accepted", "Events acknowledged, by decision.", labels=[*labels, "decision"]
        )
        rejected = CounterMetricFamily("constintel_events_rejected", "Events refused.", labels=labels)
        repeated = CounterMetricFamily("constintel_events_duplicate", "Events seen before.", labels=labels)
        taking = HistogramMetricFamily(
            "constintel_take_seconds", "From the parsed request to its acknowledged decisions.", labels=labels
        )
        for process, numbers in self._snapshots.items():
            totals: dict[str, int] = dict(numbers["rejected"])
            for source, decision, count in numbers["decisions"]:
                accepted.add_metric([process, source, decision], count)
                totals[source] = totals.get(source, 0) + count
            for source, count in totals.items():
                received.add_metric([process, source], count)
                rejected.add_metric([process, source], numbers["rejected"].get(source, 0))
                repeated.add_metric([process, source], numbers["duplicates"].get(source, 0))
            for source, plain in numbers["taking"].items():
                _add_histogram(taking, [process, source], SECONDS, plain)
        yield from (received, accepted, rejected, repeated, taking)

    def _work(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "constintel_http_requests", "Requests answered.", labels=["process", "method", "route", "status"]
        )
        serving = HistogramMetricFamily(
            "constintel_http_request_seconds", "From the request to its answer.", labels=["process", "route"]
        )
        sizes = HistogramMetricFamily("constintel_commit_events", "Events of one transaction.", labels=["process"])
        commits = HistogramMetricFamily(
            "constintel_commit_seconds", "One transaction with its tries.", labels=["process"]
        )
        retries = CounterMetricFamily(
            "constintel_transaction_retries", "Transactions tried again.", labels=["process", "reason"]
        )
        for process, numbers in self._snapshots.items():
            for method, route, status, count in numbers["requests"]:
                requests.add_metric([process, method, route, str(status)], count)
            for route, plain in numbers["serving"].items():
                _add_histogram(serving, [process, route], SECONDS, plain)
            _add_histogram(sizes, [process], SIZES, numbers["commit_sizes"])
            _add_histogram(commits, [process], SECONDS, numbers["commits"])
            for reason, count in numbers["retries"].items():
                retries.add_metric([process, reason], count)
        yield from (requests, serving, sizes, commits, retries)


_GAUGES = {
    "queue_length": ("What waits, by queue.", "queue"),
    "up": ("Whether a part of the service is there.", "part"),
}


def _add_histogram(
    family: HistogramMetricFamily, labels: list[str], bounds: tuple[float, ...], plain: list[Any]
) -> None:
    counts, total = plain
    seen = 0
    buckets: list[tuple[str, float]] = []
    for bound, count in zip((*bounds, float("inf")), counts, strict=True):
        seen += count
        buckets.append(("+Inf" if bound == float("inf") else str(bound), seen))
    family.add_metric(labels, buckets=buckets, sum_value=total)
