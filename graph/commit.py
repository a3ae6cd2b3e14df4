"""One batch of events in one transaction: known, lock identifiers, lock profiles, decide, write, commit."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from core.brand import BrandSettings
from core.clock import now_micros
from core.decisions import EventResult
from core.events import IncomingEvent
from graph.commit_read import load_working_set, read_before_locks
from graph.commit_write import write_working_set
from graph.driver import Graph
from graph.transactions import Transaction, in_transaction
from resolver.working_set import WorkingSet

DEFAULT_BUDGET_SECONDS = 8.0
BODY_DIFFERS = "message_id: a repeat with another body; the first one stands"


def commit_batch(
    graph: Graph,
    settings: BrandSettings,
    events: Sequence[IncomingEvent],
    *,
    budget_seconds: float = DEFAULT_BUDGET_SECONDS,
) -> list[EventResult]:
    """Store `events` of one brand exactly once each and answer their results in the same order.

    Returns after the commit. Raises UnavailableError when Neo4j does not take the batch within `budget_seconds`; then
    nothing of it is stored, or all of it and a repeat is answered as a duplicate.
    """
    if not events:
        return []
    tried: set[str] = set()
    return in_transaction(graph, lambda tx: _commit(tx, settings, events, tried), budget_seconds=budget_seconds)


def _commit(
    tx: Transaction, settings: BrandSettings, events: Sequence[IncomingEvent], tried: set[str]
) -> list[EventResult]:
    """One try; `tried` collects the events that this call set out to store."""
    before = read_before_locks(tx, settings.id, events)
    results = {row[0]: (_known_result(row), row[7]) for row in before.known}
    # After a lost commit these were stored by this very call: their sender sent them once.
    own = tried.intersection(results) if tx.is_replay else set()
    fresh: dict[str, IncomingEvent] = {}
    for event in events:
        if event.id not in results:
            fresh.setdefault(event.id, event)
    tried.update(fresh)
    working: WorkingSet | None = None
    if fresh:
        batch = list(fresh.values())
        working = load_working_set(tx, settings, batch, before)
        folded = {result.event_id: result for result in working.take_all(batch)}
        write_working_set(tx, settings, working, now_micros())
        results.update((event_id, (result, fresh[event_id].fingerprint)) for event_id, result in folded.items())
    return _in_order(events, results, own.union(fresh), working)


def _known_result(row: Sequence[Any]) -> EventResult:
    """The answer that a stored event got."""
    return EventResult(
        event_id=row[0],
        decision=row[1],
        profile_id=row[2],
        merged_profile_ids=tuple(row[3] or ()),
        merge_id=row[4],
        review_id=row[5],
        duplicate=True,
        warnings=tuple(row[6] or ()),
    )


def _in_order(
    events: Sequence[IncomingEvent],
    results: dict[str, tuple[EventResult, str | None]],
    new: set[str],
    working: WorkingSet | None,
) -> list[EventResult]:
    """One answer for each event as sent: the first of an id gets the result, its repeats the same as duplicates."""
    answered = []
    unseen = set(new)
    for event in events:
        result, fingerprint = results[event.id]
        if event.id in unseen:
            unseen.discard(event.id)
            answered.append(replace(result, duplicate=False))
            continue
        profile_id = result.profile_id
        if working is not None and profile_id is not None:
            profile_id = working.live_profile(profile_id)
        warnings = result.warnings
        if fingerprint is not None and fingerprint != event.fingerprint:
            warnings = (*warnings, BODY_DIFFERS)
        answered.append(replace(result, profile_id=profile_id, duplicate=True, warnings=warnings))
    return answered
