"""Intents, journey and statistics as the 360 shows them, from events through commits, merges and unmerges."""

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from core.brand import BrandSettings
from core.events import IncomingEvent
from graph.commit import commit_batch
from graph.driver import Graph
from ingest.stewardship.merging import merge_profiles, unmerge_profile
from insight.intents import Sale, Signal, fold_intents
from insight.interest import intent_item
from insight.profile360 import get_profile360
from tests.factories import T0, event, fact

NOW = T0 + timedelta(days=20)
MAIL, PHONE = "email:a@x.io", "phone:+14155550101"
LINES = '[{"product_id":"P1","category":"Apparel"}]'


def whole(graph, brand_id, profile_id):
    return get_profile360(graph, brand_id, profile_id, clock=lambda: NOW)


def signal(brand_id, kind, *pairs, day=0, products=("P1",), **more) -> IncomingEvent:
    return event(brand_id, *pairs, minute=day * 1440, signal=kind, products=products, **more)


def send(graph: Graph, brand_id: str, *events: IncomingEvent) -> str:
    return commit_batch(graph, BrandSettings(brand_id), events)[-1].profile_id or ""


def test_a_cart_of_a_product_bought_before_is_an_active_intent_of_85(graph: Graph, brand_id: str) -> None:
    profile = send(
        graph,
        brand_id,
        event(brand_id, MAIL, minute=16 * 1440, order=fact(brand_id, "o1", lines=LINES)),
        signal(brand_id, "cart", MAIL, day=19),
    )
    [intent] = whole(graph, brand_id, profile)["intents"]
    assert (intent["product_id"], intent["score"], intent["status"]) == ("P1", 85, "active")
    assert intent["signals"] == [{"kind": "cart", "count": 1}]


def test_a_purchase_converts_the_intent_of_its_products(graph: Graph, brand_id: str) -> None:
    sale = event(brand_id, MAIL, minute=19 * 1440, order=fact(brand_id, "o1", lines=LINES))
    profile = send(graph, brand_id, signal(brand_id, "cart", MAIL, day=18), sale)
    assert [intent["status"] for intent in whole(graph, brand_id, profile)["intents"]] == ["converted"]
    send(graph, brand_id, event(brand_id, minute=19 * 1440 + 1, order=fact(brand_id, "o1", "cancel", 0)))
    assert [intent["status"] for intent in whole(graph, brand_id, profile)["intents"]] == ["active"]


def test_the_journey_names_what_moved_it(graph: Graph, brand_id: str) -> None:
    profile = send(
        graph,
        brand_id,
        event(brand_id, MAIL, key="touch", minute=0),
        signal(brand_id, "search", MAIL, day=1, products=(), key="look"),
        event(brand_id, MAIL, minute=2 * 1440, order=fact(brand_id, "o1", lines=LINES)),
        event(brand_id, MAIL, minute=3 * 1440, order=fact(brand_id, "o2", lines=LINES)),
    )
    journey = whole(graph, brand_id, profile)["journey"]
    assert (journey["stage"], journey["since"]) == ("retention", "2026-10-04T12:00:00Z")
    assert [(stage["stage"], stage["by"]) for stage in journey["stages"]] == [
        ("awareness", f"evt_{brand_id}_touch"),
        ("consideration", f"evt_{brand_id}_look"),
        ("purchase", f"{brand_id}|shop|o1"),
        ("retention", f"{brand_id}|shop|o2"),
    ]


@pytest.mark.parametrize("how", ["delivery", "visit"])
def test_a_delivery_or_a_visit_after_the_order_is_retention(graph: Graph, brand_id: str, how: str) -> None:
    later = (
        event(brand_id, MAIL, minute=2880, order=fact(brand_id, "o1", "status", 0, status="delivered"))
        if how == "delivery"
        else signal(brand_id, "visit", MAIL, day=2, products=())
    )
    early = signal(brand_id, "visit", MAIL, day=0, products=())
    profile = send(graph, brand_id, early, event(brand_id, MAIL, minute=1440, order=fact(brand_id, "o1")), later)
    journey = whole(graph, brand_id, profile)["journey"]
    assert (journey["stage"], journey["since"]) == ("retention", "2026-10-03T12:00:00Z")


def test_gaps_between_orders_are_told_in_days(graph: Graph, brand_id: str) -> None:
    sales = [event(brand_id, MAIL, minute=1440 * day, order=fact(brand_id, f"o{day}")) for day in (1, 3, 9)]
    gaps = whole(graph, brand_id, send(graph, brand_id, *sales))["statistics"]["gaps"]
    assert gaps == {"over": 2, "mean_days": 4.0, "median_days": 4.0, "last_days": 6.0}


def _history(brand_id: str, rng: random.Random, who: str) -> list[IncomingEvent]:
    events = [event(brand_id, who, key=f"{who}first", minute=0)]
    for number in range(rng.randint(4, 14)):
        minute, channel = rng.randrange(19 * 1440), rng.choice(("website", "store", "whatsapp"))
        product, key = f"P{rng.randrange(3)}", f"{who}{number}"
        if rng.random() < 0.3:
            lines = f'[{{"product_id":"{product}","category":"C{rng.randrange(2)}"}}]'
            order = fact(brand_id, f"{who}{rng.randrange(6)}", total=rng.randrange(1, 9999), lines=lines)
            events.append(event(brand_id, who, key=key, minute=minute, channel=channel, order=order))
        elif rng.random() < 0.15:
            order = fact(brand_id, f"{who}{rng.randrange(6)}", "cancel", 0)
            events.append(event(brand_id, key=key, minute=minute, channel=channel, order=order))
        elif rng.random() < 0.2:
            said = {"channel": rng.choice(("email", "sms", "all")), "granted": rng.random() < 0.5}
            plain = event(brand_id, who, key=key, minute=minute, channel=channel, signal="consent")
            events.append(replace(plain, type="consent_changed", payload=json.dumps(said)))
        else:
            kind = rng.choice(("view", "search", "cart", "uncart", "wishlist"))
            told = event(brand_id, who, key=key, minute=minute, channel=channel, signal=kind, products=(product,))
            events.append(told)
    return events


def _expected(events: list[IncomingEvent]) -> tuple[dict[str, int], dict[str, tuple[int, int]], list[dict]]:
    """Events by channel, (orders, money) by month, and intents, counted from the raw events."""
    sales: dict[str, IncomingEvent] = {}
    cancelled = {one.order.key for one in events if one.order is not None and one.order.kind == "cancel"}
    for one in sorted(events, key=lambda one: (one.occurred_at, one.id)):
        if one.order is not None and one.order.kind == "sale":
            sales.setdefault(one.order.key, one)
    counted = {key: one for key, one in sales.items() if key not in cancelled}
    # A cancellation belongs to whoever placed the order, to nobody while there is none.
    owned = [one for one in events if one.identifiers or (one.order is not None and one.order.key in sales)]
    months: dict[str, tuple[int, int]] = {}
    for one in counted.values():
        orders, minor = months.get(month := one.occurred_at.strftime("%Y-%m"), (0, 0))
        months[month] = (orders + 1, minor + (one.order.total_minor if one.order else 0))
    signals = [Signal(one.id, one.signal, one.occurred_at, one.products) for one in events if one.signal]
    bought = [
        Sale(key, one.occurred_at, frozenset({one.order.lines.split('"')[3]} if one.order else ()))
        for key, one in counted.items()
    ]
    return Counter(one.channel for one in owned), months, [intent_item(i) for i in fold_intents(signals, bought, NOW)]


def _consent(events: list[IncomingEvent]) -> dict[str, bool]:
    """Channel → whether marketing may use it, asked of every raw event: the last word on it, or on all channels."""
    told = sorted((one.occurred_at, one.id, json.loads(one.payload)) for one in events if one.signal == "consent")
    general = max((place for place, (_, _, said) in enumerate(told) if said["channel"] == "all"), default=0)
    return {said["channel"]: said["granted"] for _, _, said in told[general:]}


def _check(graph: Graph, brand_id: str, profile_id: str, events: list[IncomingEvent]) -> None:
    found = whole(graph, brand_id, profile_id)
    channels, months, intents = _expected(events)
    assert found["statistics"]["events_by_channel"] == channels
    assert {
        one["month"]: (one["orders"], round(float(one["spend"]) * 100)) for one in found["statistics"]["spend_by_month"]
    } == months
    assert found["statistics"]["purchases"]["total"] == sum(orders for orders, _ in months.values())
    assert found["intents"] == intents
    consent = found["consent"].get("marketing", {})
    assert {channel: one["status"] == "granted" for channel, one in consent.items()} == _consent(events)


@pytest.mark.parametrize("seed", range(12))
def test_aggregates_equal_a_recount_of_raw_events_through_merges_and_unmerges(
    graph: Graph, brand_id: str, seed: int
) -> None:
    rng = random.Random(seed)
    brand = BrandSettings(brand_id)
    left, right = _history(brand_id, rng, MAIL), _history(brand_id, rng, PHONE)
    both = [*left, *right]
    rng.shuffle(both)
    results = {one.id: result.profile_id for one in both for result in commit_batch(graph, brand, [one])}
    of_left = next(results[one.id] for one in left if one.identifiers)
    of_right = next(results[one.id] for one in right if one.identifiers)
    _check(graph, brand_id, of_left or "", left)
    merged = merge_profiles(graph, brand, of_left or "", [of_right or ""], by="ann")
    _check(graph, brand_id, merged.survivor_id, both)
    unmerge_profile(graph, brand, merged.survivor_id, by="ann")
    _check(graph, brand_id, of_left or "", left)
    _check(graph, brand_id, of_right or "", right)
