"""Folding one profile into another, and the snapshot that history keeps; shared by rules and stewards."""

from collections.abc import Iterable
from typing import Any

from core.money import to_decimal_string
from resolver.profiles import NEVER_LAST, Persona, Profile
from resolver.records import OpenReview
from resolver.strength import profile_strength


def absorb(
    survivor: Profile,
    absorbed: Profile,
    personas: Iterable[Persona],
    profiles: Iterable[Profile],
    reviews: Iterable[OpenReview],
) -> None:
    """Fold `absorbed` into `survivor`: statistics, identifier types, marks, personas and open reviews follow."""
    survivor.totals.add(absorbed.totals)
    survivor.identifier_types |= absorbed.identifier_types
    if survivor.identifiers is not None and absorbed.identifiers is not None:
        survivor.identifiers |= absorbed.identifiers
    survivor.identifier_count += absorbed.identifier_count
    survivor.verified |= absorbed.verified
    survivor.absorbed_at += absorbed.absorbed_at
    survivor.crowds |= absorbed.crowds
    survivor.is_tied = survivor.is_tied or absorbed.is_tied
    survivor.has_neighbours = survivor.has_neighbours or absorbed.has_neighbours
    survivor.persona_count += absorbed.persona_count
    survivor.merge_count += absorbed.merge_count
    survivor.version = max(survivor.version, absorbed.version)
    survivor.strength = profile_strength(survivor.identifier_types, survivor.totals.total_orders)
    survivor.is_changed = True
    survivor.not_same |= absorbed.not_same
    survivor.not_same -= {survivor.id, absorbed.id}
    for persona in personas:
        if persona.root_id == absorbed.id:
            persona.root_id = survivor.id
    for other in profiles:
        if absorbed.id in other.not_same:
            other.not_same.discard(absorbed.id)
            if other is not survivor:
                other.not_same.add(survivor.id)
    _follow(survivor, absorbed, reviews)


def _follow(survivor: Profile, absorbed: Profile, reviews: Iterable[OpenReview]) -> None:
    """Open reviews propose the survivor from now on."""
    for review in reviews:
        if absorbed.id in review.profile_ids:
            review.profile_ids.discard(absorbed.id)
            review.profile_ids.add(survivor.id)
        if survivor.id in review.profile_ids:
            review.apart |= survivor.not_same
        if absorbed.id in review.apart:
            review.apart.discard(absorbed.id)
            review.apart.add(survivor.id)


def snapshot(profile: Profile, currency: str) -> dict[str, Any]:
    """A profile as history shows it: money as decimal strings, identifiers by type, times in microseconds."""
    by_type: dict[str, list[str]] = {}
    for kind, value in sorted(profile.identifiers or ()):
        by_type.setdefault(kind, []).append(value)
    totals = profile.totals
    return {
        "id": profile.id,
        "strength": profile.strength,
        "lifetime_value": to_decimal_string(totals.ltv.get(currency, 0), currency),
        "currency": currency,
        "total_orders": totals.total_orders,
        "event_count": totals.event_count,
        "first_seen": totals.first_seen if totals.last_seen != NEVER_LAST else None,
        "last_seen": totals.last_seen if totals.last_seen != NEVER_LAST else None,
        "identifiers": by_type,
    }
