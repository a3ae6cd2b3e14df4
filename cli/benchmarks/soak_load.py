"""Bench `--soak`, the sender: single events and, among them, signed webhooks, each due at its own time."""

import asyncio
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cli.benchmarks.http_load import build_post, build_request, read_answer
from cli.benchmarks.mix import Sample, make_samples
from core.collector import settle_collector
from ingest.sources.signing import shopify_headers

_CONNECTIONS = 64
_CHUNK_SECONDS = 5.0
_INTERVALS = 15
_SHORTEST_INTERVAL = 4.0
# Every tenth request is a delivery of a shop: an order of somebody who is known by e-mail.
_WEBHOOK_EVERY = 10
_SHOP = "soak.myshopify.com"


@dataclass(slots=True)
class Interval:
    """What was seen in one stretch of time: latencies in milliseconds from when a request was due, memory in MB."""

    ends_at: float
    sent: int
    refused: int
    p50: float
    p95: float
    p99: float
    webhooks: int = 0
    webhook_p50: float = 0.0
    webhook_p99: float = 0.0
    memory: dict[str, float] = field(default_factory=dict)
    queues: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Door:
    """Where the shop's deliveries go, and the secret that signs them."""

    path: str
    secret: str


@dataclass(frozen=True, slots=True)
class Load:
    """What the sending process has to know: events a second for so many minutes."""

    url: str
    key: str
    shop: Door
    rate: float
    minutes: float
    seed: int

    @property
    def interval(self) -> float:
        """Seconds of one line of the report."""
        return max(_SHORTEST_INTERVAL, self.minutes * 60 / _INTERVALS)


def make_bodies(seed: int, name: str, count: int) -> Iterator[bytes]:
    """Events of the mix whose keys and orders belong to this chunk alone; the people are the same in all chunks."""
    for place, sample in enumerate(make_samples(count, seed)):
        yield _event_body(sample, f"{name}-{place}")


def _event_body(sample: Sample, key: str) -> bytes:
    body = {**sample.body, "message_id": key}
    if "order_id" in body["payload"]:
        body["payload"] = {**body["payload"], "order_id": key}
    return msgspec.json.encode(body)


def _requests(load: Load, number: int, size: int) -> list[tuple[bool, bytes]]:
    """Whole requests of one chunk: whether it is a webhook, and what goes over the wire."""
    found = []
    for place, sample in enumerate(make_samples(size, load.seed)):
        key = f"soak-{number}-{place}"
        if place % _WEBHOOK_EVERY:
            found.append((False, build_request(load.url, "/api/events", load.key, _event_body(sample, key))))
        else:
            found.append((True, _delivery(load, sample, key)))
    return found


def _delivery(load: Load, sample: Sample, key: str) -> bytes:
    """An order as Shopify tells of it, signed over its bytes."""
    person, when = sample.person, sample.body["occurred_at"]
    body = msgspec.json.encode({
        "id": key,
        "email": f"person{person}@mail{person % 50}.example",
        "created_at": when,
        "updated_at": when,
        "currency": "USD",
        "total_price": "49.90",
        "financial_status": "paid",
        "customer": {"id": person},
        "line_items": [{"product_id": person % 2_000, "title": "Soak", "quantity": 1, "price": "49.90"}],
    })  # fmt: skip
    headers = shopify_headers(load.shop.secret, body, topic="orders/create", shop=_SHOP, webhook_id=key)
    return build_post(load.url, load.shop.path, headers, body)


def send(load: Load, seen: Any) -> None:
    """Main of the sending process: an Interval for each stretch, then None."""
    # A pause of this process would be taken for one of the service.
    settle_collector()
    try:
        asyncio.run(_Sending(load, seen).run())
    finally:
        seen.put(None)


class _Sending:
    """An open loop: each request is due at its own time, however late the answers before it are."""

    def __init__(self, load: Load, seen: Any) -> None:
        self._load = load
        self._seen = seen
        self._due: asyncio.Queue[tuple[float, bool, bytes] | None] = asyncio.Queue()
        self._seconds: dict[bool, list[float]] = {False: [], True: []}
        self._refused = 0

    async def run(self) -> None:
        """Send for the time of the plan."""
        connections = [asyncio.create_task(self._connection()) for _ in range(_CONNECTIONS)]
        reporter = asyncio.create_task(self._report(time.monotonic()))
        await self._schedule()
        for _ in connections:
            self._due.put_nowait(None)
        await asyncio.gather(*connections)
        await reporter

    async def _schedule(self) -> None:
        load = self._load
        began, end = time.monotonic(), time.monotonic() + load.minutes * 60
        size, place, chunk = max(1, int(load.rate * _CHUNK_SECONDS)), 0, 0
        while time.monotonic() < end:
            for is_webhook, request in await asyncio.to_thread(_requests, load, chunk, size):
                due = began + place / load.rate
                if due >= end:
                    return
                place += 1
                if (pause := due - time.monotonic()) > 0:
                    await asyncio.sleep(pause)
                self._due.put_nowait((due, is_webhook, request))
            chunk += 1

    async def _connection(self) -> None:
        parts = urlsplit(self._load.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        while (item := await self._due.get()) is not None:
            due, is_webhook, request = item
            writer.write(request)
            self._refused += not await read_answer(reader)
            self._seconds[is_webhook].append(time.monotonic() - due)
        writer.close()

    async def _report(self, began: float) -> None:
        stretches = max(1, round(self._load.minutes * 60 / self._load.interval))
        for number in range(1, stretches + 1):
            ends_at = number * self._load.interval
            await asyncio.sleep(max(0.0, began + ends_at - time.monotonic()))
            seconds, refused = self._seconds, self._refused
            self._seconds, self._refused = {False: [], True: []}, 0
            events, webhooks = (_percentiles(seconds[kind]) for kind in (False, True))
            sent, told = len(seconds[False]), len(seconds[True])
            self._seen.put(Interval(ends_at, sent + told, refused, *events, told, webhooks[0], webhooks[2]))


def _percentiles(seconds: list[float]) -> tuple[float, float, float]:
    """p50, p95 and p99 in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else seconds * 99
    p50, p95, p99 = (cuts[place] * 1000 if cuts else 0.0 for place in (49, 94, 98))
    return p50, p95, p99
