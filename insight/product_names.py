"""What events call the products they are about; the task after a commit keeps it, so that lists read as words."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from graph.values import parse_json

_ID_NAMES = ("product_id", "productId", "sku", "variant_id", "id")
_NAMES = ("product_name", "productName", "name", "title")
_LISTS = ("items", "line_items", "products", "lines")
_LONGEST = 200
_MOST_LINES = 200


def told_names(events: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, datetime]]:
    """Product id → (name, time of the event) of the latest event that names it.

    `events` have `at`, `products` (ids), `payload` and `lines` (JSON text, the lines those of its order).
    """
    found: dict[str, tuple[str, datetime]] = {}
    for event in sorted(events, key=lambda event: (event["at"], event["id"])):
        for product, name in _names_in(event):
            found[product] = (name, event["at"])
    return found


def _names_in(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    lines = _objects(parse_json(event["lines"], []))
    for line in lines:
        if isinstance(line.get("product_id"), str) and (name := _name(line)):
            yield line["product_id"], name
    wanted = set(event["products"] or ())
    payload = parse_json(event["payload"], {}) if wanted else {}
    for part in _parts(payload):
        product = next((str(part[key]) for key in _ID_NAMES if str(part.get(key)) in wanted), None)
        if product is not None and (name := _name(part)):
            yield product, name


def _parts(payload: object) -> Iterator[Mapping[str, Any]]:
    """The payload, its product and the objects of its lists."""
    if isinstance(payload, dict):
        yield payload
        yield from _objects([payload.get("product")])
        for name in _LISTS:
            yield from _objects(payload.get(name))


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value[:_MOST_LINES] if isinstance(one, dict)] if isinstance(value, list) else []


def _name(part: Mapping[str, Any]) -> str:
    texts = (part.get(key) for key in _NAMES)
    said = next((" ".join(text.split()) for text in texts if isinstance(text, str) and text.strip()), "")
    return said[:_LONGEST]
