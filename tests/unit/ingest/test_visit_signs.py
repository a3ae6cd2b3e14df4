"""What an event says about being in a store."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.visits import VisitSign
from ingest.steps.visits import read_visit

T0 = datetime(2026, 11, 1, 12, tzinfo=UTC)
IN, OUT = "2026-11-01T11:00:00Z", "2026-11-01T11:45:00Z"
CAME, LEFT = T0 - timedelta(hours=1), T0 - timedelta(minutes=15)
BOTH = {"store_id": "S1", "check_in_at": IN, "check_out_at": OUT}

CASES: dict[str, tuple[str, dict[str, Any], VisitSign | None]] = {
    "other events are none": ("page_view", {"store_id": "S1"}, None),
    "without a store it is none": ("store_visit", {"check_in_at": IN}, None),
    "a store id of the wrong type is none": ("store_visit", {"store_id": ["S1"]}, None),
    "a visit without times was when it happened": ("store_visit", {"store_id": 7}, VisitSign("7", T0, "checkin")),
    "both ends": (
        "store_visit",
        {**BOTH, "store_name": "Downtown", "detection_method": "QR-code"},
        VisitSign("S1", CAME, "qr_scan", LEFT, name="Downtown"),
    ),
    "a scan": ("qr_scan", {"store_id": "S1", "product_id": "P1"}, VisitSign("S1", T0, "qr_scan")),
    "a till sale": ("pos_transaction", {"store_id": "S1", "total": "1.00"}, VisitSign("S1", T0, "pos_lookup")),
    "the end alone": (
        "store_visit", {"store_id": "S1", "check_out_at": OUT}, VisitSign("S1", LEFT, "checkin", LEFT, leaves=True),
    ),
    "leaving now": (
        "store_visit", {"store_id": "S1", "action": "check_out"}, VisitSign("S1", T0, "checkin", T0, leaves=True),
    ),
    "an end before the beginning is passed over": (
        "store_visit", {"store_id": "S1", "check_in_at": OUT, "check_out_at": IN}, VisitSign("S1", LEFT, "checkin"),
    ),
    "unreadable times are passed over": (
        "store_visit", {"store_id": "S1", "check_in_at": "noon", "check_out_at": 5}, VisitSign("S1", T0, "checkin"),
    ),
    "times days ahead are passed over": (
        "store_visit", {"store_id": "S1", "check_in_at": "2027-01-01T00:00:00Z"}, VisitSign("S1", T0, "checkin"),
    ),
    "an unknown method is a check-in": (
        "store_visit", {"store_id": "S1", "detection_method": "crystal ball"}, VisitSign("S1", T0, "checkin"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_sign_of_presence_is_read_from_the_payload(name: str) -> None:
    kind, payload, expected = CASES[name]
    assert read_visit(kind, payload, T0) == expected
