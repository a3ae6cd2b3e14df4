"""Marks of events that shops care about, worked off into counts of products by day: each event exactly once."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from graph.driver import Graph
from graph.transactions import Transaction, in_transaction
from graph.values import to_time

MARK_SHOP_FLOOR = "shop_floor"
_PAYLOAD_BYTES = 20_000
_BUDGET_SECONDS = 8.0
_VIEWS, _CARTS, _PURCHASES = range(3)
_COLUMNS = {"view": _VIEWS, "scan": _VIEWS, "cart": _CARTS}

Counts = dict[tuple[str, str], list[int]]
"""(product id, day) → views, carts, purchases to add."""


def list_shop_marks(graph: Graph, limit: int) -> list[dict[str, Any]]:
    """The oldest marks that wait: {id, brand, event_ids}."""
    return graph.read("stores/list_shop_marks", kind=MARK_SHOP_FLOOR, limit=limit)


def read_shop_events(graph: Graph, brand: str, ids: Sequence[str]) -> list[dict[str, Any]]:
    """What the events tell of products, orders and presence; times aware, events removed since are missing."""
    rows = graph.read("stores/read_shop_events", brand=brand, ids=sorted(set(ids)), payload_bytes=_PAYLOAD_BYTES)
    return [{**row, "at": to_time(row["at"]), "visit_at": to_time(row["visit_at"])} for row in rows]


def count_products(graph: Graph, brand: str, marks: Sequence[dict[str, Any]], events: Sequence[dict[str, Any]]) -> None:
    """Take the marks away and count their events, in one transaction: whoever comes second counts nothing.

    A view, scan or cart counts on the day of its event. An order counts once for each of its products on the day it was
    placed, for as long as it counts: what was counted is kept beside it, and the difference is added.
    """
    by_id = {event["id"]: event for event in events}

    def work(tx: Transaction) -> None:
        # A mark that another transaction is deleting would still be matched here and counted twice.
        tx.run("stores/lock_counting", brand=brand)
        taken = {row[0] for row in tx.run("stores/take_shop_marks", brand=brand, ids=sorted(m["id"] for m in marks))}
        told = [by_id[id_] for m in marks if m["id"] in taken for id_ in m["event_ids"] if id_ in by_id]
        counts = _signals(told)
        orders = _orders(tx, brand, sorted({event["order_key"] for event in told if event["order_key"]}), counts)
        rows = [[f"{brand}|{product}|{day}", product, day, *added] for (product, day), added in sorted(counts.items())]
        if rows or orders:
            tx.run("stores/add_product_days", brand=brand, rows=rows, orders=orders)

    in_transaction(graph, work, budget_seconds=_BUDGET_SECONDS)


def _signals(events: Sequence[dict[str, Any]]) -> Counts:
    counts: Counts = defaultdict(lambda: [0, 0, 0])
    for event in events:
        column = _COLUMNS.get(event["signal"] or "")
        if column is not None:
            for product in event["products"] or ():
                counts[product, day_of(event["at"])][column] += 1
    return counts


def _orders(tx: Transaction, brand: str, keys: list[str], counts: Counts) -> list[list[str]]:
    changed = []
    for key, stored, placed_at, products, is_counted in tx.run("stores/lock_order_counts", brand=brand, keys=keys):
        placed = to_time(placed_at)
        before: tuple[str, list[str]] = tuple(json.loads(stored)) if stored else ("", [])
        now: tuple[str, list[str]] = ("", [])
        if is_counted and placed is not None and products:
            now = (day_of(placed), sorted(products))
        if before == now:
            continue
        for (day, told), sign in ((before, -1), (now, 1)):
            for product in told:
                counts[product, day][_PURCHASES] += sign
        changed.append([key, json.dumps(now, ensure_ascii=False)])
    return changed


def day_of(at: datetime) -> str:
    """The day (UTC) of a time as YYYY-MM-DD."""
    return at.strftime("%Y-%m-%d")
