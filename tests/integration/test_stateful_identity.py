"""Random sequences of everything that can happen to identities, against a small model in plain Python.

`CONSTINTEL_HISTORIES=5000 pytest tests/integration/test_stateful_identity.py -s` runs as many new ones; without it a
fixed set runs. A failure prints the shortest sequence of steps that shows it.
"""

import os
import uuid
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core.brand import BrandSettings
from core.decisions import EventResult
from core.events import IncomingEvent, OrderFact
from core.identifiers import Identifier
from core.rules import IdentityRules
from graph.commit import commit_batch
from graph.driver import Graph
from graph.invariants import broken_invariants
from graph.repositories.profiles import Page
from graph.repositories.reviews_read import list_reviews
from ingest.stewardship import approve_review, merge_profiles, reject_review, split_review, unmerge_profile
from ingest.stewardship.linking import attach_by_hand, link_by_hand, unlink_by_hand
from tests.factories import event, fact
from tests.identity_model import Answer, IdentityModel, Person
from tests.integration.graph_state import live_profiles

IN_CI = 60
STEPS = 24
STEWARD = "steward"
POOL = (
    *(f"email:{name}@x.io" for name in "abcde"),
    *(f"phone:+141555501{number:02d}" for number in range(4)),
    *(f"loyalty_id:L{number}" for number in range(3)),
)
# Rules whose limits such small histories would not reach on purpose are tested by themselves.
RULES = IdentityRules(type_limits={}, shared_limits={}, drift_limit=1000)

some = st.lists(st.sampled_from(POOL), min_size=2, max_size=3, unique=True)
many = st.lists(st.sampled_from(POOL), min_size=4, max_size=6, unique=True)
few = st.lists(st.sampled_from(POOL), min_size=1, max_size=2, unique=True)
minutes = st.integers(0, 40)
places = st.integers(0, 50)


@dataclass
class Run:
    """How much was tried."""

    histories: int = 0
    steps: int = 0
    unmerges: int = 0
    reviews: int = 0


class Identities(RuleBasedStateMachine):
    """One brand in the real graph beside one model; after every step they have to agree."""

    def __init__(self, graph: Graph, run: Run) -> None:
        super().__init__()
        self.graph, self.run = graph, run
        self.brand = BrandSettings(f"t{uuid.uuid4().hex[:12]}", rules=RULES)
        self.model = IdentityModel()
        self.sent = 0
        self.unattached: list[str] = []
        run.histories += 1

    # Steps

    @initialize(known=st.lists(st.sampled_from(POOL), min_size=3, max_size=8, unique=True))
    def people_known_by_one_identifier_each(self, known: list[str]) -> None:
        self._send([self._event([one], 20 + place) for place, one in enumerate(known)])

    @rule(pairs=some, minute=minutes)
    def an_event(self, pairs: list[str], minute: int) -> None:
        self._send([self._event(pairs, minute)])

    @rule(pairs=many, minute=minutes)
    def an_event_that_names_many(self, pairs: list[str], minute: int) -> None:
        self._send([self._event(pairs, minute)])

    @rule(pairs=few, minute=minutes, order=st.integers(0, 3), cents=st.integers(100, 900))
    def a_purchase(self, pairs: list[str], minute: int, order: int, cents: int) -> None:
        self._send([self._event(pairs, minute, fact(self.brand.id, f"o{order}", total=cents))])

    @rule(minute=minutes, order=st.integers(0, 3), refund=st.integers(0, 2), cents=st.integers(50, 500))
    def a_refund_without_identifiers(self, minute: int, order: int, refund: int, cents: int) -> None:
        told = fact(self.brand.id, f"o{order}", "refund", cents, refund_id=f"r{refund}")
        self._send([self._event([], minute, told)])

    @rule(minute=minutes, order=st.integers(0, 3))
    def a_cancellation(self, minute: int, order: int) -> None:
        self._send([self._event([], minute, fact(self.brand.id, f"o{order}", "cancel", 0))])

    @rule(all_pairs=st.lists(few, min_size=2, max_size=5), minute=minutes)
    def a_batch(self, all_pairs: list[list[str]], minute: int) -> None:
        self._send([self._event(pairs, minute + place) for place, pairs in enumerate(all_pairs)])

    @rule(minute=minutes)
    def an_event_of_nobody(self, minute: int) -> None:
        [told] = self._send([self._event([], minute)])
        self.unattached.append(told.event_id)

    @precondition(lambda self: self.model.events)
    @rule(place=places)
    def a_repeat(self, place: int) -> None:
        known = list(self.model.events.values())
        self._send([known[place % len(known)]])

    @precondition(lambda self: len(self.model.profiles()) > 1)
    @rule(chosen=st.lists(places, min_size=2, max_size=5))
    def a_merge_by_hand(self, chosen: list[int]) -> None:
        heads = sorted(self.model.profiles())
        named = sorted({heads[place % len(heads)] for place in chosen} | {heads[0]})
        if len(named) > 1:
            outcome = merge_profiles(self.graph, self.brand, named[0], named[1:], by=STEWARD)
            assert outcome.survivor_id == self.model.merge(outcome.merge_id, named)

    @precondition(lambda self: self.model.merges)
    @rule(place=places)
    def an_unmerge(self, place: int) -> None:
        self.run.unmerges += 1
        merge = self.model.merges[place % len(self.model.merges)]
        head = self.model.live(merge.pointers[0][0])
        live = unmerge_profile(self.graph, self.brand, head, merge_id=merge.id, by=STEWARD)
        assert set(live) == self.model.unmerge(merge.id)

    @precondition(lambda self: self.model.merges)
    @rule(place=places)
    def an_unmerge_of_the_latest(self, place: int) -> None:
        self.run.unmerges += 1
        head = self.model.live(self.model.merges[place % len(self.model.merges)].pointers[0][0])
        latest = [merge for merge in self.model.merges if self.model.live(merge.pointers[0][0]) == head][-1]
        live = unmerge_profile(self.graph, self.brand, head, by=STEWARD)
        assert set(live) == self.model.unmerge(latest.id)

    @precondition(lambda self: self.model.reviews)
    @rule(place=places)
    def an_approval(self, place: int) -> None:
        review, heads = self._review(place)
        outcome = approve_review(self.graph, self.brand, review, by=STEWARD)
        assert (outcome.merge_id is not None) == (len(heads) > 1)
        if outcome.merge_id is not None:
            assert outcome.survivor_id == self.model.merge(outcome.merge_id, heads)

    @precondition(lambda self: self.model.reviews)
    @rule(place=places)
    def a_rejection(self, place: int) -> None:
        proposed = self.model.reviews[sorted(self.model.reviews)[place % len(self.model.reviews)]]
        review, _ = self._review(place)
        reject_review(self.graph, self.brand, review, by=STEWARD)
        self.model.tell_apart(proposed)

    @precondition(lambda self: self.model.reviews)
    @rule(place=places, first=places, size=st.integers(2, 3))
    def a_split(self, place: int, first: int, size: int) -> None:
        proposed = self.model.reviews[sorted(self.model.reviews)[place % len(self.model.reviews)]]
        heads = sorted({self.model.live(one) for one in proposed})
        chosen = [heads[(first + step) % len(heads)] for step in range(size)]
        if len(set(chosen)) < 2:
            return
        review, _ = self._review(place)
        outcome = split_review(self.graph, self.brand, review, chosen, by=STEWARD)
        self.model.tell_apart(proposed, together=set(chosen))
        assert outcome.survivor_id == self.model.merge(outcome.merge_id or "", set(chosen))

    @precondition(lambda self: self.model.owners)
    @rule(place=places)
    def an_identifier_taken_away(self, place: int) -> None:
        identifier = sorted(self.model.owners)[place % len(self.model.owners)]
        head = self.model.live(self.model.owners[identifier])
        unlink_by_hand(self.graph, self.brand, head, Identifier(*identifier.split(":", 1)), by=STEWARD)
        self.model.unlink(identifier)

    @precondition(lambda self: self.model.personas)
    @rule(identifier=st.sampled_from(POOL), place=places)
    def an_identifier_given(self, identifier: str, place: int) -> None:
        heads = sorted(self.model.profiles())
        if identifier not in self.model.owners:
            head = heads[place % len(heads)]
            link_by_hand(self.graph, self.brand, head, Identifier(*identifier.split(":", 1)), by=STEWARD)
            self.model.link(identifier, head)

    @precondition(lambda self: self.unattached and self.model.personas)
    @rule(place=places)
    def an_event_attached_by_hand(self, place: int) -> None:
        heads = sorted(self.model.profiles())
        event_id, head = self.unattached.pop(), heads[place % len(heads)]
        attach_by_hand(self.graph, self.brand, event_id, head, by=STEWARD)
        self.model.attach(event_id, head)

    # What has to hold

    @invariant()
    def they_agree(self) -> None:
        self.run.steps += 1
        found = {
            live.id: Person(
                live.id, live.identifiers, live.event_count, live.total_orders, live.ltv_minor, live.strength
            )
            for live in live_profiles(self.graph, self.brand.id)
        }
        assert found == self.model.people()
        pending = {
            review["id"]: set(review["profile_ids"])
            for review in list_reviews(self.graph, self.brand.id, Page(100), "pending")["items"]
        }
        assert pending == {
            review: {self.model.live(one) for one in proposed} for review, proposed in self.model.reviews.items()
        }

    def teardown(self) -> None:
        assert broken_invariants(self.graph, self.brand.id) == []

    # Helpers

    def _event(self, pairs: list[str], minute: int, order: OrderFact | None = None) -> IncomingEvent:
        self.sent += 1
        return event(self.brand.id, *pairs, key=f"{self.sent:03d}", minute=minute, order=order)

    def _send(self, events: list[IncomingEvent]) -> list[EventResult]:
        results = commit_batch(self.graph, self.brand, events)
        for told, result in zip(events, results, strict=True):
            is_repeat = told.id in self.model.events
            new_persona = "cus_" + told.id.removeprefix("evt_")
            expected = self.model.take(told, new_persona)
            found = Answer(result.decision, result.profile_id, frozenset(result.merged_profile_ids), expected.proposed)
            assert result.duplicate == is_repeat
            assert found == expected
            if expected.decision == "review" and not is_repeat:
                self._note_review(result.review_id or "", expected)
        return results

    def _note_review(self, review: str, answer: Answer) -> None:
        """Open or extend a review; those that were joined into it are gone."""
        self.run.reviews += 1
        pending = {one["id"] for one in list_reviews(self.graph, self.brand.id, Page(100), "pending")["items"]}
        joined = {one for one in self.model.reviews if one not in pending}
        touched = {one for one in (*joined, review) if one in self.model.reviews}
        assert review in pending
        heads = {self.model.live(one) for known in touched for one in self.model.reviews[known]}
        for one in joined:
            assert {self.model.live(persona) for persona in self.model.reviews.pop(one)} & (heads | answer.proposed)
        self.model.reviews.setdefault(review, set()).update(heads | answer.proposed)

    def _review(self, place: int) -> tuple[str, set[str]]:
        review = sorted(self.model.reviews)[place % len(self.model.reviews)]
        return review, {self.model.live(one) for one in self.model.reviews.pop(review)}


def test_everything_that_can_happen_ends_as_the_model_says(graph: Graph, capsys: pytest.CaptureFixture[str]) -> None:
    asked = int(os.environ.get("CONSTINTEL_HISTORIES", "0"))
    run = Run()
    chosen = settings(
        max_examples=asked or IN_CI,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=not asked,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    try:
        # It takes anything that makes a machine, whatever its annotation says.
        run_state_machine_as_test(lambda: Identities(graph, run), settings=chosen)  # type: ignore[arg-type]
    finally:
        with capsys.disabled():
            print(f"\n{run}", end=" ")  # noqa: T201 - how many histories ran is part of the result
