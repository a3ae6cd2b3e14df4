"""Source WooCommerce: orders, customers and products from signed webhooks; one delivery id may cover two orders."""

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from core.brand import BrandSettings
from core.catalogue import ProductRecord, Record, StockRecord
from core.events import RawEvent, RawOrder
from core.strict_json import parse_json_object
from ingest.sources.signing import woocommerce_signature
from ingest.sources.webhook import Source, WebhookRequest, check_signature, required_id
from ingest.steps.extract import Pairs, contact_identifiers, known_traits, noted_identifiers, scoped_id, source_scope
from ingest.steps.fields import as_object, as_objects, first_present, label, read_number, read_text, read_time
from ingest.steps.orders import LONGEST_STATUS, WHOLE_ORDER, read_lines, read_total, sum_of_lines

NAME = "woocommerce"
CUSTOMER_TYPES = {
    "customer.created": "identify",
    "customer.updated": "profile_update",
    "customer.restored": "profile_update",
    "customer.deleted": "customer_deleted",
}
DELETED_ORDER = "order.deleted"
ORDER_TOPICS = frozenset({"order.created", "order.updated", "order.restored", DELETED_ORDER})
PRODUCT_TOPICS = frozenset({"product.created", "product.updated", "product.restored", "product.deleted"})
UNPAID = frozenset({"pending", "failed", "draft", "checkout-draft", "auto-draft"})
CANCELLED = frozenset({"cancelled", "trash"})
_STATUSES = {"completed": "delivered", "refunded": ""}
# WooCommerce has one stock for the whole shop.
ONE_LOCATION = "shop"
MAX_STOCK = 2**63
# On saving a webhook the shop sends this form, unsigned, and wants to hear 200.
_PING = re.compile(rb"webhook_id=[0-9]{1,19}")


def verify(request: WebhookRequest, secrets: Sequence[str]) -> None:
    """Check the HMAC of the raw body (the ping is unsigned and carries nothing); raises UnauthorizedError."""
    if _is_ping(request):
        return
    given = request.header("x-wc-webhook-signature")
    check_signature(given, [woocommerce_signature(secret, request.body) for secret in secrets])


def parse(request: WebhookRequest, settings: BrandSettings) -> list[RawEvent]:
    """The event in a delivery and one for each refund the order lists; none for a ping or a topic not read."""
    topic = _topic(request)
    if _is_ping(request) or ignored(request):
        return []
    body = parse_json_object(request.body)
    if topic in PRODUCT_TOPICS:
        return []
    if topic in CUSTOMER_TYPES:
        events = [_customer_event(topic, body, request, settings)]
    elif topic == DELETED_ORDER:
        events = [_deleted_order_event(body, request)]
    else:
        events = [_order_event(topic, body, request, settings), *_refund_events(body)]
    for event in events:
        event.way = NAME
        event.source_instance = _site(request)
    return events


def ignored(request: WebhookRequest) -> str | None:
    """Why a delivery holds no event."""
    if _is_ping(request):
        return "a ping"
    topic = _topic(request)
    is_read = topic in ORDER_TOPICS or topic in CUSTOMER_TYPES or topic in PRODUCT_TOPICS
    return None if is_read else "this topic is not read"


def read_records(request: WebhookRequest, settings: BrandSettings) -> list[Record]:
    """The product in a delivery, with its stock where the shop counts it."""
    topic = _topic(request)
    if _is_ping(request) or topic not in PRODUCT_TOPICS:
        return []
    body = parse_json_object(request.body)
    product_id = required_id(body, "id")
    if topic == "product.deleted":
        return [ProductRecord(NAME, _site(request), product_id, request.now, is_deleted=True)]
    at = read_time(body.get("date_modified_gmt"), "date_modified_gmt") or request.now
    price = read_number(body.get("price"))
    sku = label(body.get("sku"))
    records: list[Record] = [
        ProductRecord(
            source=NAME,
            instance=_site(request),
            product_id=product_id,
            at=at,
            title=label(body.get("name")),
            category=next((label(one.get("name")) for one in as_objects(body.get("categories"))), None),
            status=label(body.get("status")),
            price=None if price is None else str(price),
            # Variations are products of their own here; a simple product is stocked under its own id.
            variants=({"id": product_id, "sku": sku, "title": None, "price": None, "item_id": product_id},),
        )
    ]
    stocked = body.get("stock_quantity")
    if isinstance(stocked, int) and not isinstance(stocked, bool) and abs(stocked) < MAX_STOCK:
        records.append(StockRecord(NAME, _site(request), product_id, ONE_LOCATION, at, stocked))
    return records


def _is_ping(request: WebhookRequest) -> bool:
    return _PING.fullmatch(request.body.strip()) is not None


def _topic(request: WebhookRequest) -> str:
    return request.header("x-wc-webhook-topic").strip().lower()


def _site(request: WebhookRequest) -> str:
    """The shop's address without scheme and closing slash: `example.com/shop`."""
    try:
        address = urlsplit(request.header("x-wc-webhook-source").strip().lower())
    except ValueError:
        return ""
    return f"{address.netloc}{address.path}".rstrip("/")


def _key(topic: str, resource_id: str, body: dict[str, Any], request: WebhookRequest) -> str:
    modified = first_present(body, ("date_modified_gmt", "date_modified"))[1]
    version = modified if isinstance(modified, str) else sha256(request.body).hexdigest()
    return f"{topic}|{resource_id}|{version}"


def _order_event(topic: str, body: dict[str, Any], request: WebhookRequest, settings: BrandSettings) -> RawEvent:
    order_id = required_id(body, "id")
    status = read_text(body.get("status"), "status", longest=LONGEST_STATUS) or ""
    created_at = read_time(body.get("date_created_gmt"), "date_created_gmt")
    modified_at = read_time(body.get("date_modified_gmt"), "date_modified_gmt") or created_at
    lines = read_lines(body.get("line_items"))
    warnings: list[str] = []
    total = read_total(body, ("total",), warnings)
    order = RawOrder(
        kind="sale",
        order_id=order_id,
        total=total if total is not None else sum_of_lines(lines),
        currency=body.get("currency"),
        counts=status not in UNPAID,
        status=_STATUSES.get(status, status),
        lines=lines,
    )
    event_type, occurred_at = ("purchase", created_at) if topic == "order.created" else ("order_updated", modified_at)
    if status in CANCELLED:
        event_type, occurred_at = "order_cancelled", modified_at
        order = RawOrder("cancel", order_id, status="cancelled")
    elif status == "refunded" and not as_objects(body.get("refunds")):
        event_type, occurred_at = "refund", modified_at
        order = RawOrder("refund", order_id, order.total, order.currency, refund_id=WHOLE_ORDER)
    return RawEvent(
        type=event_type,
        channel="website",
        source=NAME,
        identifiers=_order_identifiers(body, source_scope(NAME, _site(request), settings)),
        payload=body,
        occurred_at=occurred_at,
        idempotency_key=_key(topic, order_id, body, request),
        order=order,
        traits=known_traits(as_object(body.get("billing"))),
        warnings=warnings,
    )


def _deleted_order_event(body: dict[str, Any], request: WebhookRequest) -> RawEvent:
    """An order that went into the bin is one that never was; its body is its id alone."""
    order_id = required_id(body, "id")
    return RawEvent(
        type="order_cancelled",
        channel="website",
        source=NAME,
        identifiers=[],
        payload=body,
        idempotency_key=_key(DELETED_ORDER, order_id, body, request),
        order=RawOrder("cancel", order_id, status="deleted"),
    )


def _refund_events(body: dict[str, Any]) -> list[RawEvent]:
    """WooCommerce has no topic for refunds: an order lists them, each time it changes; the key makes each one event."""
    order_id = required_id(body, "id")
    events = []
    for refund in as_objects(body.get("refunds")):
        refund_id = read_text(refund.get("id"), "refunds.id", longest=255)
        if refund_id is not None:
            events.append(_refund_event(order_id, refund_id, refund, body))
    return events


def _refund_event(order_id: str, refund_id: str, refund: dict[str, Any], body: dict[str, Any]) -> RawEvent:
    warnings: list[str] = []
    amount = read_total(refund, ("total",), warnings)
    return RawEvent(
        type="refund",
        channel="website",
        source=NAME,
        identifiers=[],
        payload={"order_id": order_id, "refund_id": refund_id, "currency": body.get("currency"), **refund},
        occurred_at=read_time(body.get("date_modified_gmt"), "date_modified_gmt"),
        idempotency_key=f"refund|{order_id}|{refund_id}",
        order=RawOrder("refund", order_id, amount, body.get("currency"), refund_id=refund_id),
        warnings=warnings,
    )


def _order_identifiers(body: dict[str, Any], scope: str) -> Pairs:
    pairs = contact_identifiers(as_object(body.get("billing")))
    pairs += _customer_id(body.get("customer_id"), scope)
    notes = [{"name": note.get("key"), "value": note.get("value")} for note in as_objects(body.get("meta_data"))]
    return pairs + noted_identifiers(notes, scope)


def _customer_id(value: Any, scope: str) -> Pairs:
    """The shop's account id; 0 is a guest."""
    customer_id = read_text(value, "customer_id", longest=255)
    return [("external_id", scoped_id(customer_id, scope))] if customer_id and customer_id != "0" else []


def _customer_event(topic: str, body: dict[str, Any], request: WebhookRequest, settings: BrandSettings) -> RawEvent:
    customer_id = required_id(body, "id")
    billing = as_object(body.get("billing"))
    name, moment = first_present(body, ("date_modified_gmt", "date_created_gmt"))
    return RawEvent(
        type=CUSTOMER_TYPES[topic],
        channel="website",
        source=NAME,
        identifiers=contact_identifiers(body)
        + contact_identifiers(billing)
        + _customer_id(customer_id, source_scope(NAME, _site(request), settings)),
        payload=body,
        occurred_at=read_time(moment, name),
        idempotency_key=_key(topic, customer_id, body, request),
        traits=known_traits(billing) | known_traits(body),
    )


WOOCOMMERCE = Source(NAME, verify, parse, ignored, account=_site, topic=_topic, records=read_records)
