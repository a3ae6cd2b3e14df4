"""What the tracking APIs share: names of events and their types, repaired clocks, ids and traits as they state them."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from core.clock import EARLIEST
from core.identifiers import Trust
from core.normal_forms.normalise import as_text
from ingest.steps.extract import NAMES, Pairs
from ingest.steps.fields import read_text, refuse

ALIAS = "alias"
LONGEST_NAME = 100
LONGEST_KEY = 255
# A message on its way for so long says nothing about the sender's clock: its own time is the better one.
TOLERANCE = timedelta(seconds=5)
KEY_FIELDS = frozenset({"writeKey", "write_key", "api_key", "token"})
"""Fields that carry the write key: never stored."""

# Names of the common e-commerce vocabulary that are types here; every other name is its own type.
TYPES: dict[str, str] = {
    "products_searched": "search",
    "product_viewed": "product_view",
    "product_added": "cart_add",
    "product_removed": "cart_remove",
    "product_added_to_wishlist": "wishlist_add",
    "checkout_started": "checkout_started",
    "order_completed": "purchase",
    "order_updated": "order_updated",
    "order_refunded": "refund",
    "order_cancelled": "order_cancelled",
    "order_canceled": "order_cancelled",
}

_BORDER = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER = re.compile(r"[^a-z0-9]+")
_NAMELESS = "track"
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Upload:
    """What the messages of one request share: its times, the trust of its key, the context that all of them have."""

    received_at: datetime
    sent_at: datetime | None = None
    trust: str = Trust.TRANSACTION.value
    context: dict[str, Any] = field(default_factory=dict)


def event_type_of(name: str) -> str:
    """The type of an event by the name its sender gave: ours where the name is known, else the name in snake_case."""
    text = snake_case(name)
    return TYPES.get(text, text)


def snake_case(name: str) -> str:
    """`Order Completed`, `orderCompleted` and `order-completed` as `order_completed`; `track` without letters."""
    plain = unicodedata.normalize("NFKD", name[: 4 * LONGEST_NAME]).encode("ascii", "ignore").decode()
    text = _OTHER.sub("_", _BORDER.sub("_", plain).lower()).strip("_")
    if not text:
        return _NAMELESS
    if text[0].isdigit():
        text = f"event_{text}"
    return text[:LONGEST_NAME].rstrip("_")


def happened_at(stated: datetime | None, upload: Upload) -> datetime | None:
    """The stated time by our clock: the sender's clock when it sent, against ours when it arrived, is its error."""
    if stated is None or upload.sent_at is None:
        return stated
    error = upload.received_at - upload.sent_at
    if abs(error) <= TOLERANCE:
        return stated
    try:
        repaired = stated + error
    except OverflowError:
        return stated
    return min(repaired, upload.received_at) if repaired >= EARLIEST else stated


def stated_id(identifier_type: str, value: Any, name: str) -> Pairs:
    """An id field as a pair, nothing when it is null or empty; raises InvalidInputError for a wrong JSON type."""
    return [] if value is None or value == "" else [(identifier_type, as_text(identifier_type, value, name))]


def stated_object(fields: dict[str, Any], name: str) -> dict[str, Any]:
    """An optional object; some senders write an empty one as an empty list. Raises InvalidInputError for others."""
    value = fields.get(name)
    if value is None or value == []:
        return {}
    if not isinstance(value, dict):
        raise refuse(name, "must be a JSON object")
    return value


def stated_key(value: Any, name: str) -> str | None:
    """The sender's own id of a message; one that is too long to keep is its digest."""
    if isinstance(value, str) and len(value) > LONGEST_KEY:
        return f"digest:{blake2b(value.encode(), digest_size=_DIGEST_BYTES).hexdigest()}"
    return read_text(value, name, longest=LONGEST_KEY)


def stated_name(value: Any, name: str) -> str:
    """The name of an event; raises InvalidInputError without one."""
    if value is None or value == "":
        raise refuse(name, "missing")
    if not isinstance(value, str):
        raise refuse(name, "must be text")
    return value


def person_traits(*holders: dict[str, Any]) -> dict[str, Any]:
    """Traits of all holders, later ones over earlier; identifiers among them are no traits."""
    return {
        name: value for holder in holders for name, value in holder.items() if name not in NAMES and value is not None
    }


def with_message(properties: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
    """The payload of an event: its properties, and under `_message` everything else that came, but for the key."""
    rest = {name: value for name, value in message.items() if name != "properties" and name not in KEY_FIELDS}
    kept = {name: value for name, value in properties.items() if name not in KEY_FIELDS}
    return {**kept, "_message": rest} if "_message" not in kept else {"properties": kept, "_message": rest}
