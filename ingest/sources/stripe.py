"""Source Stripe: payments, refunds, invoices and customers from timestamped, signed events.

One payment is told several times (its intent, its charge, its checkout, its invoice): all of them are one order, named
by the payment intent, else by the charge.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from core.brand import BrandSettings
from core.events import RawEvent
from core.strict_json import parse_json_object
from ingest.sources.stripe_objects import (
    NAME,
    canceled_intent_event,
    charge_event,
    checkout_event,
    customer_event,
    failed_event,
    intent_event,
    invoice_event,
    refund_event,
    refunded_charge_event,
)
from ingest.sources.webhook import Source, WebhookRequest, check_timed_signature, required_id
from ingest.steps.extract import source_scope
from ingest.steps.fields import label, read_text, refuse

# Reads one object: (what happened, the object, source part of external ids).
_Reader = Callable[[str, dict[str, Any], str], RawEvent]
_READERS: dict[str, _Reader] = {
    **dict.fromkeys(("charge.succeeded", "charge.captured"), charge_event),
    "charge.refunded": refunded_charge_event,
    **dict.fromkeys(("refund.created", "refund.updated", "refund.failed", "charge.refund.updated"), refund_event),
    "payment_intent.succeeded": intent_event,
    "payment_intent.canceled": canceled_intent_event,
    **dict.fromkeys(("invoice.paid", "invoice.payment_succeeded"), invoice_event),
    **dict.fromkeys(("checkout.session.completed", "checkout.session.async_payment_succeeded"), checkout_event),
    **dict.fromkeys(("charge.failed", "payment_intent.payment_failed", "invoice.payment_failed"), failed_event),
    **dict.fromkeys(("customer.created", "customer.updated", "customer.deleted"), customer_event),
}
_LATEST_SECOND = 253_402_300_799


def verify(request: WebhookRequest, secrets: Sequence[str]) -> None:
    """Check `Stripe-Signature: t=…,v1=…` over time and raw body, five minutes either way; raises UnauthorizedError."""
    check_timed_signature(request.header("stripe-signature"), request, secrets)


def parse(request: WebhookRequest, settings: BrandSettings) -> list[RawEvent]:
    """The event in a delivery; none for a type that is not read."""
    body = parse_json_object(request.body)
    kind = required_id(body, "type")
    read = _READERS.get(kind)
    if read is None:
        return []
    event_id = required_id(body, "id")
    data = body.get("data")
    if not isinstance(data, dict):
        raise refuse("data", "must be a JSON object")
    told = data.get("object")
    if not isinstance(told, dict):
        raise refuse("data.object", "must be a JSON object")
    account = _account_in(body)
    event = read(kind, told, source_scope(NAME, account, settings))
    event.occurred_at = _moment(body.get("created"))
    event.payload = body
    event.way = NAME
    event.source_instance = account
    event.idempotency_key = event_id
    return [event]


def ignored(request: WebhookRequest) -> str | None:
    """Why a delivery holds no event."""
    kind = parse_json_object(request.body).get("type")
    return None if isinstance(kind, str) and kind in _READERS else "this type of event is not read"


def account(request: WebhookRequest) -> str:
    """The connected account that a delivery is about; a shop's own account is not named."""
    return _account_in(parse_json_object(request.body))


def topic(request: WebhookRequest) -> str:
    """`charge.refunded` and the like."""
    return label(parse_json_object(request.body).get("type")) or ""


def _account_in(body: dict[str, Any]) -> str:
    return read_text(body.get("account"), "account", longest=64) or ""


def _moment(seconds: Any) -> datetime | None:
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= _LATEST_SECOND:
        raise refuse("created", "must be seconds since 1970")
    return datetime.fromtimestamp(seconds, UTC)


STRIPE = Source(NAME, verify, parse, ignored, account=account, topic=topic)
