"""Stock that the brand counts itself: levels set and moved under their lock, never below nothing; and demand by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from core.clock import EARLIEST
from core.errors import InvalidInputError
from core.paging import encode_cursor
from core.strict_json import canonical_json
from graph.driver import Graph
from graph.repositories.profiles import Page
from graph.transactions import Transaction, in_transaction
from graph.values import parse_json, to_time, to_time_text

MOST_STOCK = 10**9
_BUDGET_SECONDS = 8.0
_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Change:
    """A change of stock: `available` sets the level, `delta` moves it; `id` makes a repeat the same movement."""

    product_id: str
    location_id: str
    id: str
    by: str
    available: int | None = None
    delta: int = 0
    sku: str | None = None
    title: str | None = None
    reason: str | None = None


def change_stock(graph: Graph, brand: str, change: Change, now: datetime) -> dict[str, Any]:
    """Set or move a level and answer the movement; a repeat answers the first.

    Of a product with several stocked things the SKU says which; one that no shop told of gets a thing of its own.
    Raises InvalidInputError for an unclear or unknown SKU and for stock that would fall below nothing.
    """
    item_key, product = _item(graph, brand, change, now)
    level_key = f"{item_key}|{change.location_id}"
    movement_id = _movement_id(brand, change.id)

    def work(tx: Transaction) -> dict[str, Any]:
        [[before, moved]] = tx.run(
            "stores/lock_level",
            brand=brand, product=product, item_key=item_key, item_id=change.product_id, level_key=level_key,
            location_id=change.location_id, movement_id=movement_id,
        )  # fmt: skip
        if moved is not None:
            return movement_item(moved)
        after = change.available if change.available is not None else (before or 0) + change.delta
        if after < 0:
            raise InvalidInputError(f"delta: only {before or 0} are there", field="delta")
        if after > MOST_STOCK:
            raise InvalidInputError(f"delta: more than {MOST_STOCK} in one place", field="delta")
        movement = {
            "id": movement_id, "product_id": change.product_id, "sku": change.sku, "location_id": change.location_id,
            "before": before, "after": after, "delta": after - (before or 0), "reason": change.reason,
            "by": change.by,
        }  # fmt: skip
        tx.run("stores/move_stock", brand=brand, level_key=level_key, available=after, movement=movement, now=now)
        return movement_item({**movement, "at": now})

    return in_transaction(graph, work, budget_seconds=_BUDGET_SECONDS)


def _movement_id(brand: str, key: str) -> str:
    return f"mov_{blake2b(canonical_json([brand, key]), digest_size=_ID_BYTES).hexdigest()}"


def _item(graph: Graph, brand: str, change: Change, now: datetime) -> tuple[str, dict[str, Any] | None]:
    """The key of the stocked thing; and the product to make for it where nobody told of it yet."""
    rows = graph.read("stores/find_stock_items", brand=brand, product_id=change.product_id)
    if change.sku is not None:
        rows = [row for row in rows if row["sku"] == change.sku]
        if not rows:
            raise InvalidInputError("sku: this product has no such SKU", field="sku")
    if len(rows) > 1:
        raise InvalidInputError("sku: this product is stocked in several kinds; say which", field="sku")
    if rows:
        return rows[0]["key"], None
    key = f"{brand}|inventory|{change.product_id}"
    return key, {"key": key, "product_id": change.product_id, "title": change.title, "at": now}


def list_movements(graph: Graph, brand: str, page: Page) -> dict[str, Any]:
    """A page of movements, newest first: {items, next_cursor}."""
    rows = graph.read("stores/list_movements", brand=brand, **page.params())
    shown = [row["movement"] for row in rows[: page.size]]
    cursor = None
    if len(rows) > page.size:
        cursor = encode_cursor(to_time(shown[-1]["at"]) or EARLIEST, shown[-1]["id"])
    return {"items": [movement_item(one) for one in shown], "next_cursor": cursor}


def movement_item(stored: dict[str, Any]) -> dict[str, Any]:
    """A movement as the API shows it; `available` is the level after it."""
    shown = ("id", "product_id", "sku", "location_id", "before", "delta", "reason", "by")
    return {
        **{name: stored.get(name) for name in shown},
        "available": stored["after"],
        "at": to_time_text(stored["at"]),
    }


def list_hot_products(graph: Graph, brand: str, days: Sequence[str], most: int) -> list[str]:
    """Ids of the products with most going on in these days, the hottest first."""
    rows = graph.read("stores/list_hot_products", brand=brand, days=list(days), most=most)
    return [row["product_id"] for row in rows]


def read_product_days(
    graph: Graph, brand: str, product_ids: Sequence[str], days: Sequence[str]
) -> list[dict[str, Any]]:
    """Views, carts and purchases of products by day; days without any are left out."""
    return graph.read("stores/read_product_days", brand=brand, product_ids=list(product_ids), days=list(days))


def list_wanted(graph: Graph, brand: str, product_id: str | None, since: datetime, limit: int) -> list[dict[str, Any]]:
    """The newest intents as {product_id, profile_id, full, last_at, store_id}; the store is the last one visited."""
    rows = graph.read("stores/list_wanted", brand=brand, product=product_id, since=since, limit=limit)
    return [
        {
            **{name: row[name] for name in ("product_id", "profile_id", "full")},
            "last_at": to_time(row["last_at"]) or EARLIEST,
            "store_id": parse_json(row["visit"], [None])[0],
        }
        for row in rows
    ]
