"""Profiles read back: by id, by identifier, as pages, with their merges."""

from datetime import timedelta

import pytest

from core.errors import InvalidInputError, NotFoundError
from graph.repositories.profiles import (
    Page,
    ProfileFilter,
    get_profile,
    list_merges,
    list_profiles,
    lookup_profile,
)
from tests.integration.read_side.conftest import START

KEYS = {
    "id", "brand", "strength", "lifetime_value", "currency", "total_orders", "event_count", "first_seen", "last_seen",
    "identifiers", "traits", "segment", "stage", "churn_probability", "absorbed_ids", "answered_for", "version",
}  # fmt: skip


def merged_pair(small):
    """A live profile `a` that absorbed `b`; `b` once held a phone that it does not hold any more."""
    a = small.customer(
        "a", ltv_minor=8999, ltv_other=["EUR:500"], total_orders=1, persona_count=2, merge_count=1, version=7
    )
    b = small.customer("b", root="a", hours=1)
    small.link("a", "email", "b@example.com")
    small.link("a", "email", "a@example.com")
    small.link("b", "phone", "+14155550101")
    small.link("b", "phone", "+14155550199", until=START)
    small.merge("m1", "a", "b", identifiers=["email:a@example.com"], before='[{"id": "x", "first_seen": 1000000}]')
    return a, b


def test_absorbed_id_answers_with_the_survivor_and_says_so(small):
    a, b = merged_pair(small)
    small.save()
    survivor, absorbed = get_profile(small.graph, small.brand.id, a), get_profile(small.graph, small.brand.id, b)
    assert absorbed == {**survivor, "answered_for": b}
    assert survivor["answered_for"] is None
    assert set(survivor) >= KEYS
    assert survivor["identifiers"] == {"email": ["a@example.com", "b@example.com"], "phone": ["+14155550101"]}
    assert (survivor["lifetime_value"], survivor["lifetime_value_other"]) == ("89.99", {"EUR": "5.00"})
    assert (survivor["absorbed_ids"], survivor["version"], survivor["first_seen"]) == ([b], 7, "2026-11-01T12:00:00Z")


def test_unknown_id_and_another_brands_id_are_not_found(small):
    a = small.customer("a")
    small.save()
    for brand, profile_id in ((small.brand.id, "nobody"), ("otherbrand", a)):
        with pytest.raises(NotFoundError):
            get_profile(small.graph, brand, profile_id)
        with pytest.raises(NotFoundError):
            list_merges(small.graph, brand, profile_id)


@pytest.mark.parametrize(
    ("kind", "value"), [("email", " A@Example.COM "), ("phone", "(415) 555-0101"), ("phone", "+1 415 555 0101")]
)
def test_any_spelling_finds_the_live_profile(small, kind, value):
    a, _ = merged_pair(small)
    small.save()
    assert lookup_profile(small.graph, small.brand, kind, value)["id"] == a


@pytest.mark.parametrize("value", ["nobody@example.com", "no address", "+14155550199"])
def test_lookup_of_what_nobody_holds_is_not_found(small, value):
    merged_pair(small)
    small.save()
    with pytest.raises(NotFoundError):
        lookup_profile(small.graph, small.brand, "phone" if value.startswith("+") else "email", value)


def test_lookup_of_an_unknown_type_names_the_field(small):
    with pytest.raises(InvalidInputError) as caught:
        lookup_profile(small.graph, small.brand, "name", "x")
    assert caught.value.field == "type"


def all_pages(small, limit, **more):
    cursor, found = None, []
    while True:
        answer = list_profiles(small.graph, small.brand, Page(limit, cursor), **more)
        found += [item["id"] for item in answer["items"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            return found


def test_pages_hold_every_live_profile_once_newest_first(small):
    for number in range(7):
        small.customer(f"p{number}", hours=number // 3)
    small.customer("gone", root="p0", hours=9)
    small.save()
    expected = [small.name(f"p{number}") for number in (6, 5, 4, 3, 2, 1, 0)]
    for limit in (1, 2, 3, 7, 200):
        assert all_pages(small, limit) == expected


def test_pages_stay_stable_while_new_profiles_arrive(small):
    for number in range(4):
        small.customer(f"p{number}", hours=number)
    small.save()
    first = list_profiles(small.graph, small.brand, Page(2))
    small.customer("new", hours=99)
    small.save()
    second = list_profiles(small.graph, small.brand, Page(2, first["next_cursor"]))
    shown = [item["id"] for item in first["items"] + second["items"]]
    assert shown == [small.name(f"p{number}") for number in (3, 2, 1, 0)]


def test_lists_can_be_limited_by_strength_and_last_seen(small):
    for number in range(4):
        small.customer(f"p{number}", hours=number, strength=number * 20)
    small.save()
    assert all_pages(small, 1, where=ProfileFilter(min_strength=40)) == [small.name("p3"), small.name("p2")]
    window = ProfileFilter(seen_from=START + timedelta(hours=1), seen_to=START + timedelta(hours=2))
    assert all_pages(small, 10, where=window) == [small.name("p1")]


@pytest.mark.parametrize("query", ["a@exam", "A@EXAMPLE.com", "+1415555", "(415) 555-0101", "1415555", "loy-7"])
def test_search_finds_by_the_beginning_of_an_identifier(small, query):
    a, _ = merged_pair(small)
    small.link("b", "loyalty_id", "LOY-789")
    small.customer("other", hours=5)
    small.link("other", "email", "someone@example.com")
    small.save()
    assert all_pages(small, 1, query=query) == [a]


def test_search_does_not_look_into_other_brands(small):
    small.customer("a")
    small.link("a", "email", "a@example.com")
    small.save()
    small.brand = type(small.brand)(id="otherbrand")
    assert all_pages(small, 10, query="a@example.com") == []


def test_merge_history_is_newest_first_and_keeps_what_was_taken_back(small):
    a, b = merged_pair(small)
    c = small.customer("c", hours=2)
    small.merge("m2", "a", "c", minutes=5, reverted_at=START + timedelta(hours=1), reverted_by="steward")
    small.save()
    history = list_merges(small.graph, small.brand.id, b)
    assert [(entry["merge_id"], entry["absorbed_ids"]) for entry in history] == [
        (small.name("m2"), [c]), (small.name("m1"), [b]),
    ]  # fmt: skip
    assert set(history[0]) >= {
        "merge_id", "survivor_id", "absorbed_ids", "reason", "decided_by", "at", "identifiers", "before", "after",
        "reverted_at",
    }  # fmt: skip
    assert (history[0]["reverted_at"], history[1]["reverted_at"]) == ("2026-11-01T13:00:00Z", None)
    assert history[1]["survivor_id"] == a
    assert history[1]["before"] == [{"id": "x", "first_seen": "1970-01-01T00:00:01Z"}]
    assert [entry["merge_id"] for entry in list_merges(small.graph, small.brand.id, c)] == [small.name("m2")]
