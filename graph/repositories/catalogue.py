"""Products, stock and privacy requests in the graph: written as sources tell them, read in pages."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from core.catalogue import PrivacyRequestRecord, ProductRecord, Record, StockItemRecord, StockRecord
from core.clock import EARLIEST
from core.errors import InvalidInputError, NotFoundError
from core.paging import check_limit, decode_cursor, encode_cursor
from core.strict_json import canonical_json, to_json
from graph.driver import Graph
from graph.values import parse_json, to_time, to_time_text

_ID_BYTES = 16
_MOST_SEARCHED = 100_000


def store_records(graph: Graph, brand: str, records: Sequence[Record], *, received_at: datetime) -> None:
    """Store what sources told beside events; telling it again or in another order changes nothing."""
    levels = [_level_row(brand, record) for record in records if isinstance(record, StockRecord)]
    products = [_product_row(brand, record) for record in records if isinstance(record, ProductRecord)]
    items = [_item_row(brand, record) for record in records if isinstance(record, StockItemRecord)]
    requests = [
        _request_row(brand, record, received_at) for record in records if isinstance(record, PrivacyRequestRecord)
    ]
    if products:
        graph.write("catalogue/store_products", brand=brand, products=products)
    if items:
        graph.write("catalogue/store_stock_items", brand=brand, items=items)
    if levels:
        graph.write("catalogue/store_stock_levels", brand=brand, levels=levels)
    if requests:
        graph.write("catalogue/keep_privacy_requests", brand=brand, requests=requests)


def list_products(
    graph: Graph, brand: str, limit: int | None, cursor: str | None, search: str | None = None
) -> dict[str, Any]:
    """A page of products as {items, next_cursor}, each with its variants and its stock by location.

    `search` is words of id, title, category or vendor, all of which occur; the first hundred thousand products after
    the cursor are looked at.
    """
    size = check_limit(limit)
    words = search.lower().split() if search else []
    rows = graph.read(
        "catalogue/list_products",
        brand=brand, after=_key_after(brand, cursor), limit=size + 1, words=words or None,
        look_at=_MOST_SEARCHED if words else size + 1,
    )  # fmt: skip
    shown = rows[:size]
    more = len(rows) > size
    last = shown[-1]["product"]["key"] if shown else ""
    return {
        "items": [_product(row["product"], row["stock"]) for row in shown],
        "next_cursor": encode_cursor(EARLIEST, last) if more else None,
    }


def get_products(graph: Graph, brand: str, product_id: str) -> list[dict[str, Any]]:
    """The products of one id, of every source that knows it; raises NotFoundError when none does."""
    rows = graph.read("catalogue/get_product", brand=brand, product_id=product_id)
    if not rows:
        raise NotFoundError("No such product.")
    return [_product(row["product"], row["stock"]) for row in rows]


def list_privacy_requests(graph: Graph, brand: str, limit: int | None, cursor: str | None) -> dict[str, Any]:
    """A page of privacy requests as {items, next_cursor}, the one that is due first before all others."""
    size = check_limit(limit)
    after_due, after_id = decode_cursor(cursor) or (EARLIEST, "")
    rows = graph.read(
        "catalogue/list_privacy_requests", brand=brand, after_due=after_due, after_id=after_id, limit=size + 1
    )
    shown = [row["request"] for row in rows[:size]]
    following = None
    if len(rows) > size:
        due = to_time(shown[-1]["due_at"]) or EARLIEST
        following = encode_cursor(due, shown[-1]["id"])
    return {"items": [_request(stored) for stored in shown], "next_cursor": following}


def _key_after(brand: str, cursor: str | None) -> str:
    found = decode_cursor(cursor)
    if found is None:
        return ""
    if not found[1].startswith(f"{brand}|"):
        raise InvalidInputError("cursor is not one that this service gave out.", field="cursor")
    return found[1]


def _scope(brand: str, source: str, instance: str) -> str:
    place = f"{source}/{instance}" if instance else source
    return f"{brand}|{place.replace('|', '%7C')}"


def _product_row(brand: str, record: ProductRecord) -> dict[str, Any]:
    scope = _scope(brand, record.source, record.instance)
    told = {
        "title": record.title,
        "category": record.category,
        "vendor": record.vendor,
        "status": record.status,
        "price": record.price,
        "variants": to_json(list(record.variants)),
    }
    items = {variant["item_id"]: variant for variant in record.variants if variant.get("item_id")}
    return {
        "key": f"{scope}|{record.product_id}",
        "source": record.source,
        "instance": record.instance,
        "product_id": record.product_id,
        "at": record.at,
        "is_deleted": record.is_deleted,
        "props": {} if record.is_deleted else told,
        "items": [{"key": f"{scope}|{id_}", "id": id_, "sku": items[id_].get("sku")} for id_ in sorted(items)],
    }


def _item_row(brand: str, record: StockItemRecord) -> dict[str, Any]:
    return {
        "key": f"{_scope(brand, record.source, record.instance)}|{record.item_id}",
        "source": record.source,
        "instance": record.instance,
        "item_id": record.item_id,
        "at": record.at,
        "is_deleted": record.is_deleted,
        "sku": record.sku,
    }


def _level_row(brand: str, record: StockRecord) -> dict[str, Any]:
    item_key = f"{_scope(brand, record.source, record.instance)}|{record.item_id}"
    return {
        "key": f"{item_key}|{record.location_id}",
        "item_key": item_key,
        "source": record.source,
        "instance": record.instance,
        "item_id": record.item_id,
        "location_id": record.location_id,
        "at": record.at,
        "available": record.available,
        "is_deleted": record.is_deleted,
    }


def _request_row(brand: str, record: PrivacyRequestRecord, received_at: datetime) -> dict[str, Any]:
    name = canonical_json([brand, record.source, record.instance, record.topic, record.key])
    return {
        "id": f"prv_{blake2b(name, digest_size=_ID_BYTES).hexdigest()}",
        "source": record.source,
        "instance": record.instance,
        "topic": record.topic,
        "subject": record.subject,
        "requested_at": record.requested_at,
        "due_at": record.due_at,
        "received_at": received_at,
    }


def _product(stored: dict[str, Any], stock: list[dict[str, Any]]) -> dict[str, Any]:
    levels = [{**level, "updated_at": to_time_text(level["updated_at"])} for level in stock]
    shown = ("product_id", "source", "instance", "title", "category", "vendor", "status", "price")
    return {
        **{name: stored.get(name) for name in shown},
        "variants": parse_json(stored.get("variants"), []),
        "stock": sorted(levels, key=lambda level: (level["item_id"], level["location_id"])),
        "updated_at": to_time_text(stored["updated_at"]),
    }


def _request(stored: dict[str, Any]) -> dict[str, Any]:
    shown = ("id", "source", "instance", "topic", "subject", "status")
    times = ("requested_at", "due_at", "received_at")
    return {name: stored[name] for name in shown} | {name: to_time_text(stored[name]) for name in times}
