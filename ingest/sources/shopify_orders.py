"""Source Shopify, orders: sales, their changes, edits, shipments and refunds."""

from datetime import datetime
from typing import Any

from core.events import RawEvent, RawOrder
from ingest.sources.shopify_people import contact, customer_id_pair, texts
from ingest.sources.shopify_request import NAME
from ingest.sources.webhook import required_id
from ingest.steps.extract import Pairs, known_traits, noted_identifiers
from ingest.steps.fields import as_object, as_objects, read_number, read_text, read_time
from ingest.steps.orders import LONGEST_STATUS, read_lines, read_total, sum_of_lines

_SALE_TOPICS = frozenset({"orders/create", "orders/paid"})
_TOTALS = ("total_price", "current_total_price")
_FAILED_TRANSACTIONS = ("failure", "error")
_DELIVERED = "delivered"
_SHIPPED = "shipped"
_PROCESSING = "processing"
_MOVING = frozenset({"in_transit", "out_for_delivery", "attempted_delivery", "ready_for_pickup", "label_purchased"})
_SENT = frozenset({"success", "fulfilled", *_MOVING})


def order_event(topic: str, body: dict[str, Any], scope: str) -> RawEvent:
    """An order as it is now: a purchase when it is new or paid, a cancellation, else an update."""
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
    if topic == "orders/cancelled" or (topic not in _SALE_TOPICS and (is_void or body.get("cancelled_at"))):
        order = RawOrder("cancel", order_id, status="voided" if is_void else "cancelled")
        event_type = "order_cancelled"
        occurred_at = read_time(body.get("cancelled_at") or body.get("updated_at"), "cancelled_at") or created_at
    elif topic not in _SALE_TOPICS:
        event_type = "order_updated"
        occurred_at = read_time(body.get("updated_at"), "updated_at") or created_at
    return _event(
        event_type,
        body,
        order,
        occurred_at,
        identifiers=_identifiers(body, scope),
        traits=known_traits(as_object(body.get("customer"))),
        warnings=warnings,
    )


def deleted_order_event(topic: str, body: dict[str, Any], scope: str) -> RawEvent:
    """A deleted order is one that never was; its body is its id alone, so it happened when it came in."""
    return _event("order_cancelled", body, RawOrder("cancel", required_id(body, "id"), status="deleted"), None)


def edited_order_event(topic: str, body: dict[str, Any], scope: str) -> RawEvent:
    """An edit says which lines came and went, not what the order comes to now: that follows as an update."""
    edit = as_object(body.get("order_edit")) or body
    at = read_time(edit.get("committed_at") or edit.get("created_at"), "order_edit.created_at")
    return _event("order_updated", body, RawOrder("status", required_id(edit, "order_id")), at)


def fulfillment_event(topic: str, body: dict[str, Any], scope: str) -> RawEvent:
    """A shipment, or a step on its way: moves the order on."""
    at = read_time(body.get("happened_at") or body.get("updated_at") or body.get("created_at"), "updated_at")
    status = _shipment_status(body)
    return _event("order_updated", body, RawOrder("status", required_id(body, "order_id"), status=status), at)


def refund_event(topic: str, body: dict[str, Any], scope: str) -> RawEvent:
    """A refund follows its order: its `user_id` is the staff member's, the buyer is not named."""
    amount, currency = _refunded(body)
    order = RawOrder("refund", required_id(body, "order_id"), amount, currency, refund_id=required_id(body, "id"))
    return _event("refund", body, order, read_time(body.get("processed_at") or body.get("created_at"), "created_at"))


def _event(
    event_type: str, body: dict[str, Any], order: RawOrder, occurred_at: datetime | None, **rest: Any
) -> RawEvent:
    """An event of this source; without identifiers of its own it follows its order."""
    return RawEvent(
        type=event_type,
        channel="website",
        source=NAME,
        identifiers=rest.pop("identifiers", []),
        payload=body,
        occurred_at=occurred_at,
        order=order,
        **rest,
    )


def _status(body: dict[str, Any]) -> str | None:
    """Where the order stands on its way; what was paid back is known from refunds alone."""
    paid = read_text(body.get("financial_status"), "financial_status", longest=LONGEST_STATUS)
    sent = read_text(body.get("fulfillment_status"), "fulfillment_status", longest=LONGEST_STATUS)
    if body.get("cancelled_at"):
        return "cancelled"
    if paid == "voided":
        return "voided"
    if sent == "fulfilled":
        shipments = [_shipment_status(one) for one in as_objects(body.get("fulfillments"))]
        going = [status for status in shipments if status is not None]
        return _DELIVERED if going and all(status == _DELIVERED for status in going) else _SHIPPED
    if paid is None and sent is None:
        return None
    return "pending" if paid == "pending" and sent is None else _PROCESSING


def _shipment_status(body: dict[str, Any]) -> str | None:
    """A shipment's step in our words, None for one that was called off."""
    step = read_text(body.get("shipment_status"), "shipment_status", longest=LONGEST_STATUS)
    status = read_text(body.get("status"), "status", longest=LONGEST_STATUS)
    if status in {"cancelled", "error", "failure"}:
        return None
    if _DELIVERED in (step, status):
        return _DELIVERED
    return _SHIPPED if step in _MOVING or status in _SENT else _PROCESSING


def _identifiers(body: dict[str, Any], scope: str) -> Pairs:
    """The buyer's identifiers only: `user_id` and `device_id` of an order are the staff member's and the till's."""
    customer = as_object(body.get("customer"))
    pairs = contact(body) + contact(customer)
    pairs += texts("phone", as_object(body.get("billing_address")).get("phone"))
    pairs += customer_id_pair(customer, scope)
    return pairs + noted_identifiers(body.get("note_attributes"), scope)


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
