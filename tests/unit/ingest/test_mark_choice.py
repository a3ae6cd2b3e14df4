"""Which marks go to the workers now: a table of backlogs, and how they are shared out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.clock import to_micros
from graph.repositories.outbox import TakenMark, WaitingMark
from ingest.mark_choice import FEW_MARKS, choose_marks, share_out
from tests.factories import T0

NOW = T0 + timedelta(hours=1)


def marks(
    count: int, *, age: float, profiles: int = 1, taken: float | None = None, name: str = "m"
) -> list[WaitingMark]:
    """`count` marks that are so many seconds old and were taken so many seconds ago."""
    created = to_micros(NOW - timedelta(seconds=age))
    at = None if taken is None else to_micros(NOW - timedelta(seconds=taken))
    return [WaitingMark(f"{name}{number}", profiles, created, at) for number in range(count)]


@pytest.mark.parametrize(
    ("waiting", "chosen"),
    [
        ([], 0),
        (marks(1, age=0), 1),
        (marks(FEW_MARKS, age=0), FEW_MARKS),
        (marks(FEW_MARKS + 1, age=9), 0),
        (marks(FEW_MARKS + 1, age=11), FEW_MARKS + 1),
        (marks(1, age=11) + marks(4_998, age=1, name="n"), 4_999),
        (marks(6_000, age=11), 5_000),
        # A taken mark is left alone for a minute, then it is sent again.
        (marks(3, age=70, taken=59), 0),
        (marks(3, age=70, taken=61), 3),
        # Enough work under way: nothing more, but nobody waits for a dead worker's longer than half a minute.
        (marks(10, age=70, profiles=500, taken=29) + marks(3, age=1, name="n"), 0),
        (marks(9, age=70, profiles=500, taken=29) + marks(3, age=1, name="n"), 3),
        (marks(10, age=70, profiles=500, taken=31) + marks(3, age=1, name="n"), 3),
        # Imports: each mark stands for many profiles.
        (marks(100, age=20, profiles=500), 20),
        (marks(2, age=1, profiles=50_000), 1),
    ],
)
def test_few_go_at_once_many_gather_and_nobody_is_flooded(waiting: list[WaitingMark], chosen: int) -> None:
    found = choose_marks(waiting, NOW)
    assert len(found) == chosen
    free = [mark.id for mark in waiting if mark.taken_at is None or mark.taken_at < to_micros(NOW) - 60_000_000]
    assert found == free[:chosen]


def test_marks_that_fail_again_and_again_do_not_stop_others() -> None:
    """Ten minutes of a relay with 30,000 profiles whose work never succeeds, and one new mark each minute."""
    failing = [WaitingMark(f"f{number}", 500, to_micros(NOW)) for number in range(60)]
    fresh: list[WaitingMark] = []
    sent: list[str] = []
    for second in range(0, 600, 2):
        now = NOW + timedelta(seconds=second)
        if second % 60 == 0:
            fresh.append(WaitingMark(f"new{second}", 1, to_micros(now)))
        chosen = choose_marks([*failing, *fresh], now)
        sent += chosen
        failing = [
            replace(mark, taken_at=to_micros(now), tries=1 if mark.taken_at is None else mark.tries + 1)
            if mark.id in chosen
            else mark
            for mark in failing
        ]
        fresh = [mark for mark in fresh if mark.id not in chosen]
    assert len(fresh) <= 1
    # Sent at about 0, 1, 3 and 7 minutes.
    assert all(3 <= sent.count(mark.id) <= 4 for mark in failing)


def test_a_task_takes_as_many_different_profiles_as_it_may() -> None:
    same = [TakenMark(f"s{number}", "b", ("one", "two")) for number in range(4_000)]
    assert list(share_out(same)) == [[mark.id for mark in same]]
    other = [TakenMark(f"o{n}", "b", tuple(f"{n}-{p}" for p in range(1_000))) for n in range(7)]
    assert [len(batch) for batch in share_out(other)] == [5, 2]
    assert list(share_out([TakenMark("big", "b", tuple(str(p) for p in range(9_000)))])) == [["big"]]
    assert list(share_out([])) == []
