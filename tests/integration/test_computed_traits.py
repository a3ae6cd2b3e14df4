"""Computed traits on the real graph: against an oracle over random histories with merges, unmerges and late events."""

import itertools
import json
import random
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from core.brand import BrandSettings
from core.clock import utc_now
from core.events import IncomingEvent
from core.trait_definitions import definition_from_data
from graph.commit import commit_batch
from graph.driver import Graph
from graph.repositories.model_runs import RunKind, start_run
from graph.repositories.trait_definitions import Change, TraitSet, delete_definition, put_definition
from graph.values import to_time
from ingest.stewardship.merging import merge_profiles, unmerge_profile
from insight.computed_traits.refresh import compute_traits, refresh_traits
from ml.runs.carry_out import carry_out_run
from ml.serving.active import ActiveModels
from tests.factories import T0, event, fact
from tests.oracle import facts_by_order
from tests.trait_oracle import expected

NOW = T0 + timedelta(days=60)
_MINUTES = 60 * 1440
_EVENT_FIELDS: list[tuple[str, str | None]] = [
    ("count", None), ("count", "payload.category"), ("sum", "payload.price"), ("sum", "payload.items[].quantity"),
    ("avg", "payload.price"), ("min", "payload.price"), ("max", "payload.price"), ("first", "payload.category"),
    ("last", "payload.price"), ("first", "occurred_at"), ("last", "type"), ("most_frequent", "payload.items[].sku"),
    ("most_frequent", "channel"), ("most_frequent", "payload.category"), ("unique_count", "product_id"),
    ("unique_count", "payload.items[].sku"), ("unique_count", "payload.price"), ("days_since", None),
]  # fmt: skip
_EVENT_FILTERS: list[list[dict[str, Any]]] = [
    [],
    [{"field": "type", "op": "in", "value": ["page_view", "cart_add"]}],
    [{"field": "channel", "op": "ne", "value": "store"}, {"field": "source", "op": "eq", "value": "shop"}],
    [{"field": "payload.price", "op": "gte", "value": 20}],
    [{"field": "payload.price", "op": "eq", "value": 19.99}],
    [{"field": "payload.category", "op": "not_in", "value": ["Shoes", "Bags"]}],
    [{"field": "payload.member", "op": "eq", "value": True}],
    [{"field": "payload.coupon", "op": "exists", "value": False}],
    [{"field": "occurred_at", "op": "gte", "value": "2026-10-20T00:00:00+02:00"}],
    [{"field": "product_id", "op": "eq", "value": "P1"}, {"field": "payload.items[].sku", "op": "in", "value": ["S1"]}],
]
_ORDER_FIELDS: list[tuple[str, str | None]] = [
    ("count", None), ("sum", "total"), ("avg", "total"), ("min", "total"), ("max", "total"), ("last", "total"),
    ("first", "placed_at"), ("last", "channel"), ("most_frequent", "category"), ("unique_count", "product_id"),
    ("unique_count", "currency"), ("days_since", None),
]  # fmt: skip
_ORDER_FILTERS: list[list[dict[str, Any]]] = [
    [],
    [{"field": "category", "op": "eq", "value": "Shoes"}],
    [{"field": "total", "op": "gte", "value": "50.00"}],
    [{"field": "channel", "op": "in", "value": ["store", "app"]}],
    [{"field": "placed_at", "op": "lt", "value": "2026-11-10T12:00:00Z"}],
    [{"field": "currency", "op": "eq", "value": "EUR"}],
]
_WINDOWS: list[dict[str, int] | None] = [None, {"days": 7}, {"days": 30}]


def all_definitions() -> list[dict[str, Any]]:
    """Every function with every filter and window."""
    tables = [("events", _EVENT_FIELDS, _EVENT_FILTERS), ("orders", _ORDER_FIELDS, _ORDER_FILTERS)]
    found: list[dict[str, Any]] = []
    for source, fields, filters in tables:
        for (function, field), where, window in itertools.product(fields, filters, _WINDOWS):
            found.append({
                "name": f"t{len(found)}", "function": function, "from": source, "field": field, "where": where,
                "window": window,
            })  # fmt: skip
    return found


DEFINITIONS = all_definitions()


class History:
    """Random events of a brand, sent in any order of their times, and what the graph made of whose they are."""

    def __init__(self, graph: Graph, brand: str, seed: int) -> None:
        self.graph, self.brand = graph, BrandSettings(brand)
        self.random = random.Random(seed)
        self.events: list[IncomingEvent] = []

    def send(self, count: int) -> None:
        batch = [self._event(len(self.events) + place) for place in range(count)]
        self.events += batch
        commit_batch(self.graph, self.brand, batch)

    def _event(self, number: int) -> IncomingEvent:
        rng, brand = self.random, self.brand.id
        # Times of an hour apart meet, so that ranks need the id; the newest lie ahead of the clock of the computation.
        minute = rng.randrange(-60, _MINUTES + 120, 60)
        people = [f"email:p{rng.randrange(7)}@x.io"]
        if rng.random() < 0.05:
            people.append(f"phone:+1415555010{rng.randrange(4)}")
        order_id, chance = f"o{rng.randrange(12)}", rng.random()
        more: dict[str, Any] = {
            "key": f"e{number}",
            "minute": minute,
            "channel": rng.choice(["website", "store", "app"]),
        }
        if chance < 0.3:
            lines = [
                {"product_id": f"P{rng.randrange(4)}", "category": rng.choice(["Shoes", "Bags"])} for _ in range(2)
            ]
            order = fact(brand, order_id, total=rng.randrange(0, 12_000), lines=json.dumps(lines))
            if rng.random() < 0.15:
                order = replace(order, currency="EUR")
            return replace(event(brand, *people, order=order, **more), payload=self._payload())
        if chance < 0.4:
            return event(brand, order=fact(brand, order_id, "refund", rng.randrange(500, 9_000), refund_id="r"), **more)
        if chance < 0.43:
            return event(brand, order=fact(brand, order_id, "cancel", 0), **more)
        made = event(brand, *people, products=tuple(rng.sample(["P1", "P2", "P3"], rng.randrange(3))), **more)
        kind = rng.choice(["page_view", "cart_add", "search"])
        return replace(made, type=kind, source=rng.choice(["shop", "app"]), payload=self._payload())

    def _payload(self) -> str:
        rng = self.random
        payload: dict[str, Any] = {"price": rng.choice([19.99, 20, "12.50", "n/a", None, True, 0.1, -3])}
        if rng.random() < 0.7:
            payload["category"] = rng.choice(["Shoes", "Bags", "Hats", "1", 1])
        if rng.random() < 0.5:
            payload["member"] = rng.choice([True, False, 1, "true"])
        if rng.random() < 0.5:
            payload["coupon"] = rng.choice(["X", None, {"code": "X"}])
        if rng.random() < 0.6:
            payload["items"] = [{"sku": f"S{rng.randrange(3)}", "quantity": rng.randrange(4)} for _ in range(3)]
        return json.dumps(payload)

    def read(self, query: str) -> list[list[Any]]:
        with self.graph.session() as session:
            return session.run(query, brand=self.brand.id).values()

    def live(self) -> list[str]:
        query = "MATCH (c:Customer) WHERE c.brand = $brand AND c.root_id = c.id RETURN c.id ORDER BY c.id"
        return [row[0] for row in self.read(query)]

    def join_and_part(self) -> None:
        live = self.live()
        if len(live) > 2:
            one, other = self.random.sample(live, 2)
            merge_profiles(self.graph, self.brand, one, [other], by="test")
        # Whom a merge holds together its pointers tell: its survivor may have left when another merge was taken back.
        query = """MATCH (c:Customer)-[p:MERGED_INTO]->() WHERE c.brand = $brand
            RETURN p.merge_id, min(c.root_id) ORDER BY p.merge_id"""
        merges = self.read(query)
        if merges and (len(live) <= 2 or self.random.random() < 0.6):
            merge_id, root = self.random.choice(merges)
            unmerge_profile(self.graph, self.brand, root, merge_id=merge_id, by="test")

    def changed(self) -> set[str]:
        """Profiles that the marks since the last call name."""
        query = "MATCH (m:Mark) WHERE m.brand = $brand WITH m, m.profile_ids AS ids DETACH DELETE m RETURN ids"
        return {id_ for (ids,) in self.read(query) for id_ in ids or ()}

    def rows(self) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """Live profile → its events and counted orders, as the oracle wants them."""
        found: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: {"events": [], "orders": []})
        query = (
            """MATCH (e:Event) WHERE e.brand = $brand MATCH (c:Customer {id: e.persona_id}) RETURN e.id, c.root_id"""
        )
        by_id = {one.id: one for one in self.events}
        for event_id, root in self.read(query):
            one = by_id[event_id]
            found[root]["events"].append({
                "id": one.id, "at": one.occurred_at, "type": one.type, "channel": one.channel, "source": one.source,
                "product_id": list(one.products), "payload": json.loads(one.payload),
            })  # fmt: skip
        query = (
            "MATCH (c:Customer)-[:PLACED]->(o:Order) WHERE o.brand = $brand OR c.brand = $brand RETURN o.key, c.root_id"
        )
        owners = dict(self.read(query))
        for key, facts in facts_by_order(self.events).items():
            row = _order(key, facts)
            if row is not None and key in owners:
                found[owners[key]]["orders"].append(row)
        return found

    def stored(self) -> dict[str, dict[str, Any]]:
        """Profile → the properties of its computed traits."""
        query = """MATCH (c:Customer)-[:HAS_COMPUTED_TRAITS]->(n:ComputedTraits) WHERE c.brand = $brand
            RETURN c.id, properties(n)"""
        return dict(self.read(query))


def _order(key: str, facts: list[IncomingEvent]) -> dict[str, Any] | None:
    """What counts of an order, from its events in order of time; None when nothing does."""
    told = [(one, one.order) for one in facts if one.order is not None]
    sales = [(one, order) for one, order in told if order.kind == "sale"]
    if not sales or any(order.kind == "cancel" for _, order in told):
        return None
    sale = sales[0][1]
    refunds = {
        order.refund_id: order.total_minor if order.currency == sale.currency else 0
        for _, order in reversed(told)
        if order.kind == "refund"
    }
    refunded = sum(refunds.values())
    if refunded and refunded >= sale.total_minor:
        return None
    lines = json.loads(sale.lines)
    return {
        "id": key, "at": sales[0][0].occurred_at, "minor": max(0, sale.total_minor - refunded),
        "currency": sale.currency, "channel": sales[0][0].channel,
        "category": sorted({line["category"] for line in lines}),
        "product_id": sorted({line["product_id"] for line in lines}),
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_every_function_filter_and_window_equals_the_oracle_after_merges_unmerges_and_late_events(
    graph: Graph, brand_id: str, seed: int
) -> None:
    history = History(graph, brand_id, seed)
    traits = TraitSet(
        brand_id, version=1, needed=1, definitions=tuple(definition_from_data(data) for data in DEFINITIONS)
    )
    for _ in range(4):
        history.send(45)
        history.join_and_part()
        # Only profiles that changed are computed, as the task after commits does.
        assert compute_traits(graph, traits, history.changed(), NOW) == set()
    stored, rows = history.stored(), history.rows()
    assert set(stored) == set(history.live())
    assert any(row for found in rows.values() for row in found["orders"])
    for profile, properties in stored.items():
        for data in DEFINITIONS:
            value = properties.get(f"v_{data['name']}")
            if data["field"] in {"occurred_at", "placed_at"} and value is not None:
                value = to_time(value)
            wanted = expected(data, rows[profile][data["from"]], NOW)
            assert (value, type(value)) == (wanted, type(wanted)), (profile, data)


def test_values_are_right_after_commits_merges_refreshes_and_changed_definitions_at_the_same_time(
    graph: Graph, brand_id: str
) -> None:
    history = History(graph, brand_id, 11)
    changed: SimpleQueue[set[str] | None] = SimpleQueue()
    definitions = [data for data in DEFINITIONS if data["window"] is None and data["function"] != "days_since"]
    put_definition(graph, brand_id, definition_from_data(definitions[0]), Change("test", NOW))

    def follow() -> None:
        while (ids := changed.get()) is not None:
            assert refresh_traits(graph, brand_id, ids, utc_now()) == set()

    with ThreadPoolExecutor(5) as pool:
        workers = [pool.submit(follow) for _ in range(3)]
        redefined = pool.submit(redefine, graph, brand_id, definitions[:40])
        try:
            for _ in range(25):
                history.send(8)
                changed.put(history.changed())
                history.join_and_part()
                changed.put(history.changed())
            redefined.result()
        finally:
            for _ in workers:
                changed.put(None)
    for worker in workers:
        worker.result()
    stored, rows = history.stored(), history.rows()
    assert set(stored) == set(history.live())
    for profile, data in itertools.product(stored, definitions[10:40]):
        value = stored[profile].get(f"v_{data['name']}")
        assert value == expected(data, rows[profile][data["from"]], NOW), (profile, data)


def redefine(graph: Graph, brand: str, definitions: list[dict[str, Any]]) -> None:
    """Define all of them one by one, take the first ten away again, and let a run bring everybody up to date."""
    for data in definitions:
        put_definition(graph, brand, definition_from_data(data), Change("test", NOW))
    for data in definitions[:10]:
        delete_definition(graph, brand, data["name"], NOW)
    run = start_run(graph, brand, RunKind.TRAITS, {}, by="test", now=utc_now())
    carry_out_run(graph, ActiveModels(Path("unused")), brand, run["id"])
