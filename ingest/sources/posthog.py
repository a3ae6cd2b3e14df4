"""Source PostHog: captured events with a distinct id, person properties and aliases, one item to one event."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from core.events import RawEvent
from ingest.sources.tracking import (
    ALIAS,
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
from ingest.steps.fields import as_object, read_number, read_time, refuse
from ingest.steps.orders import order_in

NAME = "posthog"
_TYPES = {
    "$pageview": "page_view",
    "$screen": "page_view",
    "$identify": "identify",
    "$set": "profile_update",
    "$create_alias": ALIAS,
    "$merge_dangerously": ALIAS,
    "$groupidentify": "group",
}
_MOBILE_LIBRARIES = ("posthog-ios", "posthog-android", "posthog-react-native", "posthog-flutter")
_LONGEST_OFFSET = 365 * 86_400_000


def parse_item(item: Any, upload: Upload) -> RawEvent:
    """The event of one captured item; raises InvalidInputError naming the field that does not fit."""
    if not isinstance(item, dict):
        raise refuse("event", "must be a JSON object")
    name = stated_name(item.get("event"), "event")
    properties = stated_object(item, "properties")
    event_type = _TYPES.get(name) or event_type_of(name)
    person = _person(item, properties)
    identifiers = _identifiers(name, item, properties)
    warnings: list[str] = []
    return RawEvent(
        type=event_type,
        channel=_channel(properties),
        source=NAME,
        way=NAME,
        identifiers=identifiers + named_identifiers(person, NAME),
        payload=with_message(properties, item),
        occurred_at=_moment(item, properties, upload),
        idempotency_key=stated_key(item.get("uuid") or properties.get("$insert_id"), "uuid"),
        trust=upload.trust,
        order=order_in(event_type, properties, warnings),
        traits=person_traits(person),
        warnings=warnings,
        is_alias=event_type == ALIAS or "$anon_distinct_id" in properties,
    )


def _person(item: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    """What is set on the person; `$set` counts over `$set_once`."""
    return {
        **as_object(item.get("$set_once")),
        **as_object(properties.get("$set_once")),
        **as_object(item.get("$set")),
        **as_object(properties.get("$set")),
    }


def _identifiers(name: str, item: dict[str, Any], properties: dict[str, Any]) -> Pairs:
    distinct = item.get("distinct_id")
    if distinct is None:
        distinct = properties.get("distinct_id", properties.get("$distinct_id"))
    if name in ("$create_alias", "$merge_dangerously"):
        # Either side may have been a user's id or an anonymous one: all histories join.
        sides = (properties.get("distinct_id", distinct), properties.get("alias"))
        return [
            pair
            for kind in ("user_id", "cookie_id")
            for value, field in zip(sides, ("distinct_id", "alias"), strict=True)
            for pair in stated_id(kind, value, field)
        ]
    if name == "$groupidentify" and distinct == _group_name(properties):
        return []
    pairs = stated_id("cookie_id" if _is_anonymous(distinct, properties) else "user_id", distinct, "distinct_id")
    pairs += stated_id("user_id", properties.get("$user_id"), "$user_id")
    anonymous = properties.get("$anon_distinct_id")
    pairs += stated_id("cookie_id", anonymous, "$anon_distinct_id")
    device = properties.get("$device_id")
    if device is None:
        # Without a browser nobody said which ids are anonymous: earlier events carried this one as a user's.
        return pairs + stated_id("user_id", anonymous, "$anon_distinct_id")
    return pairs + stated_id("cookie_id" if _is_web(properties) else "device_id", device, "$device_id")


def _group_name(properties: dict[str, Any]) -> str:
    """The made-up distinct id that libraries give a group."""
    return f"${properties.get('$group_type')}_{properties.get('$group_key')}"


def _is_anonymous(distinct: Any, properties: dict[str, Any]) -> bool:
    return (
        properties.get("$is_identified") is False
        or properties.get("$process_person_profile") is False
        or (distinct is not None and distinct == properties.get("$device_id"))
    )


def _is_web(properties: dict[str, Any]) -> bool:
    return properties.get("$lib") in (None, "web", "js")


def _channel(properties: dict[str, Any]) -> str:
    library = properties.get("$lib")
    if library in _MOBILE_LIBRARIES:
        return "mobile_app"
    return "website" if library in ("web", "js") or "$current_url" in properties else "other"


def _moment(item: dict[str, Any], properties: dict[str, Any], upload: Upload) -> datetime | None:
    stated = read_time(item.get("timestamp") or properties.get("timestamp") or None, "timestamp")
    if stated is not None:
        return stated if properties.get("$ignore_sent_at") is True else happened_at(stated, upload)
    offset = read_number(item.get("offset"))
    if offset is None or not 0 <= offset <= _LONGEST_OFFSET:
        return None
    return upload.received_at - timedelta(milliseconds=float(offset))


def historical(upload: Upload) -> Upload:
    """The upload of a migration: its times are of another day, so they tell nothing about the sender's clock."""
    return replace(upload, sent_at=None)
