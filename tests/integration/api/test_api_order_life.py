"""The life of an order at each source: whatever comes in whatever order, one profile, and sums that add up."""

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.api.conftest import Tenant
from tests.integration.api.webhook_senders import Sender

EMAIL = "sarah@example.com"
Delivery = tuple[str, dict[str, Any]]


def shopify(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": number, "email": EMAIL, "total_price": "100.00", "currency": "USD", "customer": {"id": 7},
        "financial_status": "paid", "created_at": "2026-10-01T10:00:00Z", "updated_at": "2026-10-01T10:00:00Z",
        **changes,
    }  # fmt: skip


def shopify_life() -> list[Delivery]:
    def refund(number: int, refund_id: int, amount: str) -> dict[str, Any]:
        given = [{"kind": "refund", "status": "success", "amount": amount, "currency": "USD"}]
        return {"id": refund_id, "order_id": number, "created_at": "2026-10-04T10:00:00Z", "transactions": given}

    return [
        ("orders/create", shopify(1, financial_status="pending")),
        ("orders/paid", shopify(1)),
        ("orders/updated", shopify(1, fulfillment_status="fulfilled", updated_at="2026-10-02T10:00:00Z")),
        ("fulfillments/update", {"id": 5, "order_id": 1, "status": "success", "shipment_status": "delivered",
                                 "updated_at": "2026-10-03T10:00:00Z"}),
        ("orders/create", shopify(2)),
        ("orders/cancelled", shopify(2, cancelled_at="2026-10-02T10:00:00Z")),
        ("orders/create", shopify(3)),
        ("refunds/create", refund(3, 31, "30.00")),
        ("refunds/create", refund(3, 32, "20.50")),
        ("orders/create", shopify(4)),
        ("refunds/create", refund(4, 41, "60.00")),
        ("refunds/create", refund(4, 42, "40.00")),
    ]  # fmt: skip


def woocommerce_life() -> list[Delivery]:
    def order(number: int, status: str, minute: int, **changes: Any) -> dict[str, Any]:
        return {
            "id": number, "status": status, "total": "100.00", "currency": "USD", "billing": {"email": EMAIL},
            "date_created_gmt": "2026-10-01T10:00:00", "date_modified_gmt": f"2026-10-01T10:{minute:02}:00", **changes,
        }  # fmt: skip

    return [
        ("order.created", order(1, "pending", 0)),
        ("order.updated", order(1, "processing", 1)),
        ("order.updated", order(1, "completed", 2)),
        ("order.created", order(2, "processing", 0)),
        ("order.updated", order(2, "cancelled", 1)),
        ("order.created", order(3, "processing", 0)),
        ("order.updated", order(3, "processing", 1, refunds=[{"id": 31, "total": "-30.00"}])),
        ("order.updated",
         order(3, "processing", 2, refunds=[{"id": 32, "total": "-20.50"}, {"id": 31, "total": "-30.00"}])),
        ("order.created", order(4, "processing", 0)),
        ("order.updated", order(4, "refunded", 1)),
        ("order.created", order(5, "failed", 0)),
    ]  # fmt: skip


def stripe_life() -> list[Delivery]:
    ids = itertools.count(1)

    def told(kind: str, **fields: Any) -> Delivery:
        body = {"id": f"evt_{next(ids)}", "type": kind, "created": 1_790_000_000, "data": {"object": fields}}
        return kind, body

    def charge(kind: str, number: int, **fields: Any) -> Delivery:
        common = {"id": f"ch_{number}", "payment_intent": f"pi_{number}", "amount": 10_000, "currency": "usd"}
        person = {"customer": "cus_1", "receipt_email": EMAIL}
        return told(kind, **{**common, **person, "captured": True, "amount_captured": 10_000, **fields})

    def refund(number: int, refund_id: str, amount: int) -> Delivery:
        return told("refund.created", id=refund_id, payment_intent=f"pi_{number}", amount=amount, currency="usd")

    return [
        told("payment_intent.succeeded", id="pi_1", amount_received=10_000, currency="usd", customer="cus_1"),
        charge("charge.succeeded", 1),
        told(
            "invoice.paid", id="in_1", payment_intent="pi_1", amount_paid=10_000, currency="usd", customer_email=EMAIL
        ),
        charge("charge.succeeded", 2, captured=False, amount_captured=0),
        told("payment_intent.canceled", id="pi_2", amount=10_000, currency="usd", customer="cus_1"),
        charge("charge.succeeded", 3),
        charge("charge.refunded", 3, amount_refunded=3_000),
        refund(3, "re_31", 3_000),
        charge("charge.refunded", 3, amount_refunded=5_050),
        refund(3, "re_32", 2_050),
        charge("charge.succeeded", 4),
        charge("charge.refunded", 4, amount_refunded=10_000),
    ]


def pos_life() -> list[Delivery]:
    def sale(number: int, **changes: Any) -> Delivery:
        body = {"store_id": "S1", "transaction_id": f"T{number}", "total": "100.00", "currency": "USD", "email": EMAIL}
        return "", {**body, "timestamp": "2026-10-01T10:00:00Z", **changes}

    def back(number: int, original: int, total: str) -> Delivery:
        return sale(number, type="return", original_transaction_id=f"T{original}", total=total)

    return [
        sale(1), sale(1), sale(2, status="voided"), sale(3), back(31, 3, "-30.00"), back(32, 3, "20.50"), sale(4),
        back(41, 4, "100.00"),
    ]  # fmt: skip


LIVES: dict[str, Callable[[], list[Delivery]]] = {
    "shopify": shopify_life, "woocommerce": woocommerce_life, "stripe": stripe_life, "pos": pos_life,
}  # fmt: skip


# Order 1 counts whole, 2 not at all, 3 less 50.50, 4 nothing and is no order any more: what every source tells.
@pytest.mark.parametrize("seed", [None, 1, 2])
@pytest.mark.parametrize("source", sorted(LIVES))
def test_sums_are_those_of_what_was_kept_in_any_order(tenant: Tenant, source: str, seed: int | None) -> None:
    deliveries = LIVES[source]()
    if seed is not None:
        random.Random(seed).shuffle(deliveries)
    sender = Sender(tenant)
    for topic, body in deliveries:
        sender.send(source, body, topic)
    [profile] = tenant.client.get("/api/profiles").json()["items"]
    assert (profile["lifetime_value"], profile["total_orders"]) == ("149.50", 2)
    assert profile["identifiers"]["email"] == [EMAIL]
    again = [sender.send(source, body, topic) for topic, body in deliveries]
    assert all(answer["duplicate"] for answer in again)
    [same] = tenant.client.get("/api/profiles").json()["items"]
    assert (same["lifetime_value"], same["event_count"]) == (profile["lifetime_value"], profile["event_count"])


def test_an_order_is_delivered_even_when_an_older_change_comes_last(tenant: Tenant) -> None:
    sender = Sender(tenant)
    life = dict(enumerate(shopify_life()[:4]))
    for place in (3, 0, 2, 1):
        topic, body = life[place]
        sender.send("shopify", body, topic)
    with tenant.graph.session() as session:
        found = session.run("MATCH (o:Order {brand: $brand}) RETURN o.status AS status", brand=tenant.id)
        assert [row["status"] for row in found] == ["delivered"]
