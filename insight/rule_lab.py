"""The rule lab: what another rule set would have made of a brand's history, without writing anything."""

from typing import Any

from core.brand import BrandSettings
from core.money import to_decimal_string
from core.rules import IdentityRules
from graph.driver import Graph
from graph.repositories.rules import StoredProfile, read_history, read_profiles
from resolver.replay import Replayed, replay
from resolver.rules import rule_set_for

MAX_EVENTS = 200_000
_SAMPLES = 10


def preview_rules(
    graph: Graph, brand: BrandSettings, rules: IdentityRules, max_events: int = MAX_EVENTS
) -> dict[str, Any]:
    """Replay the history under the active and under these rules and compare.

    What people decided (merges by hand, reviews) is in neither replay, so differences come from the rules alone.
    `truncated` says that the brand has more than `max_events` events and only that many were replayed.
    """
    events, truncated = read_history(graph, brand.id, max_events)
    now, then = replay(events, rule_set_for(brand)), replay(events, rules)
    touched = [
        (profile, kind)
        for profile in read_profiles(graph, brand.id)
        if (kind := _change(profile, now, then)) is not None
    ]
    return {
        "events_replayed": len(events),
        "truncated": truncated,
        "profiles_before": now.profiles,
        "profiles_after": then.profiles,
        "profiles_that_would_merge": sum(1 for _, kind in touched if kind == "merge"),
        "profiles_that_would_split": sum(1 for _, kind in touched if kind == "split"),
        "reviews_before": now.pending_reviews,
        "reviews_after": then.pending_reviews,
        "reviews_added": max(0, then.pending_reviews - now.pending_reviews),
        "reviews_settled": max(0, now.pending_reviews - then.pending_reviews),
        "shared_before": now.shared,
        "shared_after": then.shared,
        "largest_before": now.largest,
        "largest_after": then.largest,
        "rule_hits_before": dict(sorted(now.rule_hits.items())),
        "rule_hits_after": dict(sorted(then.rule_hits.items())),
        "customers_touched": len(touched),
        "revenue_touched": to_decimal_string(sum(profile.ltv_minor for profile, _ in touched), brand.currency),
        "currency": brand.currency,
        "samples": [_sample(profile, kind, now, then) for profile, kind in touched[:_SAMPLES]],
    }


def _change(profile: StoredProfile, now: Replayed, then: Replayed) -> str | None:
    before = {now.people[one] for one in profile.identifiers if one in now.people}
    after = {then.people[one] for one in profile.identifiers if one in then.people}
    if before == after:
        return None
    return "split" if len(after) > len(before) else "merge" if _size(after) > _size(before) else "split"


def _size(groups: set[frozenset[str]]) -> int:
    return max((len(group) for group in groups), default=0)


def _sample(profile: StoredProfile, kind: str, now: Replayed, then: Replayed) -> dict[str, Any]:
    return {
        "profile_id": profile.id,
        "change": kind,
        "groups_before": len({now.people[one] for one in profile.identifiers if one in now.people}),
        "groups_after": len({then.people[one] for one in profile.identifiers if one in then.people}),
    }
