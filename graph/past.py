"""Reads a profile as it was at a moment: the neighbourhood of the profile, cut there, and the events up to then."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.brand import BrandSettings
from core.clock import to_micros
from core.errors import NotFoundError
from core.identifiers import WEAK_TYPES, Identifier
from graph.commit_read import facts_from_json
from graph.driver import Graph
from graph.repositories.visits import NEWEST_SIGNS, StoredSign, stored_sign
from graph.retie_read import read_neighbourhood, read_reach, read_weak_events
from graph.traits import trait_rows
from graph.transactions import Transaction, in_transaction
from resolver.neighbourhood import Held
from resolver.orders import Fact
from resolver.past import Past, PastProfile
from resolver.rules import rule_set_for

NEWEST_CONSENTS = 100
"""Events of each persona that consent is folded from."""
PAYLOAD_BYTES = 20_000
_BUDGET_SECONDS = 8.0
UNKNOWN_THEN = "Nothing was known of this profile at that time."


@dataclass(slots=True)
class PastRows:
    """What was stored of a profile up to a moment, raw."""

    profile: PastProfile
    channels: dict[str, int] = field(default_factory=dict)
    span: tuple[Any, Any] = (None, None)
    traits: list[list[Any]] = field(default_factory=list)
    """Name, value (JSON), source, first, last (microseconds), count."""
    strategies: str | None = None
    orders: dict[str, list[Fact]] = field(default_factory=dict)
    """Order key → facts up to then, with the personas that owned their events then."""
    identifiers: list[tuple[Held, list[Any]]] = field(default_factory=list)
    """Link, [tier, first seen, last seen until then, count until then, flags]."""
    last_merge: dict[str, Any] | None = None
    signs: list[StoredSign] = field(default_factory=list)
    """Signs of presence in stores."""
    consents: list[list[Any]] = field(default_factory=list)
    """What events say about consent: [id, type, at (microseconds), channel, source, payload (JSON)]."""
    version: int = 0
    """Version of today's live profile."""


def read_past_profile(graph: Graph, settings: BrandSettings, profile_id: str, at: datetime) -> PastRows:
    """The profile that persona `profile_id` was part of at `at`; raises NotFoundError when it was unknown then."""

    def work(tx: Transaction) -> PastRows:
        found = tx.run("stewardship/find_profiles", brand=settings.id, ids=[profile_id])
        if not found:
            raise NotFoundError("No such profile.")
        past, keys = _read_past(tx, settings, {found[0][1]}, set(), at)
        if not past.is_known(profile_id):
            raise NotFoundError(UNKNOWN_THEN)
        return _read_rows(tx, settings, past, keys, profile_id, at)

    return in_transaction(graph, work, budget_seconds=_BUDGET_SECONDS)


def find_past_holder(graph: Graph, settings: BrandSettings, identifier: Identifier, at: datetime) -> str | None:
    """The persona that held the identifier at `at`; None when nobody did."""

    def work(tx: Transaction) -> str | None:
        key = identifier.key(settings.id)
        roots = {row[0] for row in tx.run("insight/read_past_holders", brand=settings.id, key=key)}
        if not roots:
            return None
        past, _ = _read_past(tx, settings, roots, {key} if identifier.type in WEAK_TYPES else set(), at)
        return past.holder(identifier)

    return in_transaction(graph, work, budget_seconds=_BUDGET_SECONDS)


def _read_past(
    tx: Transaction, settings: BrandSettings, roots: set[str], keys: set[str], at: datetime
) -> tuple[Past, set[str]]:
    """The neighbourhood as it was, and the keys of its weak identifiers; of one too wide only these profiles."""
    rules = rule_set_for(settings)
    reached, all_keys = read_reach(tx, settings.id, keys, roots, rules.max_cores)
    if len(reached) > rules.max_cores:
        reached = roots
    found = read_neighbourhood(tx, settings, sorted(reached), sorted(all_keys), with_unlinked=True)
    return Past.of(found, rules, to_micros(at)), all_keys


def _read_rows(
    tx: Transaction, settings: BrandSettings, past: Past, keys: Iterable[str], persona_id: str, at: datetime
) -> PastRows:
    events = []
    if past.is_divided:
        events = [one for one in read_weak_events(tx, settings.id, keys) if one.rank[0] <= past.at]
    profile = past.profile(persona_id, events)
    placers = sorted(past.found.members) if profile.owners else list(profile.persona_ids)
    [[version]] = tx.run("insight/read_version", brand=settings.id, id=profile.id)
    whose: dict[str, Any] = {
        "personas": list(profile.persona_ids), "came": list(profile.came), "left": list(profile.left),
    }  # fmt: skip
    [row] = tx.run(
        "insight/read_past",
        brand=settings.id, at=at, **whose,
        placers=placers, keys=[held.identifier.key(settings.id) for held in profile.held],
        merge_ids=list(profile.merge_ids),
    )  # fmt: skip
    channels, span, said, orders, identifiers, strategies, last_merge = row
    if not channels and not profile.held:
        raise NotFoundError(UNKNOWN_THEN)
    [[visits, consents]] = tx.run(
        "insight/read_past_told",
        brand=settings.id, at=at, **whose,
        visits=NEWEST_SIGNS, consents=NEWEST_CONSENTS, payload_bytes=PAYLOAD_BYTES,
    )  # fmt: skip
    stored = {key: rest for key, *rest in identifiers}
    return PastRows(
        profile,
        {channel or "other": events for channel, events in channels},
        (span[0], span[1]),
        [
            [name, value, source, *rest]
            for _, _, name, source, value, *rest in trait_rows(settings.id, [tuple(one) for one in said])
        ],
        strategies[0] if strategies else None,
        {key: _facts_until(facts, past.at, profile.owners) for key, facts in orders if facts},
        [
            (held, _as_then(stored[held.identifier.key(settings.id)], held.identifier in profile.contested, past.at))
            for held in profile.held
        ],
        last_merge,
        [stored_sign(one) for one in visits],
        consents,
        version,
    )


def _facts_until(text: str, at: int, owners: dict[str, str | None]) -> list[Fact]:
    facts = [fact for fact in facts_from_json(text) if fact.at <= at]
    return [fact.owned_by(owners[fact.event_id]) if fact.event_id in owners else fact for fact in facts]


def _as_then(stored: list[Any], is_contested: bool, at: int) -> list[Any]:
    """Tier, first seen, last seen, count and flags of an identifier as they were."""
    tier, first, last, count, flags, shared_since = stored
    shown = [flag for flag in flags or () if flag not in ("shared", "contested")]
    shown += ["contested"] if is_contested else []
    shown += ["shared"] if shared_since is not None and shared_since <= at else []
    return [tier, first, last, count, shown]
