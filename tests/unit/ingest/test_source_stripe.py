"""Stripe events: one payment told many times is one order, sums of refunds, amounts in Stripe's own units."""

from datetime import timedelta
from typing import Any

import pytest

from core.errors import InvalidInputError, UnauthorizedError
from core.events import OrderFact, RawEvent
from ingest.sources import SOURCES, WebhookRequest
from ingest.sources.signing import stripe_headers, stripe_signature
from tests.unit.ingest.webhook_samples import NOW, SECRET, delivery, fixture, identifiers, incoming, read

CHARGE = {**fixture("stripe_charge.json"), "captured": True, "amount_captured": 100}
INTENT = {**fixture("stripe_payment_intent.json"), "amount_received": 1099}
INVOICE = {**fixture("stripe_invoice.json"), "amount_paid": 1000}
REFUND = fixture("stripe_refund.json")
CUSTOMER = fixture("stripe_customer.json")


def sent(kind: str, told: Any, **changes: Any) -> WebhookRequest:
    body = {**fixture("stripe_event.json"), "type": kind, "data": {"object": told}, **changes}
    return delivery(stripe_headers(SECRET, delivery({}, body).body, NOW), body)


def event(kind: str, told: dict[str, Any], **changes: Any) -> RawEvent:
    (only,) = read("stripe", sent(kind, told, **changes))
    return only


def fact(kind: str, told: dict[str, Any], **changes: Any) -> OrderFact:
    order = incoming(event(kind, told, **changes)).order
    assert order is not None
    return order


def test_a_charge_is_a_purchase_of_its_payer() -> None:
    billed = {"email": "jenny@example.com", "phone": "+14155550101", "name": "Jenny Rosen"}
    charge = event("charge.succeeded", {**CHARGE, "customer": "cus_1", "billing_details": billed})
    taken = incoming(charge)
    assert (taken.type, taken.occurred_at.isoformat()) == ("purchase", "2009-02-13T23:31:30+00:00")
    assert identifiers(charge) == {
        ("external_id", "stripe:cus_1"), ("email", "jenny@example.com"), ("phone", "+14155550101"),
    }  # fmt: skip
    assert charge.traits == {"name": "Jenny Rosen"}
    assert taken.order is not None
    assert (taken.order.key, taken.order.total_minor) == (f"demo|stripe|{CHARGE['id']}", 100)
    assert taken.order.currency == "USD"


def test_intent_charge_checkout_and_invoice_of_one_payment_are_one_order() -> None:
    keys = {
        fact("payment_intent.succeeded", {**INTENT, "id": "pi_1"}).key,
        fact("charge.succeeded", {**CHARGE, "payment_intent": "pi_1"}).key,
        fact("charge.succeeded", {**CHARGE, "payment_intent": {"id": "pi_1", "object": "payment_intent"}}).key,
        fact("invoice.paid", {**INVOICE, "payment_intent": "pi_1"}).key,
        fact("invoice.paid", {**INVOICE, "payments": {"data": [{"payment": {"payment_intent": "pi_1"}}]}}).key,
        fact("checkout.session.completed", {"id": "cs_1", "payment_intent": "pi_1", "payment_status": "paid"}).key,
        fact("charge.refunded", {**CHARGE, "payment_intent": "pi_1", "amount_refunded": 40}).key,
        fact("refund.created", {**REFUND, "payment_intent": "pi_1"}).key,
        fact("payment_intent.canceled", {**INTENT, "id": "pi_1"}).key,
    }
    assert keys == {"demo|stripe|pi_1"}


def test_what_is_authorised_counts_when_it_is_captured() -> None:
    authorised = fact("charge.succeeded", {**CHARGE, "captured": False, "amount_captured": 0})
    captured = fact("charge.captured", {**CHARGE, "amount_captured": 80})
    assert (authorised.counts, captured.counts, captured.total_minor) == (False, True, 80)


def test_a_charge_tells_the_sum_paid_back_and_a_refund_its_own_amount() -> None:
    told = fact("charge.refunded", {**CHARGE, "amount_refunded": 70})
    single = fact("refund.created", {**REFUND, "amount": 30})
    again = fact("charge.refund.updated", {**REFUND, "amount": 30}, id="evt_2")
    assert (told.kind, told.total_minor) == ("refunded", 70)
    assert (single.kind, single.total_minor, single.refund_id) == ("refund", 30, REFUND["id"])
    assert single == again
    assert event("refund.updated", {**REFUND, "status": "failed"}).order is None
    assert event("refund.failed", REFUND).type == "refund_failed"


def test_an_invoice_without_a_payment_is_an_order_of_its_own_and_says_so() -> None:
    invoice = event("invoice.paid", {**INVOICE, "customer_email": "a@example.com"})
    order = incoming(invoice).order
    assert order is not None
    assert (order.order_id, order.total_minor, order.counts) == (INVOICE["id"], 1000, True)
    assert order.lines == ('[{"name":"My First Invoice Item (created for API docs)","quantity":1,"price_minor":1000}]')
    assert "is an order of its own" in invoice.warnings[0]
    assert ("email", "a@example.com") in identifiers(invoice)
    assert fact("invoice.paid", {**INVOICE, "amount_paid": 0}).counts is False


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [("usd", 1099, 1099), ("jpy", 500, 500), ("kwd", 12340, 12340), ("isk", 500, 5), ("ugx", 500, 5), ("mga", 5, 5)],
)
def test_amounts_are_in_stripes_own_smallest_units(currency: str, amount: int, minor: int) -> None:
    assert fact("charge.succeeded", {**CHARGE, "currency": currency, "amount_captured": amount}).total_minor == minor


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("customer.created", "identify"),
        ("customer.updated", "profile_update"),
        ("customer.deleted", "customer_deleted"),
    ],
)
def test_a_customer_is_known_by_its_id(kind: str, expected: str) -> None:
    changed = event(kind, {**CUSTOMER, "email": "a@example.com", "name": "Ada", "address": {"city": "Bonn"}})
    assert (changed.type, changed.order, changed.traits) == (expected, None, {"name": "Ada", "city": "Bonn"})
    assert identifiers(changed) == {("external_id", f"stripe:{CUSTOMER['id']}"), ("email", "a@example.com")}


@pytest.mark.parametrize("kind", ["charge.failed", "payment_intent.payment_failed", "invoice.payment_failed"])
def test_a_failed_payment_changes_no_order(kind: str) -> None:
    failed = event(kind, {"id": "x_1", "customer": "cus_1"})
    assert (failed.type, failed.order) == ("payment_failed", None)


def test_the_event_id_is_the_key_and_the_account_tells_shops_apart() -> None:
    one = incoming(event("charge.succeeded", CHARGE))
    assert incoming(event("charge.succeeded", {**CHARGE, "description": "other"})).id == one.id
    assert incoming(event("charge.succeeded", CHARGE, id="evt_2")).id != one.id
    other = event("charge.succeeded", {**CHARGE, "customer": "cus_1"}, account="acct_2")
    assert (incoming(other).id != one.id, other.source_instance) == (True, "acct_2")


@pytest.mark.parametrize("kind", ["plan.created", "charge.updated", "x"])
def test_other_types_are_answered_and_say_so(kind: str) -> None:
    request = sent(kind, {})
    assert read("stripe", request) == []
    assert SOURCES["stripe"].ignored(request) == "this type of event is not read"


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        ("charge.succeeded", {"data": None}, "data"),
        ("charge.succeeded", {"data": {"object": []}}, "data.object"),
        ("charge.succeeded", {"data": {"object": {}}}, "id"),
        ("charge.succeeded", {"data": {"object": {**CHARGE, "amount_captured": "1"}}}, "data.object.amount"),
        ("charge.succeeded", {"data": {"object": {**CHARGE, "customer": []}}}, "data.object.customer"),
        ("charge.succeeded", {"created": "soon"}, "created"),
        ("charge.succeeded", {"created": 10**15}, "created"),
        ("charge.succeeded", {"id": None}, "id"),
        ("charge.succeeded", {"account": {}}, "account"),
        ("refund.created", {"data": {"object": {"id": "re_1", "amount": 1}}}, "data.object.charge"),
        ("", {"type": []}, "type"),
    ],
)
def test_a_body_that_is_no_event_is_refused_by_field(kind: str, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        read("stripe", sent(kind, CHARGE, **changes))
    assert error.value.field == field


def refused(request: WebhookRequest) -> bool:
    try:
        SOURCES["stripe"].verify(request, [SECRET])
    except UnauthorizedError:
        return True
    return False


def test_one_of_several_signatures_is_enough_and_old_schemes_are_passed_over() -> None:
    body = b'{"id": "evt_1"}'
    right = stripe_signature(SECRET, body, NOW)
    wrong = stripe_signature("another", body, NOW).partition(",")[2]
    assert not refused(delivery({"Stripe-Signature": f"{right},{wrong},v0=abc"}, body))
    assert not refused(delivery({"Stripe-Signature": right.replace(",", f",{wrong},")}, body))
    assert refused(delivery({"Stripe-Signature": right.replace("v1=", "v0=")}, body))
    assert refused(delivery({"Stripe-Signature": f"t=1,{right}"}, body))


@pytest.mark.parametrize(("age", "is_refused"), [(299, False), (301, True), (-299, False), (-301, True)])
def test_five_minutes_either_way_are_taken(age: int, is_refused: bool) -> None:
    body = b"{}"
    at = NOW - timedelta(seconds=age)
    assert refused(delivery({"Stripe-Signature": stripe_signature(SECRET, body, at)}, body)) == is_refused
