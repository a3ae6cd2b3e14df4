"""Writing a folded working set: each node once, grouped, in the lock order identifiers, customers, orders, reviews."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

from core.brand import BrandSettings
from graph.commit_read import facts_to_json
from graph.transactions import Transaction
from resolver.profiles import NEVER_FIRST, NEVER_LAST, Persona, Profile, Statistics
from resolver.records import DecidedEvent, OrderWork
from resolver.working_set import WorkingSet, to_micros

MARK_PROFILES_CHANGED = "profiles_changed"


def write_working_set(tx: Transaction, settings: BrandSettings, working: WorkingSet, now: int) -> None:
    """Write everything that the fold changed; `now` in microseconds. Runs inside the transaction that read it."""
    brand = settings.id
    for profile in working.profiles.values():
        if profile.is_changed:
            profile.version += 1
    _write_customers(tx, settings, working, now)
    if working.links:
        _write_links(tx, brand, working)
    if working.decided:
        _write_events(tx, brand, working, now)
    if working.merges:
        _write_merges(tx, brand, working, now)
    if working.order_book.moves:
        rows = [[move.event_id, move.to_persona_id] for move in working.order_book.moves]
        tx.run("commit/move_events", brand=brand, rows=rows)
    changed_orders = [work for work in working.orders.values() if work.is_changed]
    if changed_orders:
        _write_orders(tx, brand, changed_orders)
    if working.order_book.shrunk:
        tx.run("commit/respan_personas", brand=brand, ids=sorted(working.order_book.shrunk))
    _write_reviews(tx, brand, working, now)
    _write_mark(tx, brand, working, now)


def statistics_row(statistics: Statistics, currency: str) -> list[Any]:
    """Events, orders, money, other money (`CUR:minor` list or null), first and last seen in microseconds or null."""
    ltv = statistics.ltv
    other = None
    if len(ltv) > 1 or (ltv and currency not in ltv):
        other = [f"{code}:{minor}" for code, minor in sorted(ltv.items()) if code != currency and minor] or None
    seen = statistics.last_seen != NEVER_LAST and statistics.first_seen != NEVER_FIRST
    return [
        statistics.event_count,
        statistics.total_orders,
        ltv.get(currency, 0),
        other,
        statistics.first_seen if seen else None,
        statistics.last_seen if seen else None,
    ]


def profile_row(profile: Profile, currency: str) -> list[Any]:
    """The aggregate of a live profile in the column order of `commit/update_profiles`, without its id."""
    return [
        *statistics_row(profile.totals, currency),
        sorted(profile.identifier_types),
        profile.strength,
        profile.persona_count,
        profile.merge_count,
        profile.version,
    ]


def _write_customers(tx: Transaction, settings: BrandSettings, working: WorkingSet, now: int) -> None:
    created, personas, profiles, both = [], [], [], []
    currency = settings.currency
    for persona_id in sorted(working.personas):
        persona = working.personas[persona_id]
        profile = working.profiles.get(persona_id)
        if persona.is_new:
            created.append(_creation_row(persona, working, currency, now))
        elif profile is not None and profile.is_changed and profile.persona_count == 1:
            both.append([persona_id, *profile_row(profile, currency)])
        else:
            if persona.is_changed:
                personas.append([persona_id, *statistics_row(persona.own, currency)])
            if profile is not None and profile.is_changed:
                profiles.append([persona_id, *profile_row(profile, currency)])
    for query, rows in (("commit/update_customers", both), ("commit/update_profiles", profiles)):
        if rows:
            tx.run(query, brand=settings.id, rows=rows, now=now)
    if personas:
        tx.run("commit/update_personas", brand=settings.id, rows=personas)
    if created:
        tx.run("commit/create_customers", brand=settings.id, currency=currency, rows=created)


def _creation_row(persona: Persona, working: WorkingSet, currency: str, now: int) -> list[Any]:
    profile = working.profiles.get(persona.id)
    if profile is None:
        # Made and absorbed within one batch: it never was a live profile that anyone saw.
        profile = Profile(persona.id, persona.own, version=1)
    return [persona.id, persona.root_id, now, *statistics_row(persona.own, currency), *profile_row(profile, currency)]


def _write_links(tx: Transaction, brand: str, working: WorkingSet) -> None:
    rows: list[list[Any]] = []
    for link in working.links:
        event = link.event
        rows.append([
            link.persona_id, link.identifier.key(brand), to_micros(event), event.trust, event.source, event.id,
        ])  # fmt: skip
    rows.sort(key=lambda row: row[1])
    tx.run("commit/create_links", brand=brand, rows=rows)


def _write_events(tx: Transaction, brand: str, working: WorkingSet, now: int) -> None:
    events: list[list[Any]] = []
    performed: dict[str, list[int]] = {}
    carried: dict[str, list[Any]] = {}
    for place, decided in enumerate(working.decided):
        at = to_micros(decided.event)
        events.append(_event_row(decided, at, now))
        if decided.persona_id is not None:
            performed.setdefault(decided.persona_id, []).append(place)
        for identifier in decided.event.identifiers:
            entry = carried.get(key := identifier.key(brand))
            if entry is None:
                carried[key] = [key, at, [place]]
            else:
                entry[1] = max(entry[1], at)
                entry[2].append(place)
    tx.run(
        "commit/write_events",
        brand=brand,
        rule_version=working.rules.version,
        events=events,
        performed=sorted(performed.items()),
        carried=[carried[key] for key in sorted(carried)],
    )


def _event_row(decided: DecidedEvent, at: int, now: int) -> list[Any]:
    event = decided.event
    order = event.order
    return [
        event.id,
        event.type,
        event.channel,
        event.source,
        at,
        int(event.received_at.timestamp()) * 1_000_000 + event.received_at.microsecond,
        event.payload,
        decided.decision,
        decided.persona_id,
        event.fingerprint,
        event.trust,
        order.key if order else None,
        order.total_minor if order else None,
        order.currency if order and order.currency else None,
        decided.merge_id,
        list(decided.merged_ids) or None,
        decided.review_id,
        list(decided.warnings) or None,
        list(decided.rules) or None,
        event.traits or None,
    ]


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
            "event_id": merge.event_id,
            "before": json.dumps(merge.before, separators=(",", ":")),
            "after": json.dumps(merge.after, separators=(",", ":")),
        }
        for place, merge in enumerate(working.merges)
    ]
    tx.run("commit/write_merges", brand=brand, rule_version=working.rules.version, now=now, rows=rows)
    moved = [[profile_id, working.live_profile(profile_id)] for profile_id in sorted(working.absorbed)]
    tx.run("commit/move_personas", brand=brand, rows=moved)


def _write_orders(tx: Transaction, brand: str, orders: Sequence[OrderWork]) -> None:
    rows = []
    for work in sorted(orders, key=lambda work: work.key):
        state = work.state
        rows.append({
            "key": work.key,
            "order_id": work.order_id,
            "source_instance": work.source_instance,
            "facts": facts_to_json(work.facts),
            "persona_id": state.owner_id,
            "status": state.status,
            "placed_at": state.placed_at,
            "total_minor": state.total_minor,
            "refunded_minor": state.refunded_minor,
            "counted_minor": state.counted_minor,
            "counts": state.counts,
            "currency": state.currency,
            "lines": state.lines,
            "is_reowned": state.owner_id is not None and state.owner_id != work.first_owner_id,
        })  # fmt: skip
    tx.run("commit/write_orders", brand=brand, rows=rows)


def _write_reviews(tx: Transaction, brand: str, working: WorkingSet, now: int) -> None:
    rows = [
        {
            "id": review.id,
            "reason": review.reason,
            "identifiers": sorted(review.identifiers),
            "event_ids": review.event_ids,
            "profile_ids": sorted(review.profile_ids),
            "superseded_by": review.superseded_by,
        }
        for review in sorted(working.reviews, key=lambda review: review.id)
        if review.is_changed
    ]
    if rows:
        tx.run("commit/write_reviews", brand=brand, rule_version=working.rules.version, now=now, rows=rows)


def _write_mark(tx: Transaction, brand: str, working: WorkingSet, now: int) -> None:
    changed = sorted((profile.id, profile.version) for profile in working.profiles.values() if profile.is_changed)
    write_changed_mark(tx, brand, changed, [decided.event.id for decided in working.decided], now)


def write_changed_mark(
    tx: Transaction, brand: str, changed: Sequence[tuple[str, int]], event_ids: Sequence[str], now: int
) -> None:
    """Leave one outbox mark: the live profiles (id, version) that changed and the events that were stored."""
    tx.run(
        "commit/write_mark",
        brand=brand,
        id=f"mark_{now}_{uuid.uuid4().hex}",
        kind=MARK_PROFILES_CHANGED,
        profile_ids=[profile_id for profile_id, _ in changed],
        versions=[version for _, version in changed],
        event_ids=list(event_ids),
        now=now,
    )
