"""A phone that too many people carry: shared from the person over the limit on, in event time, in whatever order."""

import random
from typing import Any

import pytest

from core.brand import BrandSettings
from core.clock import utc_now
from core.events import IncomingEvent
from core.rules import IdentityRules
from graph.commit import commit_batch
from graph.driver import Graph
from graph.invariants import broken_invariants
from graph.recompute import list_waiting, move_some
from graph.repositories.profiles import Page, get_profile
from graph.repositories.reviews_read import list_reviews
from ingest.stewardship import merge_profiles, unmerge_profile
from ingest.stewardship.linking import attach_by_hand
from tests.factories import event, fact
from tests.integration.graph_state import by_identifier, live_profiles

PHONE = "phone:+14155550100"
SETTINGS = IdentityRules(shared_limits={"phone": 2})


def _send(graph: Graph, brand: str, *events: IncomingEvent) -> list[Any]:
    return [commit_batch(graph, BrandSettings(brand, rules=SETTINGS), [one])[0] for one in events]


def _household(brand: str, people: int = 3) -> list[IncomingEvent]:
    """Each with a card of their own, minute by minute; then somebody who only gives the phone, before and after."""
    members = [event(brand, PHONE, f"loyalty_id:L{n}", key=f"m{n}", minute=10 * n) for n in range(1, people + 1)]
    before = event(brand, PHONE, key="before", minute=25, order=fact(brand, "o1", total=500))
    after = event(brand, PHONE, key="after", minute=35, order=fact(brand, "o2", total=700))
    return [*members, before, after]


def _asked(graph: Graph, brand: str) -> list[set[str]]:
    """Cards of the people that each open review asks about."""
    cards = {live.id: sorted(h for h in live.identifiers if "loyalty" in h) for live in live_profiles(graph, brand)}
    found = [{card for one in review["profile_ids"] for card in cards[one]}
             for review in list_reviews(graph, brand, Page(200), "pending")["items"]]  # fmt: skip
    return [cards for cards in found if len(cards) > 1]


@pytest.mark.parametrize("seed", range(8))
def test_the_person_over_the_limit_in_event_time_makes_it_shared(graph: Graph, brand_id: str, seed: int) -> None:
    events = _household(brand_id)
    random.Random(seed).shuffle(events)
    _send(graph, brand_id, *events)
    first = by_identifier(graph, brand_id, "loyalty_id:L1")
    assert (first.identifiers, first.event_count, first.ltv_minor) == (frozenset({PHONE, "loyalty_id:L1"}), 2, 500)
    assert by_identifier(graph, brand_id, "loyalty_id:L3").identifiers == frozenset({"loyalty_id:L3"})
    assert _asked(graph, brand_id) == [{"loyalty_id:L1", "loyalty_id:L2"}]
    [repeat] = _send(graph, brand_id, next(one for one in events if one.id.endswith("after")))
    assert (repeat.duplicate, repeat.decision, repeat.profile_id) == (True, "unattached", None)
    assert broken_invariants(graph, brand_id) == []


def test_the_event_that_makes_it_shared_stands_alone_and_says_so(graph: Graph, brand_id: str) -> None:
    results = _send(graph, brand_id, *_household(brand_id))
    assert [result.decision for result in results] == ["created", "review", "created", "attached", "unattached"]
    assert results[2].review_id is None
    assert results[2].warnings[-1].startswith("shared:")


def test_a_person_who_comes_late_but_was_early_moves_the_moment(graph: Graph, brand_id: str) -> None:
    _send(graph, brand_id, *_household(brand_id))
    [late] = _send(graph, brand_id, event(brand_id, PHONE, "loyalty_id:L0", key="late", minute=5))
    assert late.decision == "created"
    assert by_identifier(graph, brand_id, PHONE).identifiers == frozenset({PHONE, "loyalty_id:L0"})
    assert by_identifier(graph, brand_id, "loyalty_id:L1").event_count == 1
    assert _asked(graph, brand_id) == [{"loyalty_id:L0", "loyalty_id:L1"}]
    assert broken_invariants(graph, brand_id) == []


def test_a_merge_of_two_of_them_lifts_it_and_its_unmerge_brings_it_back(graph: Graph, brand_id: str) -> None:
    _send(graph, brand_id, *_household(brand_id))
    ids = [by_identifier(graph, brand_id, f"loyalty_id:L{n}").id for n in (1, 2)]
    settings = BrandSettings(brand_id, rules=SETTINGS)
    merged = merge_profiles(graph, settings, ids[0], [ids[1]], by="test")
    both = by_identifier(graph, brand_id, PHONE)
    assert (both.event_count, both.ltv_minor) == (4, 1200)
    assert _asked(graph, brand_id) == [{"loyalty_id:L1", "loyalty_id:L2", "loyalty_id:L3"}]
    unmerge_profile(graph, settings, merged.survivor_id, by="test")
    assert sum(live.event_count for live in live_profiles(graph, brand_id)) == 4
    assert broken_invariants(graph, brand_id) == []


def _order_beyond(brand_id: str) -> list[IncomingEvent]:
    """People of one phone, an order by the phone alone, and a refund of it by somebody else altogether."""
    return [
        event(brand_id, PHONE, "loyalty_id:L1", key="m1", minute=10),
        event(brand_id, PHONE, "loyalty_id:L2", key="m2", minute=20),
        event(brand_id, PHONE, key="sale", minute=35, order=fact(brand_id, "o1", total=500)),
        event(
            brand_id, "email:q@x.io", key="refund", minute=40,
            order=fact(brand_id, "o1", "refund", total=100, refund_id="r1"),
        ),
    ]  # fmt: skip


def test_an_order_that_somebody_else_told_of_does_not_keep_the_identifier_from_being_shared(
    graph: Graph, brand_id: str
) -> None:
    _send(graph, brand_id, *_order_beyond(brand_id))
    [third] = _send(graph, brand_id, event(brand_id, PHONE, "loyalty_id:L3", key="m3", minute=30))
    assert third.decision == "created"
    assert sum(live.ltv_minor for live in live_profiles(graph, brand_id)) == 0
    assert broken_invariants(graph, brand_id) == []


def test_a_merge_gives_such_an_order_back(graph: Graph, brand_id: str) -> None:
    _send(graph, brand_id, *_order_beyond(brand_id), event(brand_id, PHONE, "loyalty_id:L3", key="m3", minute=30))
    ids = [by_identifier(graph, brand_id, f"loyalty_id:L{n}").id for n in (1, 2)]
    merged = merge_profiles(graph, BrandSettings(brand_id, rules=SETTINGS), ids[0], [ids[1]], by="test")
    assert {live.id: live.ltv_minor for live in live_profiles(graph, brand_id)}[merged.survivor_id] == 400
    assert broken_invariants(graph, brand_id) == []


def test_what_a_person_gave_to_somebody_stays_there(graph: Graph, brand_id: str) -> None:
    _send(graph, brand_id, *_household(brand_id))
    third = by_identifier(graph, brand_id, "loyalty_id:L3")
    attach_by_hand(graph, BrandSettings(brand_id, rules=SETTINGS), f"evt_{brand_id}_after", third.id, by="test")
    before = by_identifier(graph, brand_id, "loyalty_id:L3")
    assert before.event_count == third.event_count + 1
    _send(graph, brand_id, event(brand_id, PHONE, "loyalty_id:L0", key="late", minute=5))
    after = by_identifier(graph, brand_id, "loyalty_id:L3")
    assert (after.event_count, after.ltv_minor) == (before.event_count, before.ltv_minor)
    assert broken_invariants(graph, brand_id) == []


def _crowd(brand: str, seed: int) -> list[IncomingEvent]:
    """A household whose phone alone tells of many events and two orders, before and after it is shared."""
    alone = [event(brand, PHONE, key=f"a{n}", minute=26 + 2 * n) for n in range(7)]
    refund = event(brand, PHONE, key="r", minute=60, order=fact(brand, "o2", "refund", 200, refund_id="r"))
    events = [*_household(brand, 4), *alone, refund]
    random.Random(seed).shuffle(events)
    return events


def _whole(graph: Graph, brand: str) -> tuple[Any, ...]:
    lives = live_profiles(graph, brand)
    assert all(live.event_count == live.performed for live in lives)
    people = {(live.identifiers, live.event_count, live.total_orders, live.ltv_minor) for live in lives}
    return people, sorted(map(sorted, _asked(graph, brand)))


def _waiting(graph: Graph, brand: str) -> list[str]:
    return [one.id for one in list_waiting(graph, utc_now(), 10_000) if one.brand == brand]


@pytest.mark.parametrize("seed", range(6))
def test_more_events_than_one_transaction_takes_follow_a_shared_identifier_afterwards(
    graph: Graph, brand_id: str, seed: int
) -> None:
    at_once = brand_id + "a"
    _send(graph, at_once, *_crowd(at_once, seed))
    later = BrandSettings(brand_id, rules=SETTINGS, moved_at_once=2)
    was_asked = set()
    for one in _crowd(brand_id, seed):
        commit_batch(graph, later, [one])
        if _waiting(graph, brand_id):
            holder = by_identifier(graph, brand_id, PHONE).id
            was_asked.add(get_profile(graph, brand_id, holder)["recomputing"])
    for waiting in _waiting(graph, brand_id):
        while move_some(graph, later, waiting):
            assert broken_invariants(graph, brand_id) == []
    assert was_asked == {True}
    assert not _waiting(graph, brand_id)
    assert _whole(graph, brand_id) == _whole(graph, at_once)
    assert broken_invariants(graph, brand_id) == []
    assert not get_profile(graph, brand_id, by_identifier(graph, brand_id, PHONE).id)["recomputing"]


def test_a_merge_that_lifts_it_meanwhile_gives_the_events_back_and_nothing_waits(graph: Graph, brand_id: str) -> None:
    later = BrandSettings(brand_id, rules=SETTINGS, moved_at_once=2)
    alone = [event(brand_id, PHONE, key=f"a{n}", minute=40 + n) for n in range(6)]
    for one in [*_household(brand_id, 2), *alone, event(brand_id, PHONE, "loyalty_id:L3", key="m3", minute=30)]:
        commit_batch(graph, later, [one])
    [waiting] = _waiting(graph, brand_id)
    assert move_some(graph, later, waiting) == 2
    ids = [by_identifier(graph, brand_id, f"loyalty_id:L{n}").id for n in (1, 2)]
    merge_profiles(graph, later, ids[0], [ids[1]], by="test")
    for again in _waiting(graph, brand_id):
        while move_some(graph, later, again):
            continue
    assert not _waiting(graph, brand_id)
    assert by_identifier(graph, brand_id, PHONE).event_count == 10
    assert broken_invariants(graph, brand_id) == []


def test_an_event_that_turns_out_to_be_nobodys_names_the_rule(graph: Graph, brand_id: str) -> None:
    alone = event(brand_id, "phone:+14155550100", key="alone", minute=30)
    members = [
        event(brand_id, f"loyalty_id:L{number}", "phone:+14155550100", key=f"m{number}", minute=number)
        for number in range(3)
    ]
    settings = BrandSettings(brand_id, rules=IdentityRules(shared_limits={**IdentityRules().shared_limits, "phone": 2}))
    for one in (alone, *members):
        commit_batch(graph, settings, [one])
    with graph.session() as session:
        [row] = session.run("MATCH (e:Event {id: $id}) RETURN e.decision AS decision, e.rules AS rules", id=alone.id)
    assert (row["decision"], row["rules"]) == ("unattached", ["shared"])
