"""The commit on a real graph: decisions, duplicates, orders, reviews, batches against single events."""

import random

import pytest

from core.brand import BrandSettings
from core.decisions import EventResult
from core.events import IncomingEvent
from graph.commit import commit_batch
from graph.driver import Graph
from graph.repositories.profiles import list_merges
from tests.factories import event, fact
from tests.integration.graph_state import by_identifier, live_profiles


def send(graph: Graph, brand: str, *events: IncomingEvent) -> list[EventResult]:
    return commit_batch(graph, BrandSettings(brand), events)


def send_one(graph: Graph, brand: str, *pairs: str, **more: object) -> EventResult:
    return send(graph, brand, event(brand, *pairs, **more))[0]  # type: ignore[arg-type]


def test_an_event_without_identifiers_is_stored_unattached(graph: Graph, brand_id: str) -> None:
    result = send_one(graph, brand_id)
    assert (result.decision, result.profile_id) == ("unattached", None)


def test_supporting_identifiers_alone_make_no_profile(graph: Graph, brand_id: str) -> None:
    assert send_one(graph, brand_id, "card_last4:1234").decision == "unattached"


def test_supporting_identifiers_never_link(graph: Graph, brand_id: str) -> None:
    send_one(graph, brand_id, "email:a@x.io", "card_last4:1234")
    assert send_one(graph, brand_id, "email:b@x.io", "card_last4:1234").decision == "created"
    assert len(live_profiles(graph, brand_id)) == 2


def test_first_event_creates_and_second_attaches(graph: Graph, brand_id: str) -> None:
    first = send_one(graph, brand_id, "email:a@x.io")
    second = send_one(graph, brand_id, "email:a@x.io", "cookie_id:c1")
    assert (first.decision, second.decision) == ("created", "attached")
    assert first.profile_id == second.profile_id
    live = by_identifier(graph, brand_id, "cookie_id:c1")
    assert (live.event_count, live.performed, live.strength) == (2, 2, 45)


def test_two_matches_merge_and_absorbed_are_named(graph: Graph, brand_id: str) -> None:
    old = send_one(graph, brand_id, "email:a@x.io", minute=1)
    young = send_one(graph, brand_id, "phone:+14155550101", minute=2)
    result = send_one(graph, brand_id, "email:a@x.io", "phone:+14155550101", minute=3)
    assert (result.decision, result.profile_id) == ("merged", old.profile_id)
    assert result.merged_profile_ids == (young.profile_id,)
    [live] = live_profiles(graph, brand_id)
    assert (live.event_count, live.performed, live.strength) == (3, 3, 75)


def test_three_matches_merge(graph: Graph, brand_id: str) -> None:
    for one in ("email:a@x.io", "phone:+14155550101", "cookie_id:c"):
        send_one(graph, brand_id, one)
    assert send_one(graph, brand_id, "email:a@x.io", "phone:+14155550101", "cookie_id:c").decision == "merged"
    assert len(live_profiles(graph, brand_id)) == 1


FOUR = ("email:a@x.io", "phone:+14155550101", "cookie_id:c", "device_id:d")


def test_more_than_three_matches_waits_for_review(graph: Graph, brand_id: str) -> None:
    made = {one: send_one(graph, brand_id, one) for one in FOUR}
    result = send_one(graph, brand_id, *FOUR, "qr_id:new")
    assert (result.decision, result.profile_id) == ("review", made["phone:+14155550101"].profile_id)
    assert len(live_profiles(graph, brand_id)) == 4
    receiver = by_identifier(graph, brand_id, "qr_id:new")
    assert receiver.id == result.profile_id
    assert "email:a@x.io" not in receiver.identifiers


def test_a_later_event_for_the_same_profiles_extends_the_open_review(graph: Graph, brand_id: str) -> None:
    for one in FOUR:
        send_one(graph, brand_id, one)
    first, second = send_one(graph, brand_id, *FOUR), send_one(graph, brand_id, *FOUR)
    assert first.review_id == second.review_id


def test_a_repeat_answers_the_first_result_and_writes_nothing(graph: Graph, brand_id: str) -> None:
    first = send_one(graph, brand_id, "email:a@x.io", key="k")
    again = send_one(graph, brand_id, "email:a@x.io", key="k")
    assert again.duplicate
    assert (again.decision, again.profile_id) == (first.decision, first.profile_id)
    [live] = live_profiles(graph, brand_id)
    assert (live.event_count, live.performed) == (1, 1)


def test_a_repeat_within_one_batch_is_a_duplicate(graph: Graph, brand_id: str) -> None:
    one = event(brand_id, "email:a@x.io", key="k")
    first, again = send(graph, brand_id, one, one)
    assert (first.duplicate, again.duplicate) == (False, True)


def test_a_repeat_answers_with_the_live_profile_of_now(graph: Graph, brand_id: str) -> None:
    old = send_one(graph, brand_id, "email:a@x.io", minute=1)
    send_one(graph, brand_id, "phone:+14155550101", key="k", minute=2)
    send_one(graph, brand_id, "email:a@x.io", "phone:+14155550101", minute=3)
    assert send_one(graph, brand_id, "phone:+14155550101", key="k", minute=2).profile_id == old.profile_id


def test_nothing_of_another_brand_matches(graph: Graph, brand_id: str) -> None:
    other = f"{brand_id}-other"
    send_one(graph, brand_id, "email:a@x.io")
    assert send_one(graph, other, "email:a@x.io").decision == "created"


def test_orders_count_once_and_survive_merges(graph: Graph, brand_id: str) -> None:
    send(
        graph, brand_id,
        event(brand_id, "email:a@x.io", order=fact(brand_id, "o1", total=8999)),
        event(brand_id, "email:a@x.io", order=fact(brand_id, "o1", total=8999)),
        event(brand_id, "phone:+14155550101", order=fact(brand_id, "o2", total=12550)),
        event(brand_id, "phone:+14155550101", order=fact(brand_id, "o1", total=8999), minute=5),
    )  # fmt: skip
    send_one(graph, brand_id, "email:a@x.io", "phone:+14155550101")
    [live] = live_profiles(graph, brand_id)
    assert (live.ltv_minor, live.total_orders) == (21549, 2)


@pytest.mark.parametrize("seed", range(4))
def test_refunds_and_cancellations_without_identifiers_follow_their_order(
    graph: Graph, brand_id: str, seed: int
) -> None:
    events = [
        event(brand_id, "email:a@x.io", order=fact(brand_id, "o1", total=1000), minute=1),
        event(brand_id, order=fact(brand_id, "o1", "refund", 300, refund_id="r1"), minute=2),
        event(brand_id, order=fact(brand_id, "o2", "cancel", 0), minute=3),
        event(brand_id, "email:a@x.io", order=fact(brand_id, "o2", total=500), minute=4),
        event(brand_id, order=fact(brand_id, "o1", "status", 0, status="delivered"), minute=5),
    ]
    random.Random(seed).shuffle(events)
    for one in events:
        send(graph, brand_id, one)
    [live] = live_profiles(graph, brand_id)
    assert (live.ltv_minor, live.total_orders, live.event_count, live.performed) == (700, 1, 5, 5)


def test_an_earlier_sale_that_comes_late_takes_the_order_over(graph: Graph, brand_id: str) -> None:
    send_one(graph, brand_id, "email:late@x.io", order=fact(brand_id, "o1", total=1000), minute=9)
    send_one(graph, brand_id, order=fact(brand_id, "o1", "refund", 100, refund_id="r"), minute=20)
    send_one(graph, brand_id, "email:early@x.io", order=fact(brand_id, "o1", total=1000), minute=1)
    early, late = by_identifier(graph, brand_id, "email:early@x.io"), by_identifier(graph, brand_id, "email:late@x.io")
    assert (early.ltv_minor, early.total_orders, early.performed, early.event_count) == (900, 1, 2, 2)
    assert (late.ltv_minor, late.total_orders, late.performed, late.event_count) == (0, 0, 1, 1)


def random_history(brand: str, seed: int, length: int = 60) -> list[IncomingEvent]:
    chance = random.Random(seed)
    names = [f"{kind}:{n}" for kind in ("email", "phone", "cookie_id", "device_id") for n in range(5)]
    history = []
    for place in range(length):
        pairs = chance.sample(names, chance.choice((1, 1, 2, 2, 3)))
        order = (
            fact(brand, f"o{chance.randrange(12)}", total=chance.randrange(1, 50) * 100)
            if chance.random() < 0.3
            else None
        )
        history.append(event(brand, *pairs, key=f"h{place}", minute=place, order=order))
    return history


def state_of(graph: Graph, brand: str) -> set[tuple[frozenset[str], int, int, int, int]]:
    return {
        (live.identifiers, live.event_count, live.total_orders, live.ltv_minor, live.strength)
        for live in live_profiles(graph, brand)
    }


@pytest.mark.parametrize("seed", range(6))
def test_a_batch_equals_its_events_sent_one_by_one(graph: Graph, brand_id: str, seed: int) -> None:
    single, batched = f"{brand_id}-single", f"{brand_id}-batch"
    answers = [send(graph, single, one)[0].decision for one in random_history(single, seed)]
    history = random_history(batched, seed)
    results = [*send(graph, batched, *history[:20]), *send(graph, batched, *history[20:])]
    assert [result.decision for result in results] == answers
    assert state_of(graph, single) == state_of(graph, batched)


@pytest.mark.parametrize("seed", range(6))
def test_aggregates_equal_what_the_personas_hold(graph: Graph, brand_id: str, seed: int) -> None:
    send(graph, brand_id, *random_history(brand_id, seed))
    for row in graph.read("invariants/live_profiles", brand=brand_id):
        assert row["event_count"] == row["own_events"] == row["performed"]
        assert (row["total_orders"], row["ltv_minor"]) == (row["own_orders"], row["own_ltv_minor"])


def test_an_order_that_changes_hands_twice_in_one_batch_moves_its_followers_once(graph: Graph, brand_id: str) -> None:
    send_one(graph, brand_id, "email:c@x.io", order=fact(brand_id, "o1"), minute=30)
    send_one(graph, brand_id, order=fact(brand_id, "o1", "refund", 100, refund_id="r"), minute=40)
    send(
        graph, brand_id,
        event(brand_id, "email:b@x.io", order=fact(brand_id, "o1"), minute=20),
        event(brand_id, "email:a@x.io", order=fact(brand_id, "o1"), minute=10),
    )  # fmt: skip
    counted = {name: by_identifier(graph, brand_id, f"email:{name}@x.io") for name in "abc"}
    assert {name: (live.event_count, live.performed) for name, live in counted.items()} == {
        "a": (2, 2), "b": (1, 1), "c": (1, 1),
    }  # fmt: skip
    assert [counted[name].ltv_minor for name in "abc"] == [900, 0, 0]


def test_the_first_decision_is_what_a_repeat_is_answered(graph: Graph, brand_id: str) -> None:
    refund = event(brand_id, order=fact(brand_id, "o1", "refund", 100, refund_id="r"), key="early")
    assert send(graph, brand_id, refund)[0].decision == "unattached"
    sale = send_one(graph, brand_id, "email:a@x.io", order=fact(brand_id, "o1"))
    again = send(graph, brand_id, refund)[0]
    assert (again.decision, again.duplicate, again.profile_id) == ("unattached", True, sale.profile_id)


def test_an_imported_twin_and_an_event_of_one_batch_keep_their_history(graph: Graph, brand_id: str) -> None:
    send_one(graph, brand_id, "email:a@x.io")
    send(
        graph, brand_id,
        event(brand_id, "email:a@x.io", "external_id:crm:1", persona_id=f"cus_{brand_id}_twin"),
        event(brand_id, "email:a@x.io"),
    )  # fmt: skip
    [merge] = list_merges(graph, brand_id, live_profiles(graph, brand_id)[0].id)
    assert [one["identifiers"]["email"] for one in (*merge["before"], merge["after"])] == [["a@x.io"]] * 3
