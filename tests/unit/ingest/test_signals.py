"""Signals: which events tell of interest in products, and in which."""

import pytest

from ingest.steps.signals import read_signal

CASES = [
    ("product_view", {"product_id": "P1"}, ("view", ("P1",))),
    ("product_view", {"product": {"id": 7}}, ("view", ("7",))),
    ("search", {"query": "shoes"}, ("search", ())),
    ("cart_add", {"items": [{"sku": "A"}, {"sku": "B"}, {"sku": "A"}]}, ("cart", ("A", "B"))),
    ("cart_remove", {"product_id": "P1"}, ("uncart", ("P1",))),
    ("whatsapp_message", {"Body": "hello"}, ("", ())),
    ("whatsapp_message", {"product_id": "P1"}, ("message", ("P1",))),
    ("purchase", {"items": [{"product_id": "P1"}]}, ("", ())),
    ("page_view", {"product_id": "P1"}, ("", ())),
    ("product_view", {"product_id": {"deep": True}}, ("view", ())),
    ("referral", {}, ("advocacy", ())),
]


@pytest.mark.parametrize(("kind", "payload", "expected"), CASES)
def test_signal_of_an_event(kind, payload, expected):
    assert read_signal(kind, payload) == expected


def test_no_more_than_twenty_products_are_kept():
    assert len(read_signal("cart_add", {"items": [{"sku": str(n)} for n in range(50)]})[1]) == 20
