"""The table of normal forms and junk values of the identity rules, row by row."""

import pytest

from core.brand import BrandSettings
from core.errors import InvalidInputError
from core.identifiers import TIERS, Identifier
from core.normal_forms import Rejected, normalise, normalise_all

US = BrandSettings(id="demo")
DE = BrandSettings(id="demo", region="DE")


@pytest.mark.parametrize(
    ("identifier_type", "raw", "settings", "form"),
    [
        ("phone", "+1-555-0123", US, "+15550123"),
        ("phone", "+1 555 0123", US, "+15550123"),
        ("phone", "15550123", US, "+15550123"),
        ("phone", 15550123, US, "+15550123"),
        ("whatsapp", "whatsapp:+15550123", US, "+15550123"),
        ("phone", "whatsapp:+15550123", US, "+15550123"),
        ("phone", "+1-555-1111", US, "+15551111"),
        ("phone", "(415) 555-0101", US, "+14155550101"),
        ("phone", "4155550101", US, "+14155550101"),
        ("phone", "1 415 555 0101", US, "+14155550101"),
        ("phone", "+1 415 555 0101 ext. 5", US, "+14155550101"),
        ("phone", "tel:+1-415-555-0101", US, "+14155550101"),
        ("phone", "\u202a+1 415 555 0101\u202c", US, "+14155550101"),
        ("phone", "0171 2345678", DE, "+491712345678"),
        ("phone", "+49 (0)171 2345678", US, "+491712345678"),
        ("phone", "0049 171 2345678", DE, "+491712345678"),
        ("phone", "447911123456", US, "+447911123456"),
        ("phone", "\u0664\u0661\u0665\u0665\u0665\u0665\u0660\u0661\u0660\u0661", US, "+14155550101"),
        ("whatsapp", "0171 2345678", DE, "+491712345678"),
        ("email", "  Sarah.Johnson@Email.com ", US, "sarah.johnson@email.com"),
        ("email", "a.b+shop@Example.com", US, "a.b+shop@example.com"),
        ("email", "x@B\u00dcCHER.example", US, "x@xn--bcher-kva.example"),
        ("email", "jose\u0301@example.com", US, "jos\u00e9@example.com"),
        ("email", "someone@shop.test", US, "someone@shop.test"),
        ("loyalty_id", " loy-789456 ", US, "LOY-789456"),
        ("loyalty_id", 12345, US, "12345"),
        ("user_id", " User-7 ", US, "User-7"),
        ("external_id", " crm: 101 ", US, "crm:101"),
        ("external_id", "shopify/second.example:123", US, "shopify/second.example:123"),
        ("device_id", " Device-XYZ ", US, "Device-XYZ"),
        ("qr_id", "QR-1", US, "QR-1"),
        ("upi_id", " Name@OkBank ", US, "name@okbank"),
        ("cookie_id", " Cookie-Sarah-1 ", US, "Cookie-Sarah-1"),
        ("card_last4", "4242", US, "4242"),
        ("card_last4", "**** **** **** 4242", US, "4242"),
        ("card_last4", "0000", US, "0000"),
    ],
)
def test_every_type_has_one_normal_form(identifier_type: str, raw: object, settings: BrandSettings, form: str) -> None:
    assert normalise(identifier_type, raw, settings) == Identifier(identifier_type, form)


@pytest.mark.parametrize(
    "junk", ["", "   ", "null", "NULL", "none", "N/A", "unknown", "Undefined", '"null"', "0000000000"]
)
@pytest.mark.parametrize("identifier_type", sorted(set(TIERS) - {"card_last4"}))
def test_junk_is_no_identifier_of_any_type(identifier_type: str, junk: str) -> None:
    assert isinstance(normalise(identifier_type, junk, US), Rejected)


@pytest.mark.parametrize(
    ("identifier_type", "junk"),
    [
        ("email", "test@test.com"),
        ("email", " TEST@Test.com "),
        ("email", "noreply@shop.example"),
        ("email", "No-Reply@shop.example"),
        ("email", "noreply+42@shop.example"),
        ("phone", "1111111111"),
        ("phone", "+49 1111111"),
        ("phone", "+1 555 555 5555"),
        ("phone", "999-999-9999"),
        ("whatsapp", "whatsapp:+0000000000"),
        ("device_id", "00000000-0000-0000-0000-000000000000"),
        ("device_id", "0000-0000"),
        ("external_id", "shopify:null"),
        ("external_id", "shopify:0"),
        ("cookie_id", "-"),
    ],
)
def test_junk_is_found_before_and_after_normalising(identifier_type: str, junk: str) -> None:
    assert isinstance(normalise(identifier_type, junk, US), Rejected)


@pytest.mark.parametrize(
    ("identifier_type", "text"),
    [
        ("phone", "123456"),
        ("phone", "+1234567890123456"),
        ("phone", "call me"),
        ("phone", "user1234567@example.com"),
        ("phone", "order no. 12345678"),
        ("email", "no-at-sign.example.com"),
        ("email", "a@b"),
        ("email", "a@localhost"),
        ("email", "a b@example.com"),
        ("email", "a@@example.com"),
        ("email", "a@-example.com"),
        ("email", "x" * 65 + "@example.com"),
        ("email", "Bob <bob@example.com>"),
        ("upi_id", "name"),
        ("external_id", "123"),
        ("external_id", ":123"),
        ("card_last4", "123"),
        ("card_last4", "12345"),
        ("user_id", "a\x00b"),
        ("user_id", "a\nb"),
        ("user_id", "x" * 513),
    ],
)
def test_unusable_text_is_left_out_and_never_repeated(identifier_type: str, text: str) -> None:
    result = normalise(identifier_type, text, US)
    assert isinstance(result, Rejected)
    assert text not in result.reason


@pytest.mark.parametrize("value", [True, 1.5, {}, [], None])
def test_another_json_type_is_refused_by_name(value: object) -> None:
    with pytest.raises(InvalidInputError) as error:
        normalise("phone", value, US)
    assert error.value.field == "identifiers.phone"


def test_an_address_is_never_a_number() -> None:
    with pytest.raises(InvalidInputError):
        normalise("email", 123, US)


def test_unknown_type_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        normalise("session_id", "s-1", US)


def test_brand_may_fold_tags_and_meaningless_dots() -> None:
    folding = BrandSettings(id="demo", fold_email_tags=True)
    assert normalise("email", "a.b+shop@example.com", folding) == Identifier("email", "a.b@example.com")
    assert normalise("email", "A.B+shop@gmail.com", folding) == Identifier("email", "ab@gmail.com")
    assert isinstance(normalise("email", "+shop@example.com", folding), Rejected)


@pytest.mark.parametrize("blocked", ["+14155550101", "(415) 555-0101", " 4155550101 "])
def test_blocked_value_of_a_brand_holds_in_any_spelling(blocked: str) -> None:
    settings = BrandSettings(id="demo", blocked_values=frozenset({blocked}))
    for spelling in ("+1 415 555 0101", "4155550101", "+14155550101"):
        assert isinstance(normalise("phone", spelling, settings), Rejected)
    assert normalise("phone", "+1 415 555 0102", settings) == Identifier("phone", "+14155550102")


def test_blocked_text_is_compared_without_case() -> None:
    settings = BrandSettings(id="demo", blocked_values=frozenset({"Shared-Tablet"}))
    assert isinstance(normalise("device_id", "shared-TABLET", settings), Rejected)


def test_whatsapp_number_is_also_the_phone() -> None:
    identifiers, warnings = normalise_all([("whatsapp", "whatsapp:+15550123")], US)
    assert identifiers == (Identifier("whatsapp", "+15550123"), Identifier("phone", "+15550123"))
    assert warnings == []


def test_identifier_seen_twice_counts_once() -> None:
    pairs = [("phone", "+1-555-0123"), ("phone", "15550123"), ("whatsapp", "whatsapp:+15550123"), ("phone", "15550123")]
    identifiers, _ = normalise_all(pairs, US)
    assert identifiers == (Identifier("phone", "+15550123"), Identifier("whatsapp", "+15550123"))


def test_what_is_left_out_is_named_once_without_its_value() -> None:
    identifiers, warnings = normalise_all([("phone", "abc"), ("phone", "abcd"), ("email", "null"), ("phone", None)], US)
    assert identifiers == ()
    assert warnings == ["identifiers.phone: not a usable phone number", "identifiers.email: a junk value"]
