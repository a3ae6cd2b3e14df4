"""Stored property values as Python values: the read repositories turn rows of the graph into plain data with these."""

import json
from datetime import UTC, datetime
from typing import Any

from neo4j.time import DateTime

from core.clock import format_time, from_micros

# Later than every event and profile: where a newest-first list begins without a cursor.
LATEST = datetime(9999, 12, 31, tzinfo=UTC)
# Greater than every id: ids are plain ASCII.
LAST_ID = "\uffff"


def to_time(value: object) -> datetime | None:
    """A stored time (a Neo4j time, a datetime, or microseconds since 1970) as aware UTC; None stays None."""
    match value:
        case None:
            return None
        case DateTime():
            native: datetime = value.to_native()
            return native.replace(tzinfo=UTC) if native.tzinfo is None else native.astimezone(UTC)
        case datetime():
            return value.astimezone(UTC)
        case bool():
            raise TypeError("a truth value is no time")
        case int():
            return from_micros(value)
        case _:
            raise TypeError(f"{type(value).__name__} is no stored time")


def to_time_text(value: object) -> str | None:
    """A stored time as RFC 3339 text; None stays None."""
    at = to_time(value)
    return None if at is None else format_time(at)


def parse_json(text: object, default: Any) -> Any:
    """Stored JSON text as data; `default` when there is none or it cannot be read."""
    if not isinstance(text, str) or not text:
        return default
    try:
        return json.loads(text)
    except ValueError:
        return default


def group_identifiers(pairs: list[list[str]]) -> dict[str, list[str]]:
    """[type, value] pairs as {type: [values]}, both sorted, each value once."""
    grouped: dict[str, set[str]] = {}
    for kind, value in pairs:
        if kind is not None:
            grouped.setdefault(kind, set()).add(value)
    return {kind: sorted(grouped[kind]) for kind in sorted(grouped)}


def other_currencies(entries: list[str] | None) -> dict[str, int]:
    """Stored `CUR:minor` entries as {currency: minor units}."""
    split = (entry.partition(":") for entry in entries or ())
    return {currency: int(minor) for currency, _, minor in split}
