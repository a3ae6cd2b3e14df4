"""What the columns of a CSV file mean: found by their names, or told by a mapping."""

import re
import unicodedata
from typing import Any

from core.errors import InvalidInputError
from core.identifiers import TIERS
from ingest.steps.fields import refuse

ENVELOPE = ("type", "occurred_at", "message_id", "channel", "source")
GROUPS = ("identifiers", "traits", "payload", "item")
TARGETS_HELP = (
    "must be null or one of type, occurred_at, message_id, channel, source, identifiers.TYPE, traits.NAME, "
    "payload.NAME, item.NAME"
)
# Columns of our own file of rejected rows: who mends it and sends it again sends them too.
REJECTED_COLUMNS = ("import_row", "import_reason")
LONGEST_NAME = 100
_NAME = re.compile(r"[^\W\d]\w{0,99}")
_OTHER = re.compile(r"[^0-9a-z]+")

# Target → names of columns that mean it, in lower case with underscores.
_SYNONYMS: dict[str, str] = {
    "type": "type event event_type event_name",
    "occurred_at": "occurred_at timestamp time date datetime date_time event_time event_date created_at created "
    "ordered_at order_date purchased_at purchase_date",
    "message_id": "message_id event_id idempotency_key",
    "channel": "channel",
    "source": "source",
    "identifiers.email": "email e_mail email_address e_mail_address mail customer_email billing_email contact_email",
    "identifiers.phone": "phone phone_number mobile mobile_number mobile_phone telephone tel cell cell_phone "
    "customer_phone billing_phone",
    "identifiers.whatsapp": "whatsapp whatsapp_number",
    "identifiers.loyalty_id": "loyalty_id loyalty_number loyalty_card member_id membership_id membership_number",
    "identifiers.user_id": "user_id userid",
    "identifiers.external_id": "external_id customer_id customerid customer_number client_id contact_id crm_id",
    "identifiers.device_id": "device_id",
    "identifiers.cookie_id": "cookie_id anonymous_id visitor_id",
    "identifiers.qr_id": "qr_id",
    "identifiers.upi_id": "upi_id",
    "identifiers.card_last4": "card_last4 last4",
    "traits.first_name": "first_name firstname given_name forename",
    "traits.last_name": "last_name lastname surname family_name",
    "traits.name": "name full_name fullname customer_name",
    "traits.birthday": "birthday birth_date date_of_birth dob",
    "traits.gender": "gender sex",
    "traits.company": "company company_name",
    "traits.address": "address street address_1 address1",
    "traits.city": "city town",
    "traits.state": "state province region",
    "traits.postal_code": "postal_code postcode zip zip_code",
    "traits.country": "country country_code",
    "traits.language": "language locale",
    "payload.order_id": "order_id orderid order_number order_no order transaction_id receipt_id receipt_number",
    "payload.refund_id": "refund_id",
    "payload.total": "total amount total_price order_total grand_total total_amount revenue spend total_spent",
    "payload.currency": "currency currency_code",
    "payload.status": "status order_status financial_status",
    "payload.store_id": "store_id store",
    "item.product_id": "product_id sku item_id item_sku lineitem_sku",
    "item.name": "product_name item_name product lineitem_name",
    "item.category": "category product_category product_type",
    "item.quantity": "quantity qty lineitem_quantity",
    "item.price": "price unit_price item_price lineitem_price",
}
_BY_NAME = {name: target for target, names in _SYNONYMS.items() for name in names.split()}


def map_columns(header: list[str], stated: dict[str, Any]) -> list[str | None]:
    """The target of each column, None for one that is passed over.

    A stated target counts first, then the column's name; any other column is payload under its own name. Raises
    InvalidInputError naming `mapping` for a stated column that the file does not have and for a target that is none.
    """
    places = {_plain(name): place for place, name in reversed(list(enumerate(header)))}
    targets = [_target_of(name) for name in header]
    for name, target in stated.items():
        place = header.index(name) if name in header else places.get(_plain(name))
        if place is None:
            raise refuse("mapping", "names a column that the file does not have")
        targets[place] = check_target(target)
    once = [target for target in targets if target in ENVELOPE]
    doubled = next((target for target in once if once.count(target) > 1), None)
    if doubled is not None:
        raise refuse("mapping", f"two columns are {doubled}: map one of them to another target or to null")
    return targets


def check_target(target: Any) -> str | None:
    """A stated target in full; `email` alone means `identifiers.email`. Raises InvalidInputError for others."""
    if target is None:
        return None
    if not isinstance(target, str):
        raise refuse("mapping", TARGETS_HELP)
    if target in ENVELOPE:
        return target
    if target in TIERS:
        return f"identifiers.{target}"
    group, _, name = target.partition(".")
    if group == "identifiers" and name in TIERS:
        return target
    if group in GROUPS[1:] and _NAME.fullmatch(name):
        return target
    raise refuse("mapping", TARGETS_HELP)


def check_stated(mapping: Any) -> dict[str, Any]:
    """A mapping as sent: an object of column names and targets; raises InvalidInputError naming `mapping`."""
    if not isinstance(mapping, dict):
        raise InvalidInputError("mapping: must be a JSON object of column names and targets", field="mapping")
    for target in mapping.values():
        check_target(target)
    return mapping


def _target_of(name: str) -> str | None:
    plain = _plain(name)
    if plain in REJECTED_COLUMNS or not plain:
        return None
    return _BY_NAME.get(plain) or f"payload.{plain[:LONGEST_NAME]}"


def _plain(name: str) -> str:
    """`E-Mail Address` as `e_mail_address`; a name in other letters keeps them."""
    text = unicodedata.normalize("NFKD", name.strip().lower())
    plain = _OTHER.sub("_", text.encode("ascii", "ignore").decode()).strip("_")
    if plain:
        return plain if not plain[0].isdigit() else f"column_{plain}"
    return re.sub(r"\W+", "_", unicodedata.normalize("NFKC", name.strip().lower())).strip("_")
