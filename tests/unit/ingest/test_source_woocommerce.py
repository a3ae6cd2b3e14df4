"""WooCommerce deliveries: guests, unpaid orders, refunds inside the order, two orders under one delivery id."""

from typing import Any

import pytest

from core.catalogue import ProductRecord, StockRecord
from core.errors import InvalidInputError
from core.events import RawEvent
from ingest.sources import SOURCES, WebhookRequest
from ingest.sources.signing import woocommerce_headers
from tests.unit.ingest.webhook_samples import SECRET, delivery, fixture, identifiers, incoming, read, records

SITE = "https://Shop.example/store/"


def sent(topic: str, body: dict[str, Any], delivery_id: str = "d-1") -> WebhookRequest:
    raw = delivery({}, body).body
    return delivery(woocommerce_headers(SECRET, raw, topic=topic, site=SITE, delivery_id=delivery_id), body)


def events(topic: str, **changes: Any) -> list[RawEvent]:
    return read("woocommerce", sent(topic, {**fixture("woocommerce_order.json"), **changes}))


def test_order_becomes_a_purchase() -> None:
    (purchase,) = events("order.created")
    assert identifiers(purchase) == {
        ("email", "jon.dole@example.com"),
        ("phone", "+14155550155"),
        ("external_id", "woocommerce:26"),
        ("loyalty_id", "WL-9"),
    }
    taken = incoming(purchase)
    assert (taken.type, taken.occurred_at.isoformat()) == ("purchase", "2026-10-20T19:28:02+00:00")
    assert taken.order is not None
    assert (taken.order.key, taken.order.total_minor) == ("demo|woocommerce/shop.example/store|727", 2935)
    assert taken.order.lines == '[{"product_id":"93","name":"Mug","quantity":2,"price_minor":900}]'


def test_guest_has_no_customer_id() -> None:
    (purchase,) = events("order.created", customer_id=0)
    assert not [pair for pair in identifiers(purchase) if pair[0] == "external_id"]


@pytest.mark.parametrize("status", ["pending", "failed", "draft", "checkout-draft"])
def test_unpaid_order_does_not_count_until_an_update_says_paid(status: str) -> None:
    (created,) = events("order.created", status=status)
    (updated,) = events("order.updated", status="processing")
    assert created.order is not None
    assert updated.order is not None
    assert (created.order.counts, updated.order.counts) == (False, True)
    assert (updated.type, updated.order.kind) == ("order_updated", "sale")


def test_two_orders_under_one_delivery_id_are_two_events() -> None:
    (one,) = read("woocommerce", sent("order.created", fixture("woocommerce_order.json")))
    (two,) = read("woocommerce", sent("order.created", {**fixture("woocommerce_order.json"), "id": 728}))
    assert incoming(one).id != incoming(two).id


def test_same_version_sent_again_is_the_same_event() -> None:
    (one,) = read("woocommerce", sent("order.updated", fixture("woocommerce_order.json"), "d-1"))
    (two,) = read("woocommerce", sent("order.updated", fixture("woocommerce_order.json"), "d-2"))
    assert incoming(one).id == incoming(two).id


def test_each_refund_of_an_order_is_one_event_however_often_it_is_listed() -> None:
    refunds = [{"id": 1, "reason": "", "total": "-10.00"}, {"id": 2, "reason": "broken", "total": "-4.35"}]
    first = events("order.updated", refunds=refunds, date_modified_gmt="2026-10-21T00:00:00")
    again = events("order.updated", refunds=refunds, date_modified_gmt="2026-10-22T00:00:00")
    taken = [incoming(event) for event in first]
    assert [event.type for event in taken] == ["order_updated", "refund", "refund"]
    assert [event.order.total_minor for event in taken if event.order] == [2935, 1000, 435]
    assert [event.id for event in taken[1:]] == [incoming(event).id for event in again[1:]]
    assert taken[1].identifiers == ()


def test_cancelled_and_refunded_orders_are_taken_back() -> None:
    (cancelled,) = events("order.updated", status="cancelled")
    (refunded,) = events("order.updated", status="refunded")
    assert cancelled.order is not None
    assert (cancelled.type, cancelled.order.kind) == ("order_cancelled", "cancel")
    taken = incoming(refunded)
    assert taken.order is not None
    assert (taken.type, taken.order.kind, taken.order.total_minor) == ("refund", "refund", 2935)


def test_customer_is_known_by_the_shops_id() -> None:
    body = {"id": 5, "email": "a@example.com", "first_name": "Ada", "billing": {"phone": "(415) 555-0155"},
            "date_modified_gmt": "2026-10-20T00:00:00"}  # fmt: skip
    (created,) = read("woocommerce", sent("customer.created", body))
    assert created.type == "identify"
    assert identifiers(created) == {
        ("external_id", "woocommerce:5"), ("email", "a@example.com"), ("phone", "+14155550155"),
    }  # fmt: skip


def test_ping_and_topics_that_are_not_read_hold_no_event() -> None:
    ping = delivery({}, b"webhook_id=7")
    assert (read("woocommerce", ping), SOURCES["woocommerce"].ignored(ping)) == ([], "a ping")
    other = sent("coupon.updated", {"id": 1})
    assert (read("woocommerce", other), SOURCES["woocommerce"].ignored(other)) == ([], "this topic is not read")


def test_order_of_the_documentation_is_a_purchase() -> None:
    (purchase,) = read("woocommerce", sent("order.created", fixture("woocommerce_docs_order.json")))
    order = incoming(purchase).order
    assert identifiers(purchase) == {("email", "john.doe@example.com")}
    assert order is not None
    assert (order.key, order.total_minor, order.status) == (
        "demo|woocommerce/shop.example/store|727",
        2935,
        "processing",
    )


def test_customer_of_the_documentation_is_known_and_a_coupon_is_not_read() -> None:
    (made,) = read("woocommerce", sent("customer.created", fixture("woocommerce_docs_customer.json")))
    assert identifiers(made) == {("email", "john.doe@example.com"), ("external_id", "woocommerce:25")}
    assert made.traits["first_name"] == "John"
    coupon = sent("coupon.created", fixture("woocommerce_docs_coupon.json"))
    assert (read("woocommerce", coupon), records("woocommerce", coupon)) == ([], [])
    assert SOURCES["woocommerce"].ignored(coupon) == "this topic is not read"


def test_order_in_the_bin_is_taken_back() -> None:
    (gone,) = read("woocommerce", sent("order.deleted", {"id": 727}))
    assert gone.order is not None
    assert (gone.type, gone.order.kind, gone.identifiers) == ("order_cancelled", "cancel", [])
    assert incoming(gone).order is not None


@pytest.mark.parametrize(
    ("topic", "expected"), [("customer.restored", "profile_update"), ("customer.deleted", "customer_deleted")]
)
def test_every_change_of_an_account_is_an_event(topic: str, expected: str) -> None:
    (changed,) = read("woocommerce", sent(topic, {"id": 25}))
    assert (changed.type, identifiers(changed)) == (expected, {("external_id", "woocommerce:25")})


def test_product_is_a_record_with_its_stock_and_no_event() -> None:
    body = {**fixture("woocommerce_docs_product.json"), "stock_quantity": 5}
    request = sent("product.updated", body)
    assert read("woocommerce", request) == []
    product, stock = records("woocommerce", request)
    assert isinstance(product, ProductRecord)
    assert isinstance(stock, StockRecord)
    assert (product.product_id, product.title, product.category) == ("794", "Premium Quality", "Clothing")
    assert (stock.item_id, stock.location_id, stock.available) == ("794", "shop", 5)
    (uncounted,) = records("woocommerce", sent("product.created", {**body, "stock_quantity": None}))
    (gone,) = records("woocommerce", sent("product.deleted", {"id": 794}))
    assert isinstance(uncounted, ProductRecord)
    assert isinstance(gone, ProductRecord)
    assert gone.is_deleted
    assert records("woocommerce", sent("order.created", body)) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": None}, "id"),
        ({"date_created_gmt": "soon"}, "date_created_gmt"),
        ({"total": {}}, "payload.total"),
        ({"status": []}, "status"),
    ],
)
def test_body_that_is_no_order_is_refused_by_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        events("order.created", **changes)
    assert error.value.field == field


@pytest.mark.parametrize("part", ["billing", "line_items", "meta_data", "refunds"])
@pytest.mark.parametrize("value", [None, [], {}, "text", 5, [None]])
def test_optional_parts_may_be_anything(part: str, value: object) -> None:
    assert incoming(events("order.created", **{part: value})[0]).order is not None
