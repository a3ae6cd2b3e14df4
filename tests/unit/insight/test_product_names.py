"""Names of products as events tell them: lines of orders, flat payloads, lists; the latest event's counts."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from insight.product_names import told_names

START = datetime(2026, 11, 1, tzinfo=UTC)


def event(
    minute: int = 0, payload: Any = None, products: list[str] | None = None, lines: Any = None, id_: str = "e"
) -> dict[str, Any]:
    return {
        "id": id_, "at": START + timedelta(minutes=minute), "products": products,
        "payload": None if payload is None else json.dumps(payload),
        "lines": None if lines is None else json.dumps(lines),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("told", "names"),
    [
        (event(payload={"product_id": "P1", "name": " Rain\n Jacket "}, products=["P1"]), {"P1": "Rain Jacket"}),
        (event(payload={"product_id": "P1", "product_name": "Cap", "name": "page"}, products=["P1"]), {"P1": "Cap"}),
        (event(payload={"product": {"id": 7, "title": "Cap"}}, products=["7"]), {"7": "Cap"}),
        (event(payload={"line_items": [{"sku": "A", "title": "Boots"}, {"sku": "B"}, 3]}, products=["A", "B"]),
         {"A": "Boots"}),
        (event(lines=[{"product_id": "P2", "name": "Shirt"}, {"product_id": "P3"}]), {"P2": "Shirt"}),
        (event(payload={"product_id": "P1", "name": "Jacket"}, products=None), {}),
        (event(payload={"name": "Somebody"}, products=["P1"]), {}),
        (event(payload={"product_id": "P1", "name": {"deep": 1}}, products=["P1"]), {}),
        (event(payload=["no object"], products=["P1"]), {}),
    ],
)  # fmt: skip
def test_what_an_event_calls_a_product(told, names):
    assert {product: name for product, (name, _) in told_names([told]).items()} == names


def test_the_name_of_the_latest_event_counts_in_whatever_order_they_come():
    old = event(1, {"product_id": "P1", "name": "Old"}, ["P1"], id_="a")
    new = event(2, {"product_id": "P1", "name": "New"}, ["P1"], id_="b")
    assert told_names([new, old]) == told_names([old, new]) == {"P1": ("New", START + timedelta(minutes=2))}
