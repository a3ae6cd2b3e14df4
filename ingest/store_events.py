"""Checking in and out of a store: ordinary `store_visit` events, so that a visit is replayable like everything else."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.brand import BrandSettings
from core.clock import MAX_CLOCK_AHEAD, format_time
from core.decisions import EventResult
from core.errors import ConflictError, InvalidInputError
from core.events import RawEvent
from core.identifiers import LINKING_TYPES
from core.normal_forms import normalise_all
from core.visits import LATEST_CHECK_OUT
from ingest.steps import parse_event

WAY = "store"
CHECK_OUT = "check_out"


@dataclass(frozen=True, slots=True)
class CheckIn:
    """Somebody comes into a store; `key` makes a repeat the same event."""

    store_id: str
    method: str
    identifiers: dict[str, Any]
    """Types with a value or a list of values, as in an event."""
    at: datetime
    store_name: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class CheckOut:
    """The visit that somebody ends, and the identifiers that its check-in came with."""

    visit_id: str
    store_id: str
    method: str
    check_in_at: datetime
    identifiers: tuple[tuple[str, Any], ...]
    store_name: str | None = None


def check_in_event(wanted: CheckIn, settings: BrandSettings, now: datetime) -> RawEvent:
    """The event of a check-in; raises InvalidInputError when no identifier is usable or its time lies ahead."""
    if wanted.at - now > MAX_CLOCK_AHEAD:
        raise InvalidInputError("at: more than 24 hours ahead", field="at")
    payload = {
        "store_id": wanted.store_id, "store_name": wanted.store_name, "action": "check_in",
        "detection_method": wanted.method, "check_in_at": format_time(wanted.at),
    }  # fmt: skip
    told = {
        "type": "store_visit", "channel": "store", "source": WAY, "occurred_at": format_time(wanted.at),
        "identifiers": wanted.identifiers,
        "payload": {name: value for name, value in payload.items() if value is not None},
    }  # fmt: skip
    event = parse_event(told, settings, now)
    usable, _ = normalise_all(event.identifiers, settings)
    if LINKING_TYPES.isdisjoint(one.type for one in usable):
        raise InvalidInputError("identifiers: none of them is usable", field="identifiers")
    event.way, event.idempotency_key = WAY, wanted.key and f"check-in|{wanted.key}"
    return event


def check_out_event(wanted: CheckOut, at: datetime) -> RawEvent:
    """The event that ends a visit at `at`: it repeats the check-in, so that it says the same whatever comes first.

    Raises InvalidInputError for an end before the check-in, ConflictError when the visit is over for good.
    """
    if at < wanted.check_in_at:
        raise InvalidInputError("at: before the check-in", field="at")
    if at > wanted.check_in_at + LATEST_CHECK_OUT:
        raise ConflictError("This visit ended by itself: a check-out comes within 12 hours of the check-in.")
    payload = {
        "store_id": wanted.store_id, "store_name": wanted.store_name, "action": CHECK_OUT,
        "visit_id": wanted.visit_id, "detection_method": wanted.method,
        "check_in_at": format_time(wanted.check_in_at),
        "check_out_at": format_time(at),
    }  # fmt: skip
    return RawEvent(
        type="store_visit",
        channel="store",
        source=WAY,
        identifiers=list(wanted.identifiers),
        payload={name: value for name, value in payload.items() if value is not None},
        occurred_at=at,
        idempotency_key=f"check-out|{wanted.visit_id}",
        way=WAY,
    )


def stored(outcome: object) -> EventResult:
    """The result of an event that was taken; raises the error of one that was not."""
    if isinstance(outcome, Exception):
        raise outcome
    assert isinstance(outcome, EventResult)  # noqa: S101 (what the door gives otherwise)
    return outcome
