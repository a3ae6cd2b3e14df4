"""Step extract: finds identifiers and traits where native payloads carry them; sources have narrower rules."""

from typing import Any

from core.brand import BrandSettings
from core.normal_forms.normalise import TEXT_ONLY_TYPES
from ingest.steps.fields import as_object, as_objects

# The names under which payloads carry an identifier. A session id is none: it ends with the visit.
NAMES: dict[str, str] = {
    "phone": "phone",
    "phone_number": "phone",
    "phoneNumber": "phone",
    "mobile": "phone",
    "email": "email",
    "email_address": "email",
    "emailAddress": "email",
    "whatsapp": "whatsapp",
    "whatsapp_number": "whatsapp",
    "loyalty_id": "loyalty_id",
    "loyaltyId": "loyalty_id",
    "user_id": "user_id",
    "userId": "user_id",
    "external_id": "external_id",
    "externalId": "external_id",
    "device_id": "device_id",
    "deviceId": "device_id",
    "qr_id": "qr_id",
    "qrId": "qr_id",
    "upi_id": "upi_id",
    "upiId": "upi_id",
    "cookie_id": "cookie_id",
    "cookieId": "cookie_id",
    "anonymous_id": "cookie_id",
    "anonymousId": "cookie_id",
    "card_last4": "card_last4",
}

# A shipping address is left out: presents go to somebody else.
_PLACES = ("customer", "contact", "billing_address", "billing", "traits")

TRAIT_NAMES = frozenset({
    "first_name", "firstName", "last_name", "lastName", "name", "full_name", "title", "birthday", "birth_date",
    "date_of_birth", "gender", "company", "address", "address1", "address_1", "city", "state", "postal_code",
    "postcode", "zip", "country", "language",
})  # fmt: skip
_TRAIT_PLACES = ("customer", "contact")
_ABOUT_THE_PERSON = frozenset({"identify", "profile_update"})

Pairs = list[tuple[str, Any]]


def extract_identifiers(payload: dict[str, Any], scope: str) -> Pairs:
    """All (type, raw value) pairs of a payload in the order found; `scope` names the source of external ids.

    Values that cannot be an identifier by their JSON type are passed over: a payload may hold anything.
    """
    pairs = named_identifiers(payload, scope)
    for place in _PLACES:
        child = payload.get(place)
        if isinstance(child, dict):
            pairs += named_identifiers(child, scope)
    context = payload.get("context")
    if isinstance(context, dict):
        pairs += named_identifiers(as_object(context.get("traits")), scope)
    if "note_attributes" in payload:
        pairs += noted_identifiers(payload["note_attributes"], scope)
    if "From" in payload or "WaId" in payload:
        pairs += whatsapp_identifiers(payload)
    return pairs


def named_identifiers(fields: dict[str, Any], scope: str) -> Pairs:
    """The identifiers among the direct fields of an object."""
    pairs: Pairs = []
    for name, value in fields.items():
        identifier_type = NAMES.get(name)
        if identifier_type is not None and value is not None:
            pairs += _usable(identifier_type, value, scope)
    return pairs


def contact_identifiers(fields: dict[str, Any]) -> Pairs:
    """E-mail address and phone of a person's record; values that are no text are passed over."""
    found = [(name, fields.get(name)) for name in ("email", "phone")]
    return [(name, value) for name, value in found if isinstance(value, str) and value.strip()]


def noted_identifiers(notes: Any, scope: str) -> Pairs:
    """The identifiers in a shop's list of `{name, value}` notes."""
    pairs: Pairs = []
    for note in as_objects(notes):
        name = note.get("name")
        identifier_type = NAMES.get(name) if isinstance(name, str) else None
        if identifier_type is not None:
            pairs += _usable(identifier_type, note.get("value"), scope)
    return pairs


def whatsapp_identifiers(fields: dict[str, Any]) -> Pairs:
    """The sender of a WhatsApp message, from `From` (`whatsapp:+…`) and `WaId` (digits with country code, no plus)."""
    pairs: Pairs = []
    sender, wa_id = fields.get("From"), fields.get("WaId")
    if isinstance(sender, str) and sender.strip().lower().startswith("whatsapp:"):
        pairs.append(("whatsapp", sender))
    if isinstance(wa_id, (str, int)) and str(wa_id).strip().isdigit():
        pairs.append(("whatsapp", f"+{str(wa_id).strip()}"))
    return pairs


def scoped_id(value: Any, scope: str) -> str:
    """An external id with its source: as it is when it names one, else under `scope`."""
    text = str(value).strip()
    return text if ":" in text or not text else f"{scope}:{text}"


def source_scope(source: str, instance: str, settings: BrandSettings) -> str:
    """The source part of external ids: bare for a source's main instance, `source/instance` for every other."""
    if not instance or settings.main_instances.get(source, instance) == instance:
        return source
    return f"{source}/{instance}"


def extract_traits(event_type: str, payload: dict[str, Any]) -> dict[str, Any]:
    """What a payload says about the person: everything under `traits`, known names under `customer` and `contact`."""
    traits: dict[str, Any] = {}
    if event_type in _ABOUT_THE_PERSON:
        traits.update(known_traits(payload))
    for place in _TRAIT_PLACES:
        if place in payload:
            traits.update(known_traits(as_object(payload[place])))
    for holder in (payload, as_object(payload.get("context"))):
        stated = holder.get("traits")
        if isinstance(stated, dict):
            traits.update((name, value) for name, value in stated.items() if name not in NAMES and value is not None)
    return traits


def known_traits(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of an object that are traits by name and are not empty."""
    return {name: value for name, value in fields.items() if name in TRAIT_NAMES and value not in (None, "")}


def _usable(identifier_type: str, value: Any, scope: str) -> Pairs:
    values = value if isinstance(value, list) else [value]
    pairs: Pairs = []
    for single in values:
        is_text = isinstance(single, str) and bool(single.strip())
        is_number = isinstance(single, int) and not isinstance(single, bool) and identifier_type not in TEXT_ONLY_TYPES
        if is_text or is_number:
            pairs.append((identifier_type, scoped_id(single, scope) if identifier_type == "external_id" else single))
    return pairs
