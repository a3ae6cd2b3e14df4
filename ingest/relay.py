"""After the commit: marks become stream entries, then one Celery wake-up; a mark stays until its work is stored.

A mark's events go to the streams in the order of commits and before anything later is written: an entry that failed is
the first that is tried again. Wake-ups need no order; marks that a dead worker left behind are sent again.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import redis
import structlog

from core.clock import Clock, utc_now
from graph.driver import Graph
from graph.repositories import changes as feeds
from graph.repositories.outbox import (
    UnstreamedMark,
    list_marks,
    list_unstreamed,
    read_stream_events,
    set_streamed,
    take_marks,
)
from ingest import streams
from ingest.leases import Lease, hold_lease
from ingest.mark_choice import choose_marks, share_out

log = structlog.get_logger(__name__)

LEASE_KEY = "constintel:relay:lease"
FEATURES_TASK = "ml.compute_features"
MERGE_KINDS = frozenset({"merged", "unmerged", "retracted", "review_opened", "review_settled"})

Publisher = Callable[[list[str]], None]
"""Wakes the workers with mark ids."""

DEFAULT_MAX_ENTRIES = 50_000
# Longer than one round can take; a relay that dies is replaced after it.
_LEASE_MS = 30_000
_MARKS_AT_ONCE = 100
_CHANGES_AT_ONCE = 500
_MAX_ROUNDS = 10
# Payloads of so many events are held at once.
_EVENTS_AT_ONCE = 500


@dataclass(slots=True)
class Relayed:
    """What one call did: marks streamed, entries written to all streams, marks woken, tasks sent."""

    marks: int = 0
    entries: int = 0
    woken: int = 0
    tasks: int = 0


def relay_lease(client: redis.Redis) -> AbstractContextManager[Lease | None]:
    """The right to relay, None while another process has it."""
    return hold_lease(client, LEASE_KEY, _LEASE_MS)


def relay_marks(
    graph: Graph,
    client: redis.Redis,
    publish: Publisher,
    clock: Clock = utc_now,
    max_entries: int = DEFAULT_MAX_ENTRIES,
) -> Relayed:
    """Write what was committed to the streams and wake the workers; nothing when another process does.

    At least once: whoever dies leaves marks behind, and what they stand for is written or sent again. Raises
    UnavailableError or redis' errors when one of the two is away; the marks stay.
    """
    done = Relayed()
    with relay_lease(client) as held:
        if held is not None:
            _stream_events(graph, held, done, max_entries)
            _stream_changes(graph, held, done, max_entries)
            _wake(graph, publish, done, clock)
    if done.marks or done.woken or done.entries:
        log.info("marks_relayed", marks=done.marks, entries=done.entries, woken=done.woken, tasks=done.tasks)
    return done


def _stream_events(graph: Graph, held: Lease, done: Relayed, max_entries: int) -> None:
    for _ in range(_MAX_ROUNDS):
        marks = list_unstreamed(graph, _MARKS_AT_ONCE)
        for brand, event_ids in _portions(marks):
            rows = read_stream_events(graph, brand, event_ids)
            streams.append(held.client, streams.RAW, [streams.raw_entry(brand, row) for row in rows], max_entries)
            normalized = [streams.normalized_entry(brand, row) for row in rows]
            streams.append(held.client, streams.NORMALIZED, normalized, max_entries)
            done.entries += 2 * len(rows)
        if marks:
            set_streamed(graph, [mark.id for mark in marks])
            done.marks += len(marks)
        if len(marks) < _MARKS_AT_ONCE or not held.renew():
            return


def _portions(marks: Sequence[UnstreamedMark]) -> Iterator[tuple[str, list[str]]]:
    """Brand and event ids in the order of the marks, neighbours of one brand together, not too many at once."""
    brand, waiting = "", list[str]()
    for mark in marks:
        if mark.brand != brand:
            if waiting:
                yield brand, waiting
            brand, waiting = mark.brand, []
        waiting += mark.event_ids
        while len(waiting) >= _EVENTS_AT_ONCE:
            yield brand, waiting[:_EVENTS_AT_ONCE]
            waiting = waiting[_EVENTS_AT_ONCE:]
    if waiting:
        yield brand, waiting


def _stream_changes(graph: Graph, held: Lease, done: Relayed, max_entries: int) -> None:
    """Merges and reviews come from the feed of changes: there each is once, in its brand's order, whoever decided."""
    for brand, after in feeds.list_unstreamed(graph):
        page = feeds.read_changes(graph, brand, after, _CHANGES_AT_ONCE, MERGE_KINDS)
        entries = [streams.merge_entry(brand, item) for item in page.items]
        if entries:
            streams.append(held.client, streams.MERGE_REQUESTS, entries, max_entries)
        feeds.set_streamed(graph, brand, page.cursor)
        done.entries += len(entries)


def _wake(graph: Graph, publish: Publisher, done: Relayed, clock: Clock) -> None:
    now = clock()
    taken = take_marks(graph, choose_marks(list_marks(graph), now), now)
    for batch in share_out(taken):
        publish(batch)
        done.tasks += 1
    done.woken += len(taken)
