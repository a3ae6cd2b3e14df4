"""Proof of the sender: vendors' own vectors pass, everything that was touched is refused, nothing crashes."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from core.errors import UnauthorizedError
from ingest.sources import SOURCES, WebhookRequest
from ingest.sources.signing import (
    pos_headers,
    shopify_headers,
    shopify_signature,
    stripe_headers,
    twilio_form,
    twilio_json,
    twilio_signature,
    woocommerce_headers,
    woocommerce_signature,
    zendesk_headers,
)
from tests.unit.ingest.webhook_samples import NOW, SECRET, URL, delivery

BODY = b'{"id": 1, "total": "89.99", "note": "\xc3\xbc"}'
FIELDS = {"MessageSid": "SM1", "From": "whatsapp:+15550123", "Body": "Hi \u00fc + & =", "MediaUrl0": ""}


def shopify(secret: str = SECRET, body: bytes = BODY) -> WebhookRequest:
    return delivery(shopify_headers(secret, body, topic="orders/create", shop="a.example", webhook_id="1"), body)


def woocommerce(secret: str = SECRET, body: bytes = BODY) -> WebhookRequest:
    headers = woocommerce_headers(secret, body, topic="order.created", site="https://a.example/", delivery_id="1")
    return delivery(headers, body)


def pos(secret: str = SECRET, body: bytes = BODY) -> WebhookRequest:
    return delivery(pos_headers(secret, body, NOW), body)


def twilio_as_form(secret: str = SECRET, _: bytes = BODY) -> WebhookRequest:
    headers, body = twilio_form(secret, URL, FIELDS)
    return delivery(headers, body)


def twilio_as_json(secret: str = SECRET, body: bytes = BODY) -> WebhookRequest:
    headers, url = twilio_json(secret, URL, body)
    return delivery(headers, body, url)


def stripe(secret: str = SECRET, body: bytes = BODY) -> WebhookRequest:
    return delivery(stripe_headers(secret, body, NOW), body)


def zendesk(secret: str = SECRET, body: bytes = BODY) -> WebhookRequest:
    return delivery(zendesk_headers(secret, body, NOW), body)


Signed = Callable[..., WebhookRequest]
ALL = [
    ("shopify", shopify),
    ("woocommerce", woocommerce),
    ("pos", pos),
    ("twilio", twilio_as_form),
    ("twilio", twilio_as_json),
    ("stripe", stripe),
    ("zendesk", zendesk),
]
SIGNATURE_HEADER = {
    "shopify": "x-shopify-hmac-sha256",
    "woocommerce": "x-wc-webhook-signature",
    "pos": "x-pos-signature",
    "twilio": "x-twilio-signature",
    "stripe": "stripe-signature",
    "zendesk": "x-zendesk-webhook-signature",
}


def touched(
    request: WebhookRequest, *, header: str | None = None, value: str = "", body: bytes | None = None
) -> WebhookRequest:
    headers = dict(request.headers)
    if header is not None:
        headers[header] = value
    return WebhookRequest(headers, request.body if body is None else body, request.url, request.now)


def refused(source: str, request: WebhookRequest, secrets: tuple[str, ...] = (SECRET,)) -> bool:
    try:
        SOURCES[source].verify(request, secrets)
    except UnauthorizedError:
        return True
    return False


@pytest.mark.parametrize(("source", "signed"), ALL)
def test_right_signature_passes_with_any_of_several_live_secrets(source: str, signed: Signed) -> None:
    SOURCES[source].verify(signed(), [SECRET])
    SOURCES[source].verify(signed(), ["the old one", SECRET])
    SOURCES[source].verify(signed(), [SECRET, "the next one"])


@pytest.mark.parametrize(("source", "signed"), ALL)
def test_wrong_or_missing_secret_is_refused(source: str, signed: Signed) -> None:
    assert refused(source, signed("another secret"))
    assert refused(source, signed(), ())


@pytest.mark.parametrize(("source", "signed"), ALL)
def test_every_flipped_bit_of_the_body_is_refused(source: str, signed: Signed) -> None:
    request = signed()
    for place in range(len(request.body)):
        flipped = bytearray(request.body)
        flipped[place] ^= 1
        assert refused(source, touched(request, body=bytes(flipped)))


@pytest.mark.parametrize(("source", "signed"), ALL)
@pytest.mark.parametrize(
    "garbage", ["", " ", "x", "\u00fc", "\udcff", "=", ",", "t=1,v1=", "t=,v1=aa", "t=-1", "t=9" * 99, "sha256=abc"]
)
def test_broken_signature_header_is_refused(source: str, signed: Signed, garbage: str) -> None:
    assert refused(source, touched(signed(), header=SIGNATURE_HEADER[source], value=garbage))


@pytest.mark.parametrize(("source", "signed"), ALL)
def test_missing_signature_header_is_refused(source: str, signed: Signed) -> None:
    request = signed()
    assert refused(source, WebhookRequest({}, request.body, request.url, request.now))


@pytest.mark.parametrize(("source", "signed"), [pair for pair in ALL if pair[1] is not twilio_as_form])
def test_json_written_anew_is_another_body(source: str, signed: Signed) -> None:
    again = json.dumps(json.loads(BODY)).encode()
    assert again != BODY
    assert refused(source, touched(signed(), body=again))


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{\xff", b"", b"a", b"%", b"&&&=", b"a=1&" * 2000])
@pytest.mark.parametrize("source", sorted(SOURCES))
def test_unreadable_body_is_refused_without_a_crash(source: str, body: bytes) -> None:
    assert refused(source, delivery({SIGNATURE_HEADER[source]: "AAAA"}, body))


TWILIO_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
TWILIO_FORM = b"CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309"


def test_twilio_vector_for_a_form() -> None:
    request = delivery({"X-Twilio-Signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}, TWILIO_FORM, TWILIO_URL)
    SOURCES["twilio"].verify(request, ["12345"])
    with_port = delivery({"X-Twilio-Signature": "kvajT1Ptam85bY51eRf/AJRuM3w="}, TWILIO_FORM, TWILIO_URL)
    SOURCES["twilio"].verify(with_port, ["12345"])


def test_twilio_vector_for_a_field_sent_twice() -> None:
    fields = {"Sid": ["CA123"], "SidAccount": ["AC123"], "Digits": ["5678", "1234"]}
    assert twilio_signature("12345", TWILIO_URL, fields) == "IK+Dwps556ElfBT0I3Rgjkr1wJU="
    body = b"Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234"
    SOURCES["twilio"].verify(
        delivery({"X-Twilio-Signature": "IK+Dwps556ElfBT0I3Rgjkr1wJU="}, body, TWILIO_URL), ["12345"]
    )


def test_twilio_vector_for_a_json_body() -> None:
    body = b'{"property": "value", "boolean": true}'
    url = f"{TWILIO_URL}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
    SOURCES["twilio"].verify(delivery({"X-Twilio-Signature": "a9nBmqA0ju/hNViExpshrM61xv4="}, body, url), ["12345"])


def test_twilio_json_without_its_digest_in_the_address_is_refused() -> None:
    headers, _ = twilio_json(SECRET, URL, BODY)
    assert refused("twilio", delivery(headers, BODY, URL))
    assert refused("twilio", delivery({"X-Twilio-Signature": twilio_signature(SECRET, URL)}, BODY, URL))


def test_twilio_signs_the_address_it_called() -> None:
    request = twilio_as_form()
    assert refused("twilio", WebhookRequest(request.headers, request.body, f"{URL}x", NOW))


def test_shopify_headers_without_their_prefix_are_taken() -> None:
    SOURCES["shopify"].verify(delivery({"Shopify-Hmac-Sha256": shopify_signature(SECRET, BODY)}, BODY), [SECRET])


def test_shopify_vector() -> None:
    # HMAC-SHA256 of RFC 4231, test case 2.
    digest = bytes.fromhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    assert shopify_signature("Jefe", b"what do ya want for nothing?") == base64.b64encode(digest).decode()


def test_woocommerce_secret_is_used_with_its_entities_decoded() -> None:
    assert woocommerce_signature("a&amp;b&quot;", BODY) == shopify_signature('a&b"', BODY)


def test_woocommerce_ping_needs_no_signature_and_carries_nothing() -> None:
    SOURCES["woocommerce"].verify(delivery({}, b"webhook_id=12"), [SECRET])
    for other in (b"webhook_id=12&id=1", b"webhook_id=x", b'{"webhook_id": 12}'):
        assert refused("woocommerce", delivery({}, other))


@pytest.mark.parametrize("minutes", [-4.9, 0, 4.9])
def test_pos_signature_holds_for_five_minutes_either_way(minutes: float) -> None:
    SOURCES["pos"].verify(delivery(pos_headers(SECRET, BODY, NOW + timedelta(minutes=minutes)), BODY), [SECRET])


@pytest.mark.parametrize("minutes", [-5.1, 5.1, -600, 600])
def test_stale_and_future_pos_signatures_are_refused(minutes: float) -> None:
    assert refused("pos", delivery(pos_headers(SECRET, BODY, NOW + timedelta(minutes=minutes)), BODY))


def test_pos_time_is_part_of_what_is_signed() -> None:
    request = pos()
    signed_at, _, digest = request.headers["x-pos-signature"].partition(",")
    later = f"t={int(signed_at[2:]) + 1},{digest}"
    assert refused("pos", touched(request, header="x-pos-signature", value=later))
