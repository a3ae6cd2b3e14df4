"""Checking in and out as events: what they say, and what is refused before anything is stored."""

from datetime import UTC, datetime, timedelta

import pytest

from core.brand import BrandSettings
from core.errors import ConflictError, InvalidInputError
from ingest.steps import to_incoming
from ingest.store_events import CheckIn, CheckOut, check_in_event, check_out_event

BRAND = BrandSettings(id="b")
T0 = datetime(2026, 11, 1, 12, tzinfo=UTC)


def leaving(at: datetime, visit_id: str = "evt_1"):
    wanted = CheckOut(visit_id, "S1", "wifi", T0, (("email", "a@example.com"),), "Downtown")
    return check_out_event(wanted, at)


def test_a_check_in_is_a_store_visit_that_says_when_and_how() -> None:
    raw = check_in_event(CheckIn("S1", "wifi", {"email": "a@example.com"}, T0, "Downtown", "k"), BRAND, T0)
    event = to_incoming(raw, BRAND, T0)
    assert (event.type, event.channel, event.signal) == ("store_visit", "store", "visit")
    assert event.visit is not None
    assert (event.visit.store_id, event.visit.method, event.visit.at, event.visit.out) == ("S1", "wifi", T0, None)


def test_the_same_key_is_the_same_event_and_no_key_is_another() -> None:
    def event_id(key: str | None) -> str:
        raw = check_in_event(CheckIn("S1", "wifi", {"email": "a@example.com"}, T0, key=key), BRAND, T0)
        return to_incoming(raw, BRAND, T0).id

    assert event_id("k") == event_id("k") != event_id("l")


def test_a_check_out_repeats_the_check_in_and_is_once_for_each_visit() -> None:
    first, again = (to_incoming(leaving(T0 + timedelta(minutes=m)), BRAND, T0) for m in (45, 50))
    assert first.id == again.id
    assert first.visit is not None
    assert (first.visit.at, first.visit.out, first.visit.leaves) == (T0, T0 + timedelta(minutes=45), False)


def test_a_check_out_before_the_check_in_or_half_a_day_after_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="at: before"):
        leaving(T0 - timedelta(seconds=1))
    with pytest.raises(ConflictError):
        leaving(T0 + timedelta(hours=12, seconds=1))


@pytest.mark.parametrize("identifiers", [{}, {"email": "no address"}, {"ip_address": "10.0.0.1"}])
def test_a_check_in_needs_an_identifier_that_leads_to_somebody(identifiers: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError, match="identifiers"):
        check_in_event(CheckIn("S1", "wifi", identifiers, T0), BRAND, T0)
