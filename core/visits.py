"""Signs of a person in a store: what one event says about being there; visits are folded from these."""

from dataclasses import dataclass
from datetime import datetime, timedelta

METHODS = ("geofence", "qr_scan", "pos_lookup", "checkin", "wifi")
"""The ways in which somebody is noticed in a store."""
LATEST_CHECK_OUT = timedelta(hours=12)
"""How long after the check-in a check-out still ends the visit."""


def store_key(brand: str, store_id: str) -> str:
    """The key of a store: its brand and its own id."""
    return f"{brand}|{store_id}"


@dataclass(frozen=True, slots=True)
class VisitSign:
    """One sign of presence: since `at` (check-in, or when it happened), until `out` where that is told.

    `leaves` marks one that tells of the end alone; its `at` is that end.
    """

    store_id: str
    at: datetime
    method: str
    out: datetime | None = None
    leaves: bool = False
    name: str = ""
    """The store's name as told, empty when it was not."""
