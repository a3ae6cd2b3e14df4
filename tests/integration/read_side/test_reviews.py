"""The review queue read back."""

import pytest

from core.errors import InvalidInputError, NotFoundError
from graph.repositories.events_read import get_event
from graph.repositories.profiles import Page
from graph.repositories.reviews_read import get_review, list_reviews


@pytest.fixture
def queue(small):
    for name in "abcd":
        small.customer(name, root="a" if name == "d" else None)
    for number in range(4):
        small.review(f"r{number}", "a", "b", "c", "d", minutes=number // 2)
    small.review("done", "a", "b", "d", status="merged", minutes=9)
    small.save()
    return small


def test_reviews_come_newest_first_in_pages(queue):
    first = list_reviews(queue.graph, queue.brand.id, Page(3), "pending")
    second = list_reviews(queue.graph, queue.brand.id, Page(3, first["next_cursor"]), "pending")
    ids = [item["id"] for item in first["items"] + second["items"]]
    assert ids == [queue.name(f"r{number}") for number in (3, 2, 1, 0)]
    assert second["next_cursor"] is None


def test_all_statuses_come_without_a_filter(queue):
    answer = list_reviews(queue.graph, queue.brand.id, Page())
    assert [item["status"] for item in answer["items"]] == ["merged"] + ["pending"] * 4


def test_pending_review_names_live_profiles_and_a_settled_one_those_it_was_about(queue):
    pending = get_review(queue.graph, queue.brand.id, queue.name("r0"))
    assert pending["profile_ids"] == [queue.name(name) for name in "abc"]
    assert set(pending) >= {"id", "status", "profile_ids", "reason", "identifiers", "created_at", "event_ids"}
    settled = get_review(queue.graph, queue.brand.id, queue.name("done"))
    assert settled["profile_ids"] == [queue.name(name) for name in "abd"]


def test_unknown_status_review_and_brand_are_refused(queue):
    with pytest.raises(InvalidInputError):
        list_reviews(queue.graph, queue.brand.id, Page(), "open")
    for brand, review_id in ((queue.brand.id, "nothing"), ("otherbrand", queue.name("r0"))):
        with pytest.raises(NotFoundError):
            get_review(queue.graph, brand, review_id)


def test_stored_event_answers_with_its_decision_and_the_live_profile(small):
    a = small.customer("a")
    small.customer("b", root="a")
    key = small.link("b", "email", "b@example.com")
    event = small.event(
        "e", "b", keys=(key,), payload='{"total": "89.99"}', type="purchase", amount_minor=8999, currency="USD"
    )
    small.save()
    found = get_event(small.graph, small.brand.id, event)
    assert (found["profile_id"], found["decision"], found["amount"]) == (a, "attached", "89.99")
    assert (found["identifiers"], found["payload"]) == ({"email": ["b@example.com"]}, {"total": "89.99"})
    with pytest.raises(NotFoundError):
        get_event(small.graph, "otherbrand", event)
