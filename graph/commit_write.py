"""Writing a folded working set: each node once, grouped, in the lock order identifiers, customers, orders, reviews."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core import clock
from core.brand import BrandSettings
from core.events import IncomingEvent
from core.identifiers import TRUST_ORDER
from core.visits import store_key
from graph.changes import changes_of_batch, changes_text
from graph.commit_read import facts_to_json
from graph.tallies import recount_tallies
from graph.traits import recount_traits, write_traits
from graph.transactions import Transaction
from resolver.orders import line_products
from resolver.profiles import NEVER_FIRST, NEVER_LAST, Persona, Profile, Statistics
from resolver.records import DecidedEvent, OrderWork
from resolver.tallies import channels_row
from resolver.working_set import WorkingSet, to_micros

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
            (decided.persona_id, decided.event.source, to_micros(decided.event), decided.event.traits)
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
    customers = _customer_rows(working, settings.currency, now)
    events, performed, carried = _event_rows(working, settings.id)
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
            "links": _link_rows(working, settings.id),
            "events": events,
            "performed": performed,
            "carried": carried,
            "shop_events": [decided.event.id for decided in working.decided if _is_of_the_shop(decided.event)],
            "changes": changes_text(changes_of_batch(working)),
        },
    )
    if misplaced:
        raise RuntimeError("the server returned created events in another order than they were sent")


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
        profile.identifier_count,
        profile.is_tied or None,
        profile.has_neighbours or None,
    ]


def persona_row(persona: Persona, currency: str) -> list[Any]:
    """Own statistics and tallies of a persona in the column order of `commit/update_personas`."""
    return [persona.id, *statistics_row(persona.own, currency), *_tallies(persona)]


def _tallies(persona: Persona) -> tuple[list[str] | None, str | None]:
    return channels_row(persona.channels), persona.sales or None


@dataclass(slots=True)
class _CustomerRows:
    """Rows of changed customers: new ones, live profiles of one persona, own statistics alone, aggregates alone."""

    created: list[list[Any]] = field(default_factory=list)
    both: list[list[Any]] = field(default_factory=list)
    personas: list[list[Any]] = field(default_factory=list)
    profiles: list[list[Any]] = field(default_factory=list)


def _customer_rows(working: WorkingSet, currency: str, now: int) -> _CustomerRows:
    rows = _CustomerRows()
    for persona_id in sorted(working.personas):
        persona = working.personas[persona_id]
        profile = working.profiles.get(persona_id)
        if persona.is_new:
            rows.created.append(_creation_row(persona, working, currency, now))
        elif profile is not None and profile.is_changed and profile.persona_count == 1:
            rows.both.append([persona_id, *profile_row(profile, currency), *_tallies(persona)])
        else:
            if persona.is_changed:
                rows.personas.append(persona_row(persona, currency))
            if profile is not None and profile.is_changed:
                rows.profiles.append([persona_id, *profile_row(profile, currency)])
    return rows


def _creation_row(persona: Persona, working: WorkingSet, currency: str, now: int) -> list[Any]:
    profile = working.profiles.get(persona.id)
    if profile is None:
        # Made and absorbed within one batch: it never was a live profile that anyone saw.
        profile = Profile(persona.id, persona.own, version=1)
    own, aggregate = statistics_row(persona.own, currency), profile_row(profile, currency)
    return [persona.id, persona.root_id, now, *own, *aggregate, *_tallies(persona)]


def _link_rows(working: WorkingSet, brand: str) -> list[list[Any]]:
    rows: list[list[Any]] = []
    for link in working.links:
        event = link.event
        rows.append([
            link.persona_id, link.identifier.key(brand), to_micros(event), event.trust, event.source, event.id,
        ])  # fmt: skip
    rows.sort(key=lambda row: row[1])
    return rows


def _event_rows(working: WorkingSet, brand: str) -> tuple[list[list[Any]], list[list[Any]], list[list[Any]]]:
    """Rows of the events, who performed them and what they carry, the latter two by their places in the first."""
    events: list[list[Any]] = []
    performed: dict[str, list[int]] = {}
    carried: dict[str, list[Any]] = {}
    for place, decided in enumerate(working.decided):
        event = decided.event
        events.append(_event_row(decided, event.micros))
        if decided.persona_id is not None:
            performed.setdefault(decided.persona_id, []).append(place)
        for identifier in event.identifiers:
            _carry(carried, identifier.key(brand), event, place)
    return events, [list(item) for item in sorted(performed.items())], [carried[key] for key in sorted(carried)]


def _carry(carried: dict[str, list[Any]], key: str, event: IncomingEvent, place: int) -> None:
    """Identifier key, first and last seen, places of the events, last sighting or null."""
    at = event.micros
    entry = carried.get(key)
    if entry is None:
        carried[key] = [key, at, at, [place], at if event.is_sighting else None]
        return
    if at < entry[1]:
        entry[1] = at
    elif at > entry[2]:
        entry[2] = at
    entry[3].append(place)
    if event.is_sighting and (entry[4] is None or at > entry[4]):
        entry[4] = at


def _event_row(decided: DecidedEvent, at: int) -> list[Any]:
    event = decided.event
    order = event.order
    return [
        event.id,
        event.type,
        event.channel,
        event.source,
        at,
        clock.to_micros(event.received_at),
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
        (not decided.asks_about_weak) if event.is_sighting else None,
        event.signal or None,
        list(event.products) or None,
        *_visit_row(event),
    ]


def _is_of_the_shop(event: IncomingEvent) -> bool:
    """Whether trending products, stock or staff could want to know of it."""
    return event.visit is not None or event.order is not None or bool(event.products)


def _visit_row(event: IncomingEvent) -> list[Any]:
    """Store, time and what else a sign of presence says (JSON text); all null for other events."""
    sign = event.visit
    if sign is None:
        return [None, None, None]
    out = None if sign.out is None else clock.to_micros(sign.out)
    told = [sign.store_id, sign.name, out, sign.method, sign.leaves]
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return [store_key(event.brand, sign.store_id), clock.to_micros(sign.at), text]


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


def order_rows(orders: Sequence[OrderWork]) -> list[dict[str, Any]]:
    """Orders as the graph stores them, sorted by key."""
    rows: list[dict[str, Any]] = []
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
            "channel": state.channel or None,
            "products": list(line_products(state.lines)) or None,
            "delivered_at": state.delivered_at,
            "is_reowned": state.owner_id != work.first_owner_id,
        })  # fmt: skip
    return rows


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
