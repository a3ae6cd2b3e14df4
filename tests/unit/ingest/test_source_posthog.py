"""PostHog's items: whose id a distinct id is, what joins, what is set on the person."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.errors import InvalidInputError
from ingest.sources.posthog import parse_item
from ingest.sources.tracking import Upload

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
UPLOAD = Upload(NOW)


def item(event: str = "clicked", distinct_id: Any = "u", upload: Upload = UPLOAD, **more: Any):
    return parse_item({"event": event, "distinct_id": distinct_id, **more}, upload)


@pytest.mark.parametrize(
    ("name", "event_type"),
    [
        ("$pageview", "page_view"), ("$screen", "page_view"), ("$identify", "identify"), ("$set", "profile_update"),
        ("$create_alias", "alias"), ("$groupidentify", "group"), ("$autocapture", "autocapture"),
        ("Order Completed", "purchase"), ("user signed up", "user_signed_up"),
    ],
)  # fmt: skip
def test_names_are_types(name: str, event_type: str) -> None:
    assert item(name, properties={"order_id": "A"}).type == event_type


@pytest.mark.parametrize(
    "anonymous", [{"$is_identified": False}, {"$process_person_profile": False}, {"$device_id": "u", "$lib": "web"}]
)
def test_a_distinct_id_is_a_user_unless_the_library_says_that_nobody_signed_in(anonymous: dict[str, Any]) -> None:
    assert item().identifiers == [("user_id", "u")]
    assert {kind for kind, _ in item(properties=anonymous).identifiers} == {"cookie_id"}
    assert item("x", None, properties={"distinct_id": 5}).identifiers == [("user_id", "5")]


def test_identify_of_a_browser_joins_its_anonymous_id() -> None:
    raw = item(
        "$identify",
        properties={"$anon_distinct_id": "anon", "$device_id": "anon", "$lib": "web", "$is_identified": True},
    )
    assert set(raw.identifiers) == {("user_id", "u"), ("cookie_id", "anon")}


def test_identify_without_a_browser_joins_an_id_that_may_have_been_a_users() -> None:
    raw = item("$identify", properties={"$anon_distinct_id": "anon"})
    assert set(raw.identifiers) == {("user_id", "u"), ("cookie_id", "anon"), ("user_id", "anon")}
    assert raw.is_alias


def test_an_alias_joins_both_sides_whichever_was_anonymous() -> None:
    raw = item("$create_alias", "old", properties={"distinct_id": "old", "alias": "new"})
    assert set(raw.identifiers) == {(kind, value) for kind in ("user_id", "cookie_id") for value in ("old", "new")}
    assert raw.is_alias


def test_the_made_up_id_of_a_group_is_nobodys() -> None:
    properties = {"$group_type": "company", "$group_key": "acme", "$group_set": {"email": "office@example.com"}}
    assert item("$groupidentify", "$company_acme", properties=properties).identifiers == []
    assert item("$groupidentify", "u", properties=properties).identifiers == [("user_id", "u")]


def test_what_is_set_on_the_person_gives_traits_and_identifiers() -> None:
    raw = item(
        "$set",
        properties={"$set": {"email": "a@example.com", "plan": "pro"}, "$set_once": {"plan": "free", "source": "ad"}},
    )
    assert raw.identifiers == [("user_id", "u"), ("email", "a@example.com")]
    assert raw.traits == {"plan": "pro", "source": "ad"}


def test_properties_that_look_like_identifiers_are_none() -> None:
    assert item(properties={"email": "friend@example.com"}).identifiers == [("user_id", "u")]


def test_times_are_set_right_by_when_it_was_sent_or_counted_back() -> None:
    stated = NOW + timedelta(minutes=59)
    ahead = Upload(NOW, NOW + timedelta(hours=1))
    assert item(upload=ahead, timestamp=stated.isoformat()).occurred_at == NOW - timedelta(minutes=1)
    kept = item(upload=ahead, timestamp=stated.isoformat(), properties={"$ignore_sent_at": True})
    assert kept.occurred_at == stated
    assert item(offset=60_000).occurred_at == NOW - timedelta(minutes=1)
    assert item(offset=-1).occurred_at is None


def test_the_uuid_is_the_key_and_the_write_key_is_not_kept() -> None:
    raw = item(uuid="k", api_key="secret", properties={"token": "secret", "$insert_id": "other"})
    assert raw.idempotency_key == "k"
    assert "secret" not in str(raw.payload)
    assert item(properties={"$insert_id": "other"}).idempotency_key == "other"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "event"), ({"event": {}}, "event"), ({"event": "x", "distinct_id": ["u"]}, "distinct_id"),
        ({"event": "x", "properties": 3}, "properties"),
        ({"event": "x", "timestamp": "soon"}, "timestamp"), (7, "event"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_field(body: Any, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_item(body, UPLOAD)
    assert caught.value.field == field
