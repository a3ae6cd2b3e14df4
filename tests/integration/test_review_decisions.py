"""Reviews whose profiles changed, two who decide at once, what closes by itself, bulk work that is cut off."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from core.brand import BrandSettings
from core.clock import utc_now
from core.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from graph.commit import commit_batch
from graph.driver import Graph
from graph.invariants import broken_invariants
from graph.repositories.profiles import Page
from graph.repositories.review_batches import BulkDecision, forget_batches, get_batch
from graph.repositories.reviews_read import get_review
from ingest.stewardship import approve_review, bulk_reviews, reject_review, reject_some, split_review
from ingest.stewardship.bulk_reviews import run_batch, start_batch
from ingest.stewardship.review_sweep import sweep_brand
from ingest.stewardship.reviewing import settle
from insight.review_preview import preview_review
from tests.factories import event
from tests.integration.graph_state import by_identifier, live_profiles
from tests.integration.test_stewardship import STEWARD, merge, review_of_four, send, unmerge


def pairs_in_review(graph: Graph, brand: str, count: int) -> list[str]:
    """Reviews of two members each, brought together by one event."""
    found = []
    for number in range(count):
        names = [f"loyalty_id:{number}{side}" for side in "AB"]
        for name in names:
            send(graph, brand, name)
        [result] = commit_batch(graph, BrandSettings(brand), [event(brand, *names)])
        found.append(result.review_id or "")
    return found


def erase(graph: Graph, profile_id: str) -> None:
    """Take a person out of the graph with all events."""
    with graph.session() as session:
        session.run(
            "MATCH (c:Customer {id: $id}) OPTIONAL MATCH (c)-[:PERFORMED]->(e:Event) DETACH DELETE c, e", id=profile_id
        ).consume()


def change_one_of_them(graph: Graph, brand: str, ids: list[str]) -> None:
    merge(graph, brand, ids[0], ids[1])


def absorb_one_from_outside(graph: Graph, brand: str, ids: list[str]) -> None:
    outside = [send(graph, brand, "email:o@x.io", f"phone:+1415555010{n}", "loyalty_id:O", minute=50) for n in (1, 1)]
    assert merge(graph, brand, ids[0], outside[0]) == outside[0]


def take_a_merge_back(graph: Graph, brand: str, ids: list[str]) -> None:
    survivor = merge(graph, brand, ids[0], send(graph, brand, "qr_id:q", minute=60))
    unmerge(graph, brand, survivor)


def erase_one(graph: Graph, brand: str, ids: list[str]) -> None:
    erase(graph, ids[3])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (change_one_of_them, "become one before; the rest"),
        (absorb_one_from_outside, "absorbed by another one"),
        (take_a_merge_back, "taken back meanwhile"),
        (erase_one, "1 proposed profile(s) were erased"),
    ],
)
def test_an_approval_does_what_still_applies_and_says_what_changed(
    graph: Graph, brand_id: str, change: Callable[..., None], said: str
) -> None:
    review, ids = review_of_four(graph, brand_id)
    change(graph, brand_id, ids)
    outcome = approve_review(graph, BrandSettings(brand_id), review, by=STEWARD)
    assert (outcome.status, said in outcome.note) == ("merged", True), outcome.note
    assert get_review(graph, brand_id, review)["note"] == outcome.note
    left = {by_identifier(graph, brand_id, name).id for name in ("email:a@x.io", "phone:+1", "cookie_id:c")}
    assert left == {outcome.survivor_id}


def test_an_approval_ends_what_was_told_apart_meanwhile_and_says_so(graph: Graph, brand_id: str) -> None:
    review, ids = review_of_four(graph, brand_id)
    merge(graph, brand_id, ids[0], ids[1])
    unmerge(graph, brand_id, ids[0])
    brand = BrandSettings(brand_id)
    [mark] = preview_review(graph, brand, review)["ends_not_same"]
    assert {mark["root_id"], mark["other_root_id"]} == set(ids[:2])
    assert "1 mark(s) of not the same" in approve_review(graph, brand, review, by=STEWARD).note


def test_a_split_of_profiles_that_became_one_still_keeps_the_others_apart(graph: Graph, brand_id: str) -> None:
    review, ids = review_of_four(graph, brand_id)
    merge(graph, brand_id, ids[0], ids[1])
    outcome = split_review(graph, BrandSettings(brand_id), review, ids[:2], by=STEWARD)
    assert (outcome.status, outcome.merge_id) == ("approved", None)
    assert "had become one before" in outcome.note
    [result] = commit_batch(graph, BrandSettings(brand_id), [event(brand_id, "email:a@x.io", "cookie_id:c")])
    assert (result.decision, len(live_profiles(graph, brand_id))) == ("attached", 3)


def test_a_rejection_of_profiles_that_became_one_says_what_to_do(graph: Graph, brand_id: str) -> None:
    review, ids = review_of_four(graph, brand_id)
    merge(graph, brand_id, ids[0], *ids[1:])
    outcome = reject_review(graph, BrandSettings(brand_id), review, by=STEWARD)
    assert (outcome.status, outcome.merge_id) == ("merged", None)
    assert "Take that merge back" in outcome.note


def test_of_those_who_decide_at_once_one_does_and_the_others_are_told(graph: Graph, brand_id: str) -> None:
    review, _ = review_of_four(graph, brand_id)

    def decide(number: int) -> str:
        decide_it = approve_review if number % 2 else reject_review
        try:
            return decide_it(graph, BrandSettings(brand_id), review, by=f"steward {number}").status
        except ConflictError:
            return "refused"

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(decide, range(6)))
    assert statuses.count("refused") == 5
    stored = get_review(graph, brand_id, review)["status"]
    assert stored in statuses
    assert len(live_profiles(graph, brand_id)) == (1 if stored == "merged" else 4)
    assert broken_invariants(graph, brand_id) == []


def test_a_review_that_was_joined_into_another_names_that_one(graph: Graph, brand_id: str) -> None:
    first, second = pairs_in_review(graph, brand_id, 2)
    [joining] = commit_batch(graph, BrandSettings(brand_id), [event(brand_id, "loyalty_id:0A", "loyalty_id:1B")])
    assert joining.review_id == first
    joined = get_review(graph, brand_id, second)
    assert (joined["status"], joined["superseded_by"]) == ("merged", first)
    with pytest.raises(ConflictError, match=first):
        approve_review(graph, BrandSettings(brand_id), second, by=STEWARD)


def become_one(graph: Graph, brand: str, ids: list[str]) -> None:
    merge(graph, brand, ids[0], *ids[1:])


def vanish(graph: Graph, _brand: str, ids: list[str]) -> None:
    for one in ids[1:]:
        erase(graph, one)


def vanish_all(graph: Graph, _brand: str, ids: list[str]) -> None:
    for one in ids:
        erase(graph, one)


def be_told_apart(graph: Graph, brand: str, ids: list[str]) -> None:
    merge(graph, brand, ids[0], *ids[1:])
    unmerge(graph, brand, ids[0])
    for left, right in ((1, 2), (1, 3), (2, 3)):
        if len(live_profiles(graph, brand)) > 3:
            survivor = merge(graph, brand, ids[left], ids[right])
            unmerge(graph, brand, survivor)


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        (become_one, "merged", "had become one"),
        (vanish, "rejected", "Fewer than two"),
        (vanish_all, "rejected", "Fewer than two"),
        (be_told_apart, "rejected", "told apart"),
    ],
)
def test_a_review_with_nothing_left_closes_by_itself_and_says_why(
    graph: Graph, brand_id: str, change: Callable[..., None], status: str, said: str
) -> None:
    review, ids = review_of_four(graph, brand_id)
    assert sweep_brand(graph, BrandSettings(brand_id)) == 0
    change(graph, brand_id, ids)
    assert sweep_brand(graph, BrandSettings(brand_id)) == 1
    closed = get_review(graph, brand_id, review)
    assert (closed["status"], closed["decided_by"], closed["merge_id"]) == (status, "rules", None)
    assert said in closed["note"]
    assert sweep_brand(graph, BrandSettings(brand_id)) == 0


def test_a_sweep_decides_nothing_for_people(graph: Graph, brand_id: str) -> None:
    review, ids = review_of_four(graph, brand_id)
    merge(graph, brand_id, ids[0], ids[1])
    merge(graph, brand_id, ids[2], ids[3])
    assert sweep_brand(graph, BrandSettings(brand_id)) == 0
    assert get_review(graph, brand_id, review)["status"] == "pending"


def batch_of(graph: Graph, brand: str, review_ids: list[str], decision: str = "approve") -> str:
    return start_batch(graph, brand, BulkDecision(decision, tuple(review_ids), STEWARD))


def outcomes(graph: Graph, brand: str, batch_id: str) -> dict[str, Any]:
    batch = get_batch(graph, brand, batch_id, Page(200))
    assert batch["state"] == "done"
    found: dict[str, Any] = batch["outcomes"]
    return found


def test_a_batch_whose_worker_died_is_finished_by_another_and_decides_each_once(
    graph: Graph, brand_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    brand = BrandSettings(brand_id)
    reviews = pairs_in_review(graph, brand_id, 3)
    batch_id = batch_of(graph, brand_id, reviews)

    def die(*_: object, **__: object) -> bool:
        raise UnavailableError("gone before it was written down")

    with monkeypatch.context() as patch:
        patch.setattr(bulk_reviews, "record_outcomes", die)
        with pytest.raises(UnavailableError):
            run_batch(graph, brand, batch_id, seconds=60)
    merged = [get_review(graph, brand_id, one)["merge_id"] for one in reviews]
    assert None not in merged
    run_batch(graph, brand, batch_id, seconds=60)
    assert get_batch(graph, brand_id, batch_id, Page(200))["done"] == 0
    monkeypatch.setattr(bulk_reviews, "utc_now", lambda: utc_now() + timedelta(hours=1))
    run_batch(graph, brand, batch_id, seconds=60)
    assert outcomes(graph, brand_id, batch_id) == {"done": 3}
    assert [get_review(graph, brand_id, one)["merge_id"] for one in reviews] == merged
    assert broken_invariants(graph, brand_id) == []


def test_several_workers_share_a_batch_without_deciding_twice(graph: Graph, brand_id: str) -> None:
    brand = BrandSettings(brand_id)
    batch_id = batch_of(graph, brand_id, pairs_in_review(graph, brand_id, 4))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: run_batch(graph, brand, batch_id, seconds=60), range(4)))
    assert outcomes(graph, brand_id, batch_id) == {"done": 4}
    assert len(live_profiles(graph, brand_id)) == 4


def test_a_review_that_fails_unexpectedly_is_named_and_the_rest_is_done(
    graph: Graph, brand_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviews = pairs_in_review(graph, brand_id, 3)

    def fail_once(graph: Graph, command: Any, review_id: str, decide: Any) -> Any:
        if review_id == reviews[1]:
            raise RuntimeError("a bug")
        return settle(graph, command, review_id, decide)

    monkeypatch.setattr(bulk_reviews, "settle", fail_once)
    batch_id = batch_of(graph, brand_id, reviews, "reject")
    run_batch(graph, BrandSettings(brand_id), batch_id, seconds=60)
    assert outcomes(graph, brand_id, batch_id) == {"done": 2, "failed": 1}
    assert get_review(graph, brand_id, reviews[1])["status"] == "pending"


def test_a_finished_batch_is_forgotten_after_its_time_and_a_waiting_one_never(graph: Graph, brand_id: str) -> None:
    reviews = pairs_in_review(graph, brand_id, 2)
    finished, waiting = (batch_of(graph, brand_id, [one], "reject") for one in reviews)
    run_batch(graph, BrandSettings(brand_id), finished, seconds=60)
    long_ago = utc_now() - timedelta(days=3650)
    with graph.session() as session:
        session.run(
            "MATCH (b:ReviewBatch {brand: $brand}) SET b.lease_until = $then", brand=brand_id, then=long_ago
        ).consume()
    while forget_batches(graph, long_ago + timedelta(days=1), 100):
        pass
    assert get_batch(graph, brand_id, waiting, Page())["state"] == "running"
    with pytest.raises(NotFoundError):
        get_batch(graph, brand_id, finished, Page())


def _crowded_review(graph: Graph, brand: str, count: int) -> tuple[str, list[str]]:
    """A review that one event with many cards opened, and its profiles."""
    cards = [f"loyalty_id:C{number}" for number in range(count)]
    ids = [send(graph, brand, card) for card in cards]
    [result] = commit_batch(graph, BrandSettings(brand), [event(brand, *cards, minute=90)])
    return result.review_id or "", ids


def _marks(graph: Graph, brand: str) -> int:
    query = "MATCH (:Customer {brand: $brand})-[n:NOT_SAME]->() WHERE n.ended_at IS NULL RETURN count(n) AS marks"
    with graph.session() as session:
        return int(session.run(query, brand=brand).single(strict=True)["marks"])


def test_a_review_of_too_many_is_rejected_in_parts_and_never_asked_again(
    graph: Graph, brand_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.stewardship.reviewing.MOST_MARKS", 12)
    review, ids = _crowded_review(graph, brand_id, 6)
    settings = BrandSettings(brand_id)
    for decide in (
        lambda: reject_review(graph, settings, review, by=STEWARD),
        lambda: split_review(graph, settings, review, ids[:2], by=STEWARD),
        lambda: reject_some(graph, settings, review, ids[:4], by=STEWARD),
    ):
        with pytest.raises(ConflictError, match="profiles"):
            decide()
    assert (_marks(graph, brand_id), get_review(graph, brand_id, review)["status"]) == (0, "pending")
    with pytest.raises(InvalidInputError) as refused:
        reject_some(graph, settings, review, [ids[0], "cus_unknown"], by=STEWARD)
    assert refused.value.field == "profile_ids[1]"
    assert reject_some(graph, settings, review, ids[:2], by=STEWARD).status == "pending"
    assert _marks(graph, brand_id) == 9
    assert set(get_review(graph, brand_id, review)["profile_ids"]) == set(ids[2:])
    # The same question again brings nobody back who was told apart.
    cards = [f"loyalty_id:C{number}" for number in range(6)]
    commit_batch(graph, settings, [event(brand_id, *cards, minute=95)])
    assert set(get_review(graph, brand_id, review)["profile_ids"]) == set(ids[2:])
    done = reject_review(graph, settings, review, by=STEWARD)
    assert (done.status, done.note, _marks(graph, brand_id)) == ("rejected", "", 15)
    assert broken_invariants(graph, brand_id) == []


def test_rejecting_all_but_one_in_parts_settles_the_review(graph: Graph, brand_id: str) -> None:
    review, ids = _crowded_review(graph, brand_id, 4)
    settings = BrandSettings(brand_id)
    assert reject_some(graph, settings, review, ids[:1], by=STEWARD).status == "pending"
    assert reject_some(graph, settings, review, ids[1:3], by=STEWARD).status == "rejected"
    assert _marks(graph, brand_id) == 6
    with pytest.raises(ConflictError):
        reject_some(graph, settings, review, ids[3:], by=STEWARD)
    assert broken_invariants(graph, brand_id) == []
