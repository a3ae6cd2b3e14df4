"""Shopify topics with bodies as Shopify's own client library has them: shipments, carts, people, products, privacy."""

from datetime import timedelta
from typing import Any

import pytest

from core.catalogue import PrivacyRequestRecord, ProductRecord, Record, StockItemRecord, StockRecord
from core.errors import InvalidInputError
from core.events import RawEvent
from ingest.sources import SOURCES, WebhookRequest
from ingest.sources.signing import shopify_headers
from tests.unit.ingest.webhook_samples import NOW, SECRET, delivery, fixture, identifiers, incoming, read, records

SHOP = "first.example"
ORDER = fixture("shopify_sdk_order.json")
SHIPMENT = fixture("shopify_sdk_fulfillment.json")


def sent(topic: str, body: Any, **headers: str) -> WebhookRequest:
    raw = delivery({}, body).body
    return delivery({**shopify_headers(SECRET, raw, topic=topic, shop=SHOP, webhook_id="w-1"), **headers}, body)


def event(topic: str, body: dict[str, Any]) -> RawEvent:
    (only,) = read("shopify", sent(topic, body))
    return only


def record(topic: str, body: dict[str, Any], **headers: str) -> Record:
    request = sent(topic, body, **headers)
    assert read("shopify", request) == []
    assert SOURCES["shopify"].ignored(request) is None
    (only,) = records("shopify", request)
    return only


def status(topic: str, body: dict[str, Any]) -> str | None:
    order = event(topic, body).order
    assert order is not None
    return order.status


def test_order_of_the_library_is_a_purchase_of_its_buyer() -> None:
    purchase = event("orders/create", ORDER)
    assert identifiers(purchase) == {
        ("email", "bob.norman@example.com"), ("external_id", "shopify:207119551"), ("phone", "+5556251199"),
    }  # fmt: skip
    order = incoming(purchase).order
    assert order is not None
    assert (order.total_minor, order.currency, order.status) == (40994, "USD", "processing")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"financial_status": "pending"}, "pending"),
        ({"financial_status": "paid"}, "processing"),
        ({"financial_status": "paid", "fulfillment_status": "partial"}, "processing"),
        ({"fulfillment_status": "fulfilled"}, "shipped"),
        ({"fulfillment_status": "fulfilled", "fulfillments": [{"shipment_status": "delivered"}]}, "delivered"),
        ({"fulfillment_status": "fulfilled", "fulfillments": [{"shipment_status": "delivered"}, {"status": "success"}]},
         "shipped"),
        ({"cancelled_at": "2008-02-01T00:00:00Z"}, "cancelled"),
    ],
)  # fmt: skip
def test_an_update_says_where_the_order_stands(changes: dict[str, Any], expected: str) -> None:
    assert status("orders/updated", {**ORDER, "fulfillments": [], **changes}) == expected


@pytest.mark.parametrize(
    ("topic", "changes", "expected"),
    [
        ("fulfillments/create", {}, "processing"),
        ("fulfillments/update", {"status": "success"}, "shipped"),
        ("fulfillments/update", {"status": "success", "shipment_status": "out_for_delivery"}, "shipped"),
        ("fulfillments/update", {"status": "success", "shipment_status": "delivered"}, "delivered"),
        ("fulfillments/update", {"status": "cancelled", "shipment_status": "delivered"}, None),
        ("fulfillment_events/create", {"status": "in_transit"}, "shipped"),
        ("fulfillment_events/create", {"status": "delivered", "happened_at": "2014-01-01T00:00:00Z"}, "delivered"),
    ],
)
def test_a_shipment_moves_its_order_on(topic: str, changes: dict[str, Any], expected: str | None) -> None:
    moved = event(topic, {**SHIPMENT, **changes})
    assert (moved.type, moved.identifiers) == ("order_updated", [])
    assert moved.order is not None
    assert (moved.order.kind, moved.order.order_id, moved.order.status) == ("status", "450789469", expected)


def test_an_edit_and_a_deletion_follow_their_order() -> None:
    edit = {"order_edit": {"id": 1, "order_id": 450789469, "created_at": "2026-01-01T00:00:00Z", "line_items": {}}}
    edited, deleted = event("orders/edited", edit), event("orders/delete", {"id": 450789469})
    assert (edited.type, edited.order and edited.order.kind) == ("order_updated", "status")
    assert (deleted.type, deleted.order and deleted.order.kind) == ("order_cancelled", "cancel")
    assert incoming(edited).order is not None
    assert edited.order is not None
    assert edited.order.order_id == "450789469"


def test_refund_of_the_library_gives_back_what_was_paid_back() -> None:
    order = incoming(event("refunds/create", fixture("shopify_sdk_refund.json"))).order
    assert order is not None
    assert (order.kind, order.refund_id, order.total_minor) == ("refund", "509562969", 20900)


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("customers/create", "identify"),
        ("customers/update", "profile_update"),
        ("customers/enable", "profile_update"),
        ("customers/disable", "profile_update"),
        ("customers/delete", "customer_deleted"),
    ],
)
def test_every_change_of_an_account_is_an_event_of_its_person(topic: str, expected: str) -> None:
    changed = event(topic, fixture("shopify_sdk_customer.json"))
    assert changed.type == expected
    assert {("email", "bob.norman@example.com"), ("external_id", "shopify:207119551")} <= identifiers(changed)


def test_consent_is_an_event_of_its_channel() -> None:
    body = {
        "customer_id": 7, "email_address": "a@example.com", "phone": "+14155550101",
        "email_marketing_consent": {"state": "subscribed", "consent_updated_at": "2026-10-01T00:00:00Z"},
    }  # fmt: skip
    given = event("customers_email_marketing_consent/update", body)
    assert (given.type, given.channel) == ("consent_changed", "email")
    assert ("external_id", "shopify:7") in identifiers(given)
    assert event("customers_marketing_consent/update", body).channel == "sms"


def test_a_checkout_tells_of_a_buyer_who_said_so_only() -> None:
    started = event("checkouts/create", fixture("shopify_sdk_checkout.json"))
    assert (started.type, started.trust) == ("checkout_started", "declared")
    assert ("email", "bob.norman@example.com") in identifiers(started)
    assert started.order is None
    assert event("checkouts/update", fixture("shopify_sdk_checkout.json")).type == "checkout_updated"


def test_a_cart_is_nobodys_until_a_note_says_whose() -> None:
    cart = fixture("shopify_sdk_cart.json")
    assert (event("carts/create", cart).type, event("carts/create", cart).identifiers) == ("cart_add", [])
    assert event("carts/update", cart).type == "cart_updated"
    assert event("carts/update", {**cart, "line_items": []}).type == "cart_remove"
    noted = event("carts/update", {**cart, "note_attributes": [{"name": "cookie_id", "value": "cookie-1234"}]})
    assert identifiers(noted) == {("cookie_id", "cookie-1234")}


def test_a_product_is_a_record_with_its_variants_and_no_event() -> None:
    product = record("products/update", fixture("shopify_sdk_product.json"))
    assert isinstance(product, ProductRecord)
    assert (product.product_id, product.title, product.category) == ("632910392", "IPod Nano - 8GB", "Cult Products")
    assert (product.price, len(product.variants)) == ("199.00", 4)
    assert product.variants[0] == {
        "id": "808950810", "sku": "IPOD2008PINK", "title": "Pink", "price": "199.00", "item_id": None,
    }  # fmt: skip
    gone = record("products/delete", {"id": 632910392}, **{"X-Shopify-Triggered-At": "2026-10-31T00:00:00Z"})
    assert isinstance(gone, ProductRecord)
    assert (gone.is_deleted, gone.at.day) == (True, 31)


def test_stock_is_a_record_of_an_item_at_a_location() -> None:
    level = record("inventory_levels/update", fixture("shopify_sdk_inventory_level.json"))
    assert isinstance(level, StockRecord)
    assert (level.item_id, level.location_id, level.available) == ("808950810", "905684977", 6)
    gone = record("inventory_levels/disconnect", {"inventory_item_id": 808950810, "location_id": 905684977})
    assert isinstance(gone, StockRecord)
    assert (gone.is_deleted, gone.at) == (True, NOW)
    item = record("inventory_items/create", fixture("shopify_sdk_inventory_item.json"))
    assert isinstance(item, StockItemRecord)
    assert (item.item_id, item.sku, item.is_deleted) == ("808950810", "IPOD2008PINK", False)


@pytest.mark.parametrize("topic", ["customers/data_request", "customers/redact", "shop/redact"])
def test_privacy_requests_are_kept_with_their_due_day_and_little_else(topic: str) -> None:
    body = {
        "shop_id": 954889, "shop_domain": SHOP, "orders_requested": [299938], "orders_to_redact": [299938],
        "customer": {"id": 191167, "email": "john@example.com", "phone": "555-625-1199"}, "data_request": {"id": 9999},
    }  # fmt: skip
    asked = record(topic, body)
    assert isinstance(asked, PrivacyRequestRecord)
    assert (asked.topic, asked.due_at - asked.requested_at) == (topic, timedelta(days=30))
    assert asked.subject == ("" if topic == "shop/redact" else "external_id:shopify:191167")
    guest = {**body, "customer": {"email": "john@example.com"}}
    without_account = record(topic, guest)
    assert isinstance(without_account, PrivacyRequestRecord)
    assert without_account.subject == ("" if topic == "shop/redact" else "email:john@example.com")


@pytest.mark.parametrize(
    ("topic", "body", "field"),
    [
        ("products/create", {}, "id"),
        ("products/create", {"id": 1, "updated_at": "soon"}, "updated_at"),
        ("inventory_levels/update", {"inventory_item_id": 1}, "location_id"),
        ("inventory_levels/update", {"inventory_item_id": 1, "location_id": 2, "available": "6"}, "available"),
        ("inventory_levels/update", {"inventory_item_id": 1, "location_id": 2, "available": 10**30}, "available"),
        ("customers/redact", {}, "customer"),
        ("customers/redact", {"customer": {"id": []}}, "customer.id"),
        ("fulfillments/create", {"id": 1}, "order_id"),
        ("orders/edited", {"order_edit": {}}, "order_id"),
        ("checkouts/create", {}, "token"),
        ("carts/update", {"token": []}, "token"),
        ("customers_marketing_consent/update", {}, "customer_id"),
        ("orders/updated", {"id": 1, "fulfillment_status": 5.5}, "fulfillment_status"),
    ],
)
def test_a_body_that_is_no_resource_is_refused_by_field(topic: str, body: dict[str, Any], field: str) -> None:
    reader = records if topic.startswith(("products", "inventory", "customers/redact")) else read
    with pytest.raises(InvalidInputError) as error:
        reader("shopify", sent(topic, body))
    assert error.value.field == field


def test_the_newer_headers_without_x_say_the_same() -> None:
    old = sent("orders/create", ORDER)
    new = WebhookRequest(
        {name.removeprefix("x-"): value for name, value in old.headers.items()}, old.body, old.url, old.now
    )
    SOURCES["shopify"].verify(new, [SECRET])
    assert incoming(read("shopify", new)[0]).id == incoming(read("shopify", old)[0]).id
