"""Step validate: our own event envelope, checked to the letter; unknown fields and wrong types are refused."""

import re
from datetime import datetime
from typing import Any

from core.brand import BrandSettings
from core.clock import MAX_CLOCK_AHEAD
from core.errors import InvalidInputError
from core.events import CHANNELS, RawEvent
from core.identifiers import TIERS, Trust
from core.normal_forms.normalise import as_text
from ingest.steps.extract import Pairs, extract_identifiers, extract_traits, scoped_id
from ingest.steps.fields import read_text, read_time, refuse, safe_name
from ingest.steps.normalise import AHEAD
from ingest.steps.orders import read_order

FIELDS = frozenset({
    "type", "event_type", "channel", "source", "occurred_at", "timestamp", "message_id", "identifiers", "payload",
    "trust",
})  # fmt: skip
TRUSTS = frozenset(trust.value for trust in Trust)
DEFAULT_SOURCE = "api"
LONGEST_SOURCE = 100
LONGEST_MESSAGE_ID = 255

TYPE_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_TYPE_ALIASES = {"anonymous_id": "cookie_id"}
_CHANNEL_BY_PREFIX = {
    "pos": "store",
    "store": "store",
    "qr": "store",
    "whatsapp": "whatsapp",
    "email": "email",
    "sms": "sms",
}


def parse_event(obj: Any, settings: BrandSettings, now: datetime) -> RawEvent:
    """Read one event of our own envelope; raises InvalidInputError naming the field that does not fit."""
    if not isinstance(obj, dict):
        raise InvalidInputError("the event must be a JSON object")
    unknown = obj.keys() - FIELDS
    if unknown:
        name = safe_name(min(unknown))
        raise refuse(name, "unknown field")
    event_type = _event_type(obj)
    source = _short_text(obj, "source", LONGEST_SOURCE) or DEFAULT_SOURCE
    payload = obj.get("payload")
    if payload is None:
        payload = {}
    elif not isinstance(payload, dict):
        raise refuse("payload", "must be a JSON object")
    identifiers = _envelope_identifiers(obj.get("identifiers"), source)
    identifiers += extract_identifiers(payload, source)
    warnings: list[str] = []
    occurred_at = read_time(_either(obj, "occurred_at", "timestamp"), "occurred_at")
    if occurred_at is not None and occurred_at - now > MAX_CLOCK_AHEAD:
        warnings.append(AHEAD)
    return RawEvent(
        type=event_type,
        channel=_channel(obj, event_type),
        source=source,
        identifiers=identifiers,
        payload=payload,
        occurred_at=occurred_at,
        idempotency_key=_short_text(obj, "message_id", LONGEST_MESSAGE_ID),
        trust=_trust(obj),
        order=read_order(event_type, payload, warnings),
        traits=extract_traits(event_type, payload),
        warnings=warnings,
    )


def _either(obj: dict[str, Any], name: str, alias: str) -> Any:
    """A field under its name or its older name; both with different values contradict each other."""
    value, other = obj.get(name), obj.get(alias)
    if value is not None and other is not None and value != other:
        raise refuse(name, f"differs from {alias}")
    return other if value is None else value


def _event_type(obj: dict[str, Any]) -> str:
    value = _either(obj, "type", "event_type")
    if value is None:
        raise refuse("type", "missing")
    if not isinstance(value, str):
        raise refuse("type", "must be text")
    if not TYPE_NAME.fullmatch(value):
        raise refuse("type", "must be a snake_case name of at most 100 characters")
    return value


def _channel(obj: dict[str, Any], event_type: str) -> str:
    value = obj.get("channel")
    if value is None:
        return _CHANNEL_BY_PREFIX.get(event_type.partition("_")[0], "other")
    if not isinstance(value, str):
        raise refuse("channel", "must be text")
    if value not in CHANNELS:
        raise refuse("channel", f"must be one of {', '.join(sorted(CHANNELS))}")
    return value


def _trust(obj: dict[str, Any]) -> str:
    value = obj.get("trust")
    if value is None:
        return Trust.TRANSACTION.value
    if not isinstance(value, str) or value not in TRUSTS:
        raise refuse("trust", f"must be one of {', '.join(sorted(TRUSTS))}")
    return value


def _short_text(obj: dict[str, Any], name: str, longest: int) -> str | None:
    value = obj.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise refuse(name, "must be text")
    text = read_text(value, name, longest=longest)
    if text is None:
        raise refuse(name, "must not be empty")
    return text


def _envelope_identifiers(stated: Any, source: str) -> Pairs:
    if stated is None:
        return []
    if not isinstance(stated, dict):
        raise refuse("identifiers", "must map identifier types to values")
    pairs: Pairs = []
    for name, value in stated.items():
        identifier_type = _TYPE_ALIASES.get(name, name)
        field = f"identifiers.{name}"
        if identifier_type not in TIERS:
            raise refuse(f"identifiers.{safe_name(name)}", "unknown identifier type")
        if isinstance(value, list):
            for place, single in enumerate(value):
                pairs.append(_pair(identifier_type, single, f"{field}[{place}]", source))
        elif value is not None:
            pairs.append(_pair(identifier_type, value, field, source))
    return pairs


def _pair(identifier_type: str, value: Any, field: str, source: str) -> tuple[str, Any]:
    text = as_text(identifier_type, value, field)
    return identifier_type, scoped_id(text, source) if identifier_type == "external_id" else text
