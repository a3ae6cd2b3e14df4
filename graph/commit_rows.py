"""A folded working set as rows for the queries that write it; their column orders are those of `cypher/commit/`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core import clock
from core.events import IncomingEvent
from core.identifiers import WEAK_TYPES
from core.visits import store_key
from graph.commit_read import facts_to_json
from resolver.orders import line_products
from resolver.profiles import NEVER_FIRST, NEVER_LAST, Persona, Profile, Statistics
from resolver.records import DecidedEvent, OrderWork
from resolver.tallies import channels_row
from resolver.working_set import WorkingSet


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
class CustomerRows:
    """Rows of changed customers: new ones, live profiles of one persona, own statistics alone, aggregates alone."""

    created: list[list[Any]] = field(default_factory=list)
    both: list[list[Any]] = field(default_factory=list)
    personas: list[list[Any]] = field(default_factory=list)
    profiles: list[list[Any]] = field(default_factory=list)


def customer_rows(working: WorkingSet, currency: str, now: int) -> CustomerRows:
    """New personas, live profiles of one persona, and what changed of the others."""
    rows = CustomerRows()
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


def link_rows(working: WorkingSet, brand: str) -> list[list[Any]]:
    """Identifiers that personas took, sorted by key: the order in which relationships lock their nodes."""
    rows: list[list[Any]] = []
    for link in working.links:
        event = link.event
        rows.append([
            link.persona_id, link.identifier.key(brand), event.micros, event.trust, event.source, event.id,
        ])  # fmt: skip
    rows.sort(key=lambda row: row[1])
    return rows


def event_rows(working: WorkingSet, brand: str) -> tuple[list[list[Any]], list[list[Any]], list[list[Any]]]:
    """Rows of the events, who performed them and what they carry, the latter two by their places in the first."""
    events: list[list[Any]] = []
    performed: dict[str, list[int]] = {}
    carried: dict[str, list[Any]] = {}
    for place, decided in enumerate(working.decided):
        event = decided.event
        events.append(_event_row(decided))
        if decided.persona_id is not None:
            performed.setdefault(decided.persona_id, []).append(place)
        for identifier in event.identifiers:
            sighted = event.is_sighting and identifier.type in WEAK_TYPES
            _carry(carried, identifier.key(brand), place, (event.micros, sighted))
    return events, [list(item) for item in sorted(performed.items())], [carried[key] for key in sorted(carried)]


def _carry(carried: dict[str, list[Any]], key: str, place: int, told: tuple[int, bool]) -> None:
    """Key, first and last seen, places of the events, last sighting or null; `told`: when, and whether sighted."""
    at, sighted = told
    entry = carried.get(key)
    if entry is None:
        carried[key] = [key, at, at, [place], at if sighted else None]
        return
    if at < entry[1]:
        entry[1] = at
    elif at > entry[2]:
        entry[2] = at
    entry[3].append(place)
    if sighted and (entry[4] is None or at > entry[4]):
        entry[4] = at


def _event_row(decided: DecidedEvent) -> list[Any]:
    event = decided.event
    order = event.order
    return [
        event.id,
        event.type,
        event.channel,
        event.source,
        event.micros,
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


def is_of_the_shop(event: IncomingEvent) -> bool:
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
