"""Lines of the timeline."""

import pytest

from core.events import EVENT_TYPES
from insight.summaries import event_summary, merge_summary

SHIRT = {"items": [{"name": "Shirt"}, {"name": "Belt"}]}


@pytest.mark.parametrize(
    ("kind", "channel", "payload", "amount", "line"),
    [
        ("purchase", "website", SHIRT, "89.99", "Bought Shirt and 1 more online for 89.99 USD"),
        ("pos_transaction", "store", {"items": [{"product_name": "Sneakers"}]}, "5.00",
         "Bought Sneakers in the store for 5.00 USD"),
        ("whatsapp_message", "whatsapp", {"Body": "When?"}, None, "Wrote on WhatsApp: “When?”"),
        ("cart_add", "website", {"product_name": "Sneakers"}, None, "Put Sneakers in the cart online"),
        ("store_visit", "store", {"store_name": "Downtown"}, None, "Visited Downtown"),
        ("order_updated", None, {"order_id": "A-1", "status": "delivered"}, None, "Order A-1 is now delivered"),
        ("refund", None, {"order_id": "A-1"}, "5.00", "Got order A-1 refunded for 5.00 USD"),
        ("ticket_created", "other", {"subject": "Late parcel"}, None, "Asked for help: “Late parcel”"),
        ("ticket_created", "email", {"detail": {"subject": "Zip"}}, None, "Asked for help: “Zip”"),
        ("ticket_solved", "other", {"ticket": ["?"]}, None, "Was helped"),
        ("product_reviewed", "website", {"product_id": "P1", "name": "Cap"}, None, "Reviewed Cap online"),
        ("loyalty_joined", "store", {}, None, "Loyalty joined in the store"),
        ("search", "website", {"query": "x" * 200}, None, "Searched online: “" + "x" * 79 + "…”"),
    ],
)  # fmt: skip
def test_summary_says_what_happened(kind, channel, payload, amount, line):
    assert event_summary(kind, channel, payload, amount, "USD") == line


@pytest.mark.parametrize("kind", sorted(EVENT_TYPES))
@pytest.mark.parametrize(
    "payload", [None, {}, [], {"items": "x", "name": {}, "status": [], "product": 3}, {"items": [1]}]
)
def test_any_payload_has_a_summary(kind, payload):
    assert event_summary(kind, None, payload, None, None)


def test_a_merge_that_was_taken_back_says_so():
    assert merge_summary(1, "identifier_match", False) == "2 profiles were joined into one (same identifiers)"
    assert merge_summary(4, "manual_review", True).endswith("(approved in review); taken back since")
