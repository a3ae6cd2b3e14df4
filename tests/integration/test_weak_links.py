"""Weak links on a real graph: devices and cookies that change hands, ties that stand or fall, in any order."""

import itertools
import random

import pytest

from core.brand import BrandSettings
from core.decisions import EventResult
from core.errors import PoisonedEventError
from core.events import IncomingEvent
from core.rules import IdentityRules
from graph.commit import commit_batch
from graph.driver import Graph
from graph.invariants import broken_invariants
from graph.repositories.events_read import get_event
from graph.repositories.profiles import Page, list_merges
from graph.repositories.reviews_read import list_reviews
from ingest.committer import commit_halving
from ingest.stewardship import unmerge_profile
from tests.factories import event, fact
from tests.integration.graph_state import by_identifier, live_profiles


def send(graph: Graph, brand: str, *events: IncomingEvent, batch: int = 1) -> list[str]:
    results = []
    for start in range(0, len(events), batch):
        results += commit_batch(graph, BrandSettings(brand), events[start : start + batch])
    return [result.decision for result in results]


def state(graph: Graph, brand: str) -> set[tuple[frozenset[str], int, int, int]]:
    """Live profiles as (identifiers, events, orders, money); stored counts equal the events really attached."""
    lives = live_profiles(graph, brand)
    assert all(live.event_count == live.performed for live in lives)
    return {(live.identifiers, live.event_count, live.total_orders, live.ltv_minor) for live in lives if live.performed}


def test_a_cookie_with_an_email_yesterday_and_a_phone_today_is_one_person(graph: Graph, brand_id: str) -> None:
    decisions = send(
        graph, brand_id,
        event(brand_id, "email:a@x.io", "cookie_id:c", minute=1),
        event(brand_id, "phone:+14155550101", "cookie_id:c", minute=2),
    )  # fmt: skip
    assert decisions == ["created", "attached"]
    assert len(live_profiles(graph, brand_id)) == 1


def test_a_tablet_that_another_person_signs_in_on_follows_that_person(graph: Graph, brand_id: str) -> None:
    decisions = send(
        graph, brand_id,
        event(brand_id, "email:a@x.io", "device_id:t", minute=1),
        event(brand_id, "email:b@x.io", "device_id:t", minute=3),
        event(brand_id, "device_id:t", minute=4),
        event(brand_id, "device_id:t", minute=2),
    )  # fmt: skip
    assert decisions == ["created", "created", "attached", "attached"]
    assert by_identifier(graph, brand_id, "email:a@x.io").event_count == 2
    held = by_identifier(graph, brand_id, "email:b@x.io")
    assert (held.event_count, held.identifiers) == (2, frozenset({"email:b@x.io", "device_id:t"}))


def test_a_late_sign_in_moves_the_events_after_it(graph: Graph, brand_id: str) -> None:
    send(
        graph, brand_id,
        event(brand_id, "email:a@x.io", "device_id:t", minute=1),
        event(brand_id, "device_id:t", minute=5),
        event(brand_id, "device_id:t", minute=5, order=fact(brand_id, "o1", total=700)),
    )  # fmt: skip
    send(graph, brand_id, event(brand_id, "email:b@x.io", "device_id:t", minute=4))
    assert state(graph, brand_id) == {
        (frozenset({"email:a@x.io"}), 1, 0, 0),
        (frozenset({"email:b@x.io", "device_id:t"}), 3, 1, 700),
    }


def test_a_weak_tie_falls_when_stronger_evidence_contradicts_it(graph: Graph, brand_id: str) -> None:
    send(
        graph, brand_id,
        event(brand_id, "email:a@x.io", "cookie_id:c", minute=1),
        event(brand_id, "phone:+14155550101", "cookie_id:c", minute=2),
    )  # fmt: skip
    [one] = live_profiles(graph, brand_id)
    send(graph, brand_id, event(brand_id, "phone:+14155550101", "email:b@x.io", minute=3))
    assert len(live_profiles(graph, brand_id)) == 2
    assert by_identifier(graph, brand_id, "cookie_id:c").identifiers >= {"phone:+14155550101", "email:b@x.io"}
    merges = list_merges(graph, brand_id, one.id)
    assert [merge["reason"] for merge in merges if merge["reverted_at"]] == ["weak_link"]


def test_an_identifier_of_too_many_people_is_shared_and_links_no_more(graph: Graph, brand_id: str) -> None:
    for number in range(7):
        send(graph, brand_id, event(brand_id, f"email:p{number}@x.io", "device_id:t", minute=number))
    decisions = send(
        graph, brand_id,
        event(brand_id, "device_id:t", minute=10),
        event(brand_id, "device_id:t", minute=1, key="early"),
    )  # fmt: skip
    assert decisions == ["unattached", "attached"]
    assert by_identifier(graph, brand_id, "email:p1@x.io").event_count == 2


def test_different_unique_ids_wait_for_review(graph: Graph, brand_id: str) -> None:
    send(graph, brand_id, event(brand_id, "phone:+14155550101", "loyalty_id:L1"))
    [result] = commit_batch(
        graph, BrandSettings(brand_id), [event(brand_id, "phone:+14155550101", "loyalty_id:L2", key="x")]
    )
    assert (result.decision, len(live_profiles(graph, brand_id))) == ("review", 2)
    assert by_identifier(graph, brand_id, "loyalty_id:L2").event_count == 1


def test_the_eleventh_absorption_within_a_day_waits_for_review(graph: Graph, brand_id: str) -> None:
    rules = IdentityRules(type_limits={})
    settings = BrandSettings(brand_id, rules=rules)
    decisions = []
    commit_batch(graph, settings, [event(brand_id, "email:a@x.io")])
    for number in range(11):
        commit_batch(graph, settings, [event(brand_id, f"phone:+1415555{number:04d}")])
        [done] = commit_batch(graph, settings, [event(brand_id, "email:a@x.io", f"phone:+1415555{number:04d}")])
        decisions.append(done.decision)
    assert decisions == ["merged"] * 10 + ["review"]


def test_an_unverified_value_does_not_join_a_profile_with_a_verified_other(graph: Graph, brand_id: str) -> None:
    send(graph, brand_id, event(brand_id, "email:a@x.io", "phone:+14155550101", trust="verified"))
    [result] = commit_batch(
        graph, BrandSettings(brand_id), [event(brand_id, "email:a@x.io", "phone:+14155550199", trust="declared")]
    )
    assert (result.decision, len(live_profiles(graph, brand_id))) == ("review", 2)


def test_an_eleventh_email_waits_for_review(graph: Graph, brand_id: str) -> None:
    decisions = send(
        graph, brand_id,
        *[event(brand_id, "phone:+14155550101", f"email:e{number}@x.io") for number in range(11)],
    )  # fmt: skip
    assert decisions == ["created"] + ["attached"] * 9 + ["review"]


def _family(brand: str) -> list[IncomingEvent]:
    return [
        event(brand, "device_id:t", key="1", minute=1),
        event(brand, "email:a@x.io", "device_id:t", key="2", minute=2),
        event(brand, "device_id:t", key="3", minute=3, order=fact(brand, "o1", total=500)),
        event(brand, "email:b@x.io", "device_id:t", key="4", minute=4),
        event(brand, "device_id:t", "cookie_id:c", key="5", minute=5),
        event(brand, "phone:+14155550101", "cookie_id:c", key="6", minute=6),
        event(brand, "cookie_id:c", key="7", minute=7),
    ]


@pytest.mark.parametrize("seed", range(12))
def test_a_family_on_one_tablet_ends_the_same_in_any_order(graph: Graph, brand_id: str, seed: int) -> None:
    rng = random.Random(seed)
    events = _family(brand_id)
    rng.shuffle(events)
    send(graph, brand_id, *events, batch=rng.choice([1, 3, 7]))
    assert state(graph, brand_id) == {
        (frozenset({"email:a@x.io"}), 3, 1, 500),
        (frozenset({"email:b@x.io", "device_id:t", "cookie_id:c", "phone:+14155550101"}), 4, 0, 0),
    }


_STRONG = ("email:a@x.io", "email:b@x.io", "phone:+14155550101", "phone:+14155550102", "loyalty_id:L1")
_WEAK = ("cookie_id:c", "cookie_id:d", "device_id:t")


def _random_history(brand: str, seed: int) -> list[IncomingEvent]:
    """Sign-ins, anonymous events and orders over few identifiers, never more than one strong one an event."""
    rng = random.Random(seed)
    events = []
    for number in range(rng.randint(4, 14)):
        pairs = rng.sample(_WEAK, rng.choice([1, 1, 1, 2]))
        if rng.random() < 0.5:
            pairs = [rng.choice(_STRONG), *pairs]
        order = fact(brand, f"o{number}", total=100 + number) if rng.random() < 0.2 else None
        events.append(event(brand, *pairs, key=f"{number}", minute=number, order=order))
    return events


@pytest.mark.parametrize("seed", range(40))
def test_random_weak_histories_end_the_same_in_any_order_and_batching(graph: Graph, brand_id: str, seed: int) -> None:
    rng = random.Random(seed)
    ends = []
    for number, batch in zip(itertools.count(), (1, 1, 5), strict=False):
        brand = f"{brand_id}{number}"
        events = _random_history(brand, seed)
        if number:
            rng.shuffle(events)
        send(graph, brand, *events, batch=batch)
        ends.append(state(graph, brand))
    assert ends[1] == ends[0]
    assert ends[2] == ends[0]


def test_an_automatic_merge_on_top_of_weak_ties_comes_apart_exactly(graph: Graph, brand_id: str) -> None:
    send(
        graph, brand_id,
        event(brand_id, "email:a@x.io", "cookie_id:c", minute=1),
        event(brand_id, "phone:+14155550101", "cookie_id:c", minute=2),
        event(brand_id, "loyalty_id:L1", minute=3, order=fact(brand_id, "o1", total=300)),
    )  # fmt: skip
    before = state(graph, brand_id)
    [joined] = commit_batch(
        graph, BrandSettings(brand_id), [event(brand_id, "phone:+14155550101", "loyalty_id:L1", minute=4)]
    )
    assert joined.decision == "merged"
    unmerge_profile(graph, BrandSettings(brand_id), joined.profile_id or "", merge_id=joined.merge_id, by="test")
    after = state(graph, brand_id)
    assert {(held, money) for held, _, _, money in after} == {(held, money) for held, _, _, money in before}
    assert broken_invariants(graph, brand_id) == []


def test_weak_identifiers_that_reach_too_many_profiles_wait_for_a_person(graph: Graph, brand_id: str) -> None:
    settings = BrandSettings(brand_id, rules=IdentityRules(max_cores=3))
    arrivals = [
        event(brand_id, "email:a@x.io", "device_id:t", minute=1),
        event(brand_id, "email:b@x.io", "device_id:t", minute=2),
        event(brand_id, "email:c@x.io", "device_id:t", minute=3),
        event(brand_id, "email:d@x.io", "device_id:t", minute=4),
        event(brand_id, "email:e@x.io", "device_id:t", minute=5),
    ]
    results = [commit_batch(graph, settings, [one])[0] for one in arrivals]
    assert [result.decision for result in results] == ["created", "created", "created", "review", "review"]
    assert results[3].review_id == results[4].review_id is not None
    [waiting] = list_reviews(graph, brand_id, Page())["items"]
    assert waiting["reason"] == "Auto-merge blocked: weak identifiers reach more than 3 profiles"
    assert waiting["identifiers"] == ["device_id:t"]
    assert set(waiting["profile_ids"]) == {result.profile_id for result in results[2:]}
    assert all("reach:" in " ".join(result.warnings) for result in results[3:])
    assert broken_invariants(graph, brand_id) == []


def test_a_visit_between_two_people_is_answered_with_whom_it_went_to(graph: Graph, brand_id: str) -> None:
    [first], [second], [visit] = (
        commit_batch(graph, BrandSettings(brand_id), [one])
        for one in (
            event(brand_id, "email:a@x.io", "device_id:t", minute=1),
            event(brand_id, "email:b@x.io", "cookie_id:c", minute=2),
            event(brand_id, "device_id:t", "cookie_id:c", minute=3),
        )
    )
    assert (visit.decision, visit.profile_id) == ("attached", first.profile_id)
    assert {live.id for live in live_profiles(graph, brand_id)} == {first.profile_id, second.profile_id}


_OTHERS = (
    "email:p1@x.io cookie_id:c1", "phone:+14155550101 cookie_id:c2", "loyalty_id:L1 cookie_id:c3",
    "user_id:u1 cookie_id:c4",
)  # fmt: skip


@pytest.mark.parametrize("place", range(5))
def test_a_visit_that_would_tie_too_many_waits_for_a_person_whenever_it_arrives(
    graph: Graph, brand_id: str, place: int
) -> None:
    visit = event(brand_id, "whatsapp:+14155550199", *(f"cookie_id:c{n}" for n in range(1, 5)), key="v", minute=9)
    arrivals = [event(brand_id, *pairs.split(), key=pairs[:9], minute=n) for n, pairs in enumerate(_OTHERS)]
    arrivals.insert(place, visit)
    send(graph, brand_id, *arrivals)
    assert {held for held, *_ in state(graph, brand_id)} == {
        frozenset({"email:p1@x.io"}), frozenset({"phone:+14155550101"}), frozenset({"loyalty_id:L1"}),
        frozenset({"user_id:u1"}), frozenset({"whatsapp:+14155550199", *(f"cookie_id:c{n}" for n in range(1, 5))}),
    }  # fmt: skip
    [waiting] = list_reviews(graph, brand_id, Page())["items"]
    assert len(waiting["profile_ids"]) == 5
    assert waiting["reason"].endswith("profiles exceed threshold of 3")
    assert broken_invariants(graph, brand_id) == []


_FOUR = ("email:a@x.io", "phone:+14155550101", "loyalty_id:L1", "user_id:u1")


@pytest.mark.parametrize("place", range(7))
def test_people_of_a_pending_review_count_as_one_where_they_share_devices(
    graph: Graph, brand_id: str, place: int
) -> None:
    """A newcomer with another e-mail is not tied to one of the four by the tablet: the four know an e-mail."""
    arrivals = [
        *(event(brand_id, who, key=f"s{n}", minute=n) for n, who in enumerate(_FOUR)),
        event(brand_id, "phone:+14155550101", "device_id:t", key="t", minute=5),
        event(brand_id, "email:new@x.io", "device_id:t", key="n", minute=6),
    ]
    arrivals.insert(place, event(brand_id, *_FOUR, key="all", minute=8))
    send(graph, brand_id, *arrivals)
    send(graph, brand_id, event(brand_id, "device_id:t", key="u", minute=7))
    newcomer = by_identifier(graph, brand_id, "email:new@x.io")
    assert (newcomer.identifiers, newcomer.event_count) == (frozenset({"email:new@x.io", "device_id:t"}), 2)
    assert broken_invariants(graph, brand_id) == []


def test_what_a_batch_stored_before_a_bad_event_is_answered_as_new(graph: Graph, brand_id: str) -> None:
    batch = [
        event(brand_id, "email:a@x.io", "device_id:t", key="1", minute=1),
        event(brand_id, "email:b@x.io", "device_id:t", key="2", minute=2),
        event(brand_id, "email:c@x.io", key="bad", traits="{"),
        event(brand_id, "email:d@x.io", "device_id:t", key="4", minute=4),
    ]
    outcomes = commit_halving(lambda brand, events: commit_batch(graph, brand, events), BrandSettings(brand_id), batch)
    assert isinstance(outcomes[2], PoisonedEventError)
    assert [one.duplicate for one in outcomes if isinstance(one, EventResult)] == [False, False, False]
    assert by_identifier(graph, brand_id, "device_id:t").identifiers == frozenset({"email:d@x.io", "device_id:t"})


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::3])
def test_what_a_shared_device_alone_tells_of_is_nobodys_in_whatever_order_its_people_came(
    graph: Graph, brand_id: str, order: tuple[int, ...]
) -> None:
    limits = {**IdentityRules().shared_limits, "device_id": 2}
    brand = BrandSettings(brand_id, rules=IdentityRules(shared_limits=limits))
    events = [
        event(brand_id, "email:p1@x.io", "device_id:t", key="a", minute=0),
        event(brand_id, "email:p2@x.io", "device_id:t", key="b", minute=6),
        event(brand_id, "device_id:t", key="c", minute=11, order=fact(brand_id, "o")),
        event(brand_id, "email:p0@x.io", "device_id:t", key="d", minute=6),
    ]
    for place in order:
        commit_batch(graph, brand, [events[place]])
    living = [live for live in live_profiles(graph, brand_id) if live.performed]
    people = {next(iter(live.identifiers - {"device_id:t"})): live for live in living}
    assert {name: (live.event_count, live.total_orders) for name, live in people.items()} == {
        "email:p0@x.io": (1, 0), "email:p1@x.io": (1, 0), "email:p2@x.io": (1, 0)
    }  # fmt: skip
    assert get_event(graph, brand_id, events[2].id)["decision"] == "unattached"
    assert broken_invariants(graph, brand_id) == []
