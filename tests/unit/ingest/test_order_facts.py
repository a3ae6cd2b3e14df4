"""What events say about orders: keys, exact amounts, what counts, and what is left out."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from core.brand import BrandSettings
from core.errors import InvalidInputError
from core.events import IncomingEvent, OrderFact
from ingest.steps import parse_event, to_incoming

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
BRAND = BrandSettings(id="demo", currency="USD")


def taken(event_type: str, payload: dict[str, Any]) -> IncomingEvent:
    return to_incoming(parse_event({"type": event_type, "payload": payload}, BRAND, NOW), BRAND, NOW)


def fact(event_type: str, **payload: Any) -> OrderFact:
    order = taken(event_type, payload).order
    assert order is not None
    return order


@pytest.mark.parametrize("name", ["total_price", "total", "total_spent", "amount"])
@pytest.mark.parametrize(
    ("amount", "minor"), [("89.99", 8999), (Decimal("125.50"), 12550), (5, 500), ("0", 0), (" 7.5 ", 750)]
)
def test_amount_is_read_exactly_wherever_the_source_puts_it(name: str, amount: object, minor: int) -> None:
    assert fact("purchase", order_id="A-1", **{name: amount}).total_minor == minor


def test_lines_are_the_last_resort_for_the_amount() -> None:
    lines = [{"product_id": "P1", "price": "10.10", "quantity": 3}, {"product_id": "P2", "price": Decimal("0.05")}]
    assert fact("purchase", order_id="A-1", items=lines).total_minor == 3035
    assert fact("purchase", order_id="A-1", items=lines, total="1.00").total_minor == 100


@pytest.mark.parametrize("amount", ["abc", "1,234.56", "$5", "1e3", "NaN", "Infinity", "9" * 31, "1_000"])
def test_unusable_amount_counts_nothing_and_is_named(amount: str) -> None:
    event = taken("purchase", {"order_id": "A-1", "total": amount})
    assert event.order is not None
    assert (event.order.total_minor, event.order.counts) == (0, True)
    assert event.warnings == ("payload.total: not a usable amount, counted as 0",)


@pytest.mark.parametrize("amount", ["-1", Decimal("-0.01"), "9" * 20])
def test_amount_out_of_range_counts_nothing_and_is_named(amount: object) -> None:
    event = taken("purchase", {"order_id": "A-1", "total": amount})
    assert event.order is not None
    assert (event.order.total_minor, event.order.counts) == (0, True)
    assert event.warnings == ("payload.amount: out of range, counted as 0",)


@pytest.mark.parametrize(("event_type", "field"), [("purchase", "total"), ("refund", "amount")])
def test_missing_amount_is_named(event_type: str, field: str) -> None:
    (warning,) = taken(event_type, {"order_id": "A-1"}).warnings
    assert warning.startswith(f"payload.{field}: missing")


@pytest.mark.parametrize("amount", [True, [], {}, [5]])
def test_amount_of_another_json_type_is_refused(amount: object) -> None:
    with pytest.raises(InvalidInputError) as error:
        taken("purchase", {"order_id": "A-1", "total": amount})
    assert error.value.field == "payload.total"


@pytest.mark.parametrize(
    ("name", "value"), [("order_id", {}), ("order_id", True), ("currency", 5), ("order_id", "x" * 256)]
)
def test_wrong_types_beside_the_amount_are_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidInputError) as error:
        taken("purchase", {"order_id": "A-1", "total": "1", name: value})
    assert error.value.field == f"payload.{name}"


@pytest.mark.parametrize(
    ("currency", "amount", "minor", "code"),
    [("USD", "1.005", 101, "USD"), ("jpy", "500", 500, "JPY"), ("KWD", "1.2345", 1235, "KWD"), (None, "1", 100, "USD")],
)
def test_amount_is_in_minor_units_of_its_currency(currency: str | None, amount: str, minor: int, code: str) -> None:
    read = fact("purchase", order_id="A-1", total=amount, currency=currency)
    assert (read.total_minor, read.currency) == (minor, code)


def test_unknown_currency_is_counted_in_the_brands_and_named() -> None:
    event = taken("purchase", {"order_id": "A-1", "total": "1", "currency": "dollars"})
    assert event.order is not None
    assert event.order.currency == "USD"
    assert event.warnings == ("payload.currency: not a currency, counted in the brand's",)


def test_purchase_without_an_order_id_is_an_order_of_its_own() -> None:
    event = taken("purchase", {"total": "1"})
    assert event.order is not None
    assert (event.order.key, event.order.order_id) == (f"demo|api|event:{event.id}", "")


def test_till_sale_may_name_its_transaction() -> None:
    assert fact("pos_transaction", transaction_id=77, total="1").key == "demo|api|77"


@pytest.mark.parametrize("status", ["failed", "draft", "voided", "cancelled", "refunded"])
def test_unpaid_and_void_sales_do_not_count(status: str) -> None:
    assert fact("purchase", order_id="A-1", total="1", status=status).counts is False


@pytest.mark.parametrize("status", [None, "pending", "processing", "completed", "paid"])
def test_all_other_sales_count(status: str | None) -> None:
    assert fact("purchase", order_id="A-1", total="1", status=status).counts is True


def test_refund_and_cancellation_name_their_order() -> None:
    refund = fact("refund", order_id="A-1", refund_id="R-1", amount="5.00", currency="USD")
    assert (refund.key, refund.kind, refund.refund_id, refund.total_minor) == ("demo|api|A-1", "refund", "R-1", 500)
    assert fact("refund", order_id="A-1", amount="-5.00").total_minor == 500
    cancel = fact("order_cancelled", order_id="A-1")
    assert (cancel.key, cancel.kind) == ("demo|api|A-1", "cancel")


def test_status_change_says_what_it_takes_back() -> None:
    assert fact("order_updated", order_id="A-1", status="shipped").kind == "status"
    assert fact("order_updated", order_id="A-1", status="Cancelled").kind == "cancel"
    whole = fact("order_updated", order_id="A-1", status="refunded", total="9.00")
    assert (whole.kind, whole.total_minor) == ("refund", 900)


@pytest.mark.parametrize("event_type", ["refund", "order_cancelled", "order_updated"])
def test_change_without_an_order_id_changes_nothing_and_says_so(event_type: str) -> None:
    event = taken(event_type, {"amount": "5"})
    assert event.order is None
    assert event.warnings == ("payload.order_id: missing, so no order changes",)


def test_other_events_say_nothing_about_orders() -> None:
    assert taken("cart_add", {"order_id": "A-1", "total": {}}).order is None


def test_lines_have_one_shape_whatever_the_source_calls_them() -> None:
    lines = [
        {
            "product_id": "P1",
            "title": "Shirt",
            "properties": [{"name": "category", "value": "Apparel"}],
            "price": "9.99",
        },
        {"sku": 12, "name": "Cap", "product_type": "Hats", "quantity": "2", "price": Decimal("1.5")},
        {"product_id": "P3", "product_name": "Wool", "category": "Fabric", "quantity": Decimal("0.5")},
        "no line",
    ]
    assert fact("purchase", order_id="A-1", total="1", line_items=lines).lines == (
        '[{"product_id":"P1","name":"Shirt","category":"Apparel","quantity":1,"price_minor":999},'
        '{"product_id":"12","name":"Cap","category":"Hats","quantity":2,"price_minor":150},'
        '{"product_id":"P3","name":"Wool","category":"Fabric","quantity":0.5}]'
    )
