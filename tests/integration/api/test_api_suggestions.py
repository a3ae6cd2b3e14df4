"""Suggestions over HTTP: settings, jobs, the list with its comparison, and decisions as reviews."""

from collections.abc import Callable

import pytest

from graph.driver import Graph
from ml.suggestions.run import run_suggestions
from tests.integration.api.conftest import Tenant

pytestmark = pytest.mark.usefixtures("suggestions_slot")
SARAH = {"first_name": "Sarah", "last_name": "Miller", "birthday": "1984-03-09"}


def two_records(tenant: Tenant) -> list[str]:
    """Two profiles of one person: the second e-mail has a typo."""
    return [
        tenant.send(type="identify", identifiers={"email": email}, payload={"traits": SARAH})["profile_id"]
        for email in ("sarah.miller@example.com", "sarah.miler@example.com")
    ]


def suggested(graph: Graph, tenant: Tenant) -> dict:
    job = tenant.client.post("/api/suggestions/run")
    assert job.status_code == 202, job.text
    assert run_suggestions(graph, tenant.id, job.json()["id"]) == "done"
    return job.json()


def test_a_job_is_started_followed_and_finds_a_pair_that_is_approved_as_a_review(graph: Graph, tenant: Tenant) -> None:
    ids = two_records(tenant)
    job = suggested(graph, tenant)
    assert (job["state"], job["is_new"]) == ("queued", True)
    done = tenant.client.get(f"/api/suggestions/jobs/{job['id']}").json()
    assert (done["state"], done["progress"]["proposed"], done["progress"]["profiles_total"]) == ("done", 1, 2)
    assert done["model"]["fields"]["email"]
    found = tenant.client.get("/api/suggestions").json()
    [item] = found["items"]
    assert {item["left_id"], item["right_id"]} == set(ids)
    assert item["blocking_rule"] in {rule["name"] for rule in found["blocking_rules"]}
    email = next(row for row in item["comparison"] if row["field"] == "email")
    assert email["left"].startswith("sarah.mil")
    approved = tenant.client.post(f"/api/reviews/{item['id']}/approve", json={"reason": "same person"})
    assert approved.status_code == 200, approved.text
    assert tenant.client.get("/api/suggestions").json()["items"] == []
    assert len(tenant.client.get("/api/suggestions", params={"status": "all"}).json()["items"]) == 1
    assert len(tenant.client.get("/api/profiles").json()["items"]) == 1


def test_a_second_start_answers_the_job_under_way_and_a_stopped_one_makes_room(tenant: Tenant) -> None:
    first, second = (tenant.client.post("/api/suggestions/run").json() for _ in range(2))
    assert (first["id"], first["is_new"], second["is_new"]) == (second["id"], True, False)
    stopped = tenant.client.post(f"/api/suggestions/jobs/{first['id']}/cancel")
    assert stopped.json()["state"] == "cancelled"
    assert tenant.client.post(f"/api/suggestions/jobs/{first['id']}/cancel").status_code == 200
    third = tenant.client.post("/api/suggestions/run").json()
    assert third["is_new"]
    listed = [job["id"] for job in tenant.client.get("/api/suggestions/jobs").json()["items"]]
    assert listed == [third["id"], first["id"]]


def test_the_same_idempotency_key_starts_one_job(graph: Graph, tenant: Tenant) -> None:
    headers = {"Idempotency-Key": "nightly"}
    first = tenant.client.post("/api/suggestions/run", headers=headers).json()
    run_suggestions(graph, tenant.id, first["id"])
    again = tenant.client.post("/api/suggestions/run", headers=headers)
    assert again.json() == first
    assert again.headers["Idempotent-Replayed"] == "true"


def test_settings_change_what_is_named_and_null_switches_off(tenant: Tenant) -> None:
    path = "/api/suggestions/settings"
    assert tenant.client.get(path).json()["auto_merge_weight"] is None
    changed = tenant.client.patch(path, json={"auto_merge_weight": 20.5, "every_hours": 24})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["auto_merge_weight"], changed.json()["min_match_weight"]) == (20.5, 5.0)
    assert tenant.client.patch(path, json={"auto_merge_weight": None}).json()["auto_merge_weight"] is None
    kept = tenant.client.get(path).json()
    assert (kept["every_hours"], len(kept["blocking_rules"])) == (24, 7)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"min_match_weight": "high"}, "min_match_weight"),
        ({"min_match_weight": None}, "min_match_weight"),
        ({"auto_merge_weight": 1}, "auto_merge_weight"),
        ({"max_proposals": 1.5}, "max_proposals"),
        ({"every_hours": 10_000}, "every_hours"),
        ({"colour": 1}, "colour"),
    ],
)
def test_settings_that_do_not_fit_name_their_field(tenant: Tenant, body: dict, field: str) -> None:
    answer = tenant.client.patch("/api/suggestions/settings", json=body)
    assert answer.status_code == 422
    assert any(field in error["field"] for error in answer.json()["errors"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "open"}, "status"),
        ({"blocking_rule": "luck"}, "blocking_rule"),
        ({"min_weight": "heavy"}, "min_weight"),
        ({"min_weight": "nan"}, "min_weight"),
        ({"cursor": "WyJhIiwgImIiXQ"}, "cursor"),
        ({"cursor": "WzFdCg"}, "cursor"),
        ({"limit": 0}, "limit"),
    ],
)
def test_filters_that_do_not_fit_name_their_field(tenant: Tenant, query: dict, field: str) -> None:
    answer = tenant.client.get("/api/suggestions", params=query)
    assert answer.status_code == 422, answer.text
    assert any(field in error["field"] for error in answer.json()["errors"])


def test_a_brand_sees_its_own_suggestions_only(graph: Graph, new_tenant: Callable[[], Tenant]) -> None:
    owner, stranger = new_tenant(), new_tenant()
    two_records(owner)
    suggested(graph, owner)
    [item] = owner.client.get("/api/suggestions").json()["items"]
    assert stranger.client.get("/api/suggestions").json()["items"] == []
    mine = {"profile_id": item["left_id"]}
    assert stranger.client.get("/api/suggestions", params=mine).json()["items"] == []
    assert owner.client.get("/api/suggestions", params=mine).json()["items"] == [item]
