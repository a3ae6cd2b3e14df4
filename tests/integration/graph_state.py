"""Reading a brand back from the graph for comparisons: live profiles by what they hold, independent of ids."""

import json
from dataclasses import dataclass

from core.brand import BrandSettings
from core.clock import now_micros
from graph.driver import Graph
from graph.retie import redraw
from graph.retie_write import Redraw
from graph.transactions import Transaction

Sums = dict[tuple[str, ...], tuple[int, ...]]


@dataclass(frozen=True)
class Live:
    """One live profile as a test compares it."""

    id: str
    identifiers: frozenset[str]
    event_count: int
    total_orders: int
    ltv_minor: int
    strength: int
    performed: int
    """Events really attached to its personas, counted by relationship."""


def live_profiles(graph: Graph, brand: str) -> list[Live]:
    """All live profiles of a brand, counted anew from the graph."""
    rows = graph.read("invariants/live_profiles", brand=brand)
    return [
        Live(
            row["id"],
            frozenset(row["identifiers"]),
            row["event_count"],
            row["total_orders"],
            row["ltv_minor"],
            row["strength"],
            row["performed"],
        )
        for row in rows
    ]


def by_identifier(graph: Graph, brand: str, identifier: str) -> Live:
    """The one live profile that holds `type:value`."""
    [found] = [live for live in live_profiles(graph, brand) if identifier in live.identifiers]
    return found


def what_redrawing_changes(graph: Graph, settings: BrandSettings) -> list[str]:
    """Live profiles whose weak links come out otherwise when drawn anew from all evidence; nothing is kept of it."""
    return [live.id for live in live_profiles(graph, settings.id) if _is_otherwise(graph, settings, live.id)]


_PERFORMED = (
    "MATCH (c:Customer {brand: $brand})-[:PERFORMED]->(e:Event) RETURN c.root_id AS root, collect(e.id) AS events"
)


def _is_otherwise(graph: Graph, settings: BrandSettings, profile_id: str) -> bool:
    """Emptied anonymous personas may be filed elsewhere: whose the events are is what counts."""
    with graph.session() as session, session.begin_transaction() as opened:
        before = {frozenset(row["events"]) for row in opened.run(_PERFORMED, brand=settings.id)}
        redraw(Transaction(opened), settings, Redraw("evt_check", now_micros()), [], {profile_id}, set())
        after = {frozenset(row["events"]) for row in opened.run(_PERFORMED, brand=settings.id)}
        opened.rollback()
    return before != after


_PERSONAS = "MATCH (c:Customer {brand: $brand}) RETURN c.id AS id, c.own_sales AS sales"
_PLACED = (
    "MATCH (c:Customer {brand: $brand})-[:PLACED]->(o:Order) RETURN c.id AS id, toString(o.placed_at) AS at, "
    "o.channel AS channel, o.currency AS currency, o.counted_minor AS minor, o.counts AS counts, o.lines AS lines"
)


def stored_sales(graph: Graph, brand: str) -> dict[str, tuple[Sums, Sums]]:
    """Tallies kept at commit: persona → ((month, channel, currency) → orders, money; (category, channel) → orders)."""
    found = {}
    with graph.session() as session:
        for row in session.run(_PERSONAS, brand=brand):
            if row["sales"]:
                sales, categories = json.loads(row["sales"])
                found[row["id"]] = (
                    {tuple(entry[:3]): tuple(entry[3:]) for entry in sales},
                    {tuple(entry[:2]): tuple(entry[2:]) for entry in categories},
                )
    return found


def placed_sales(graph: Graph, brand: str) -> dict[str, tuple[Sums, Sums]]:
    """The same counted from the orders that each persona placed."""
    found: dict[str, tuple[Sums, Sums]] = {}
    with graph.session() as session:
        for row in session.run(_PLACED, brand=brand):
            if not row["counts"] and not row["minor"]:
                continue
            sales, categories = found.setdefault(row["id"], ({}, {}))
            _add(sales, (row["at"][:7], row["channel"], row["currency"]), int(row["counts"]), row["minor"])
            for category in {line["category"] for line in json.loads(row["lines"] or "[]")} if row["counts"] else ():
                _add(categories, (category, row["channel"]), 1)
    return found


def _add(sums: Sums, key: tuple[str, ...], *values: int) -> None:
    sums[key] = tuple(a + b for a, b in zip(sums.get(key, (0,) * len(values)), values, strict=True))
