"""Merge by hand, unmerge and reviews on a real graph."""

import pytest

from core.brand import BrandSettings
from core.errors import ConflictError, InvalidInputError, NotFoundError
from graph.commit import commit_batch
from graph.driver import Graph
from graph.repositories.profiles import Page
from graph.repositories.reviews_read import list_reviews
from ingest.stewardship import approve_review, merge_profiles, reject_review, split_review, unmerge_profile
from tests.factories import event, fact
from tests.integration.graph_state import by_identifier, live_profiles

STEWARD = "steward"


def send(graph: Graph, brand: str, *pairs: str, **more: object) -> str:
    [result] = commit_batch(graph, BrandSettings(brand), [event(brand, *pairs, **more)])  # type: ignore[arg-type]
    return result.profile_id or ""


def merge(graph: Graph, brand: str, one: str, *others: str) -> str:
    return merge_profiles(graph, BrandSettings(brand), one, others, by=STEWARD).survivor_id


def unmerge(graph: Graph, brand: str, one: str, merge_id: str | None = None) -> list[str]:
    return unmerge_profile(graph, BrandSettings(brand), one, merge_id=merge_id, by=STEWARD)


def test_five_profiles_merge_by_hand_and_come_apart(graph: Graph, brand_id: str) -> None:
    ids = [
        send(graph, brand_id, f"email:{n}@x.io", order=fact(brand_id, f"o{n}", total=100 * (n + 1)), minute=n)
        for n in range(5)
    ]
    before = live_profiles(graph, brand_id)
    survivor = merge(graph, brand_id, ids[3], *ids[:3], ids[4])
    [live] = live_profiles(graph, brand_id)
    assert (survivor, live.ltv_minor, live.total_orders, live.event_count) == (ids[0], 1500, 5, 5)
    assert sorted(unmerge(graph, brand_id, survivor)) == sorted(ids)
    assert sorted(live_profiles(graph, brand_id), key=lambda one: one.id) == sorted(before, key=lambda one: one.id)


def test_after_unmerge_the_same_evidence_attaches_with_a_warning(graph: Graph, brand_id: str) -> None:
    send(graph, brand_id, "email:a@x.io", minute=1)
    send(graph, brand_id, "phone:+1", minute=2)
    merged = send(graph, brand_id, "email:a@x.io", "phone:+1", minute=3)
    unmerge(graph, brand_id, merged)
    [result] = commit_batch(graph, BrandSettings(brand_id), [event(brand_id, "email:a@x.io", "phone:+1", minute=4)])
    assert result.decision == "attached"
    assert result.profile_id == by_identifier(graph, brand_id, "phone:+1").id
    assert any("not_same" in warning for warning in result.warnings)
    assert len(live_profiles(graph, brand_id)) == 2


def test_a_manual_merge_ends_the_mark(graph: Graph, brand_id: str) -> None:
    one, two = send(graph, brand_id, "email:a@x.io", minute=1), send(graph, brand_id, "phone:+1", minute=2)
    merge(graph, brand_id, one, two)
    unmerge(graph, brand_id, one)
    merge(graph, brand_id, one, two)
    assert len(live_profiles(graph, brand_id)) == 1


def test_events_that_came_after_a_merge_go_where_their_identifiers_say(graph: Graph, brand_id: str) -> None:
    one, two = send(graph, brand_id, "email:a@x.io", minute=1), send(graph, brand_id, "phone:+1", minute=2)
    merge(graph, brand_id, one, two)
    send(graph, brand_id, "phone:+1", "cookie_id:new", order=fact(brand_id, "o1", total=700), minute=3)
    unmerge(graph, brand_id, one)
    owner = by_identifier(graph, brand_id, "cookie_id:new")
    assert (owner.id, owner.ltv_minor, owner.event_count) == (two, 700, 2)
    assert by_identifier(graph, brand_id, "email:a@x.io").event_count == 1


def test_unmerge_of_an_earlier_merge_takes_its_dependent_along(graph: Graph, brand_id: str) -> None:
    send(graph, brand_id, "email:a@x.io", minute=1)
    send(graph, brand_id, "phone:+1", minute=2)
    [first] = commit_batch(graph, BrandSettings(brand_id), [event(brand_id, "email:a@x.io", "phone:+1", minute=3)])
    send(graph, brand_id, "device_id:d", minute=4)
    send(graph, brand_id, "phone:+1", "device_id:d", minute=5)
    unmerge(graph, brand_id, first.profile_id or "", first.merge_id)
    assert "device_id:d" in by_identifier(graph, brand_id, "phone:+1").identifiers
    assert by_identifier(graph, brand_id, "email:a@x.io").identifiers == {"email:a@x.io"}


def test_an_unmerge_twice_is_refused(graph: Graph, brand_id: str) -> None:
    one, two = send(graph, brand_id, "email:a@x.io"), send(graph, brand_id, "phone:+1")
    outcome = merge_profiles(graph, BrandSettings(brand_id), one, [two], by=STEWARD)
    unmerge(graph, brand_id, one, outcome.merge_id)
    for merge_id in (outcome.merge_id, None):
        with pytest.raises((ConflictError, NotFoundError)):
            unmerge(graph, brand_id, one, merge_id)


def test_merges_that_make_no_sense_are_refused_and_write_nothing(graph: Graph, brand_id: str) -> None:
    one, two = send(graph, brand_id, "email:a@x.io", minute=1), send(graph, brand_id, "phone:+1", minute=2)
    foreign = send(graph, f"{brand_id}-other", "email:a@x.io")
    for others, error in (
        ([one], InvalidInputError),
        ([], InvalidInputError),
        (["nobody"], NotFoundError),
        ([foreign], NotFoundError),
    ):
        with pytest.raises(error):
            merge(graph, brand_id, one, *others)
    merge(graph, brand_id, one, two)
    three = send(graph, brand_id, "email:c@x.io")
    with pytest.raises(ConflictError):
        merge(graph, brand_id, three, two)
    assert len(live_profiles(graph, brand_id)) == 2


def review_of_four(graph: Graph, brand: str) -> tuple[str, list[str]]:
    names = ("email:a@x.io", "phone:+1", "cookie_id:c", "device_id:d")
    ids = [send(graph, brand, name, minute=n) for n, name in enumerate(names)]
    [result] = commit_batch(graph, BrandSettings(brand), [event(brand, *names, minute=9)])
    return result.review_id or "", ids


def test_approve_merges_all_of_them(graph: Graph, brand_id: str) -> None:
    review, ids = review_of_four(graph, brand_id)
    outcome = approve_review(graph, BrandSettings(brand_id), review, by=STEWARD)
    assert (outcome.status, outcome.survivor_id in ids) == ("merged", True)
    assert len(live_profiles(graph, brand_id)) == 1


def test_a_settled_review_is_refused(graph: Graph, brand_id: str) -> None:
    review, _ = review_of_four(graph, brand_id)
    approve_review(graph, BrandSettings(brand_id), review, by=STEWARD)
    for decide in (approve_review, reject_review):
        with pytest.raises(ConflictError):
            decide(graph, BrandSettings(brand_id), review, by=STEWARD)


def test_reject_keeps_them_apart_for_good(graph: Graph, brand_id: str) -> None:
    review, _ = review_of_four(graph, brand_id)
    assert reject_review(graph, BrandSettings(brand_id), review, by=STEWARD).status == "rejected"
    names = ("email:a@x.io", "phone:+1", "cookie_id:c", "device_id:d")
    [result] = commit_batch(graph, BrandSettings(brand_id), [event(brand_id, *names)])
    assert (result.decision, result.review_id) == ("attached", None)
    assert len(live_profiles(graph, brand_id)) == 4


def test_split_merges_some_and_keeps_the_rest_apart(graph: Graph, brand_id: str) -> None:
    review, ids = review_of_four(graph, brand_id)
    outcome = split_review(graph, BrandSettings(brand_id), review, ids[:2], by=STEWARD)
    assert outcome.survivor_id in ids[:2]
    assert len(live_profiles(graph, brand_id)) == 3
    with pytest.raises(ConflictError):
        split_review(graph, BrandSettings(brand_id), review, ids[2:], by=STEWARD)


def test_an_approval_whose_profiles_became_one_says_so(graph: Graph, brand_id: str) -> None:
    review, ids = review_of_four(graph, brand_id)
    merge(graph, brand_id, ids[0], *ids[1:])
    outcome = approve_review(graph, BrandSettings(brand_id), review, by=STEWARD)
    assert (outcome.status, outcome.merge_id) == ("merged", None)
    assert outcome.note


def test_a_rejected_pair_is_not_proposed_again_through_a_third_profile(graph: Graph, brand_id: str) -> None:
    review, _ = review_of_four(graph, brand_id)
    reject_review(graph, BrandSettings(brand_id), review, by=STEWARD)
    more = ["qr_id:q", "upi_id:u", "loyalty_id:L"]
    for place, name in enumerate(more):
        send(graph, brand_id, name, minute=20 + place)
    reviews = set()
    for first in ("email:a@x.io", "phone:+1"):
        [result] = commit_batch(graph, BrandSettings(brand_id), [event(brand_id, first, *more, minute=30)])
        reviews.add(result.review_id)
    assert len(reviews) == 2
    assert None not in reviews


def test_a_rejected_pair_does_not_meet_again_when_two_reviews_are_joined(graph: Graph, brand_id: str) -> None:
    rejected, _ = review_of_four(graph, brand_id)
    reject_review(graph, BrandSettings(brand_id), rejected, by=STEWARD)
    for place, name in enumerate(("qr_id:q", "upi_id:u", "loyalty_id:L", "qr_id:r", "upi_id:v", "loyalty_id:M")):
        send(graph, brand_id, name, minute=20 + place)
    sides = (("email:a@x.io", "qr_id:q", "upi_id:u", "loyalty_id:L"), ("phone:+1", "qr_id:r", "upi_id:v", "user_id:M"))
    send(graph, brand_id, "user_id:M", minute=28)
    opened = [commit_batch(graph, BrandSettings(brand_id), [event(brand_id, *side, minute=30)])[0] for side in sides]
    linking = ("qr_id:q", "upi_id:u", "qr_id:r", "upi_id:v")
    [joining] = commit_batch(graph, BrandSettings(brand_id), [event(brand_id, *linking, minute=40)])
    assert len({one.review_id for one in opened}) == 2
    assert joining.review_id is not None
    apart = {by_identifier(graph, brand_id, name).id for name in ("email:a@x.io", "phone:+1")}
    for review in list_reviews(graph, brand_id, Page(50), "pending")["items"]:
        assert not apart <= set(review["profile_ids"])


def test_a_review_extended_while_it_is_decided_is_decided_whole(graph: Graph, brand_id: str) -> None:
    review, _ = review_of_four(graph, brand_id)
    send(graph, brand_id, "loyalty_id:L", minute=20)
    names = ("email:a@x.io", "phone:+1", "cookie_id:c", "loyalty_id:L")
    [extended] = commit_batch(graph, BrandSettings(brand_id), [event(brand_id, *names, minute=30)])
    assert extended.review_id == review
    approve_review(graph, BrandSettings(brand_id), review, by=STEWARD)
    assert len(live_profiles(graph, brand_id)) == 1


def test_an_approval_of_which_some_had_become_one_says_so(graph: Graph, brand_id: str) -> None:
    review, ids = review_of_four(graph, brand_id)
    merge(graph, brand_id, ids[0], ids[1])
    outcome = approve_review(graph, BrandSettings(brand_id), review, by=STEWARD)
    assert outcome.merge_id is not None
    assert outcome.note


def test_a_review_opened_in_a_batch_is_about_those_whom_its_event_named(graph: Graph, brand_id: str) -> None:
    named = send(graph, brand_id, "loyalty_id:L1", minute=2)
    other = send(graph, brand_id, "phone:+1", minute=1)
    opening, merging = commit_batch(
        graph,
        BrandSettings(brand_id),
        [
            event(brand_id, "loyalty_id:L1", "loyalty_id:L2", minute=3),
            event(brand_id, "loyalty_id:L1", "phone:+1", minute=4),
        ],
    )
    assert (opening.decision, merging.decision, merging.profile_id) == ("review", "merged", other)
    unmerge(graph, brand_id, other)
    [review] = list_reviews(graph, brand_id, Page(50), "pending")["items"]
    assert set(review["profile_ids"]) == {named, opening.profile_id}
