"""Step visits: what an event says about being in a store, kept beside it so that no reader opens payloads."""

from datetime import datetime
from typing import Any

from core.clock import EARLIEST, MAX_CLOCK_AHEAD, parse_time
from core.visits import METHODS, VisitSign
from ingest.steps.fields import label
from ingest.steps.orders import LONGEST_ID

_TELLS_OF_STORES = {"store_visit": "checkin", "qr_scan": "qr_scan", "pos_transaction": "pos_lookup"}
_METHOD_NAMES = ("detection_method", "method", "detected_by")
_SPELLINGS = {
    "qr": "qr_scan", "qr_code": "qr_scan", "pos": "pos_lookup", "purchase": "pos_lookup", "till": "pos_lookup",
    "check_in": "checkin", "manual": "checkin", "gps": "geofence", "wi_fi": "wifi", "beacon": "geofence",
}  # fmt: skip
_LEAVING = frozenset({"check_out", "checkout", "leave", "exit"})
_LONGEST_NAME = 200


def read_visit(event_type: str, payload: dict[str, Any], occurred_at: datetime) -> VisitSign | None:
    """The sign of presence in an event at `occurred_at`; None for events of other types and without a store.

    Times that are unreadable, or more than a day after the event, are passed over: the event's own time counts.
    """
    method = _TELLS_OF_STORES.get(event_type)
    store_id = label(payload.get("store_id"), LONGEST_ID)
    if method is None or not store_id:
        return None
    came = _time(payload.get("check_in_at"), occurred_at)
    left = _time(payload.get("check_out_at"), occurred_at)
    leaves = came is None and (left is not None or payload.get("action") in _LEAVING)
    if leaves:
        left = left or occurred_at
    at = left if leaves and left is not None else came or occurred_at
    return VisitSign(
        store_id=store_id,
        at=at,
        method=_method(payload) or method,
        out=left if left is not None and left >= at else None,
        leaves=leaves,
        name=label(payload.get("store_name"), _LONGEST_NAME) or "",
    )


def _method(payload: dict[str, Any]) -> str | None:
    for name in _METHOD_NAMES:
        told = label(payload.get(name))
        if told:
            plain = told.lower().replace("-", "_").replace(" ", "_")
            plain = _SPELLINGS.get(plain, plain)
            if plain in METHODS:
                return plain
    return None


def _time(value: Any, occurred_at: datetime) -> datetime | None:
    moment = parse_time(value.strip()) if isinstance(value, str) else None
    if moment is None or moment < EARLIEST or moment - occurred_at > MAX_CLOCK_AHEAD:
        return None
    return moment
