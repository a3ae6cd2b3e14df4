"""Till deliveries: one or many sales, a customer nested or flat, visits, and ids of the till that are nobody's."""

from typing import Any

import pytest

from core.brand import BrandSettings
from core.errors import InvalidInputError, MalformedBodyError
from core.events import RawEvent
from ingest.sources import SOURCES, Unread
from ingest.sources.mapping import check_mapping
from tests.unit.ingest.webhook_samples import BRAND, NOW, delivery, identifiers, incoming, read

SALE = {
    "store_id": "STORE-001", "store_name": "Downtown Location", "loyalty_id": "LOY-789456", "phone": "+1-555-0123",
    "transaction_id": "TXN-98765", "total": 125.50, "currency": "USD",
    "items": [{"product_id": "PROD-002", "product_name": "Premium Sneakers", "price": "125.50", "quantity": 1}],
    "check_in_at": "2026-10-29T10:00:00Z", "check_out_at": "2026-10-29T10:45:00Z", "detection_method": "qr_scan",
}  # fmt: skip


def sale(**changes: Any) -> RawEvent:
    return read("pos", delivery({}, {**SALE, **changes}))[0]


def test_sale_with_a_check_in_is_a_sale_and_a_visit() -> None:
    sold, visit = read("pos", delivery({}, SALE))
    assert (sold.type, visit.type, sold.channel, visit.channel) == ("pos_transaction", "store_visit", "store", "store")
    assert identifiers(sold) == identifiers(visit) == {("loyalty_id", "LOY-789456"), ("phone", "+15550123")}
    assert (sold.idempotency_key, visit.idempotency_key) == ("STORE-001|TXN-98765", "STORE-001|TXN-98765:visit")
    taken = incoming(sold)
    assert taken.order is not None
    assert (taken.order.key, taken.order.total_minor) == ("demo|pos/STORE-001|TXN-98765", 12550)
    assert incoming(visit).payload == (
        '{"store_id":"STORE-001","store_name":"Downtown Location","check_in_at":"2026-10-29T10:00:00Z",'
        '"check_out_at":"2026-10-29T10:45:00Z","detection_method":"qr_scan","transaction_id":"TXN-98765"}'
    )
    assert visit.occurred_at is not None
    assert visit.occurred_at.isoformat() == "2026-10-29T10:00:00+00:00"


def test_amount_keeps_its_digits_in_the_payload() -> None:
    assert '"total":125.5' in incoming(sale()).payload


@pytest.mark.parametrize(
    ("changes", "hour"),
    [
        ({"timestamp": "2026-10-29T09:00:00Z"}, 9),
        ({}, 10),
        ({"check_out_at": None, "check_in_at": "2026-10-29T08:00:00Z"}, 8),
        ({"check_out_at": None, "check_in_at": None}, NOW.hour),
    ],
)
def test_sale_happened_at_its_own_time_else_check_out_else_check_in_else_receipt(
    changes: dict[str, Any], hour: int
) -> None:
    assert incoming(sale(**changes)).occurred_at.hour == hour


def test_customer_may_be_nested_and_has_the_stores_id() -> None:
    body = {
        "store_id": 1,
        "transaction_id": 2,
        "total": "5",
        "customer": {"id": 77, "email": "a@example.com", "phone": "4155550101"},
    }
    sold, visit = read("pos", delivery({}, body))
    assert (visit.type, identifiers(visit)) == ("store_visit", identifiers(sold))
    assert identifiers(sold) == {("external_id", "pos:77"), ("email", "a@example.com"), ("phone", "+14155550101")}


def test_ids_of_the_till_and_the_cashier_are_nobodys() -> None:
    assert identifiers(sale(device_id="till-4", user_id="cashier-9", loyalty_id=None, phone=None)) == set()


def test_many_sales_come_as_a_list_or_under_a_name() -> None:
    one, two = {"store_id": "S", "transaction_id": 1, "total": 1}, {"store_id": "S", "transaction_id": 2, "total": 2}
    as_list = read("pos", delivery({}, [one, two]))
    named = read("pos", delivery({}, {"transactions": [one, two]}))
    shared = read("pos", delivery({}, {"store_id": "S", "transactions": [{"transaction_id": 1, "total": 1}]}))
    assert [incoming(event).id for event in as_list] == [incoming(event).id for event in named]
    assert incoming(shared[0]).id == incoming(as_list[0]).id


def test_same_transaction_number_in_another_store_is_another_sale() -> None:
    one, two = incoming(sale()), incoming(sale(store_id="STORE-002"))
    assert one.id != two.id
    assert one.order is not None
    assert two.order is not None
    assert one.order.key != two.order.key


def test_sale_sent_again_is_the_same_event() -> None:
    assert incoming(sale()).id == incoming(sale(store_name="renamed")).id


def test_return_takes_back_from_its_sale() -> None:
    back = incoming(sale(type="return", transaction_id="TXN-2", original_transaction_id="TXN-98765", total="-25.50"))
    assert back.type == "refund"
    assert back.order is not None
    assert (back.order.key, back.order.kind) == ("demo|pos/STORE-001|TXN-98765", "refund")
    assert (back.order.refund_id, back.order.total_minor) == ("TXN-2", 2550)


def test_return_of_an_unknown_sale_changes_nothing_and_says_so() -> None:
    back = incoming(sale(type="return"))
    assert (back.order, back.warnings) == (None, ("original_transaction_id: missing, so no order changes",))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**SALE, "total": {}}, "payload.total"),
        ({**SALE, "store_id": []}, "store_id"),
        ({**SALE, "transaction_id": 1.5}, "transaction_id"),
        ({**SALE, "check_in_at": "noon"}, "check_in_at"),
        ({**SALE, "timestamp": 5}, "timestamp"),
        ({"transactions": {}}, "transactions"),
        ([{}] * 1001, "transactions"),
        (b"5", None),
        (b'"text"', None),
    ],
)
def test_body_that_is_no_sale_is_refused_by_field(body: Any, field: str | None) -> None:
    with pytest.raises(InvalidInputError) as error:
        read("pos", delivery({}, body))
    assert (error.value.field, error.value.status) == (field, 422)


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (5, "transactions[1]"),
        ({**SALE, "check_out_at": "x"}, "transactions[1].check_out_at"),
        ({**SALE, "total": {}}, "payload.total"),
        ({}, "transactions[1].transaction_id"),
    ],
)
def test_one_malformed_sale_of_several_refuses_itself_alone(bad: Any, field: str) -> None:
    plain = {"store_id": "S", "total": 1}
    first, second, third = SOURCES["pos"].parse(
        delivery({}, {"transactions": [{**plain, "transaction_id": 1}, bad, {**plain, "transaction_id": 3}]}), BRAND
    )
    assert isinstance(second, Unread)
    assert second.error.field == field
    assert [read.idempotency_key for read in (first, third) if isinstance(read, RawEvent)] == ["S|1", "S|3"]


def test_sale_to_a_known_customer_is_a_visit_and_one_to_nobody_is_not() -> None:
    plain = {"store_id": "S", "transaction_id": 1, "total": 1, "timestamp": "2026-10-29T09:00:00Z"}
    sold, visit = read("pos", delivery({}, {**plain, "phone": "4155550101"}))
    assert (sold.type, visit.type, visit.idempotency_key) == ("pos_transaction", "store_visit", "S|1:visit")
    assert visit.occurred_at == sold.occurred_at
    assert [event.type for event in read("pos", delivery({}, plain))] == ["pos_transaction"]
    returned = {**plain, "phone": "4155550101", "type": "return", "original_transaction_id": 0}
    assert [event.type for event in read("pos", delivery({}, returned))] == ["refund"]


MAPPING = {
    "transaction_id": "bill.no", "total": "bill.sums[0].gross", "occurred_at": "bill.at", "store_id": "branch",
    "items": "bill.rows", "items.product_id": "code", "items.price": "unit.net", "customer.phone": "buyer.mobile",
}  # fmt: skip
MAPPED = {
    "branch": 7,
    "bill": {"no": "B-9", "at": "2026-10-29T09:00:00Z", "sums": [{"gross": "12.50"}],
             "rows": [{"code": "P1", "quantity": 2, "unit": {"net": "6.25"}}]},
    "buyer": {"mobile": "4155550101"},
}  # fmt: skip


def test_a_brands_own_names_are_read_by_its_mapping() -> None:
    brand = BrandSettings(id="demo", field_mappings={"pos": MAPPING})
    sold, _ = read("pos", delivery({}, MAPPED), brand)
    taken = incoming(sold, brand)
    assert identifiers(sold) == {("phone", "+14155550101")}
    assert taken.order is not None
    assert (taken.order.key, taken.order.total_minor) == ("demo|pos/7|B-9", 1250)
    assert taken.order.lines == '[{"product_id":"P1","quantity":2,"price_minor":625}]'
    assert '"branch":7' in taken.payload
    # A till that uses our names is read beside the others.
    assert read("pos", delivery({}, SALE), brand)[0].idempotency_key == "STORE-001|TXN-98765"


@pytest.mark.parametrize("body", [{"bill": 5}, {"bill": {"sums": {}}}, {"bill": {"sums": [], "rows": [5]}}, {}])
def test_a_path_that_leads_nowhere_changes_nothing(body: dict[str, Any]) -> None:
    brand = BrandSettings(id="demo", field_mappings={"pos": MAPPING})
    assert read("pos", delivery({}, {**SALE, **body}), brand)[0].idempotency_key == "STORE-001|TXN-98765"


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("total", ""), ("total", "a..b"), ("total", "a[x]"), ("total", 5), ("total", "a" * 300), ("shoe_size", "a"),
        ("items.shoe_size", "a"), ("customer.age.x", "a"), ("", "a"), ("total", "a\u0000"),
    ],
)  # fmt: skip
def test_a_mapping_that_is_none_is_refused_by_field(target: str, path: Any) -> None:
    with pytest.raises(InvalidInputError) as error:
        check_mapping({target: path})
    assert (error.value.field or "").startswith("mapping.")
    assert check_mapping(MAPPING) == MAPPING


def test_body_that_is_no_json_is_malformed() -> None:
    with pytest.raises(MalformedBodyError):
        SOURCES["pos"].parse(delivery({}, b"{"), BRAND)


@pytest.mark.parametrize("body", [{}, {"hello": 1}, {"store_id": "S1", "phone": "+14155550101"}])
def test_a_delivery_that_tells_of_no_sale_is_refused(body):
    with pytest.raises(InvalidInputError) as caught:
        read("pos", delivery({}, body))
    assert caught.value.field == "transaction_id"
