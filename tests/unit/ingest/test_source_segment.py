"""The Segment-style messages: names, ids, clocks and orders become one event each."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.brand import BrandSettings
from core.errors import InvalidInputError, TooLargeError
from ingest.sources.segment import parse_message
from ingest.sources.tracking import Upload, event_type_of, snake_case
from ingest.steps import to_incoming

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
UPLOAD = Upload(NOW)
BRAND = BrandSettings("b")


def track(event: str = "Clicked", upload: Upload = UPLOAD, **more: Any):
    return parse_message({"type": "track", "event": event, **more}, None, upload)


@pytest.mark.parametrize(
    ("name", "event_type"),
    [
        ("Order Completed", "purchase"), ("order completed", "purchase"), ("order_completed", "purchase"),
        ("orderCompleted", "purchase"), ("Product Viewed", "product_view"), ("Product Added", "cart_add"),
        ("Product Removed", "cart_remove"), ("Products Searched", "search"), ("Checkout Started", "checkout_started"),
        ("Order Refunded", "refund"), ("Order Cancelled", "order_cancelled"), ("Order Canceled", "order_cancelled"),
        ("Order Updated", "order_updated"),
        ("Product Added to Wishlist", "wishlist_add"), ("Cart Viewed", "cart_viewed"),
        ("Signed Up!", "signed_up"), ("HTTPRequest sent", "http_request_sent"), ("2FA Enabled", "event_2fa_enabled"),
        ("Café visité", "cafe_visite"), ("購入", "track"), ("$weird", "weird"),
    ],
)  # fmt: skip
def test_known_names_are_our_types_and_others_their_snake_case(name: str, event_type: str) -> None:
    assert event_type_of(name) == event_type


def test_a_long_name_is_cut_to_what_a_type_may_be() -> None:
    assert len(snake_case("x" * 5000)) == 100


@pytest.mark.parametrize(
    ("kind", "event_type"),
    [("identify", "identify"), ("page", "page_view"), ("screen", "page_view"), ("group", "group"), ("alias", "alias")],
)
def test_every_call_is_an_event(kind: str, event_type: str) -> None:
    assert parse_message({"userId": "u"}, kind, UPLOAD).type == event_type
    assert parse_message({"userId": "u", "type": kind}, None, UPLOAD).type == event_type


def test_ids_traits_and_device_are_identifiers_and_properties_and_group_are_none() -> None:
    raw = track(
        userId=17, anonymousId="a", properties={"email": "friend@example.com", "phone": "+14155550102"},
        context={"traits": {"email": "a@example.com"}, "device": {"id": "d-1", "advertisingId": "ad-1"}},
        groupId="g",
    )  # fmt: skip
    assert raw.identifiers == [("user_id", "17"), ("cookie_id", "a"), ("email", "a@example.com"), ("device_id", "d-1")]


def test_identify_takes_traits_of_the_message_and_of_its_context() -> None:
    raw = parse_message(
        {
            "type": "identify", "userId": "u", "traits": {"email": "a@example.com", "firstName": "Ann", "plan": None},
            "context": {"traits": {"firstName": "Old", "phone": "+14155550101", "plan": "free"}},
        },
        None,
        UPLOAD,
    )  # fmt: skip
    assert raw.identifiers == [("user_id", "u"), ("email", "a@example.com"), ("phone", "+14155550101")]
    assert raw.traits == {"firstName": "Ann", "plan": "free"}


def test_traits_of_a_group_are_not_the_persons() -> None:
    raw = parse_message(
        {"type": "group", "userId": "u", "groupId": "g", "traits": {"email": "office@example.com", "name": "Acme"}},
        None,
        UPLOAD,
    )
    assert raw.identifiers == [("user_id", "u")]
    assert raw.traits == {}


def test_an_alias_names_both_users_and_says_that_they_are_one() -> None:
    raw = parse_message({"type": "alias", "userId": "new", "previousId": "old"}, None, UPLOAD)
    assert raw.identifiers == [("user_id", "new"), ("user_id", "old"), ("cookie_id", "old")]
    assert raw.is_alias


def test_explicit_nulls_and_empty_lists_of_some_libraries_are_nothing() -> None:
    raw = track(userId="u", anonymousId=None, properties=[], context=None, traits=[])
    assert raw.identifiers == [("user_id", "u")]
    assert set(raw.payload) == {"_message"}


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"type": "track"}, "event"), ({"type": "track", "event": 1}, "event"),
        ({"type": "nothing"}, "type"), ({}, "type"),
        ({"type": "identify", "userId": True}, "userId"), ({"type": "identify", "userId": ["u"]}, "userId"),
        ({"type": "identify", "userId": Decimal("1.5")}, "userId"), ({"type": "identify", "traits": "x"}, "traits"),
        ({"type": "track", "event": "x", "properties": 1}, "properties"),
        ({"type": "page", "timestamp": "yesterday"}, "timestamp"), ({"type": "page", "messageId": {}}, "messageId"),
        ([], "message"), (None, "message"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_field(message: Any, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_message(message, None, UPLOAD)
    assert caught.value.field == field


def test_a_message_over_32_kb_is_refused() -> None:
    with pytest.raises(TooLargeError):
        track(properties={"x": "y" * 32_768})
    track(properties={"x": "y" * 32_000})


@pytest.mark.parametrize(
    ("sent", "stated", "occurred"),
    [
        # The sender's clock is an hour ahead, ten hours behind, right (the network's time is no error), unknown.
        (NOW + timedelta(hours=1), NOW + timedelta(minutes=59), NOW - timedelta(minutes=1)),
        (NOW - timedelta(hours=10), NOW - timedelta(hours=10, minutes=1), NOW - timedelta(minutes=1)),
        (NOW - timedelta(seconds=2), NOW - timedelta(days=3), NOW - timedelta(days=3)),
        (None, NOW - timedelta(days=3), NOW - timedelta(days=3)),
        # It happened after it was sent: no later than now.
        (NOW + timedelta(hours=1), NOW + timedelta(hours=2), NOW),
        (datetime(9999, 1, 1, tzinfo=UTC), datetime(1970, 1, 2, tzinfo=UTC), datetime(1970, 1, 2, tzinfo=UTC)),
    ],
)
def test_the_senders_clock_is_set_right_by_when_it_sent(
    sent: datetime | None, stated: datetime, occurred: datetime
) -> None:
    upload = Upload(NOW, sent)
    assert track(upload=upload, timestamp=stated.isoformat()).occurred_at == occurred
    raw = track(upload=upload, originalTimestamp=stated.isoformat(), timestamp="2020-01-01T00:00:00Z")
    assert raw.occurred_at == occurred
    assert raw.payload["_message"]["originalTimestamp"] == stated.isoformat()


def order(event: str, **properties: Any):
    raw = track(event, userId="u", properties=properties)
    assert raw.order is not None
    return raw.order, to_incoming(raw, BRAND, NOW).order


def test_an_order_is_its_total_else_its_revenue_else_its_products_in_exact_money() -> None:
    products = [{"product_id": "P", "price": Decimal("19.99"), "quantity": 3, "category": "Apparel"}]
    for properties, minor in (
        ({"total": Decimal("89.99"), "revenue": Decimal("80")}, 8999),
        ({"revenue": Decimal("80.1")}, 8010),
        ({"products": products}, 5997),
        ({"total": Decimal("0.30000000000000004")}, 30),
    ):
        raw, fact = order("Order Completed", order_id="A", currency="EUR", **properties)
        assert fact is not None
        assert (raw.kind, fact.total_minor, fact.currency, fact.order_id) == ("sale", minor, "EUR", "A")


def test_a_refund_is_its_amount_else_its_products_else_the_whole_order() -> None:
    assert order("Order Refunded", order_id="A", total=Decimal("5.50"))[1].total_minor == 550
    part = order("Order Refunded", order_id="A", products=[{"product_id": "P", "price": "2.25", "quantity": 2}])[1]
    assert part is not None
    assert (part.kind, part.total_minor) == ("refund", 450)
    whole, _ = order("Order Refunded", order_id="A")
    assert (whole.kind, whole.order_id) == ("cancel", "A")


def test_a_cancelled_order_is_cancelled_and_a_refund_without_an_order_changes_none() -> None:
    assert order("Order Cancelled", order_id="A")[0].kind == "cancel"
    raw = track("Order Refunded", userId="u")
    assert raw.order is None
    assert raw.warnings == ["payload.order_id: missing, so no order changes"]


def test_properties_stand_on_top_of_the_payload_and_the_rest_of_the_message_below() -> None:
    raw = track(
        "Product Viewed", userId="u", writeKey="secret", properties={"product_id": "P"}, context={"ip": "1.2.3.4"}
    )
    assert raw.payload == {
        "product_id": "P",
        "_message": {"type": "track", "event": "Product Viewed", "userId": "u", "context": {"ip": "1.2.3.4"}},
    }
    assert "secret" not in str(parse_message({"userId": "u", "writeKey": "secret"}, "identify", UPLOAD).payload)


@pytest.mark.parametrize(
    ("message", "channel"),
    [
        ({"type": "page"}, "website"), ({"type": "screen"}, "mobile_app"),
        ({"type": "identify", "channel": "server"}, "other"),
        ({"type": "identify", "context": {"page": {"url": "https://s.example"}}}, "website"),
        ({"type": "identify", "context": {"device": {"type": "ios"}}}, "mobile_app"),
        ({"type": "identify", "channel": "mobile"}, "mobile_app"),
        ({"type": "identify", "context": {"channel": "sms"}}, "sms"),
    ],
)  # fmt: skip
def test_the_channel_follows_from_the_library(message: dict[str, Any], channel: str) -> None:
    assert parse_message(message, None, UPLOAD).channel == channel


def test_a_message_id_that_is_too_long_is_kept_as_its_digest() -> None:
    keys = {track(messageId="m" * 300 + end).idempotency_key for end in "aab"}
    assert len(keys) == 2
    assert all(key is not None and len(key) < 100 for key in keys)


def test_the_context_of_a_batch_is_that_of_its_messages() -> None:
    upload = Upload(NOW, context={"traits": {"email": "a@example.com"}, "ip": "1.1.1.1"})
    raw = track(upload=upload, context={"ip": "2.2.2.2"})
    assert raw.identifiers == [("email", "a@example.com")]
    assert raw.payload["_message"]["context"]["ip"] == "2.2.2.2"
