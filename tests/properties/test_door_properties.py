"""Properties of the way in, for any text and any JSON: nothing crashes, spelling and order do not matter."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.brand import BrandSettings
from core.errors import ConstIntelError, MalformedBodyError
from core.events import RawEvent
from core.identifiers import TIERS, Identifier
from core.normal_forms import normalise, normalise_all
from core.normal_forms.email import _plain, _validated
from core.normal_forms.phone import _keeps_its_digits
from core.strict_json import canonical_json, parse_json, to_json
from ingest.sources import SOURCES, WebhookRequest
from ingest.sources.mapping import SALE_FIELDS, check_mapping
from ingest.steps import parse_event, to_incoming

NOW = datetime(2026, 11, 1, tzinfo=UTC)
BRANDS = [
    BrandSettings(id="us"),
    BrandSettings(id="de", region="DE", fold_email_tags=True),
    BrandSettings(id="mx", region="MX", blocked_values=frozenset({"blocked"})),
]
TYPES = st.sampled_from(sorted(TIERS))
PHONE_LIKE = st.text("0123456789+-() ./ext#", max_size=24)
EMAIL_LIKE = st.from_regex(r"[A-Za-z0-9._%+\-]{1,20}@[A-Za-z0-9.\-]{1,20}\.[A-Za-z0-9\-]{1,6}", fullmatch=True)
VALUES = st.one_of(st.text(max_size=40), PHONE_LIKE, EMAIL_LIKE)
PARTS = st.sampled_from([
    "email", "phone", "customer", "billing_address", "context", "traits", "note_attributes", "order_id", "total",
    "items", "currency", "status", "From", "WaId", "external_id", "refund_id", "amount", "quantity", "price", "name",
    "value", "payment_status", "transactions", "kind", "type", "refund_line_items", "refunds", "line_items", "billing",
    "meta_data", "properties", "financial_status", "cancelled_at", "id", "store_id", "check_in_at", "MessageStatus",
])  # fmt: skip
TOPICS = [
    "orders/create", "orders/updated", "orders/edited", "orders/delete", "fulfillments/update", "refunds/create",
    "customers/create", "customers_marketing_consent/update", "checkouts/update", "carts/update", "products/update",
    "products/delete", "inventory_items/update", "inventory_levels/update", "customers/redact", "shop/redact",
    "order.updated", "order.deleted", "customer.created", "product.updated", "product.deleted",
]  # fmt: skip
STRIPE_TYPES = st.sampled_from([
    "charge.succeeded", "charge.refunded", "refund.created", "payment_intent.succeeded", "payment_intent.canceled",
    "invoice.paid", "checkout.session.completed", "charge.failed", "customer.created",
])  # fmt: skip
ZENDESK_TYPES = st.sampled_from([
    "zen:event-type:ticket.created", "zen:event-type:user.created", "zen:event-type:messaging_ticket.message_added",
    "x",
])  # fmt: skip
PATHS = st.sampled_from(
    ["a", "a.items", "items[0]", "a.items[0].price", "customer.email", "total", "a.customer", "nowhere.x"]
)
WORDS = st.sampled_from(["refund", "return", "refunded", "voided", "+14155550101", "2026-11-01T00:00:00Z", "9.99"])
LEAVES = (
    st.none() | st.booleans() | st.integers() | WORDS | st.text(max_size=12) | st.decimals().filter(Decimal.is_finite)
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PARTS | st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
PAYLOADS = st.dictionaries(PARTS, JSON, max_size=6)
TOPICS = [
    "orders/create", "orders/updated", "refunds/create", "customers/create", "order.updated", "customer.created",
]  # fmt: skip


def taken(obj: Any) -> None:
    to_incoming(parse_event(obj, BRANDS[0], NOW), BRANDS[0], NOW)


def status_of(act: Callable[[], object]) -> int:
    """The status that the door would answer; anything but a typed error fails the test."""
    try:
        act()
    except ConstIntelError as error:
        return error.status
    return 200


@given(TYPES, VALUES, st.sampled_from(BRANDS))
@example("email", "\u0130@example.com", BRANDS[0])
@example("phone", "+5215512345678", BRANDS[2])
@example("phone", "0445512345678", BRANDS[2])
@example("loyalty_id", "\u00df\u0149", BRANDS[0])
@settings(max_examples=600, deadline=None)
def test_normalising_never_crashes_and_is_idempotent(identifier_type: str, text: str, brand: BrandSettings) -> None:
    first = normalise(identifier_type, text, brand)
    if isinstance(first, Identifier):
        assert normalise(identifier_type, first.value, brand) == first


@given(st.lists(st.tuples(TYPES, VALUES), max_size=8), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_order_of_identifiers_does_not_matter(pairs: list[tuple[str, str]], random: Any) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)
    one, other = normalise_all(pairs, BRANDS[0]), normalise_all(shuffled, BRANDS[0])
    assert set(one[0]) == set(other[0])
    assert set(one[1]) == set(other[1])


@given(st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True))
@example("5215512345678")
@example("5491123456789")
@example("390612345678")
@settings(max_examples=1500, deadline=None)
def test_short_way_for_international_phones_gives_the_librarys_answer(digits: str) -> None:
    if not _keeps_its_digits(digits):
        return
    try:
        number = phonenumbers.parse(f"+{digits}", None)
    except phonenumbers.NumberParseException:
        return
    if phonenumbers.is_valid_number(number):
        assert phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == f"+{digits}"


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_example_numbers_of_every_region_have_the_librarys_form(region: str) -> None:
    for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
        number = phonenumbers.example_number_for_type(region, kind)
        if number is None:
            continue
        form = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        brand = BrandSettings(id="any", region=region)
        for way in (phonenumbers.PhoneNumberFormat.NATIONAL, phonenumbers.PhoneNumberFormat.INTERNATIONAL):
            assert normalise("phone", phonenumbers.format_number(number, way), brand) == Identifier("phone", form)
        assert normalise("whatsapp", f"whatsapp:{form}", brand) == Identifier("whatsapp", form)


@given(EMAIL_LIKE)
@settings(max_examples=1500, deadline=None)
def test_short_way_for_addresses_gives_the_librarys_answer(text: str) -> None:
    short = _plain(text)
    if short is None:
        return
    assert _validated(text) == short
    try:
        address = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        pytest.fail("the library refuses what the short way takes")
    assert address.normalized.lower() == short


@given(PAYLOADS, st.sampled_from(["purchase", "refund", "order_updated", "order_cancelled", "identify", "page_view"]))
@settings(max_examples=400, deadline=None)
def test_any_payload_is_taken_or_refused_with_a_typed_error(payload: dict[str, Any], event_type: str) -> None:
    status = status_of(lambda: taken({"type": event_type, "payload": payload}))
    assert status in {200, 413, 422}


@given(
    JSON | st.dictionaries(st.sampled_from(["type", "payload", "identifiers", "occurred_at", "source", "trust"]), JSON)
)
@settings(max_examples=400, deadline=None)
def test_any_json_is_an_event_or_refused_with_a_typed_error(obj: Any) -> None:
    assert status_of(lambda: taken(obj)) in {200, 413, 422}


@given(
    st.sampled_from(sorted(SOURCES)),
    st.one_of(
        st.binary(max_size=60),
        PAYLOADS.map(lambda body: to_json({"id": 1, "MessageSid": "S", **body}).encode()),
        st.tuples(STRIPE_TYPES, PAYLOADS).map(
            lambda told: to_json({"id": "e", "type": told[0], "data": {"object": {"id": "x", **told[1]}}}).encode()
        ),
        st.tuples(ZENDESK_TYPES, PAYLOADS).map(
            lambda told: to_json({"id": "e", "type": told[0], "detail": {"id": "x", **told[1]}, **told[1]}).encode()
        ),
    ),
    st.sampled_from(TOPICS),
)
@settings(max_examples=600, deadline=None)
def test_any_delivery_is_read_or_refused_with_a_typed_error(source: str, body: bytes, topic: str) -> None:
    headers = {
        "x-shopify-topic": topic,
        "x-wc-webhook-topic": topic,
        "x-wc-webhook-source": "http://[",
        "x-twilio-signature": "a",
        "stripe-signature": "t=1,v1=a",
        "x-zendesk-webhook-signature": "a",
        "x-zendesk-webhook-signature-timestamp": "2026-11-01T12:00:00Z",
    }
    request = WebhookRequest(headers, body, "https://constintel.example/", NOW)

    def read() -> None:
        SOURCES[source].records(request, BRANDS[0])
        for found in SOURCES[source].parse(request, BRANDS[0]):
            if not isinstance(found, RawEvent):
                raise found.error
            to_incoming(found, BRANDS[0], NOW)

    assert status_of(read) in {200, 400, 413, 422}
    for look in (SOURCES[source].account, SOURCES[source].topic, SOURCES[source].ignored):
        assert status_of(partial(look, request)) in {200, 400, 422}
    assert status_of(lambda: SOURCES[source].verify(request, ["secret"])) == 401


@given(st.dictionaries(st.sampled_from(sorted(SALE_FIELDS | {"items.price", "customer.email"})), PATHS), PAYLOADS)
@settings(max_examples=300, deadline=None)
def test_any_mapping_reads_any_sale_or_refuses_it_with_a_typed_error(
    mapping: dict[str, str], payload: dict[str, Any]
) -> None:
    brand = replace(BRANDS[0], field_mappings={"pos": check_mapping(mapping)})
    request = WebhookRequest({}, to_json({"transactions": [payload, {"a": payload}]}).encode(), "", NOW)

    def read() -> None:
        for found in SOURCES["pos"].parse(request, brand):
            if isinstance(found, RawEvent):
                to_incoming(found, brand, NOW)

    assert status_of(read) in {200, 400, 413, 422}


@given(JSON)
@settings(deadline=None)
def test_json_comes_back_as_it_was(value: Any) -> None:
    try:
        once = parse_json(to_json(value).encode())
    except MalformedBodyError:
        # NUL characters and numbers out of range are valid for the writer only.
        return
    assert parse_json(to_json(once).encode()) == once
    assert parse_json(canonical_json(once)) == once


@given(st.binary(max_size=80))
@settings(deadline=None)
def test_any_bytes_are_json_or_malformed(body: bytes) -> None:
    try:
        parse_json(body)
    except MalformedBodyError:
        return
    json.loads(body.removeprefix(b"\xef\xbb\xbf"), parse_float=Decimal)
