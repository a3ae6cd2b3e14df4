"""Visits as a fold over signs of presence: whatever the order they come in, as of any moment."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.visits import VisitSign
from insight.visits import ABANDONED, ACTIVE, COMPLETED, Seen, fold_visits, visit_item

T0 = datetime(2026, 11, 1, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def seen(minute: float, *, store: str = "S1", out: float | None = None, leaves: bool = False, key: str = "") -> Seen:
    sign = VisitSign(store, at(minute), "checkin", None if out is None else at(out), leaves=leaves)
    return Seen(key or f"{store}-{minute}-{out}", sign)


def told(*signs: Seen, now: float) -> list[tuple[str, str, int | None]]:
    """(store, status, minutes) of each visit, oldest first."""
    visits = fold_visits(signs, at(now))
    return [(visit.store_id, visit.status(at(now)), visit.minutes(at(now))) for visit in reversed(visits)]


CASES = {
    "somebody who checked in is there, for so many minutes so far": ([seen(0)], 30, [("S1", ACTIVE, 30)]),
    "a check-out completes it": ([seen(0), seen(45, out=45, leaves=True)], 60, [("S1", COMPLETED, 45)]),
    "one sign that knows both ends is a whole visit": ([seen(0, out=45)], 60, [("S1", COMPLETED, 45)]),
    "an end that lies ahead has not come": ([seen(0, out=45)], 20, [("S1", ACTIVE, 20)]),
    "four hours without a check-out complete it, how long is not known": ([seen(0)], 240, [("S1", COMPLETED, None)]),
    "the last sign tells how long it was at least": ([seen(0), seen(20)], 300, [("S1", COMPLETED, 20)]),
    "a check-out still counts after four hours": (
        [seen(0), seen(300, out=300, leaves=True)], 400, [("S1", COMPLETED, 300)],
    ),
    "a sign after four hours begins another visit": (
        [seen(0), seen(241)], 250, [("S1", COMPLETED, None), ("S1", ACTIVE, 9)],
    ),
    "coming back after the check-out is another visit": (
        [seen(0, out=10), seen(11)], 15, [("S1", COMPLETED, 10), ("S1", ACTIVE, 4)],
    ),
    "turning up in another store abandons the first": (
        [seen(0), seen(30, store="S2")], 40, [("S1", ABANDONED, None), ("S2", ACTIVE, 10)],
    ),
    "a check-out that comes late is not abandoned": (
        [seen(0), seen(30, store="S2"), seen(25, out=25, leaves=True)],
        40,
        [("S1", COMPLETED, 25), ("S2", ACTIVE, 10)],
    ),
    "a check-out alone tells that somebody was there": (
        [seen(10, out=10, leaves=True)], 20, [("S1", COMPLETED, 0)],
    ),
    "what lies after the moment does not count": ([seen(0), seen(30, store="S2")], 20, [("S1", ACTIVE, 20)]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_visit_is_what_its_signs_say(name: str) -> None:
    signs, now, expected = CASES[name]
    assert told(*signs, now=now) == expected
    assert told(*reversed(signs), now=now) == expected


def test_the_sale_of_a_till_joins_the_visit_that_it_tells_of() -> None:
    visit = Seen("evt_visit", VisitSign("S1", at(0), "qr_scan", at(45), name="Downtown"))
    sale = Seen("evt_a_sale", VisitSign("S1", at(0), "pos_lookup", at(45)), is_sale=True)
    [found] = fold_visits([sale, visit], at(50))
    item = visit_item(found, at(50))
    assert (item["visit_id"], item["method"], item["store_name"]) == ("evt_visit", "qr_scan", "Downtown")
    assert item["event_ids"] == ["evt_visit", "evt_a_sale"]


def test_a_check_out_that_repeats_the_check_in_never_becomes_its_beginning() -> None:
    check_in = Seen("evt_z", VisitSign("S1", at(0), "wifi"))
    check_out = Seen("evt_a", VisitSign("S1", at(0), "wifi", at(5)))
    [found] = fold_visits([check_out, check_in], at(9))
    assert (found.id, found.minutes(at(9))) == ("evt_z", 5)


SIGNS = st.builds(
    lambda minute, store, stay, leaves, number: Seen(
        f"e{number}",
        VisitSign(
            store, at(minute), "checkin", at(minute) if leaves else None if stay is None else at(minute + stay),
            leaves=leaves,
        ),
    ),
    st.integers(0, 2_000), st.sampled_from(["S1", "S2"]), st.none() | st.integers(0, 500), st.booleans(),
    st.integers(0, 10**9),
)  # fmt: skip


@given(st.lists(SIGNS, max_size=12, unique_by=lambda one: one.event_id), st.randoms(), st.integers(0, 3_000))
def test_every_sign_is_in_one_visit_and_order_of_arrival_does_not_matter(signs, random, now: int) -> None:
    shuffled = list(signs)
    random.shuffle(shuffled)
    visits = fold_visits(signs, at(now))
    assert visits == fold_visits(shuffled, at(now))
    inside = [event_id for visit in visits for event_id in visit.event_ids]
    assert sorted(inside) == sorted(one.event_id for one in signs if one.sign.at <= at(now))
    assert all((visit.minutes(at(now)) or 0) >= 0 for visit in visits)
