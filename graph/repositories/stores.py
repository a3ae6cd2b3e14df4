"""Stores of a brand: told by events, described by the brand, read singly and in pages."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from core.errors import NotFoundError
from core.paging import check_limit, decode_key_cursor, encode_key_cursor
from core.visits import store_key
from graph.driver import Graph
from graph.values import to_time_text

FIELDS = ("name", "address", "city", "country", "timezone", "location_ids", "status")


def keep_stores(graph: Graph, brand: str, names: Iterable[tuple[str, str]], at: datetime) -> None:
    """Make the stores (id, name or empty) that events tell of where they are not known yet."""
    told = dict(sorted(names))
    rows = [
        {"key": store_key(brand, store_id), "store_id": store_id, "name": name or None, "at": at}
        for store_id, name in told.items()
    ]
    if rows:
        graph.write("stores/store_stores", brand=brand, stores=rows)


def put_store(graph: Graph, brand: str, store_id: str, told: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Describe a store, making it when it is new; fields that are not told stay as they are."""
    props = {**told, "is_named": True} if told.get("name") else dict(told)
    rows = graph.write(
        "stores/put_store", brand=brand, key=store_key(brand, store_id), store_id=store_id, props=props, now=now
    )
    return store_item(rows[0]["store"])


def get_store(graph: Graph, brand: str, store_id: str) -> dict[str, Any]:
    """One store; raises NotFoundError."""
    rows = graph.read("stores/get_store", brand=brand, key=store_key(brand, store_id))
    if not rows:
        raise NotFoundError("No such store.")
    return store_item(rows[0]["store"])


def locations_of(graph: Graph, brand: str, store_id: str) -> list[str]:
    """Ids under which the stock of a store is counted: what the brand set, else its own id."""
    rows = graph.read("stores/get_store", brand=brand, key=store_key(brand, store_id))
    return list((rows[0]["store"].get("location_ids") if rows else None) or [store_id])


def list_stores(graph: Graph, brand: str, limit: int | None, cursor: str | None) -> dict[str, Any]:
    """A page of stores as {items, next_cursor}."""
    size = check_limit(limit)
    after = decode_key_cursor(cursor)
    rows = graph.read("stores/list_stores", brand=brand, after=store_key(brand, after) if after else "", limit=size + 1)
    items = [store_item(row["store"]) for row in rows[:size]]
    return {"items": items, "next_cursor": encode_key_cursor(items[-1]["store_id"]) if len(rows) > size else None}


def store_item(stored: dict[str, Any]) -> dict[str, Any]:
    """A store as the API shows it; without locations of its own it is the location that has its id."""
    return {
        "store_id": stored["store_id"],
        **{name: stored.get(name) for name in FIELDS},
        "location_ids": list(stored.get("location_ids") or [stored["store_id"]]),
        "status": stored.get("status") or "open",
        "created_at": to_time_text(stored.get("created_at")),
        "updated_at": to_time_text(stored.get("updated_at")),
    }
