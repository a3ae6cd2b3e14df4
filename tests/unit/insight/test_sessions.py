"""Sessions as a pure function of events: cut at gaps of more than thirty minutes, whatever came when."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from insight.sessions import GAP, Seen, split_sessions

START = datetime(2026, 11, 1, 12, tzinfo=UTC)


def seen(minutes: float, name: str = "e", kind: str = "page_view", minor: int | None = None) -> Seen:
    return Seen(name, kind, "website", START + timedelta(minutes=minutes), minor, "USD" if minor is not None else None)


def newest_first(*minutes: float) -> list[Seen]:
    return [seen(minute, f"e{place}") for place, minute in enumerate(sorted(minutes, reverse=True))]


def spans(*minutes: float) -> list[tuple[float, float]]:
    def back(at: datetime) -> float:
        return (at - START).total_seconds() / 60

    return [(back(one.first.at), back(one.last.at)) for one in split_sessions(newest_first(*minutes))]


def test_thirty_minutes_apart_is_one_session_and_a_moment_more_is_two() -> None:
    assert spans(0, 30) == [(0, 30)]
    assert spans(0, 30.5) == [(30.5, 30.5), (0, 0)]


def test_a_late_event_joins_two_sessions_and_another_begins_one() -> None:
    assert spans(0, 40) == [(40, 40), (0, 0)]
    assert spans(0, 20, 40) == [(0, 40)]
    assert spans(-100, 0, 20, 40) == [(0, 40), (-100, -100)]


def test_nothing_is_no_session() -> None:
    assert list(split_sessions([])) == []


def test_a_session_counts_types_and_what_was_bought() -> None:
    events = [seen(3, "d", "purchase", 500), seen(2, "c", "purchase", 250), seen(1, "b"), seen(0, "a")]
    [session] = split_sessions(events)
    assert (session.types, session.revenue) == ({"purchase": 2, "page_view": 2}, {"USD": 750})
    assert (session.first.id, session.last.id) == ("a", "d")


@given(st.lists(st.integers(0, 24 * 60 * 60), max_size=60))
def test_sessions_part_the_events_and_every_border_is_a_gap(seconds: list[int]) -> None:
    minutes = [second / 60 for second in seconds]
    sessions = list(split_sessions(newest_first(*minutes)))
    assert sum(sum(session.types.values()) for session in sessions) == len(seconds)
    for newer, older in itertools.pairwise(sessions):
        assert newer.first.at - older.last.at > GAP
    # The same by another way: oldest first, a set of times at a time.
    expected: list[list[int]] = []
    for second in sorted(seconds):
        if expected and second - expected[-1][-1] <= GAP.total_seconds():
            expected[-1].append(second)
        else:
            expected.append([second])
    assert [sum(session.types.values()) for session in sessions] == [len(one) for one in reversed(expected)]
