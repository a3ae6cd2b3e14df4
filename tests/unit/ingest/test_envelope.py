"""The native envelope: what is read, what is refused and by which field name, what is left out with a warning."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.brand import BrandSettings
from core.errors import InvalidInputError, TooLargeError
from core.events import IncomingEvent
from core.identifiers import Identifier
from ingest.steps import parse_event, to_incoming

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
BRAND = BrandSettings(id="demo")


def taken(obj: dict[str, Any], settings: BrandSettings = BRAND, now: datetime = NOW) -> IncomingEvent:
    return to_incoming(parse_event(obj, settings, now), settings, now)


def found(payload: dict[str, Any], **envelope: Any) -> set[tuple[str, str]]:
    event = taken({"type": "page_view", "payload": payload, **envelope})
    return {(identifier.type, identifier.value) for identifier in event.identifiers}


def test_whole_envelope_is_read() -> None:
    event = taken({
        "type": "purchase", "channel": "website", "source": "shop", "occurred_at": "2026-11-01T10:00:00+02:00",
        "message_id": "m-1", "trust": "verified",
        "identifiers": {"email": "A@example.com", "phone": ["+14155550101"]},
        "payload": {"order_id": "A-1", "total": "89.99", "currency": "USD", "items": [
            {"product_id": "P1", "name": "Shirt", "category": "Apparel", "quantity": 1, "price": "89.99"}]},
    })  # fmt: skip
    assert (event.brand, event.type, event.channel, event.source) == ("demo", "purchase", "website", "shop")
    assert event.occurred_at == datetime(2026, 11, 1, 8, tzinfo=UTC)
    assert event.received_at == NOW
    assert event.trust == "verified"
    assert event.identifiers == (Identifier("email", "a@example.com"), Identifier("phone", "+14155550101"))
    assert event.warnings == ()
    assert event.payload.startswith('{"order_id":"A-1","total":"89.99"')
    assert event.order is not None
    assert (event.order.key, event.order.total_minor, event.order.currency) == ("demo|shop|A-1", 8999, "USD")


def test_older_field_names_are_taken() -> None:
    event = taken({"event_type": "cart_add", "timestamp": "2026-10-31T00:00:00Z"})
    assert (event.type, event.occurred_at) == ("cart_add", datetime(2026, 10, 31, tzinfo=UTC))
    same = {"type": "cart_add", "event_type": "cart_add"}
    assert taken(same).type == "cart_add"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": None}, "type"),
        ({"type": 5}, "type"),
        ({"type": "Order Completed"}, "type"),
        ({"type": ""}, "type"),
        ({"type": "x" * 101}, "type"),
        ({"event_type": "search"}, "type"),
        ({"colour": "red"}, "colour"),
        ({"brand": "other"}, "brand"),
        ({"channel": "fax"}, "channel"),
        ({"channel": 1}, "channel"),
        ({"source": 7}, "source"),
        ({"source": ""}, "source"),
        ({"source": "a\nb"}, "source"),
        ({"source": "x" * 101}, "source"),
        ({"trust": "total"}, "trust"),
        ({"trust": []}, "trust"),
        ({"message_id": 12}, "message_id"),
        ({"message_id": " "}, "message_id"),
        ({"message_id": "x" * 256}, "message_id"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"occurred_at": 1700000000}, "occurred_at"),
        ({"occurred_at": "2026-02-30T00:00:00Z"}, "occurred_at"),
        ({"occurred_at": "1969-12-31T23:59:59Z"}, "occurred_at"),
        ({"occurred_at": "2026-11-01T00:00:00Z", "timestamp": "2026-11-02T00:00:00Z"}, "occurred_at"),
        ({"payload": []}, "payload"),
        ({"payload": "text"}, "payload"),
        ({"identifiers": []}, "identifiers"),
        ({"identifiers": {"session_id": "s"}}, "identifiers.session_id"),
        ({"identifiers": {"e-mail": "a@example.com"}}, "identifiers.e-mail"),
        ({"identifiers": {"email": 5}}, "identifiers.email"),
        ({"identifiers": {"email": {"value": "a@example.com"}}}, "identifiers.email"),
        ({"identifiers": {"email": ["a@example.com", 5]}}, "identifiers.email[1]"),
        ({"identifiers": {"phone": True}}, "identifiers.phone"),
        ({"identifiers": {"phone": Decimal("1.5")}}, "identifiers.phone"),
        ({"identifiers": {"user_id": [["x"]]}}, "identifiers.user_id[0]"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        taken({"type": "page_view", **changes})
    assert error.value.field == field
    assert error.value.status == 422


def test_field_name_that_could_be_personal_is_not_repeated() -> None:
    with pytest.raises(InvalidInputError) as error:
        taken({"type": "page_view", "someone@example.com": 1})
    assert "someone" not in str(error.value)


@pytest.mark.parametrize("obj", [None, [], "text", 5])
def test_event_must_be_an_object(obj: object) -> None:
    with pytest.raises(InvalidInputError):
        parse_event(obj, BRAND, NOW)


def test_nulls_are_absent() -> None:
    event = taken({
        "type": "page_view", "channel": None, "source": None, "occurred_at": None, "message_id": None, "trust": None,
        "payload": None, "identifiers": {"email": None},
    })  # fmt: skip
    assert (event.channel, event.source, event.occurred_at, event.identifiers) == ("other", "api", NOW, ())


def test_custom_type_gets_a_channel_of_its_own_kind() -> None:
    assert taken({"type": "loyalty_point_earned"}).channel == "other"
    assert taken({"type": "store_visit"}).channel == "store"
    assert taken({"type": "whatsapp_message"}).channel == "whatsapp"


def test_unusable_identifier_is_left_out_with_a_warning() -> None:
    event = taken(
        {"type": "page_view", "identifiers": {"phone": "not a phone", "email": "a@example.com", "user_id": ""}}
    )
    assert event.identifiers == (Identifier("email", "a@example.com"),)
    assert event.warnings == ("identifiers.phone: not a usable phone number", "identifiers.user_id: a junk value")


def test_too_many_identifiers_are_refused() -> None:
    with pytest.raises(InvalidInputError) as error:
        taken({"type": "page_view", "identifiers": {"cookie_id": [f"c-{number}" for number in range(101)]}})
    assert error.value.field == "identifiers"


@pytest.mark.parametrize(
    "payload",
    [
        {"email": "a@example.com"},
        {"customer": {"email": "a@example.com"}},
        {"contact": {"email": "a@example.com"}},
        {"billing_address": {"email": "a@example.com"}},
        {"traits": {"email": "a@example.com"}},
        {"context": {"traits": {"email": "a@example.com"}}},
        {"note_attributes": [{"name": "email", "value": "a@example.com"}]},
        {"email": ["A@example.com", "a@example.com"]},
    ],
)
def test_identifiers_are_found_where_payloads_have_them(payload: dict[str, Any]) -> None:
    assert found(payload) == {("email", "a@example.com")}
    assert found(payload, identifiers={"email": "A@EXAMPLE.com"}) == {("email", "a@example.com")}


def test_whatsapp_fields_of_a_message_are_read() -> None:
    both = {("whatsapp", "+15550123"), ("phone", "+15550123")}
    assert found({"From": "whatsapp:+15550123"}) == both
    assert found({"WaId": "15550123"}) == both


def test_tracker_names_are_read_and_sessions_are_not() -> None:
    assert found({"anonymousId": "c-1", "userId": 7, "session_id": "s-1"}) == {("cookie_id", "c-1"), ("user_id", "7")}


@pytest.mark.parametrize(
    "payload", [{"email": 5}, {"email": {}}, {"phone": True}, {"customer": "Bob"}, {"context": []}, {"email": ""}]
)
def test_payload_may_hold_anything(payload: dict[str, Any]) -> None:
    event = taken({"type": "page_view", "payload": payload})
    assert (event.identifiers, event.warnings) == ((), ())


def test_shipping_address_is_somebody_elses() -> None:
    assert found({"shipping_address": {"phone": "+14155550101"}}) == set()


def test_external_id_always_has_its_source() -> None:
    assert found({}, source="crm", identifiers={"external_id": 101}) == {("external_id", "crm:101")}
    assert found({"external_id": "crm:101"}, source="shop") == {("external_id", "crm:101")}


def test_clock_ahead_is_clamped_and_told() -> None:
    ahead = NOW + timedelta(hours=25)
    event = taken({"type": "page_view", "occurred_at": ahead.isoformat(), "payload": {"a": 1}})
    assert event.occurred_at == NOW
    assert event.warnings == ("occurred_at: more than 24 hours ahead, counted as received now",)
    assert event.payload == '{"stated_at":"2026-11-02T13:00:00Z","a":1}'
    within = NOW + timedelta(hours=24)
    assert taken({"type": "page_view", "occurred_at": within.isoformat()}).occurred_at == within


def test_payload_over_one_megabyte_is_too_large() -> None:
    with pytest.raises(TooLargeError):
        taken({"type": "page_view", "payload": {"text": "x" * (1024 * 1024)}})


def test_traits_are_kept_apart_from_identifiers() -> None:
    event = taken(
        {"type": "identify", "payload": {"first_name": "Ada", "traits": {"tier": "gold", "email": "a@example.com"}}}
    )
    assert event.traits == '{"first_name":"Ada","tier":"gold"}'


class TestIdentity:
    """An event's id."""

    def test_same_key_is_the_same_event_whatever_it_says(self) -> None:
        first = taken({"type": "page_view", "message_id": "m-1", "payload": {"n": 1}})
        again = taken({"type": "page_view", "message_id": "m-1", "payload": {"n": 2}}, now=NOW + timedelta(hours=1))
        assert first.id == again.id
        assert first.fingerprint != again.fingerprint

    def test_same_key_of_another_brand_is_another_event(self) -> None:
        obj = {"type": "page_view", "message_id": "m-1"}
        assert taken(obj).id != taken(obj, BrandSettings(id="other")).id

    def test_without_key_the_content_decides(self) -> None:
        obj = {"type": "page_view", "occurred_at": "2026-11-01T00:00:00Z", "identifiers": {"email": "a@example.com"}}
        same = {
            "type": "page_view",
            "timestamp": "2026-11-01T01:00:00+01:00",
            "identifiers": {"email": "A@example.com "},
        }
        assert taken(obj).id == taken(same, now=NOW + timedelta(days=1)).id
        assert taken(obj).id != taken({**obj, "payload": {"n": 1}}).id
        assert taken(obj).id != taken({**obj, "source": "shop"}).id
        assert taken(obj).id != taken({**obj, "occurred_at": "2026-11-01T00:00:01Z"}).id

    def test_without_key_and_time_nothing_is_a_duplicate(self) -> None:
        obj = {"type": "page_view", "identifiers": {"email": "a@example.com"}}
        assert taken(obj).id != taken(obj).id

    def test_order_of_names_and_identifiers_is_no_content(self) -> None:
        emails = ["a@example.com", "b@example.com"]
        time = "2026-11-01T00:00:00Z"
        one = {"type": "page_view", "occurred_at": time, "identifiers": {"email": emails, "user_id": "u"}}
        other = {"identifiers": {"user_id": "u", "email": emails[::-1]}, "occurred_at": time, "type": "page_view"}
        first, second = taken({**one, "payload": {"a": 1, "b": 2}}), taken({"payload": {"b": 2, "a": 1}, **other})
        assert (first.id, first.fingerprint) == (second.id, second.fingerprint)
