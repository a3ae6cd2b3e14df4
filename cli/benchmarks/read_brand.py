"""Bench `--read`, set-up: a brand with many customers, one of them very busy, some in a store, some who want things."""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from brands.onboarding import NewBrand, create_brand
from cli.benchmarks.mix import make_samples, to_events
from cli.benchmarks.servers import Servers
from cli.benchmarks.writers import GROUPED, WriterJob, run_writers
from core.brand import BrandSettings
from core.clock import format_time, utc_now
from core.events import IncomingEvent
from core.identifiers import Identifier
from graph.commit import commit_batch
from graph.driver import Graph
from graph.repositories.stores import keep_stores
from ingest.steps.normalise import to_incoming
from ingest.steps.validate import parse_event
from insight.intent_lists import refresh_intents

STORE_ID = "BENCH-01"
BUSY_EMAIL = "busy@mail.example"
BUSY_COOKIE = "busy-0"
WIDE = 100
"""Identifiers of the widest profile."""
_START = datetime(2026, 7, 1, tzinfo=UTC)
_BATCH = 500
_PORTION = 100_000
# Seeds of portions lie so far apart that those of other parts of the bench do not meet them.
_SEEDS = 10_000
_PICKED = 5_000
_VISITORS = 20
_BUDGET_SECONDS = 60


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
class ReadBrand:
    """The brand that reads are measured in."""

    settings: BrandSettings
    key: str
    usual: list[dict[str, Any]]
    """Profiles with the median number of events: {id, events, type, value} with one identifier."""
    busy_id: str
    wide_id: str
    """A profile with WIDE identifiers, each tied to the next by one event."""


def load_brand(plan: ReadPlan, servers: Servers, graph: Graph, tell: Callable[[str], None]) -> ReadBrand:
    """Write the brand's events, portion by portion, and what the tasks after commits would keep."""
    brand_id = f"bench-reads-{plan.seed}"
    key = create_brand(graph, NewBrand(brand_id)).api_key
    settings = BrandSettings(brand_id)
    for number, start in enumerate(range(0, plan.events, _PORTION)):
        count = min(_PORTION, plan.events - start)
        samples = make_samples(count, plan.seed + _SEEDS * number, first_person=start)
        run_writers(WriterJob(GROUPED, servers.settings, settings), [to_events(samples, settings)])
        if plan.events > _PORTION:
            tell(f"{start + count:,} of {plan.events:,} events are there")
    picked = graph.read("bench/pick_profiles", brand=brand_id, limit=_PICKED)
    middle = statistics.median_low(one["events"] for one in picked)
    usual = [one for one in picked if one["events"] == middle]
    busy_id = ""
    for batch in _busy(plan, settings):
        busy_id = commit_batch(graph, settings, batch, budget_seconds=_BUDGET_SECONDS)[-1].profile_id or ""
    wide_id = ""
    for event in _wide(settings):
        wide_id = commit_batch(graph, settings, [event], budget_seconds=_BUDGET_SECONDS)[-1].profile_id or ""
    _fill_store(graph, settings, picked, busy_id)
    tell(f"{plan.events:,} events; {len(usual)} profiles have the median of {middle}, one has {plan.busy_events:,}")
    return ReadBrand(settings, key, usual, busy_id, wide_id)


def _fill_store(graph: Graph, settings: BrandSettings, picked: list[dict[str, Any]], busy_id: str) -> None:
    """Customers who want something and are in the store now: others than those whose reads are timed."""
    now = utc_now().replace(microsecond=0)
    middle = statistics.median_low(one["events"] for one in picked)
    visitors = [one for one in picked if one["events"] != middle][:_VISITORS]
    told = []
    for one in visitors:
        who = {one["type"]: one["value"]}
        about = (("cart_add", {"product_id": "P1"}), ("store_visit", {"store_id": STORE_ID, "store_name": "Bench"}))
        told += [
            _incoming(settings, {
                "type": kind, "channel": "store" if kind == "store_visit" else "website", "source": "bench",
                "occurred_at": format_time(now - timedelta(minutes=5)), "message_id": f"{kind}-{one['id']}",
                "identifiers": who, "payload": payload,
            }, now)
            for kind, payload in about
        ]  # fmt: skip
    for event in told:
        commit_batch(graph, settings, [event], budget_seconds=_BUDGET_SECONDS)
    keep_stores(graph, settings.id, [(STORE_ID, "Bench")], now)
    refresh_intents(graph, settings.id, [one["id"] for one in visitors] + [busy_id], now)


def wide_identifier(place: int) -> Identifier:
    """One of the identifiers of the profile that has WIDE of them: half are cookies, every other one a device."""
    return Identifier(("cookie_id", "device_id")[place % 2], f"wide-{place:03}")


def _wide(settings: BrandSettings) -> Iterator[IncomingEvent]:
    """A visitor who changes cookies and devices all the time: a chain without a shortcut."""
    for place in range(WIDE - 1):
        pair = (wide_identifier(place), wide_identifier(place + 1))
        at = _START + timedelta(minutes=place)
        body = {
            "type": "page_view", "channel": "website", "source": "bench", "occurred_at": format_time(at),
            "message_id": f"wide-{place}", "identifiers": {one.type: one.value for one in pair}, "payload": {},
        }  # fmt: skip
        yield _incoming(settings, body, at + timedelta(days=1))


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
        "identifiers": {"email": BUSY_EMAIL, "cookie_id": f"busy-{place // 2_000}"},
        "payload": payload,
    }
    return _incoming(settings, body, at + timedelta(days=1))


def _incoming(settings: BrandSettings, body: dict[str, Any], now: datetime) -> IncomingEvent:
    return to_incoming(parse_event(body, settings, now), settings, now)
