"""Shopify deliveries: one order under several topics, staff ids that are nobody's, refunds that follow their order."""

from typing import Any

import pytest

from core.brand import BrandSettings
from core.errors import InvalidInputError, MalformedBodyError
from core.events import RawEvent
from ingest.sources import SOURCES, WebhookRequest
from ingest.sources.signing import shopify_headers
from tests.unit.ingest.webhook_samples import BRAND, SECRET, delivery, fixture, identifiers, incoming, read

SHOP = "first.example"


def sent(topic: str, body: dict[str, Any], *, webhook_id: str = "w-1", shop: str = SHOP) -> WebhookRequest:
    request = delivery({}, body)
    headers = shopify_headers(SECRET, request.body, topic=topic, shop=shop, webhook_id=webhook_id)
    return delivery(headers, body)


def event(topic: str, body: dict[str, Any], **delivered: str) -> RawEvent:
    (only,) = read("shopify", sent(topic, body, **delivered))
    return only


def test_order_becomes_a_purchase_with_the_buyers_identifiers_only() -> None:
    purchase = event("orders/create", fixture("shopify_order.json"))
    assert (purchase.type, purchase.channel, purchase.trust) == ("purchase", "website", "transaction")
    assert identifiers(purchase) == {
        ("email", "lena.vogt@example.com"),
        ("phone", "+14155550177"),
        ("external_id", "shopify:700800900"),
        ("loyalty_id", "LOY-42"),
    }
    taken = incoming(purchase)
    assert taken.occurred_at.isoformat() == "2026-10-20T13:15:00+00:00"
    assert taken.order is not None
    assert (taken.order.key, taken.order.total_minor) == (f"demo|shopify/{SHOP}|5678901234567", 14990)
    assert taken.order.lines == (
        '[{"product_id":"111","name":"Linen Tee","category":"Apparel","quantity":2,"price_minor":3995},'
        '{"product_id":"112","name":"Cap","category":"Hats","quantity":1,"price_minor":6000}]'
    )
    assert '"first_name":"Lena"' in taken.traits
    assert taken.warnings == ()


def test_paid_after_create_is_another_event_of_the_same_order() -> None:
    body = fixture("shopify_order.json")
    created, paid = incoming(event("orders/create", body)), incoming(event("orders/paid", body))
    assert created.order == paid.order
    assert (paid.type, created.id == paid.id) == ("purchase", False)


def test_redelivery_is_the_same_event_and_another_delivery_is_not() -> None:
    body = fixture("shopify_order.json")
    first = incoming(event("orders/create", body))
    assert incoming(event("orders/create", body)).id == first.id
    assert incoming(event("orders/create", body, webhook_id="w-2")).id != first.id
    assert incoming(event("orders/create", body, shop="second.example")).id != first.id


def test_ids_of_a_second_shop_carry_its_name() -> None:
    settings = BrandSettings(id="demo", main_instances={"shopify": SHOP})
    body = fixture("shopify_order.json")
    (second,) = read("shopify", sent("orders/create", body, shop="Second.example"), settings)
    (first,) = read("shopify", sent("orders/create", body), settings)
    assert ("external_id", "shopify/second.example:700800900") in identifiers(second)
    assert ("external_id", "shopify:700800900") in identifiers(first)


def test_refund_follows_its_order_with_the_money_that_went_back() -> None:
    refund = event("refunds/create", fixture("shopify_refund.json"))
    assert (refund.type, refund.identifiers) == ("refund", [])
    taken = incoming(refund)
    assert taken.order is not None
    assert (taken.order.kind, taken.order.total_minor, taken.order.refund_id) == ("refund", 3995, "929361462")
    assert taken.order.key == f"demo|shopify/{SHOP}|5678901234567"


def test_refund_without_a_payment_takes_its_lines_back() -> None:
    body = {**fixture("shopify_refund.json"), "transactions": []}
    taken = incoming(event("refunds/create", body))
    assert taken.order is not None
    assert taken.order.total_minor == 3995


def test_void_order_does_not_count() -> None:
    body = {**fixture("shopify_order.json"), "financial_status": "voided"}
    created, updated = event("orders/create", body), event("orders/updated", body)
    assert created.order is not None
    assert updated.order is not None
    assert created.order.counts is False
    assert updated.order.kind == "cancel"


@pytest.mark.parametrize("topic", ["orders/cancelled", "orders/updated"])
def test_cancelled_order_is_taken_back_at_the_time_of_its_cancellation(topic: str) -> None:
    body = {**fixture("shopify_order.json"), "cancelled_at": "2026-10-21T00:00:00Z"}
    cancelled = incoming(event(topic, body))
    assert cancelled.order is not None
    assert (cancelled.type, cancelled.order.kind) == ("order_cancelled", "cancel")
    assert cancelled.occurred_at.isoformat() == "2026-10-21T00:00:00+00:00"


def test_update_tells_the_whole_order_again() -> None:
    updated = event("orders/updated", {**fixture("shopify_order.json"), "fulfillment_status": "fulfilled"})
    assert updated.order is not None
    assert (updated.type, updated.order.kind, updated.order.status) == ("order_updated", "sale", "shipped")


def test_customer_is_known_by_the_shops_id() -> None:
    body = {"id": 7, "email": "a@example.com", "phone": None, "first_name": "Ada", "created_at": "2026-10-01T00:00:00Z"}
    created = event("customers/create", body)
    assert created.type == "identify"
    assert identifiers(created) == {("external_id", "shopify:7"), ("email", "a@example.com")}
    assert event("customers/update", body).type == "profile_update"


@pytest.mark.parametrize("topic", ["themes/update", "app/uninstalled", "checkouts/delete", ""])
def test_topic_that_is_not_read_is_answered_and_says_so(topic: str) -> None:
    request = sent(topic, {"id": 1})
    assert read("shopify", request) == []
    assert SOURCES["shopify"].ignored(request) == "this topic is not read"
    assert SOURCES["shopify"].ignored(sent("orders/create", {"id": 1})) is None


@pytest.mark.parametrize(
    ("topic", "body", "field"),
    [
        ("orders/create", {}, "id"),
        ("orders/create", {"id": None}, "id"),
        ("orders/create", {"id": {}}, "id"),
        ("orders/create", {"id": 1, "total_price": []}, "payload.total_price"),
        ("orders/create", {"id": 1, "created_at": "soon"}, "created_at"),
        ("orders/create", {"id": 1, "customer": {"id": True}}, "customer.id"),
        ("refunds/create", {"id": 1}, "order_id"),
        ("customers/create", {}, "id"),
    ],
)
def test_body_that_is_no_resource_is_refused_by_field(topic: str, body: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        read("shopify", sent(topic, body))
    assert error.value.field == field


@pytest.mark.parametrize("body", [b"", b"{", b"\xff"])
def test_body_that_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBodyError):
        SOURCES["shopify"].parse(delivery({"X-Shopify-Topic": "orders/create"}, body), BRAND)


@pytest.mark.parametrize("part", ["customer", "billing_address", "line_items", "note_attributes", "email", "phone"])
@pytest.mark.parametrize("value", [None, [], {}, "text", 5, [None], [5]])
def test_optional_parts_may_be_anything(part: str, value: object) -> None:
    assert incoming(event("orders/create", {**fixture("shopify_order.json"), part: value})).order is not None
