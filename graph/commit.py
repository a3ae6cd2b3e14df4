"""One batch of events in one transaction: known, lock identifiers, lock profiles, decide, write, commit."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.brand import BrandSettings
from core.clock import now_micros
from core.decisions import EventResult
from core.errors import UnavailableError
from core.events import IncomingEvent
from graph.commit_read import BeforeLocks, check_idle, load_working_set, read_before_locks
from graph.commit_write import write_working_set
from graph.driver import Graph
from graph.retie import settle_event
from graph.retie_write import Redraw
from graph.shared import amend, settle_shared
from graph.transactions import Transaction, in_transaction
from resolver.working_set import DetailsMissingError, Unsettled, WorkingSet, result_of

DEFAULT_BUDGET_SECONDS = 8.0
_FEWEST_AT_ONCE = 64
BODY_DIFFERS = "message_id: a repeat with another body; the first one stands"


class PartlyStoredError(UnavailableError):
    """A batch stopped after some of its transactions: `answered` are the results of its first events, stored for good.

    What stopped it is the cause.
    """

    def __init__(self, answered: Sequence[EventResult]) -> None:
        super().__init__("The graph took a part of the batch only.")
        self.answered = tuple(answered)


@dataclass(slots=True)
class _Attempts:
    """What tries of one transaction leave to the next."""

    tried: set[str] = field(default_factory=set)
    """Events that this call set out to store."""
    reach: set[str] = field(default_factory=set)
    """Live profiles that turned out to be needed for drawing weak links anew: locked first from then on."""


def commit_batch(
    graph: Graph,
    settings: BrandSettings,
    events: Sequence[IncomingEvent],
    *,
    budget_seconds: float = DEFAULT_BUDGET_SECONDS,
) -> list[EventResult]:
    """Store `events` of one brand exactly once each and answer their results in the same order.

    Returns after the commit. An event that changes weak links ends its transaction, so that what follows is decided on
    the graph as it left it. Raises UnavailableError when Neo4j does not take the batch within `budget_seconds`, and
    PartlyStoredError when anything stops it after some of its transactions.
    """
    answered: list[EventResult] = []
    size = len(events)
    while len(answered) < len(events):
        # What a try reads and does not come to is read again: after a short one the next takes less.
        rest = events[len(answered) : len(answered) + size]
        attempts = _Attempts()

        def work(
            tx: Transaction, rest: Sequence[IncomingEvent] = rest, attempts: _Attempts = attempts
        ) -> list[EventResult]:
            return _commit(tx, settings, rest, attempts)

        try:
            taken = in_transaction(graph, work, budget_seconds=budget_seconds)
        except Exception as error:
            # Whatever it was: what is committed keeps its answer.
            if answered:
                raise PartlyStoredError(answered) from error
            raise
        answered += taken
        size = max(4 * len(taken), _FEWEST_AT_ONCE)
    return answered


def _commit(
    tx: Transaction, settings: BrandSettings, events: Sequence[IncomingEvent], attempts: _Attempts
) -> list[EventResult]:
    """One try; answers at least the first of `events`, all of them unless one changes weak links."""
    before = read_before_locks(tx, settings.id, events)
    results = {row[0]: (_known_result(row), row[7]) for row in before.known}
    # After a lost commit these were stored by this very call: their sender sent them once.
    own = attempts.tried.intersection(results) if tx.is_replay else set()
    fresh: dict[str, IncomingEvent] = {}
    for event in events:
        if event.id not in results:
            fresh.setdefault(event.id, event)
    attempts.tried.update(fresh)
    working: WorkingSet | None = None
    if fresh:
        batch = list(fresh.values())
        working, folded = _fold(tx, settings, batch, before, attempts)
        now = now_micros()
        write_working_set(tx, settings, working, now)
        check_idle(tx, settings.id, working)
        if working.must_settle:
            folded[-1] = _settle(tx, settings, working, attempts.reach, now)
            stored = {result.event_id for result in folded}
            events = _until_first(events, stored | results.keys())
        results.update((result.event_id, (result, fresh[result.event_id].fingerprint)) for result in folded)
    return _in_order(events, results, own.union(fresh), working)


def _settle(tx: Transaction, settings: BrandSettings, working: WorkingSet, reach: set[str], now: int) -> EventResult:
    """What follows from evidence that is only in the graph, for the last event of the fold; its result."""
    decided = working.decided[-1]
    op = Redraw(decided.event.id, now, decided.event.id)
    is_tied = False
    for identifier in sorted(working.crowding):
        settled = settle_shared(tx, settings, identifier, op, reach)
        amend(decided, settled.decisions)
        is_tied = is_tied or settled.is_tied
    unsettled = working.unsettled
    if unsettled is None and is_tied:
        unsettled = Unsettled(decided, (), tuple(sorted({decided.profile_id or ""} - {""})))
    return result_of(decided) if unsettled is None else settle_event(tx, settings, unsettled, reach, now)


def _fold(
    tx: Transaction,
    settings: BrandSettings,
    batch: Sequence[IncomingEvent],
    before: BeforeLocks,
    attempts: _Attempts,
) -> tuple[WorkingSet, list[EventResult]]:
    """Load what the batch needs and fold it; once more with every detail when the rules ask for one."""
    working = load_working_set(tx, settings, batch, before, extra_roots=attempts.reach)
    try:
        return working, working.take_all(batch)
    except DetailsMissingError:
        working = load_working_set(tx, settings, batch, before, extra_roots=attempts.reach, with_details=True)
        return working, working.take_all(batch)


def _until_first(events: Sequence[IncomingEvent], answered: set[str]) -> Sequence[IncomingEvent]:
    """The events before the first that has no answer yet."""
    for place, event in enumerate(events):
        if event.id not in answered:
            return events[:place]
    return events


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
