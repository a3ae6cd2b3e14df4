"""Source Stripe, object by object: what a charge, an intent, an invoice, a refund and a customer say."""

from decimal import Decimal
from typing import Any

from core.events import RawEvent, RawOrder
from core.money import is_currency_code, minor_digits
from ingest.sources.webhook import required_id
from ingest.steps.extract import Pairs, contact_identifiers, scoped_id
from ingest.steps.fields import as_object, as_objects, label, read_text, refuse

NAME = "stripe"
# Where Stripe counts otherwise than ISO 4217: https://docs.stripe.com/currencies
_DIGITS = {"ISK": 2, "UGX": 2, "MGA": 0}
_LONGEST_ID = 255
_MOST_LINES = 1_000
_GONE_REFUNDS = frozenset({"failed", "canceled"})
_PAID_CHECKOUTS = frozenset({"paid", "no_payment_required"})
_CUSTOMER_TYPES = {"customer.created": "identify", "customer.deleted": "customer_deleted"}
_TRAITS = ("name", "city", "state", "postal_code", "country")


def charge_event(kind: str, told: dict[str, Any], scope: str) -> RawEvent:
    """A payment that went through; one that is only authorised counts when it is captured."""
    is_captured = told.get("captured") is not False
    amount = told.get("amount_captured") if is_captured and told.get("amount_captured") else told.get("amount")
    order = RawOrder(
        kind="sale",
        order_id=_payment_id(told) or required_id(told, "id"),
        total=_amount(amount, told, "amount"),
        currency=_currency(told),
        counts=is_captured,
        status=None if is_captured else "pending",
    )
    event_type = "order_updated" if kind == "charge.captured" else "purchase"
    return _event(event_type, told, order, _payer(told, scope), _traits(as_object(told.get("billing_details"))))


def intent_event(kind: str, told: dict[str, Any], scope: str) -> RawEvent:
    """A payment intent that was paid."""
    amount = told.get("amount_received") or told.get("amount")
    order = RawOrder("sale", required_id(told, "id"), _amount(amount, told, "amount"), _currency(told))
    return _event("purchase", told, order, _payer(told, scope))


def canceled_intent_event(kind: str, told: dict[str, Any], scope: str) -> RawEvent:
    """A payment that will not be made."""
    order = RawOrder("cancel", required_id(told, "id"), status="cancelled")
    return _event("order_cancelled", told, order, _payer(told, scope))


def failed_event(kind: str, told: dict[str, Any], scope: str) -> RawEvent:
    """A payment that did not go through: it says something about the customer, nothing about an order."""
    required_id(told, "id")
    return _event("payment_failed", told, None, _payer(told, scope))


def refunded_charge_event(kind: str, told: dict[str, Any], scope: str) -> RawEvent:
    """A charge that was paid back in part or whole: it tells the sum so far."""
    order = RawOrder(
        kind="refunded",
        order_id=_payment_id(told) or required_id(told, "id"),
        total=_amount(told.get("amount_refunded"), told, "amount_refunded"),
        currency=_currency(told),
    )
    return _event("refund", told, order, _payer(told, scope))


def refund_event(kind: str, told: dict[str, Any], scope: str) -> RawEvent:
    """One refund; it names its payment and not its buyer, so it follows its order."""
    refund_id = required_id(told, "id")
    if kind == "refund.failed" or told.get("status") in _GONE_REFUNDS:
        return _event("refund_failed", told, None, [])
    order_id = _payment_id(told) or _id_of(told.get("charge"), "charge")
    if order_id is None:
        raise refuse("data.object.charge", "missing, and so is payment_intent")
    order = RawOrder(
        "refund", order_id, _amount(told.get("amount"), told, "amount"), _currency(told), refund_id=refund_id
    )
    return _event("refund", told, order, [])


def invoice_event(kind: str, told: dict[str, Any], scope: str) -> RawEvent:
    """An invoice that was paid, for the payment it names; without one it is an order of its own."""
    warnings = []
    payment = _payment_id(told) or _listed_payment(told) or _id_of(told.get("charge"), "charge")
    if payment is None:
        warnings.append("data.object.payment_intent: not named, so the invoice is an order of its own")
    amount = _amount(told.get("amount_paid"), told, "amount_paid")
    order = RawOrder(
        "sale", payment or required_id(told, "id"), amount, _currency(told), counts=bool(amount), lines=_lines(told)
    )
    person = {"name": told.get("customer_name"), "address": told.get("customer_address")}
    event = _event("purchase", told, order, _payer(told, scope), _traits(person))
    event.warnings += warnings
    return event


def checkout_event(kind: str, told: dict[str, Any], scope: str) -> RawEvent:
    """A checkout that was finished; money that is still under way does not count yet."""
    is_paid = told.get("payment_status") in _PAID_CHECKOUTS
    order = RawOrder(
        kind="sale",
        order_id=_payment_id(told) or _id_of(told.get("invoice"), "invoice") or required_id(told, "id"),
        total=_amount(told.get("amount_total"), told, "amount_total"),
        currency=_currency(told),
        counts=is_paid,
        status=None if is_paid else "pending",
    )
    details = as_object(told.get("customer_details"))
    return _event("purchase", told, order, _payer(told, scope) + contact_identifiers(details), _traits(details))


def customer_event(kind: str, told: dict[str, Any], scope: str) -> RawEvent:
    """A customer that was made, changed or deleted."""
    customer_id = required_id(told, "id")
    pairs: Pairs = [("external_id", scoped_id(customer_id, scope)), *contact_identifiers(told)]
    return _event(_CUSTOMER_TYPES.get(kind, "profile_update"), told, None, pairs, _traits(told))


def _event(
    event_type: str,
    told: dict[str, Any],
    order: RawOrder | None,
    identifiers: Pairs,
    traits: dict[str, Any] | None = None,
) -> RawEvent:
    is_at_a_till = as_object(told.get("payment_method_details")).get("type") in ("card_present", "interac_present")
    return RawEvent(
        type=event_type,
        channel="store" if is_at_a_till else "website",
        source=NAME,
        identifiers=identifiers,
        payload={},
        order=order,
        traits=traits or {},
    )


def _payer(told: dict[str, Any], scope: str) -> Pairs:
    """Who paid: the customer's id, and addresses that receipts go to."""
    customer = _id_of(told.get("customer"), "customer")
    pairs: Pairs = [("external_id", scoped_id(customer, scope))] if customer is not None else []
    pairs += contact_identifiers(as_object(told.get("billing_details")))
    stated = (
        ("email", told.get("receipt_email")),
        ("email", told.get("customer_email")),
        ("phone", told.get("customer_phone")),
    )
    return pairs + [(name, value) for name, value in stated if isinstance(value, str) and value.strip()]


def _traits(person: dict[str, Any]) -> dict[str, Any]:
    told = {**as_object(person.get("address")), "name": person.get("name")}
    return {name: told[name] for name in _TRAITS if isinstance(told.get(name), str) and told[name]}


def _payment_id(told: dict[str, Any]) -> str | None:
    return _id_of(told.get("payment_intent"), "payment_intent")


def _listed_payment(invoice: dict[str, Any]) -> str | None:
    """The payment among those that newer invoices list."""
    for one in as_objects(as_object(invoice.get("payments")).get("data")):
        found = _id_of(as_object(one.get("payment")).get("payment_intent"), "payments")
        if found is not None:
            return found
    return None


def _id_of(value: Any, name: str) -> str | None:
    """An id that stands alone, or in the object that it was expanded to."""
    if isinstance(value, dict):
        value = value.get("id")
    return read_text(value, f"data.object.{name}", longest=_LONGEST_ID)


def _currency(told: dict[str, Any]) -> Any:
    stated = told.get("currency")
    return stated.upper() if isinstance(stated, str) else None


def _amount(value: Any, told: dict[str, Any], name: str) -> Decimal | None:
    """An amount in the smallest unit as a decimal; raises InvalidInputError when it is no whole number."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise refuse(f"data.object.{name}", "must be a whole number")
    code = _currency(told) or ""
    digits = _DIGITS.get(code, minor_digits(code) if is_currency_code(code) else 2)
    return Decimal(value).scaleb(-digits)


def _lines(invoice: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of an invoice as order lines; Stripe tells a line's sum, so it stands as one piece."""
    lines = []
    for one in as_objects(as_object(invoice.get("lines")).get("data"))[:_MOST_LINES]:
        amount = one.get("amount")
        is_amount = isinstance(amount, int) and not isinstance(amount, bool)
        priced = as_object(as_object(one.get("pricing")).get("price_details")).get("product")
        product = priced or as_object(one.get("price")).get("product")
        lines.append({
            "product_id": label(as_object(product).get("id") if isinstance(product, dict) else product),
            "name": label(one.get("description")),
            "category": None,
            "quantity": 1,
            "price": _amount(amount, invoice, "lines") if is_amount else None,
        })  # fmt: skip
    return lines
