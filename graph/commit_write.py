"""Writing a folded working set: each node once, grouped, in the lock order identifiers, customers, orders, reviews."""

import json
import uuid
from collections.abc import Sequence

from core.brand import BrandSettings
from core.identifiers import TRUST_ORDER
from graph.changes import changes_of_batch, changes_text
from graph.commit_rows import customer_rows, event_rows, is_of_the_shop, link_rows, order_rows
from graph.tallies import recount_tallies
from graph.traits import recount_traits, write_traits
from graph.transactions import Transaction
from resolver.working_set import WorkingSet

MARK_PROFILES_CHANGED = "profiles_changed"


def write_working_set(tx: Transaction, settings: BrandSettings, working: WorkingSet, now: int) -> None:
    """Write everything that the fold changed; `now` in microseconds. Runs inside the transaction that read it."""
    brand = settings.id
    for profile in working.profiles.values():
        if profile.is_changed:
            profile.version += 1
    _write_batch(tx, settings, working, now)
    _write_trust(tx, brand, working)
    if working.merges:
        _write_merges(tx, brand, working, now)
    if working.order_book.moves:
        rows = [[move.event_id, move.to_persona_id] for move in working.order_book.moves.values()]
        tx.run("commit/move_events", brand=brand, rows=rows)
    if working.order_book.recount:
        recount_tallies(tx, brand, sorted(working.order_book.recount))
    if working.order_book.shrunk:
        tx.run("commit/respan_personas", brand=brand, ids=sorted(working.order_book.shrunk))
    write_reviews(tx, brand, working, now)
    write_traits(
        tx,
        brand,
        [
            (decided.persona_id, decided.event.source, decided.event.micros, decided.event.traits)
            for decided in working.decided
            if decided.persona_id is not None and decided.event.traits
        ],
    )
    # Followers were counted with the persona they ended at in memory; stored ones changed hands.
    recount = {one for move in working.order_book.moves.values() for one in (move.from_persona_id, move.to_persona_id)}
    if recount:
        recount_traits(tx, brand, sorted(one for one in recount if one is not None))


def _write_batch(tx: Transaction, settings: BrandSettings, working: WorkingSet, now: int) -> None:
    """What most batches write, in one round trip."""
    customers = customer_rows(working, settings.currency, now)
    events, performed, carried = event_rows(working, settings.id)
    changed = _changed_profiles(working)
    [[misplaced]] = tx.run(
        "commit/write_batch",
        brand=settings.id,
        currency=settings.currency,
        rule_version=working.rules.version,
        now=now,
        mark_id=_mark_id(now),
        mark_kind=MARK_PROFILES_CHANGED,
        batch={
            "profile_ids": [profile_id for profile_id, _ in changed],
            "versions": [version for _, version in changed],
            "event_ids": [decided.event.id for decided in working.decided],
            "created": customers.created,
            "updated": customers.both,
            "profiles": customers.profiles,
            "personas": customers.personas,
            "joined": [[*pair, event_id] for pair, event_id in sorted(working.joined.items())],
            "orders": order_rows([work for work in working.orders.values() if work.is_changed]),
            "links": link_rows(working, settings.id),
            "events": events,
            "performed": performed,
            "carried": carried,
            "shop_events": [decided.event.id for decided in working.decided if is_of_the_shop(decided.event)],
            "changes": changes_text(changes_of_batch(working)),
        },
    )
    if misplaced:
        raise RuntimeError("the server returned created events in another order than they were sent")


def _write_merges(tx: Transaction, brand: str, working: WorkingSet, now: int) -> None:
    rows = [
        {
            "id": merge.id,
            "place": place,
            "survivor_id": merge.survivor_id,
            "absorbed_ids": list(merge.absorbed_ids),
            "reason": merge.reason,
            "decided_by": merge.decided_by,
            "identifiers": list(merge.identifiers),
            "cause_persona_ids": list(merge.cause_persona_ids),
            "strong_cause_ids": list(merge.strong_cause_ids),
            "weak_ids": sorted(merge.weak_ids),
            "occurred_at": merge.occurred_at,
            "tied_at": merge.tied_at,
            "event_id": merge.event_id,
            "before": json.dumps(merge.before, separators=(",", ":")),
            "after": json.dumps(merge.after, separators=(",", ":")),
        }
        for place, merge in enumerate(working.merges)
    ]
    tx.run("commit/write_merges", brand=brand, rule_version=working.rules.version, now=now, rows=rows)
    # Of a persona made in this batch nothing stored is a part yet, and it is stored where it belongs.
    moved = [
        [profile_id, working.live_profile(profile_id)]
        for profile_id in sorted(working.absorbed)
        if not working.personas[profile_id].is_new
    ]
    if moved:
        tx.run("commit/move_personas", brand=brand, rows=moved)


def _write_trust(tx: Transaction, brand: str, working: WorkingSet) -> None:
    """Links that are better proven now, and strong identifiers that more than one person carries."""
    if working.proven:
        links = sorted(
            [persona, found.key(brand), trust, TRUST_ORDER[trust]] for (found, persona), trust in working.proven.items()
        )
        tx.run("commit/raise_trust", brand=brand, rows=links, order=list(TRUST_ORDER))
    if working.crowded:
        rows = [{"key": found.key(brand), "people": people} for found, people in sorted(working.crowded.items())]
        tx.run("commit/mark_crowded", brand=brand, rows=rows)


def write_reviews(tx: Transaction, brand: str, working: WorkingSet, now: int) -> None:
    """Reviews that the working set opened, extended or joined."""
    rows = [
        {
            "id": review.id,
            "reason": review.reason,
            "identifiers": sorted(review.identifiers),
            "event_ids": review.event_ids,
            "rules": sorted(review.rules),
            "profile_ids": sorted(review.proposed),
            "superseded_by": review.superseded_by,
        }
        for review in sorted(working.reviews, key=lambda review: review.id)
        if review.is_changed
    ]
    if rows:
        tx.run("commit/write_reviews", brand=brand, rule_version=working.rules.version, now=now, rows=rows)


def _changed_profiles(working: WorkingSet) -> list[tuple[str, int]]:
    return sorted((profile.id, profile.version) for profile in working.profiles.values() if profile.is_changed)


def _mark_id(now: int) -> str:
    return f"mark_{now}_{uuid.uuid4().hex}"


def write_changed_mark(tx: Transaction, brand: str, changed: Sequence[tuple[str, int]], now: int) -> None:
    """Leave an outbox mark that live profiles (id, version) changed without an event."""
    tx.run(
        "commit/write_mark",
        brand=brand,
        id=_mark_id(now),
        kind=MARK_PROFILES_CHANGED,
        profile_ids=[profile_id for profile_id, _ in changed],
        versions=[version for _, version in changed],
        event_ids=[],
        now=now,
    )
