"""Stores and visits over HTTP: check-in, check-out, lists, the 360 and the timeline, with merges and repeats."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.clock import format_time
from tests.integration.api.conftest import Tenant

_NOW = [datetime.now(UTC)]


@pytest.fixture(autouse=True)
def _now() -> None:
    """Each test has a moment of its own: the service goes by the clock."""
    _NOW[0] = datetime.now(UTC).replace(microsecond=0)


def ago(**time: float) -> str:
    return format_time(_NOW[0] - timedelta(**time))


def check_in(tenant: Tenant, email: str, *, headers: dict[str, str] | None = None, **body: Any) -> dict[str, Any]:
    told = {"store_id": "S1", "identifiers": {"email": email}, **body}
    answer = tenant.client.post("/api/store/visits", json=told, headers=headers)
    assert answer.status_code == 201, answer.text
    visit: dict[str, Any] = answer.json()
    return visit


def shown(tenant: Tenant, profile_id: str) -> list[dict[str, Any]]:
    visits: list[dict[str, Any]] = tenant.client.get(f"/api/customer360/{profile_id}").json()["visits"]
    return visits


def test_a_visit_from_check_in_to_check_out_stands_in_the_360_and_the_timeline(tenant: Tenant) -> None:
    began = check_in(tenant, "a@example.com", store_name="Downtown Location", at=ago(minutes=45), method="wifi")
    assert (began["status"], began["method"], began["minutes"]) == ("active", "wifi", 45)
    ended = tenant.client.post(f"/api/store/visits/{began['visit_id']}/check-out", json={"at": ago(minutes=5)})
    assert ended.status_code == 200, ended.text
    expected = {
        "visit_id": began["visit_id"], "store_id": "S1", "store_name": "Downtown Location", "status": "completed",
        "method": "wifi", "check_in_at": ago(minutes=45), "check_out_at": ago(minutes=5), "minutes": 40,
    }  # fmt: skip
    assert expected.items() <= ended.json().items()
    [visit] = shown(tenant, began["profile_id"])
    assert expected.items() <= visit.items()
    assert tenant.client.get(f"/api/store/visits/{began['visit_id']}").json() == ended.json()
    timeline = tenant.client.get(f"/api/customer360/{began['profile_id']}/timeline").json()["items"]
    assert [item["summary"] for item in timeline] == [
        "Left Downtown Location after 40 minutes", "Visited Downtown Location",
    ]  # fmt: skip


def test_repeats_of_a_check_in_and_a_check_out_change_nothing(tenant: Tenant) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first = check_in(tenant, "a@example.com", headers=key, at=ago(minutes=30))
    assert check_in(tenant, "a@example.com", headers=key, at=ago(minutes=30)) == first
    path = f"/api/store/visits/{first['visit_id']}/check-out"
    ended = [tenant.client.post(path, json={"at": ago(minutes=5)}).json() for _ in range(2)]
    assert ended[0] == ended[1]
    assert tenant.client.post(path).json() == ended[0]
    assert tenant.client.get(f"/api/profiles/{first['profile_id']}").json()["event_count"] == 2


def test_another_sign_in_the_same_store_is_the_same_visit(tenant: Tenant) -> None:
    first = check_in(tenant, "a@example.com", at=ago(minutes=30))
    tenant.send(
        type="qr_scan", identifiers={"email": "a@example.com"}, payload={"store_id": "S1", "product_id": "P1"},
        occurred_at=ago(minutes=20),
    )  # fmt: skip
    again = check_in(tenant, "a@example.com")
    assert again["visit_id"] == first["visit_id"]
    assert len(again["event_ids"]) == 3


def test_a_late_event_that_began_the_visit_moves_it_and_its_old_id_still_finds_it(tenant: Tenant) -> None:
    first = check_in(tenant, "a@example.com", at=ago(minutes=30))
    late = check_in(tenant, "a@example.com", at=ago(minutes=50))
    assert late["visit_id"] != first["visit_id"]
    assert tenant.client.get(f"/api/store/visits/{first['visit_id']}").json()["visit_id"] == late["visit_id"]
    [visit] = shown(tenant, first["profile_id"])
    assert (visit["check_in_at"], visit["minutes"] >= 50) == (ago(minutes=50), True)


def test_visits_follow_a_merge_and_come_apart_with_its_unmerge(tenant: Tenant) -> None:
    one = check_in(tenant, "a@example.com", at=ago(minutes=30))
    two = check_in(tenant, "b@example.com", at=ago(minutes=20))
    merged = tenant.client.post(f"/api/profiles/{one['profile_id']}/merge", json={"profile_ids": [two["profile_id"]]})
    survivor = merged.json()["survivor_id"]
    [visit] = shown(tenant, survivor)
    assert (visit["visit_id"], len(visit["event_ids"])) == (one["visit_id"], 2)
    assert [item["visit_id"] for item in tenant.client.get("/api/store/visits").json()["items"]] == [one["visit_id"]]
    tenant.client.post(f"/api/profiles/{survivor}/unmerge", json={})
    assert [len(shown(tenant, profile)) for profile in (one["profile_id"], two["profile_id"])] == [1, 1]
    assert len(tenant.client.get("/api/store/visits").json()["items"]) == 2


def test_a_picked_customer_can_be_checked_in_without_typing_anything(tenant: Tenant) -> None:
    [profile] = tenant.profiles(1)
    answer = tenant.client.post("/api/store/visits", json={"store_id": "S1", "profile_id": profile})
    assert (answer.status_code, answer.json()["profile_id"]) == (201, profile)


def test_a_till_sale_of_a_known_customer_is_a_visit(tenant: Tenant) -> None:
    sale = {
        "store_id": "S9", "store_name": "Harbour", "transaction_id": "T-1", "total": "12.00", "currency": "USD",
        "email": "till@example.com", "occurred_at": ago(minutes=10),
    }  # fmt: skip
    answer = tenant.client.post("/api/integrations/pos", json=sale).json()
    [visit] = shown(tenant, answer["profile_id"])
    assert (visit["store_id"], visit["method"], visit["status"], len(visit["event_ids"])) == (
        "S9", "pos_lookup", "active", 2,
    )  # fmt: skip


def test_visits_are_listed_by_store_status_and_time_in_stable_pages(tenant: Tenant) -> None:
    for number in range(5):
        check_in(tenant, f"p{number}@example.com", at=ago(minutes=10 * number + 1))
    check_in(tenant, "p0@example.com", store_id="S2", at=ago(days=2))
    page = tenant.client.get("/api/store/visits?store_id=S1&limit=2").json()
    check_in(tenant, "new@example.com")
    found = list(page["items"])
    while page["next_cursor"]:
        page = tenant.client.get(f"/api/store/visits?store_id=S1&limit=2&cursor={page['next_cursor']}").json()
        found += page["items"]
    assert [item["check_in_at"] for item in found] == [ago(minutes=10 * number + 1) for number in range(5)]

    def ids(query: str) -> list[str]:
        items = tenant.client.get(f"/api/store/visits?{query}").json()["items"]
        return [item["check_in_at"] for item in items]

    assert ids("status=completed") == [ago(days=2)]
    assert len(ids("status=active")) == 6
    assert ids(f"store_id=S1&from={ago(minutes=25)}&to={ago(minutes=15)}") == [ago(minutes=21)]
    assert ids("store_id=S3") == []


ADA = {"email": "a@example.com"}
BAD_VISITS: dict[str, tuple[dict[str, Any], int, str | None]] = {
    "no store": ({"identifiers": ADA}, 422, "store_id"),
    "nobody": ({"store_id": "S1"}, 422, "identifiers"),
    "two ways at once": ({"store_id": "S1", "profile_id": "x", "identifiers": ADA}, 422, "identifiers"),
    "an identifier that is none": ({"store_id": "S1", "identifiers": {"email": "not an address"}}, 422, "identifiers"),
    "an unknown type": ({"store_id": "S1", "identifiers": {"shoe_size": "42"}}, 422, "identifiers.shoe_size"),
    "an unknown method": ({"store_id": "S1", "identifiers": ADA, "method": "smell"}, 422, "method"),
    "a time that is none": ({"store_id": "S1", "identifiers": ADA, "at": "noon"}, 422, "at"),
    "a time days ahead": ({"store_id": "S1", "identifiers": ADA, "at": "2099-01-01"}, 422, "at"),
    "an unknown customer": ({"store_id": "S1", "profile_id": "cus_nobody"}, 404, None),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_VISITS)
def test_a_check_in_that_does_not_fit_is_refused_and_stored_nowhere(tenant: Tenant, name: str) -> None:
    body, status, field = BAD_VISITS[name]
    answer = tenant.client.post("/api/store/visits", json=body)
    assert answer.status_code == status, answer.text
    if field:
        assert field in [error["field"] for error in answer.json()["errors"]]
    assert tenant.client.get("/api/store/visits").json()["items"] == []


def test_a_check_out_needs_a_check_in_and_comes_after_it(tenant: Tenant) -> None:
    def leave(visit_id: str, **body: str) -> int:
        return tenant.client.post(f"/api/store/visits/{visit_id}/check-out", json=body).status_code

    view = tenant.send(identifiers={"email": "a@example.com"})
    assert leave("evt_unknown") == 404
    assert leave(view["event_id"]) == 404
    visit = check_in(tenant, "a@example.com", at=ago(minutes=30))["visit_id"]
    assert leave(visit, at=ago(minutes=31)) == 422
    assert leave(visit, at="2099-01-01T00:00:00Z") == 422
    old = check_in(tenant, "b@example.com", at=ago(hours=13))["visit_id"]
    assert leave(old) == 409
    assert leave(old, at=ago(hours=12)) == 200


@pytest.mark.parametrize("query", ["status=gone", "from=noon", "from=2026-02-01&to=2026-01-01", "cursor=xx", "limit=0"])
def test_a_list_of_visits_refuses_what_does_not_fit(tenant: Tenant, query: str) -> None:
    assert tenant.client.get(f"/api/store/visits?{query}").status_code == 422


def test_stores_are_made_by_check_ins_and_described_by_their_brand(tenant: Tenant) -> None:
    check_in(tenant, "a@example.com", store_name="As told")
    assert tenant.client.get("/api/store/stores/S1").json()["name"] == "As told"
    put = tenant.client.put("/api/store/stores/S1", json={"name": "Downtown", "location_ids": ["905684977"]})
    assert put.status_code == 200, put.text
    check_in(tenant, "b@example.com", store_name="As told later")
    stored = tenant.client.get("/api/store/stores/S1").json()
    assert (stored["name"], stored["location_ids"]) == ("Downtown", ["905684977"])
    tenant.client.put("/api/store/stores/S2", json={})
    page = tenant.client.get("/api/store/stores?limit=1").json()
    rest = tenant.client.get(f"/api/store/stores?limit=1&cursor={page['next_cursor']}").json()
    assert [item["store_id"] for item in page["items"] + rest["items"]] == ["S1", "S2"]
    assert tenant.client.get("/api/store/stores/S3").status_code == 404
