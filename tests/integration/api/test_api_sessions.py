"""Sessions over HTTP: by event time over all of a customer's ids, corrected by late events, paged, within a span."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import insight.sessions
from core.clock import format_time
from tests.integration.api.conftest import Tenant

PATH = "/api/sessions"
START = datetime(2026, 11, 1, 12, tzinfo=UTC)


def at(minutes: float) -> str:
    return format_time(START + timedelta(minutes=minutes))


def visit(tenant: Tenant, *minutes: float, key: str = "v@example.com", **more: Any) -> str:
    """The profile after a page view at each of `minutes`."""
    profile = ""
    for minute in minutes:
        event = {"identifiers": {"email": key}, "occurred_at": at(minute), "channel": "website", **more}
        profile = tenant.send(**event)["profile_id"]
    return profile


def spans(tenant: Tenant, profile: str, **params: Any) -> list[tuple[str, str, int]]:
    answer = tenant.client.get(PATH, params={"profile_id": profile, **params})
    assert answer.status_code == 200, answer.text
    return [(item["started_at"], item["ended_at"], item["event_count"]) for item in answer.json()["items"]]


def test_a_session_tells_what_happened_in_it(tenant: Tenant) -> None:
    first = {"url": "https://shop.example/?utm_source=mail", "referrer": "https://mail.example/",
             "campaign": {"source": "mail"}}  # fmt: skip
    visit(tenant, 0, payload=first)
    visit(tenant, 10, type="product_view", payload={"product_id": "P1"})
    bought = {"order_id": "1", "total": "12.50", "currency": "USD", "url": "https://shop.example/thanks"}
    profile = visit(tenant, 20, type="purchase", payload=bought)
    visit(tenant, 21, channel="store", type="store_visit")
    [session] = tenant.client.get(PATH, params={"profile_id": profile}).json()["items"]
    assert {name: session[name] for name in session if name != "id"} == {
        "profile_id": profile, "started_at": at(0), "ended_at": at(20), "seconds": 1200, "event_count": 3,
        "types": {"page_view": 1, "product_view": 1, "purchase": 1}, "channels": ["website"], "purchases": 1,
        "revenue": {"USD": "12.50"}, "entry_page": "https://shop.example/?utm_source=mail",
        "exit_page": "https://shop.example/thanks", "referrer": "https://mail.example/",
        "campaign": {"source": "mail"}, "is_cut": False,
    }  # fmt: skip
    assert spans(tenant, profile, channel="store") == [(at(21), at(21), 1)]


def test_late_events_join_lengthen_and_begin_sessions(tenant: Tenant) -> None:
    profile = visit(tenant, 0, 50)
    assert spans(tenant, profile) == [(at(50), at(50), 1), (at(0), at(0), 1)]
    visit(tenant, 25)
    assert spans(tenant, profile) == [(at(0), at(50), 3)]
    visit(tenant, -60)
    assert spans(tenant, profile) == [(at(0), at(50), 3), (at(-60), at(-60), 1)]


def test_a_merge_joins_the_sessions_of_both_and_an_absorbed_id_answers_with_the_survivor(tenant: Tenant) -> None:
    one, two = visit(tenant, 0, key="one@example.com"), visit(tenant, 20, key="two@example.com")
    merged = tenant.client.post(f"/api/profiles/{one}/merge", json={"profile_ids": [two], "reason": "same"}).json()
    for profile in (one, two):
        answer = tenant.client.get(PATH, params={"profile_id": profile}).json()["items"]
        assert [(item["profile_id"], item["event_count"]) for item in answer] == [(merged["survivor_id"], 2)]


def test_pages_hold_whole_sessions_newest_first(tenant: Tenant) -> None:
    profile = visit(tenant, *(hour * 60 + minute for hour in range(5) for minute in (0, 10)))
    found: list[str] = []
    cursor = None
    while True:
        page = tenant.client.get(PATH, params={"profile_id": profile, "limit": 2, "cursor": cursor}).json()
        assert all(item["event_count"] == 2 for item in page["items"])
        found += [item["started_at"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == [at(hour * 60) for hour in (4, 3, 2, 1, 0)]


def test_a_span_holds_the_sessions_that_began_in_it(tenant: Tenant) -> None:
    profile = visit(tenant, 0, 20, 40, 100, 120, 200)
    whole = [(at(200), at(200), 1), (at(100), at(120), 2), (at(0), at(40), 3)]
    assert spans(tenant, profile) == whole
    assert spans(tenant, profile, **{"from": at(0), "to": at(300)}) == whole
    # The first began before the span; the second goes on over its end.
    assert spans(tenant, profile, **{"from": at(10), "to": at(110)}) == [whole[1]]
    assert spans(tenant, profile, **{"from": at(100), "to": at(100)}) == []
    assert spans(tenant, profile, to=at(100)) == [whole[2]]
    assert spans(tenant, profile, to=at(20)) == [whole[2]]
    assert spans(tenant, profile, **{"from": at(101)}) == [whole[0]]


def test_an_endless_session_goes_on_at_the_next_page(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(insight.sessions, "_CHUNK", 5)
    monkeypatch.setattr(insight.sessions, "MAX_EVENTS", 10)
    profile = visit(tenant, *range(23))
    counts: list[tuple[int, bool]] = []
    cursor = None
    while True:
        page = tenant.client.get(PATH, params={"profile_id": profile, "cursor": cursor}).json()
        counts += [(item["event_count"], item["is_cut"]) for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert counts == [(10, True), (10, True), (3, False)]


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "profile_id"),
        ({"profile_id": "x", "from": "yesterday"}, "from"),
        ({"profile_id": "x", "channel": "pigeon"}, "channel"),
        ({"profile_id": "x", "from": at(1), "to": at(0)}, "from"),
        ({"profile_id": "x", "cursor": "made-up"}, "cursor"),
        ({"profile_id": "x", "limit": "0"}, "limit"),
    ],
)
def test_a_parameter_that_does_not_fit_is_named(tenant: Tenant, params: dict[str, str], field: str) -> None:
    answer = tenant.client.get(PATH, params=params)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_a_profile_of_another_brand_is_404(new_tenant: Callable[[], Tenant]) -> None:
    owner, stranger = new_tenant(), new_tenant()
    profile = visit(owner, 0)
    for more in ({}, {"to": at(10)}):
        assert stranger.client.get(PATH, params={"profile_id": profile, **more}).status_code == 404
    assert len(spans(owner, profile)) == 1
