"""Source Shopify: orders, refunds and customers from signed webhooks; a body is the bare REST resource."""

from collections.abc import Sequence
from typing import Any

from core.brand import BrandSettings
from core.events import RawEvent, RawOrder
from core.strict_json import parse_json_object
from ingest.sources.signing import shopify_signature
from ingest.sources.webhook import Source, WebhookRequest, check_signature, required_id
from ingest.steps.extract import Pairs, known_traits, noted_identifiers, scoped_id, source_scope
from ingest.steps.fields import as_object, as_objects, first_present, read_number, read_text, read_time
from ingest.steps.orders import read_lines, read_total, sum_of_lines

NAME = "shopify"
SALE_TOPICS = frozenset({"orders/create", "orders/paid"})
UPDATE_TOPICS = frozenset({"orders/updated", "orders/fulfilled", "orders/partially_fulfilled"})
ORDER_TOPICS = SALE_TOPICS | UPDATE_TOPICS | {"orders/cancelled"}
CUSTOMER_TYPES = {"customers/create": "identify", "customers/update": "profile_update"}
_TOTALS = ("total_price", "current_total_price")
_FAILED_TRANSACTIONS = ("failure", "error")


def verify(request: WebhookRequest, secrets: Sequence[str]) -> None:
    """Check the HMAC of the raw body; raises UnauthorizedError."""
    given = request.header("x-shopify-hmac-sha256", "shopify-hmac-sha256")
    check_signature(given, [shopify_signature(secret, request.body) for secret in secrets])


def parse(request: WebhookRequest, settings: BrandSettings) -> list[RawEvent]:
    """The event in a delivery; none for a topic that is not read."""
    topic = _topic(request)
    body = parse_json_object(request.body)
    if topic in ORDER_TOPICS:
        event = _order_event(topic, body, request, settings)
    elif topic == "refunds/create":
        event = _refund_event(body)
    elif topic in CUSTOMER_TYPES:
        event = _customer_event(topic, body, request, settings)
    else:
        return []
    event.way = NAME
    event.source_instance = _shop(request)
    event.idempotency_key = _key(topic, body, request)
    return [event]


def ignored(request: WebhookRequest) -> str | None:
    """Why a delivery holds no event."""
    topic = _topic(request)
    is_read = topic in ORDER_TOPICS or topic == "refunds/create" or topic in CUSTOMER_TYPES
    return None if is_read else "this topic is not read"


def _topic(request: WebhookRequest) -> str:
    return request.header("x-shopify-topic", "shopify-topic").strip().lower()


def _shop(request: WebhookRequest) -> str:
    return request.header("x-shopify-shop-domain", "shopify-shop-domain").strip().lower()


def _key(topic: str, body: dict[str, Any], request: WebhookRequest) -> str:
    """Topic and webhook id; the event id is shared by several topics and would swallow one of them."""
    webhook_id = request.header("x-shopify-webhook-id", "shopify-webhook-id").strip()
    if webhook_id:
        return f"{topic}|{webhook_id}"
    return f"{topic}|{body.get('id')}|{body.get('updated_at') or body.get('created_at')}"


def _order_event(topic: str, body: dict[str, Any], request: WebhookRequest, settings: BrandSettings) -> RawEvent:
    order_id = required_id(body, "id")
    created_at = read_time(body.get("created_at"), "created_at")
    is_void = body.get("financial_status") == "voided"
    lines = read_lines(body.get("line_items"))
    warnings: list[str] = []
    total = read_total(body, _TOTALS, warnings)
    order = RawOrder(
        kind="sale",
        order_id=order_id,
        total=total if total is not None else sum_of_lines(lines),
        currency=body.get("currency"),
        counts=not is_void,
        status=_status(body),
        lines=lines,
    )
    event_type, occurred_at = "purchase", created_at
    if topic == "orders/cancelled" or (topic in UPDATE_TOPICS and (is_void or body.get("cancelled_at"))):
        order = RawOrder("cancel", order_id, status=order.status)
        event_type = "order_cancelled"
        occurred_at = read_time(body.get("cancelled_at") or body.get("updated_at"), "cancelled_at") or created_at
    elif topic in UPDATE_TOPICS:
        event_type = "order_updated"
        occurred_at = read_time(body.get("updated_at"), "updated_at") or created_at
    return RawEvent(
        type=event_type,
        channel="website",
        source=NAME,
        identifiers=_order_identifiers(body, source_scope(NAME, _shop(request), settings)),
        payload=body,
        occurred_at=occurred_at,
        order=order,
        traits=known_traits(as_object(body.get("customer"))),
        warnings=warnings,
    )


def _status(body: dict[str, Any]) -> str | None:
    if body.get("cancelled_at"):
        return "cancelled"
    if body.get("financial_status") == "voided":
        return "voided"
    return "shipped" if body.get("fulfillment_status") == "fulfilled" else None


def _order_identifiers(body: dict[str, Any], scope: str) -> Pairs:
    """The buyer's identifiers only: `user_id` and `device_id` of an order are the staff member's and the till's."""
    customer = as_object(body.get("customer"))
    pairs = _contact(body) + _contact(customer)
    pairs += _texts("phone", as_object(body.get("billing_address")).get("phone"))
    pairs += _customer_id(customer, scope)
    return pairs + noted_identifiers(body.get("note_attributes"), scope)


def _contact(fields: dict[str, Any]) -> Pairs:
    return (
        _texts("email", fields.get("email"))
        + _texts("email", fields.get("contact_email"))
        + _texts("phone", fields.get("phone"))
    )


def _texts(identifier_type: str, value: Any) -> Pairs:
    return [(identifier_type, value)] if isinstance(value, str) and value.strip() else []


def _customer_id(customer: dict[str, Any], scope: str) -> Pairs:
    customer_id = read_text(customer.get("id"), "customer.id", longest=255)
    return [("external_id", scoped_id(customer_id, scope))] if customer_id else []


def _refund_event(body: dict[str, Any]) -> RawEvent:
    """A refund follows its order: its `user_id` is the staff member's, the buyer is not named."""
    amount, currency = _refunded(body)
    return RawEvent(
        type="refund",
        channel="website",
        source=NAME,
        identifiers=[],
        payload=body,
        occurred_at=read_time(body.get("processed_at") or body.get("created_at"), "created_at"),
        order=RawOrder("refund", required_id(body, "order_id"), amount, currency, refund_id=required_id(body, "id")),
    )


def _refunded(body: dict[str, Any]) -> tuple[Any, Any]:
    """Money given back; without any transaction the price of the lines taken back (the order was never paid)."""
    transactions = [one for one in as_objects(body.get("transactions")) if one.get("kind") in ("refund", None)]
    going = [one for one in transactions if one.get("status") not in _FAILED_TRANSACTIONS]
    if transactions:
        parts = [read_number(one.get("amount")) for one in going]
        currency = next((one.get("currency") for one in going if one.get("currency")), None)
    else:
        lines = as_objects(body.get("refund_line_items"))
        parts = [read_number(line.get(name)) for line in lines for name in ("subtotal", "total_tax")]
        currency = body.get("currency")
    return sum(part for part in parts if part is not None), currency


def _customer_event(topic: str, body: dict[str, Any], request: WebhookRequest, settings: BrandSettings) -> RawEvent:
    required_id(body, "id")
    name, moment = first_present(body, ("updated_at", "created_at"))
    return RawEvent(
        type=CUSTOMER_TYPES[topic],
        channel="website",
        source=NAME,
        identifiers=_contact(body) + _customer_id(body, source_scope(NAME, _shop(request), settings)),
        payload=body,
        occurred_at=read_time(moment, name),
        traits=known_traits(as_object(body.get("default_address"))) | known_traits(body),
    )


SHOPIFY = Source(NAME, verify, parse, ignored)
