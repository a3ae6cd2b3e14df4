"""After the commit: turns marks into stream entries and one Celery wake-up; a mark stays until its work is stored."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import redis
import structlog

from core.clock import Clock, utc_now
from graph.driver import Graph
from graph.repositories.outbox import TakenMark, take_marks
from ingest.leases import lease

log = structlog.get_logger(__name__)

NORMALIZED_STREAM = "events.normalized"
LEASE_KEY = "constintel:relay:lease"
FEATURES_TASK = "ml.compute_features"

Publisher = Callable[[list[str]], None]
"""Wakes the workers with mark ids."""

_STREAM_LENGTH = 100_000
# Longer than one call can take; a relay that dies is replaced after it.
_LEASE_MS = 30_000
_MARKS_AT_ONCE = 100
_MAX_ROUNDS = 10
# Profiles of one task: some seconds of work, well within the time after which its marks are sent again.
_PROFILES_PER_TASK = 5_000

_APPEND = """
for i = 3, #ARGV do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'brand', ARGV[2], 'event_id', ARGV[i])
end
return #ARGV - 2
"""
# Arguments of one script call; far below what a Lua stack takes.
_EVENTS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Relayed:
    """What one call did: marks taken, stream entries written, tasks sent."""

    marks: int = 0
    entries: int = 0
    tasks: int = 0


def relay_lease(client: redis.Redis) -> AbstractContextManager[bool]:
    """Whether this process may relay now; given back at the end unless it ran out and somebody else holds it."""
    return lease(client, LEASE_KEY, _LEASE_MS)


def relay_marks(graph: Graph, client: redis.Redis, publish: Publisher, clock: Clock = utc_now) -> Relayed:
    """Take free marks oldest first, write their event ids to the stream and wake the workers; nothing when others do.

    At least once: whoever dies between taking and storing leaves the marks behind, and they are taken again later.
    Raises UnavailableError or redis' errors when one of the two is away; the marks stay.
    """
    marks = entries = tasks = 0
    with relay_lease(client) as is_mine:
        for _ in range(_MAX_ROUNDS if is_mine else 0):
            taken = take_marks(graph, clock(), _MARKS_AT_ONCE)
            for mark in taken:
                entries += _append(client, mark)
            for batch in _batches(taken):
                publish(batch)
                tasks += 1
            marks += len(taken)
            if len(taken) < _MARKS_AT_ONCE:
                break
    if marks:
        log.info("marks_relayed", marks=marks, entries=entries, tasks=tasks)
    return Relayed(marks, entries, tasks)


def _append(client: redis.Redis, mark: TakenMark) -> int:
    """One stream entry for each event of the mark: brand and event id, nothing personal."""
    for start in range(0, len(mark.event_ids), _EVENTS_AT_ONCE):
        ids = mark.event_ids[start : start + _EVENTS_AT_ONCE]
        client.eval(_APPEND, 1, NORMALIZED_STREAM, str(_STREAM_LENGTH), mark.brand, *ids)
    return len(mark.event_ids)


def _batches(marks: Sequence[TakenMark]) -> Iterator[list[str]]:
    """Mark ids for one task each: as many as the size of a task allows, at least one; a profile counts once."""
    batch: list[str] = []
    profiles: set[str] = set()
    for mark in marks:
        if batch and len(profiles.union(mark.profile_ids)) > _PROFILES_PER_TASK:
            yield batch
            batch, profiles = [], set()
        batch.append(mark.id)
        profiles.update(mark.profile_ids)
    if batch:
        yield batch
