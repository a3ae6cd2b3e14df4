"""Source Segment: the six calls of the Segment-style tracking API, one message to one event."""

from datetime import datetime
from typing import Any

from core.errors import TooLargeError
from core.events import CHANNELS, RawEvent
from core.strict_json import to_json
from ingest.sources.tracking import (
    ALIAS,
    KEY_FIELDS,
    Upload,
    event_type_of,
    happened_at,
    person_traits,
    stated_id,
    stated_key,
    stated_name,
    stated_object,
    with_message,
)
from ingest.steps.extract import Pairs, named_identifiers
from ingest.steps.fields import as_object, read_time, refuse
from ingest.steps.orders import order_in

NAME = "segment"
KINDS = frozenset({"track", "identify", "page", "screen", "group", "alias"})
MAX_MESSAGE_BYTES = 32 * 1024
_TYPES = {"identify": "identify", "page": "page_view", "screen": "page_view", "group": "group", "alias": ALIAS}
_WITH_PROPERTIES = frozenset({"track", "page", "screen"})
_MOBILE = frozenset({"ios", "android"})


def parse_message(message: Any, kind: str | None, upload: Upload) -> RawEvent:
    """The event of one message; `kind` is the call, None when the message says it itself (in a batch).

    Raises TooLargeError over 32 kB and InvalidInputError naming the field that does not fit.
    """
    if not isinstance(message, dict):
        raise refuse("message", "must be a JSON object")
    if len(to_json(message).encode()) > MAX_MESSAGE_BYTES:
        raise TooLargeError("message: over 32 kB", field="message")
    kind = kind or _kind(message)
    properties = stated_object(message, "properties")
    context = {**upload.context, **stated_object(message, "context")}
    event_type = _TYPES[kind] if kind in _TYPES else event_type_of(stated_name(message.get("event"), "event"))
    warnings: list[str] = []
    return RawEvent(
        type=event_type,
        channel=_channel(kind, message, context),
        source=NAME,
        way=NAME,
        identifiers=_identifiers(kind, message, context),
        payload=_payload(kind, message, properties, context),
        occurred_at=happened_at(_stated_time(message), upload),
        idempotency_key=stated_key(message.get("messageId"), "messageId"),
        trust=upload.trust,
        order=order_in(event_type, properties, warnings) if kind == "track" else None,
        traits=person_traits(as_object(context.get("traits")), _own_traits(kind, message)),
        warnings=warnings,
        is_alias=kind == "alias",
    )


def _kind(message: dict[str, Any]) -> str:
    kind = message.get("type")
    if kind is None:
        raise refuse("type", "missing")
    if not isinstance(kind, str) or kind.strip().lower() not in KINDS:
        raise refuse("type", f"must be one of {', '.join(sorted(KINDS))}")
    return kind.strip().lower()


def _stated_time(message: dict[str, Any]) -> datetime | None:
    name = "originalTimestamp" if message.get("originalTimestamp") else "timestamp"
    return read_time(message.get(name) or None, name)


def _own_traits(kind: str, message: dict[str, Any]) -> dict[str, Any]:
    """Traits of the person; those of a group call describe the group."""
    traits = stated_object(message, "traits")
    return traits if kind != "group" else {}


def _identifiers(kind: str, message: dict[str, Any], context: dict[str, Any]) -> Pairs:
    pairs = stated_id("user_id", message.get("userId"), "userId")
    if kind == "alias":
        # What is replaced may have been a user's id or the id of an anonymous visitor: both histories join.
        pairs += stated_id("user_id", message.get("previousId"), "previousId")
        pairs += stated_id("cookie_id", message.get("previousId"), "previousId")
    pairs += stated_id("cookie_id", message.get("anonymousId"), "anonymousId")
    pairs += named_identifiers(_own_traits(kind, message), NAME)
    pairs += named_identifiers(as_object(context.get("traits")), NAME)
    return pairs + named_identifiers({"device_id": as_object(context.get("device")).get("id")}, NAME)


def _channel(kind: str, message: dict[str, Any], context: dict[str, Any]) -> str:
    stated = context.get("channel") or message.get("channel")
    if isinstance(stated, str) and stated in CHANNELS:
        return stated
    device = as_object(context.get("device")).get("type")
    if kind == "screen" or stated == "mobile" or (isinstance(device, str) and device.lower() in _MOBILE):
        return "mobile_app"
    return "website" if kind == "page" or stated == "browser" or as_object(context.get("page")) else "other"


def _payload(kind: str, message: dict[str, Any], properties: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    whole = {**message, "context": context} if context else message
    if kind in _WITH_PROPERTIES:
        return with_message(properties, whole)
    return {name: value for name, value in whole.items() if name not in KEY_FIELDS}
