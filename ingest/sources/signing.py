"""Signing exactly as the real senders do: checked against by the sources, used by the scenario player and tests."""

import base64
import hmac
import html
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from core.clock import format_time

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


class FormFields:
    """Form fields with several values each, in the shape that Twilio's validator reads."""

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        self._fields = fields

    def __iter__(self) -> object:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def getlist(self, name: str) -> list[str]:
        """All values of a field."""
        return list(self._fields[name])


def shopify_signature(secret: str, body: bytes) -> str:
    """Base64 of HMAC-SHA256 over the raw body."""
    return base64.b64encode(hmac.digest(secret.encode(), body, sha256)).decode()


def woocommerce_signature(secret: str, body: bytes) -> str:
    """As Shopify's, but WooCommerce decodes HTML entities of the secret first."""
    return shopify_signature(html.unescape(secret), body)


def twilio_signature(secret: str, url: str, fields: Mapping[str, Sequence[str]] | None = None) -> str:
    """Base64 of HMAC-SHA1 over the address and all form fields; for a JSON body the address alone is signed."""
    return str(RequestValidator(secret).compute_signature(url, FormFields(fields or {})))


def pos_signature(secret: str, body: bytes, at: datetime) -> str:
    """`t=<unix seconds>,v1=<hex>`: HMAC-SHA256 over the time, a full stop and the raw body."""
    seconds = int(at.timestamp())
    return f"t={seconds},v1={pos_digest(secret, str(seconds), body)}"


def pos_digest(secret: str, seconds: str, body: bytes) -> str:
    """The `v1` part of a POS signature."""
    return hmac.digest(secret.encode(), seconds.encode() + b"." + body, sha256).hex()


def stripe_signature(secret: str, body: bytes, at: datetime) -> str:
    """`t=<unix seconds>,v1=<hex>`: HMAC-SHA256 with the whole secret over the time, a full stop and the raw body."""
    return pos_signature(secret, body, at)


def zendesk_signature(secret: str, body: bytes, timestamp: str) -> str:
    """Base64 of HMAC-SHA256 over the timestamp as sent and the raw body."""
    return shopify_signature(secret, timestamp.encode() + body)


def shopify_headers(secret: str, body: bytes, *, topic: str, shop: str, webhook_id: str) -> dict[str, str]:
    """The headers of a Shopify delivery."""
    return {
        "Content-Type": JSON,
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": shop,
        "X-Shopify-Webhook-Id": webhook_id,
        "X-Shopify-API-Version": "2026-01",
        "X-Shopify-Hmac-Sha256": shopify_signature(secret, body),
    }


def woocommerce_headers(secret: str, body: bytes, *, topic: str, site: str, delivery_id: str) -> dict[str, str]:
    """The headers of a WooCommerce delivery."""
    return {
        "Content-Type": JSON,
        "X-WC-Webhook-Topic": topic,
        "X-WC-Webhook-Source": site,
        "X-WC-Webhook-Delivery-ID": delivery_id,
        "X-WC-Webhook-Signature": woocommerce_signature(secret, body),
    }


def twilio_form(secret: str, url: str, fields: Mapping[str, str]) -> tuple[dict[str, str], bytes]:
    """Headers and form body of a Twilio delivery to `url`."""
    signature = twilio_signature(secret, url, {name: [value] for name, value in fields.items()})
    return {"Content-Type": FORM, "X-Twilio-Signature": signature}, urlencode(fields).encode()


def twilio_json(secret: str, url: str, body: bytes) -> tuple[dict[str, str], str]:
    """Headers of a Twilio delivery with a JSON body, and `url` with the body's digest in its query."""
    joint = "&" if "?" in url else "?"
    full_url = f"{url}{joint}bodySHA256={sha256(body).hexdigest()}"
    return {"Content-Type": JSON, "X-Twilio-Signature": twilio_signature(secret, full_url)}, full_url


def pos_headers(secret: str, body: bytes, at: datetime) -> dict[str, str]:
    """The headers of a till's delivery signed at `at`."""
    return {"Content-Type": JSON, "X-POS-Signature": pos_signature(secret, body, at)}


def stripe_headers(secret: str, body: bytes, at: datetime) -> dict[str, str]:
    """The headers of a Stripe delivery signed at `at`."""
    return {"Content-Type": JSON, "Stripe-Signature": stripe_signature(secret, body, at)}


def zendesk_headers(secret: str, body: bytes, at: datetime, *, account: str = "22129848") -> dict[str, str]:
    """The headers of a Zendesk delivery signed at `at`."""
    timestamp = format_time(at)
    return {
        "Content-Type": JSON,
        "X-Zendesk-Account-Id": account,
        "X-Zendesk-Webhook-Signature-Timestamp": timestamp,
        "X-Zendesk-Webhook-Signature": zendesk_signature(secret, body, timestamp),
    }
