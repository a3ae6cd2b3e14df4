"""Which marks the relay sends to the workers now: at once when there are few, gathered when there are many."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from core.clock import to_micros
from graph.repositories.outbox import TakenMark, WaitingMark

FEW_MARKS = 200
"""So many go at once; of more, those of one profile are worth waiting for."""
GATHERED_FOR = timedelta(seconds=10)
"""How long many marks gather: a profile that several of them name is worked on once."""
LEFT_BEHIND_AFTER = timedelta(seconds=60)
"""A mark taken this long ago and still there was left behind by a worker that died, or failed; then twice as long."""
_MOST_DOUBLINGS = 6
_MOST_MARKS = 5_000
_MOST_PROFILES = 10_000
# So many profiles under way are enough work for the workers; of a dead worker's nobody waits longer than this.
_ENOUGH_PROFILES = 5_000
_UNDER_WAY_FOR = timedelta(seconds=30)
# Profiles of one task: some seconds of work, well within the time after which its marks are sent again.
_PROFILES_PER_TASK = 5_000


def choose_marks(marks: Sequence[WaitingMark], now: datetime) -> list[str]:
    """Ids of the marks to send now, oldest first; `marks` come oldest first.

    None while enough work is under way, and none of many before the oldest has waited for ten seconds.
    """
    recent = to_micros(now - _UNDER_WAY_FOR)
    # What failed before and may fail again keeps nobody else waiting.
    first_tries = (mark for mark in marks if mark.tries == 1)
    under_way = sum(mark.profiles for mark in first_tries if mark.taken_at is not None and mark.taken_at > recent)
    free = [mark for mark in marks if mark.taken_at is None or mark.taken_at < to_micros(now - _patience(mark.tries))]
    if not free or under_way >= _ENOUGH_PROFILES:
        return []
    if len(free) > FEW_MARKS and free[0].created_at > to_micros(now - GATHERED_FOR):
        return []
    chosen: list[str] = []
    profiles = 0
    for mark in free[:_MOST_MARKS]:
        profiles += mark.profiles
        if chosen and profiles > _MOST_PROFILES:
            break
        chosen.append(mark.id)
    return chosen


def _patience(tries: int) -> timedelta:
    """How long a mark that was taken so often is left alone."""
    return LEFT_BEHIND_AFTER * (1 << min(tries - 1, _MOST_DOUBLINGS))


def share_out(marks: Sequence[TakenMark]) -> Iterator[list[str]]:
    """Mark ids for one task each: as many as the size of a task allows, at least one; a profile counts once."""
    batch: list[str] = []
    profiles: set[str] = set()
    for mark in marks:
        more = set(mark.profile_ids) - profiles
        if batch and len(profiles) + len(more) > _PROFILES_PER_TASK:
            yield batch
            batch, profiles, more = [], set(), set(mark.profile_ids)
        batch.append(mark.id)
        profiles |= more
    if batch:
        yield batch
