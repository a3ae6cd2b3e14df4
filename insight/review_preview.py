"""What the approval of a review would do: the same fold as the merge itself, over what is stored, writing nothing."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.brand import BrandSettings
from core.errors import ConflictError, InvalidInputError
from core.identifiers import Trust
from core.money import to_decimal_string
from graph.commit_read import statistics_from
from graph.driver import Graph
from graph.repositories.reviews_read import PENDING, get_review_row, proposed_profiles, review_item
from graph.repositories.traits import read_strategies, trait_values
from graph.values import group_identifiers, to_time_text
from resolver.consequences import BrokenLimit, broken_limits, combined
from resolver.profiles import NEVER_LAST, Profile
from resolver.rules import rule_set_for
from resolver.traits import TraitStrategy, TraitValue, choose, combine, strategy_for

_A_PAIR = 2


@dataclass(frozen=True, slots=True)
class Side:
    """One live profile of the review: what it is, what it is called, which other reviews wait for it."""

    profile: Profile
    traits: list[TraitValue]
    review_ids: frozenset[str]


def preview_review(
    graph: Graph, brand: BrandSettings, review_id: str, profile_ids: Sequence[str] = ()
) -> dict[str, Any]:
    """What approval of the review, or of the part `profile_ids` of it, would do.

    Raises NotFoundError, ConflictError when it is settled, InvalidInputError for a profile that it does not propose or
    a part of one.
    """
    row = get_review_row(graph, brand.id, review_id)
    review = review_item(row)
    if review["status"] != PENDING:
        raise ConflictError("The review was settled already.")
    live = {profile["id"]: profile["root_id"] for profile in row["profiles"]}
    chosen = _chosen(live, profile_ids)
    roots = sorted(set(live.values()))
    sides = _read_sides(graph, brand, roots)
    together = [sides[root] for root in roots if root in chosen and root in sides]
    answer: dict[str, Any] = {
        "review_id": review_id,
        "profile_ids": sorted(chosen),
        "left_apart": sorted(set(roots) - chosen),
        "profiles": [_card(side, brand, review["identifiers"]) for side in sides.values()],
        "survivor_id": None, "absorbed_ids": [], "result": None, "moves": None, "breaks": [], "traits": [],
        "note": "Fewer than two live profiles are left: nothing would be merged.",
    }  # fmt: skip
    if len(together) >= _A_PAIR:
        answer |= _consequences(brand, together, read_strategies(graph, brand.id))
    return answer | _told_apart(graph, brand, _Choice(review_id, sides, chosen, answer["survivor_id"]))


@dataclass(frozen=True, slots=True)
class _Choice:
    """What of a review is to be merged, and into which profile (None: nothing is)."""

    review_id: str
    sides: Mapping[str, Side]
    chosen: set[str]
    survivor_id: str | None

    def becomes(self, profile_id: str) -> str:
        """The live profile that this one would be."""
        return self.survivor_id if self.survivor_id is not None and profile_id in self.chosen else profile_id


def _consequences(
    brand: BrandSettings, together: Sequence[Side], strategies: Mapping[str, TraitStrategy]
) -> dict[str, Any]:
    survivor, absorbed = combined([side.profile for side in together])
    moving = [side.profile for side in together if side.profile.id in absorbed]
    return {
        "survivor_id": survivor.id,
        "absorbed_ids": absorbed,
        "result": _shown(survivor, brand),
        "moves": {
            "profiles": len(moving),
            "events": sum(profile.totals.event_count for profile in moving),
            "orders": sum(profile.totals.total_orders for profile in moving),
            **_money([profile.totals.ltv for profile in moving], brand.currency),
            "identifiers": len({pair for profile in moving for pair in profile.identifiers or ()}),
        },
        "breaks": [_broken(limit) for limit in broken_limits([side.profile for side in together], rule_set_for(brand))],
        "traits": _traits(together, strategies),
        "note": None,
    }


def _chosen(live: Mapping[str, str], profile_ids: Sequence[str]) -> set[str]:
    """The live profiles to merge: those named, by their own or a proposed persona's id, else all."""
    roots = set(live.values())
    if not profile_ids:
        return roots
    if len(set(profile_ids)) < _A_PAIR:
        raise InvalidInputError("Name at least two profiles to merge.", field="profile_ids")
    chosen = set()
    for place, one in enumerate(profile_ids):
        root = one if one in roots else live.get(one)
        if root is None:
            raise InvalidInputError("The review does not propose this profile.", field=f"profile_ids[{place}]")
        chosen.add(root)
    return chosen


def _read_sides(graph: Graph, brand: BrandSettings, roots: Sequence[str]) -> dict[str, Side]:
    sides = {}
    for row in graph.read("reviews/read_sides", brand=brand.id, roots=list(roots)):
        profile = Profile(
            row["id"],
            statistics_from(row["statistics"], brand.currency),
            set(row["identifier_types"] or ()),
            strength=row["strength"],
            persona_count=row["persona_count"],
            merge_count=row["merge_count"],
            version=row["version"],
            identifiers={(kind, value) for kind, value, _ in row["identifiers"]},
            verified={(kind, value) for kind, value, trust in row["identifiers"] if trust == Trust.VERIFIED},
        )
        sides[profile.id] = Side(profile, trait_values(row["traits"]), frozenset(row["review_ids"]))
    return sides


def _marks(graph: Graph, brand: BrandSettings, roots: Sequence[str]) -> list[dict[str, Any]]:
    rows = graph.read("reviews/list_marks", brand=brand.id, roots=list(roots))
    return [{**row, "at": to_time_text(row["at"])} for row in rows]


def _told_apart(graph: Graph, brand: BrandSettings, choice: _Choice) -> dict[str, Any]:
    """Marks of not the same that would end and begin, and other pending reviews that nothing would be left of."""
    roots = sorted(choice.sides)
    others = sorted({one for side in choice.sides.values() for one in side.review_ids} - {choice.review_id})
    proposed = proposed_profiles(graph, brand.id, others)
    marks = _marks(graph, brand, sorted({*roots, *itertools.chain.from_iterable(proposed.values())}))
    standing = {frozenset((mark["root_id"], mark["other_root_id"])) for mark in marks}
    ends = {pair for pair in standing if choice.survivor_id is not None and pair <= choice.chosen}
    begins = [
        [one, other]
        for one, other in itertools.combinations(roots, 2)
        if not {one, other} <= choice.chosen and frozenset((one, other)) not in standing
    ]
    apart = {frozenset(map(choice.becomes, pair)) for pair in [*(standing - ends), *begins]}
    return {
        "ends_not_same": [mark for mark in marks if frozenset((mark["root_id"], mark["other_root_id"])) in ends],
        "marks_not_same": begins,
        "settles_too": [
            one
            for one, profiles in sorted(proposed.items())
            if apart.issuperset(
                map(frozenset, itertools.combinations(sorted({choice.becomes(profile) for profile in profiles}), 2))
            )
        ],
    }


def _shown(profile: Profile, brand: BrandSettings) -> dict[str, Any]:
    totals = profile.totals
    identifiers = group_identifiers([list(pair) for pair in profile.identifiers or ()])
    return {
        "strength": profile.strength,
        "event_count": totals.event_count,
        "total_orders": totals.total_orders,
        **_money([totals.ltv], brand.currency),
        "first_seen": to_time_text(totals.first_seen) if totals.last_seen != NEVER_LAST else None,
        "last_seen": to_time_text(totals.last_seen) if totals.last_seen != NEVER_LAST else None,
        "identifiers": identifiers,
        "identifier_counts": {kind: len(values) for kind, values in identifiers.items()},
    }


def _card(side: Side, brand: BrandSettings, causes: Sequence[str]) -> dict[str, Any]:
    held = {f"{kind}:{value}" for kind, value in side.profile.identifiers or ()}
    return {
        "id": side.profile.id,
        **_shown(side.profile, brand),
        "evidence": [cause for cause in causes if cause in held],
    }


def _money(amounts: Sequence[Mapping[str, int]], headline: str) -> dict[str, Any]:
    """The money of several profiles as a profile shows its own."""
    totals: dict[str, int] = {}
    for ltv in amounts:
        for currency, minor in ltv.items():
            totals[currency] = totals.get(currency, 0) + minor
    others = sorted(currency for currency, minor in totals.items() if minor and currency != headline)
    return {
        "lifetime_value": to_decimal_string(totals.get(headline, 0), headline),
        "currency": headline,
        "lifetime_value_other": {currency: to_decimal_string(totals[currency], currency) for currency in others},
    }


def _broken(limit: BrokenLimit) -> dict[str, Any]:
    return {
        "rule": limit.rule, "type": limit.type, "count": limit.count, "limit": limit.limit, "values": limit.values,
    }  # fmt: skip


def _traits(together: Sequence[Side], strategies: Mapping[str, TraitStrategy]) -> list[dict[str, Any]]:
    """Every trait with the value that each profile shows today and the one that would show; no value is lost."""
    all_values = combine(one for side in together for one in side.traits)
    today = {side.profile.id: combine(side.traits) for side in together}
    traits = []
    for name, values in all_values.items():
        strategy = strategy_for(name, strategies)
        shown = {id_: choose(known[name], strategy).value for id_, known in today.items() if name in known}
        traits.append({
            "name": name,
            "in_conflict": len(set(shown.values())) > 1,
            "strategy": strategy.strategy,
            "values": [{"profile_id": id_, "value": json.loads(value)} for id_, value in shown.items()],
            "result": json.loads(choose(values, strategy).value),
        })  # fmt: skip
    return traits
