"""Source Shopify: signed webhooks of orders, customers, carts and products; a body is the bare REST resource."""

from collections.abc import Callable, Sequence
from typing import Any

from core.brand import BrandSettings
from core.events import RawEvent
from core.strict_json import parse_json_object
from ingest.sources.shopify_catalogue import RECORD_TOPICS, read_records
from ingest.sources.shopify_orders import (
    deleted_order_event,
    edited_order_event,
    fulfillment_event,
    order_event,
    refund_event,
)
from ingest.sources.shopify_people import cart_event, checkout_event, consent_event, customer_event
from ingest.sources.shopify_request import NAME, scope_of, shop_of, topic_of, webhook_id_of
from ingest.sources.signing import shopify_signature
from ingest.sources.webhook import Source, WebhookRequest, check_signature

# Reads one topic: (topic, body, source part of external ids).
_Reader = Callable[[str, dict[str, Any], str], RawEvent]
_READERS: dict[str, _Reader] = {
    **dict.fromkeys(
        (
            "orders/create",
            "orders/paid",
            "orders/updated",
            "orders/fulfilled",
            "orders/partially_fulfilled",
            "orders/cancelled",
        ),
        order_event,
    ),
    "orders/delete": deleted_order_event,
    "orders/edited": edited_order_event,
    "refunds/create": refund_event,
    **dict.fromkeys(("fulfillments/create", "fulfillments/update", "fulfillment_events/create"), fulfillment_event),
    **dict.fromkeys(
        ("customers/create", "customers/update", "customers/enable", "customers/disable", "customers/delete"),
        customer_event,
    ),
    **dict.fromkeys(
        ("customers_email_marketing_consent/update", "customers_marketing_consent/update"),
        consent_event,
    ),
    **dict.fromkeys(("checkouts/create", "checkouts/update"), checkout_event),
    **dict.fromkeys(("carts/create", "carts/update"), cart_event),
}


def verify(request: WebhookRequest, secrets: Sequence[str]) -> None:
    """Check the HMAC of the raw body; raises UnauthorizedError."""
    given = request.header("x-shopify-hmac-sha256", "shopify-hmac-sha256")
    check_signature(given, [shopify_signature(secret, request.body) for secret in secrets])


def parse(request: WebhookRequest, settings: BrandSettings) -> list[RawEvent]:
    """The event in a delivery; none for a topic that is not read or that tells of no customer."""
    topic = topic_of(request)
    body = parse_json_object(request.body)
    read = _READERS.get(topic)
    if read is None:
        return []
    event = read(topic, body, scope_of(request, settings))
    event.way = NAME
    event.source_instance = shop_of(request)
    event.idempotency_key = _key(topic, body, request)
    return [event]


def ignored(request: WebhookRequest) -> str | None:
    """Why a delivery holds nothing."""
    topic = topic_of(request)
    return None if topic in _READERS or topic in RECORD_TOPICS else "this topic is not read"


def _key(topic: str, body: dict[str, Any], request: WebhookRequest) -> str:
    """Topic and webhook id; the event id is shared by several topics and would swallow one of them."""
    webhook_id = webhook_id_of(request)
    if webhook_id:
        return f"{topic}|{webhook_id}"
    return f"{topic}|{body.get('id')}|{body.get('updated_at') or body.get('created_at')}"


SHOPIFY = Source(NAME, verify, parse, ignored, account=shop_of, topic=topic_of, records=read_records)
