"""What a preview says is what approval then does, for whole reviews and parts of them, over random histories."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.brand import BrandSettings
from core.events import IncomingEvent
from core.rules import IdentityRules
from graph.commit import commit_batch
from graph.driver import Graph
from graph.invariants import broken_invariants
from graph.repositories.profiles import Page, get_profile
from graph.repositories.reviews_read import get_review, list_reviews
from ingest.stewardship import approve_review, merge_profiles, reject_review, split_review, unmerge_profile
from ingest.stewardship.review_sweep import sweep_brand
from insight.review_preview import preview_review
from tests.factories import event, fact
from tests.integration.graph_state import live_profiles

_STEWARD = "steward"
_NAMES = (
    *(f"email:{name}@x.io" for name in "abcdef"), *(f"phone:+1415555010{digit}" for digit in range(4)),
    *(f"loyalty_id:L{digit}" for digit in range(5)), *(f"user_id:u{digit}" for digit in range(3)),
    "device_id:t", "cookie_id:c",
)  # fmt: skip
_SHOWN = (
    "strength", "event_count", "total_orders", "lifetime_value", "lifetime_value_other", "currency", "first_seen",
    "last_seen", "identifiers",
)  # fmt: skip


def _event(brand: str, rng: random.Random, number: int) -> IncomingEvent:
    pairs = rng.sample(_NAMES, rng.choice([1, 1, 1, 2, 2, 2, 3]))
    more: dict[str, Any] = {}
    if rng.random() < 0.4:
        kind, refund = rng.choice([("sale", None), ("sale", None), ("refund", f"r{number}")])
        told = {} if refund is None else {"refund_id": refund}
        more["order"] = fact(brand, f"o{rng.randrange(6)}", kind, rng.randrange(100, 9_000), **told)
    if rng.random() < 0.5:
        more["traits"] = f'{{"city": "{rng.choice("xyz")}", "size{rng.randrange(2)}": {rng.randrange(3)}}}'
    trust = rng.choice(["verified", "transaction", "transaction", "declared"])
    return event(brand, *pairs, key=f"{number}", minute=rng.randint(0, 60), trust=trust, **more)


@dataclass(frozen=True)
class History:
    """A brand in which events, stewards and reviews happen at random."""

    graph: Graph
    brand: BrandSettings
    rng: random.Random

    def grow(self, first: int, count: int) -> None:
        for number in range(first, first + count):
            commit_batch(self.graph, self.brand, [_event(self.brand.id, self.rng, number)])

    def meddle(self) -> None:
        """A steward joins two profiles, and perhaps parts them again: what is proposed changes meanwhile."""
        ids = sorted(one.id for one in live_profiles(self.graph, self.brand.id))
        if len(ids) > 1 and self.rng.random() < 0.5:
            one, other = self.rng.sample(ids, 2)
            survivor = merge_profiles(self.graph, self.brand, one, [other], by=_STEWARD).survivor_id
            if self.rng.random() < 0.5:
                unmerge_profile(self.graph, self.brand, survivor, by=_STEWARD)

    def pending(self) -> dict[str, set[str]]:
        """Waiting review → the live profiles that it proposes."""
        items = list_reviews(self.graph, self.brand.id, Page(200), "pending")["items"]
        return {item["id"]: set(item["profile_ids"]) for item in items}

    def apart(self) -> set[frozenset[str]]:
        """Pairs of live profiles that a mark keeps apart."""
        with self.graph.session() as session:
            rows = session.run(
                "MATCH (a:Customer {brand: $brand})-[n:NOT_SAME]->(b:Customer) WHERE n.ended_at IS NULL "
                "RETURN a.root_id, b.root_id",
                brand=self.brand.id,
            ).values()
        return {frozenset(row) for row in rows}

    def is_left_over(self, profile_ids: set[str], apart: set[frozenset[str]]) -> bool:
        """Whether nothing is left to decide about these."""
        return all(frozenset((a, b)) in apart for a in profile_ids for b in profile_ids if a < b)


def _decide(history: History, review: str, part: Sequence[str]) -> None:
    graph, brand = history.graph, history.brand
    waiting, marks = history.pending(), history.apart()
    seen = preview_review(graph, brand, review, part)
    if part:
        outcome = split_review(graph, brand, review, part, by=_STEWARD)
    else:
        outcome = approve_review(graph, brand, review, by=_STEWARD)
    assert seen["survivor_id"] == (outcome.survivor_id if outcome.merge_id else None)
    if outcome.merge_id is not None:
        profile = get_profile(graph, brand.id, outcome.survivor_id or "")
        assert seen["result"] is not None
        assert {name: seen["result"][name] for name in _SHOWN} == {name: profile[name] for name in _SHOWN}
        assert {trait["name"]: trait["result"] for trait in seen["traits"]} == profile["traits"]
        assert set(seen["absorbed_ids"]) <= set(profile["absorbed_ids"])
        counted = {one.id: one.performed for one in live_profiles(graph, brand.id)}
        assert seen["result"]["event_count"] == counted[profile["id"]]
        before = next(card for card in seen["profiles"] if card["id"] == profile["id"])
        assert seen["moves"]["events"] == profile["event_count"] - before["event_count"]
        assert seen["moves"]["orders"] == profile["total_orders"] - before["total_orders"]
    chosen = set(seen["profile_ids"])
    absorbed = set(seen["absorbed_ids"])

    def now(one: str) -> str:
        return str(seen["survivor_id"]) if one in absorbed else one

    ended = {pair for pair in marks if pair <= chosen}
    assert {frozenset((mark["root_id"], mark["other_root_id"])) for mark in seen["ends_not_same"]} == ended
    new = {frozenset(map(now, pair)) for pair in seen["marks_not_same"]}
    apart = history.apart()
    assert apart == {frozenset(map(now, pair)) for pair in marks - ended} | new
    left = {other for other, ids in history.pending().items() if history.is_left_over(ids, apart)}
    assert left == set(seen["settles_too"]), (waiting, seen)
    for other in sorted(left):
        sweep_brand(graph, brand)
        assert get_review(graph, brand.id, other)["decided_by"] == "rules"


def _check(graph: Graph, brand_id: str, seed: int) -> int:
    rng = random.Random(seed)
    # Strict rules: most meetings are for a person to decide.
    limits = {"email": rng.choice([2, 10]), "phone": 1}
    rules = IdentityRules(merge_threshold=rng.choice([1, 1, 2, 3]), type_limits=limits)
    brand = BrandSettings(brand_id, rules=rules)
    history = History(graph, brand, rng)
    decided = 0
    for step in range(4):
        history.grow(step * 20, rng.randint(8, 16))
        history.meddle()
        sweep_brand(graph, brand)
        for review in sorted(history.pending()):
            if review not in history.pending():
                continue
            ids = sorted(history.pending()[review])
            if rng.random() < 0.4:
                reject_review(graph, brand, review, by=_STEWARD)
                sweep_brand(graph, brand)
                continue
            _decide(history, review, rng.sample(ids, 2) if len(ids) > 2 and rng.random() < 0.5 else ())
            decided += 1
    assert broken_invariants(graph, brand.id) == []
    return decided


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32))
def test_approval_does_what_the_preview_said(graph: Graph, brand_id: str, seed: int) -> None:
    _check(graph, f"{brand_id}-{seed}", seed)


def test_random_histories_do_leave_reviews_to_decide(graph: Graph, brand_id: str) -> None:
    assert sum(_check(graph, f"{brand_id}-{seed}", seed) for seed in range(4)) > 4
