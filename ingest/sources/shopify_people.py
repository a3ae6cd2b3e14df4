"""Source Shopify, people: customers, their consent, carts and checkouts."""

from typing import Any

from core.events import RawEvent
from core.identifiers import Trust
from ingest.sources.shopify_request import NAME
from ingest.sources.webhook import required_id
from ingest.steps.extract import Pairs, known_traits, noted_identifiers, scoped_id
from ingest.steps.fields import as_object, as_objects, first_present, read_text, read_time

_CUSTOMER_TYPES = {"customers/create": "identify", "customers/delete": "customer_deleted"}


def customer_event(topic: str, body: dict[str, Any], scope: str) -> RawEvent:
    """An account of the shop that was made, changed, switched on or off, or deleted."""
    required_id(body, "id")
    name, moment = first_present(body, ("updated_at", "created_at"))
    return RawEvent(
        type=_CUSTOMER_TYPES.get(topic, "profile_update"),
        channel="website",
        source=NAME,
        identifiers=contact(body) + customer_id_pair(body, scope),
        payload=body,
        occurred_at=read_time(moment, name),
        traits=known_traits(as_object(body.get("default_address"))) | known_traits(body),
    )


def consent_event(topic: str, body: dict[str, Any], scope: str) -> RawEvent:
    """Consent to marketing by e-mail or text message, given or taken back."""
    required_id(body, "customer_id")
    consent = as_object(body.get("email_marketing_consent")) or as_object(body.get("sms_marketing_consent"))
    return RawEvent(
        type="consent_changed",
        channel="sms" if topic == "customers_marketing_consent/update" else "email",
        source=NAME,
        identifiers=customer_id_pair({"id": body["customer_id"]}, scope)
        + texts("email", body.get("email_address"))
        + texts("phone", body.get("phone")),
        payload=body,
        occurred_at=read_time(consent.get("consent_updated_at"), "consent_updated_at"),
    )


def checkout_event(topic: str, body: dict[str, Any], scope: str) -> RawEvent:
    """A checkout that was begun or went on; its address was typed by somebody who has not bought yet."""
    name, token = first_present(body, ("token", "id"))
    required_id({name: token}, name)
    customer = as_object(body.get("customer"))
    at = first_present(body, ("updated_at", "created_at") if topic == "checkouts/update" else ("created_at",))
    return RawEvent(
        type="checkout_started" if topic == "checkouts/create" else "checkout_updated",
        channel="website",
        source=NAME,
        identifiers=contact(body)
        + contact(customer)
        + texts("phone", body.get("sms_marketing_phone"))
        + customer_id_pair(customer, scope)
        + noted_identifiers(body.get("note_attributes"), scope),
        payload=body,
        occurred_at=read_time(at[1], at[0]),
        trust=Trust.DECLARED.value,
    )


def cart_event(topic: str, body: dict[str, Any], scope: str) -> RawEvent:
    """A cart as it is now: filled, changed or emptied; Shopify does not say whose it is."""
    name, token = first_present(body, ("token", "id"))
    required_id({name: token}, name)
    if topic == "carts/create":
        event_type = "cart_add"
    else:
        event_type = "cart_updated" if as_objects(body.get("line_items")) else "cart_remove"
    name, moment = first_present(body, ("updated_at", "created_at"))
    return RawEvent(
        type=event_type,
        channel="website",
        source=NAME,
        identifiers=noted_identifiers(body.get("note_attributes"), scope),
        payload=body,
        occurred_at=read_time(moment, name),
    )


def contact(fields: dict[str, Any]) -> Pairs:
    """E-mail addresses and phone of an order, a checkout or a customer."""
    return (
        texts("email", fields.get("email"))
        + texts("email", fields.get("contact_email"))
        + texts("phone", fields.get("phone"))
    )


def texts(identifier_type: str, value: Any) -> Pairs:
    """The pair when `value` is text and not blank."""
    return [(identifier_type, value)] if isinstance(value, str) and value.strip() else []


def customer_id_pair(customer: dict[str, Any], scope: str) -> Pairs:
    """The shop's own id of a customer."""
    customer_id = read_text(customer.get("id"), "customer.id", longest=255)
    return [("external_id", scoped_id(customer_id, scope))] if customer_id else []
