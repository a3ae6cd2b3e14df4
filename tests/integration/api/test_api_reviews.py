"""The review queue over HTTP: filters, groups, age, previews, decisions about one and about many."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from core.clock import format_time, utc_now
from graph.repositories.changes import append_waiting
from ingest.stewardship.bulk_reviews import run_waiting_batches
from ingest.stewardship.review_sweep import sweep_reviews
from tests.integration.api.conftest import Tenant

REVIEWS = "/api/reviews"
BULK = f"{REVIEWS}/bulk"


def get(tenant: Tenant, path: str = "", **params: Any) -> Any:
    answer = tenant.client.get(REVIEWS + path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def post(tenant: Tenant, path: str, body: Any = None, key: str | None = None) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return tenant.client.post(REVIEWS + path, json=body or {}, headers=headers)


def listed(tenant: Tenant, **params: Any) -> list[str]:
    """Ids of all pages of two."""
    ids: list[str] = []
    cursor = None
    while True:
        found = get(tenant, "", limit=2, **params, **({} if cursor is None else {"cursor": cursor}))
        ids += [item["id"] for item in found["items"]]
        cursor = found["next_cursor"]
        if cursor is None:
            return ids


def tablet_reviews(tenant: Tenant, count: int) -> list[str]:
    """Reviews of two members each, whose numbers one event at the store tablet brings together."""
    found = []
    for _ in range(count):
        first, second = (uuid.uuid4().hex for _ in "AB")
        for loyalty in (first, second):
            tenant.send(identifiers={"loyalty_id": loyalty})
        outcome = tenant.send(identifiers={"loyalty_id": [first, second], "device_id": "tablet"})
        assert outcome["decision"] == "review", outcome
        found.append(outcome["review_id"])
    return found


def kinds(tenant: Tenant, review_id: str) -> list[tuple[str, str | None]]:
    """Entries of the change feed about a review."""
    while append_waiting(tenant.graph, tenant.id, 100):
        pass
    items = tenant.client.get("/api/identity/changes", params={"limit": 200}).json()["items"]
    return [(item["kind"], item.get("status")) for item in items if item.get("review_id") == review_id]


def test_filters_narrow_the_queue_and_pages_follow_each_other(tenant: Tenant) -> None:
    many, ids = tenant.review()
    unique = tablet_reviews(tenant, 3)
    assert post(tenant, f"/{unique[0]}/reject").status_code == 200
    email = get(tenant, f"/{many}")["identifiers"][0]
    everything = [*reversed(unique), many]
    assert listed(tenant) == everything
    assert listed(tenant, sort="oldest") == everything[::-1]
    assert listed(tenant, status="pending", rule="unique_id") == [unique[2], unique[1]]
    assert listed(tenant, rule="threshold") == [many]
    assert listed(tenant, identifier=email.upper().replace("EMAIL", "email")) == [many]
    assert listed(tenant, profile_id=ids[0]) == [many]
    assert listed(tenant, profile_id=ids[0], sort="oldest", status="rejected") == []
    assert listed(tenant, kind="suggestion") == listed(tenant, rule="suggestion") == []
    assert listed(tenant, identifier="email:no address") == []
    assert listed(tenant, profile_id="cus_unknown") == []


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"status": "open"}, "status"), ({"rule": "whim"}, "rule"), ({"kind": "x"}, "kind"), ({"sort": "x"}, "sort"),
        ({"identifier": "nothing"}, "identifier"), ({"identifier": "shoe:43"}, "identifier"),
        ({"status": "merged", "overdue": "true"}, "overdue"), ({"min_age_hours": "-1"}, "min_age_hours"),
        ({"min_age_hours": "nan"}, "min_age_hours"), ({"max_age_hours": "soon"}, "max_age_hours"),
        ({"overdue": "maybe"}, "overdue"), ({"cursor": "!"}, "cursor"),
        ({"identifier": "email:no", "rule": "x"}, "rule"),
    ],
)  # fmt: skip
def test_a_filter_that_makes_no_sense_is_422_and_named(tenant: Tenant, params: dict[str, str], field: str) -> None:
    answer = tenant.client.get(REVIEWS, params=params)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def age(tenant: Tenant, review_id: str, hours: float) -> None:
    """Let a review have been opened that long ago."""
    with tenant.graph.session() as session:
        session.run(
            "MATCH (v:Review {id: $id}) SET v.created_at = $at", id=review_id, at=utc_now() - timedelta(hours=hours)
        ).consume()


def test_reviews_age_and_the_brand_says_when_they_are_overdue(tenant: Tenant) -> None:
    fresh, older, oldest = tablet_reviews(tenant, 3)
    age(tenant, older, 30)
    age(tenant, oldest, 200)
    assert get(tenant, "/settings") == {"overdue_hours": 72}
    assert listed(tenant, overdue="true") == [oldest]
    assert listed(tenant, overdue="false") == [fresh, older]
    assert listed(tenant, min_age_hours=24, sort="oldest") == [oldest, older]
    assert listed(tenant, max_age_hours=48.5) == [fresh, older]
    assert listed(tenant, min_age_hours=24, max_age_hours=48, sort="oldest") == [older]
    assert tenant.client.put(f"{REVIEWS}/settings", json={"overdue_hours": 24}).json() == {"overdue_hours": 24}
    assert listed(tenant, overdue="true", sort="oldest") == [oldest, older]
    shown = get(tenant, f"/{oldest}")
    assert (shown["is_overdue"], shown["age_seconds"] // 3600) == (True, 200)
    summary = get(tenant, "/summary")
    assert (summary["pending"], summary["overdue"], summary["oldest_age_seconds"] // 3600) == (3, 2, 200)
    assert summary["by_age"] == {"under_a_day": 1, "under_a_week": 1, "older": 1}
    assert (summary["by_kind"], summary["by_rule"]) == ({"rules": 3}, {"unique_id": 3})
    for bad in (0, "72", 10**7, None):
        assert tenant.client.put(f"{REVIEWS}/settings", json={"overdue_hours": bad}).status_code == 422


def test_an_empty_queue_has_a_summary_and_no_groups(tenant: Tenant) -> None:
    assert get(tenant, "/summary")["oldest_at"] is None
    assert get(tenant, "/groups") == {"items": [], "next_cursor": None, "truncated": False}


def stored_cause(tenant: Tenant, review_ids: list[str], identifier: str) -> None:
    """Give reviews an identifier in common."""
    with tenant.graph.session() as session:
        session.run(
            "MATCH (v:Review) WHERE v.id IN $ids SET v.identifiers = v.identifiers + [$identifier]",
            ids=review_ids, identifier=identifier,
        ).consume()  # fmt: skip


def test_reviews_with_one_cause_are_one_group_and_decided_at_once(tenant: Tenant) -> None:
    by_tablet = tablet_reviews(tenant, 3)
    other, _ = tenant.review()
    stored_cause(tenant, by_tablet, "device_id:tablet")
    groups = get(tenant, "/groups")["items"]
    assert [group["count"] for group in groups] == [3, 1]
    group = groups[0]
    assert (group["identifiers"], group["rule"], group["review_ids"]) == (["device_id:tablet"], "unique_id", by_tablet)
    assert group["title"] == "one device_id seen in 3 reviews"
    assert listed(tenant, identifier="device_id:tablet", rule="unique_id", sort="oldest") == by_tablet
    first_page = get(tenant, "/groups", limit=1)
    second_page = get(tenant, "/groups", limit=1, cursor=first_page["next_cursor"])
    assert [page["items"][0]["key"] for page in (first_page, second_page)] == [one["key"] for one in groups]
    assert second_page["next_cursor"] is None

    named = {name: group[name] for name in ("identifiers", "rules", "as_of")}
    [late] = tablet_reviews(tenant, 1)
    stored_cause(tenant, [late], "device_id:tablet")
    done = post(tenant, "/bulk", {"decision": "reject", "group": named, "reason": "store tablet"}).json()
    assert (done["state"], done["outcomes"], done["left_out"]) == ("done", {"done": 3}, 1)
    assert {get(tenant, f"/{one}")["decision_reason"] for one in by_tablet} == {"store tablet"}
    assert listed(tenant, status="pending") == [late, other]


def test_a_bulk_decision_answers_for_each_and_one_bad_item_stops_nothing(tenant: Tenant) -> None:
    good, settled, apart, last = tablet_reviews(tenant, 4)
    post(tenant, f"/{settled}/reject")
    ends = get(tenant, f"/{apart}")["profile_ids"]
    for command in ("merge", "unmerge"):
        body = {"profile_ids": ends[1:]} if command == "merge" else {}
        assert tenant.client.post(f"/api/profiles/{ends[0]}/{command}", json=body).status_code == 200
    ids = [good, "rev_unknown", settled, apart, last, good]
    done = post(tenant, "/bulk", {"decision": "approve", "review_ids": ids}).json()
    outcomes = {item["review_id"]: item["outcome"] for item in done["results"]}
    assert [item["review_id"] for item in done["results"]] == ids[:-1]
    assert outcomes == {
        good: "done", "rev_unknown": "not_found", settled: "already_settled", apart: "conflict", last: "done",
    }  # fmt: skip
    assert (done["total"], done["done"]) == (5, 5)
    merged = done["results"][0]
    assert (merged["status"], get(tenant, f"/{good}")["survivor_id"]) == ("merged", merged["survivor_id"])
    assert get(tenant, f"/{apart}")["status"] == "pending"


def test_a_repeat_of_a_bulk_decision_with_its_key_decides_nothing_anew(tenant: Tenant) -> None:
    reviews = tablet_reviews(tenant, 2)
    key = uuid.uuid4().hex
    body = {"decision": "reject", "review_ids": reviews}
    first, again = (post(tenant, "/bulk", body, key) for _ in range(2))
    assert first.content == again.content
    assert post(tenant, "/bulk", {**body, "decision": "approve"}, key).status_code == 422
    without = post(tenant, "/bulk", body).json()
    assert without["outcomes"] == {"already_settled": 2}


def test_what_a_request_leaves_is_finished_by_a_worker_and_its_progress_is_read(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviews = tablet_reviews(tenant, 3)
    monkeypatch.setattr("api.routers.bulk_reviews._REQUEST_SECONDS", 0.0)
    started = post(tenant, "/bulk", {"decision": "reject", "review_ids": reviews}).json()
    assert (started["state"], started["total"], started["results"]) == ("running", 3, [])
    while get(tenant, f"/bulk/{started['id']}")["state"] == "running":
        run_waiting_batches(tenant.graph, seconds=10)
    page = get(tenant, f"/bulk/{started['id']}", limit=2)
    rest = get(tenant, f"/bulk/{started['id']}", limit=2, cursor=page["next_cursor"])
    assert [item["review_id"] for item in page["results"] + rest["results"]] == reviews
    assert (rest["done"], rest["outcomes"], rest["next_cursor"]) == (3, {"done": 3}, None)
    assert tenant.client.get(f"{BULK}/bulk_none").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"decision": "approve"}, "review_ids"),
        ({"decision": "split", "review_ids": ["a"]}, "decision"),
        ({"decision": "approve", "review_ids": []}, "review_ids"),
        ({"decision": "approve", "review_ids": ["a"], "group": {"identifiers": [], "rules": ["drift"]}}, "review_ids"),
        ({"decision": "approve", "group": {"identifiers": [], "rules": []}}, "group.rules"),
        ({"decision": "approve", "group": {"identifiers": [], "rules": ["x"]}}, "group.rules[0]"),
        ({"decision": "approve", "group": {"identifiers": [], "rules": ["drift"], "as_of": "x"}}, "group.as_of"),
        ({"decision": "approve", "review_ids": ["a"], "more": 1}, "more"),
    ],
)
def test_a_bulk_decision_that_makes_no_sense_is_422_and_named(tenant: Tenant, body: Any, field: str) -> None:
    answer = post(tenant, "/bulk", body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


def test_a_preview_tells_what_approval_would_do_and_writes_nothing(tenant: Tenant) -> None:
    for name, city in (("a", "Oslo"), ("b", "Bergen")):
        tenant.send(identifiers={"loyalty_id": name}, payload={"traits": {"city": city}})
    tenant.send(
        type="purchase", identifiers={"loyalty_id": "b"}, payload={"order_id": "1", "total": "5.00", "currency": "EUR"}
    )
    review = tenant.send(identifiers={"loyalty_id": ["a", "b"]})["review_id"]
    before = tenant.client.get("/api/profiles").json()
    seen = get(tenant, f"/{review}/preview")
    assert tenant.client.get("/api/profiles").json() == before
    assert seen["moves"]["profiles"] == 1
    assert seen["result"]["total_orders"] == 1
    assert seen["result"]["lifetime_value_other"] == {"EUR": "5.00"}
    [limit] = [one for one in seen["breaks"] if one["rule"] == "unique_id"]
    assert (limit["type"], limit["count"], limit["limit"]) == ("loyalty_id", 2, 1)
    done = post(tenant, f"/{review}/approve", {"note": "one person"}).json()
    assert (done["survivor_id"], done["status"], done["decision_reason"]) == (
        seen["survivor_id"], "merged", "one person",
    )  # fmt: skip
    assert tenant.client.get(f"{REVIEWS}/{review}/preview").status_code == 409


def test_a_preview_of_a_part_leaves_the_rest_apart(tenant: Tenant) -> None:
    review, ids = tenant.review()
    seen = get(tenant, f"/{review}/preview", profile_ids=",".join(ids[:2]))
    assert seen == get(tenant, f"/{review}/preview", profile_ids=ids[:2])
    assert (seen["profile_ids"], seen["left_apart"]) == (sorted(ids[:2]), sorted(ids[2:]))
    assert len(seen["marks_not_same"]) == 5
    for wrong, field in ((ids[0], "profile_ids"), (f"{ids[0]},cus_x", "profile_ids[1]"), ("", "profile_ids")):
        answer = tenant.client.get(f"{REVIEWS}/{review}/preview", params={"profile_ids": wrong})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_every_way_that_a_review_ends_is_in_the_change_feed(new_tenant: Callable[[], Tenant]) -> None:
    tenant = new_tenant()
    approved, rejected, bulk, swept = tablet_reviews(tenant, 4)
    parted, ids = tenant.review()
    post(tenant, f"/{approved}/approve")
    post(tenant, f"/{rejected}/reject")
    post(tenant, f"/{parted}/split", {"profile_ids": ids[:2]})
    post(tenant, "/bulk", {"decision": "reject", "review_ids": [bulk]})
    ends = get(tenant, f"/{swept}")["profile_ids"]
    tenant.client.post(f"/api/profiles/{ends[0]}/merge", json={"profile_ids": ends[1:]})
    assert sweep_reviews(tenant.graph) >= 1
    closed = get(tenant, f"/{swept}")
    assert (closed["status"], closed["decided_by"], bool(closed["note"])) == ("merged", "rules", True)
    for review, status in (
        (approved, "merged"), (rejected, "rejected"), (parted, "approved"), (bulk, "rejected"), (swept, "merged"),
    ):  # fmt: skip
        assert kinds(tenant, review) == [("review_opened", None), ("review_settled", status)]


def test_a_suggestion_is_listed_previewed_and_decided_like_any_other(tenant: Tenant) -> None:
    ids = tenant.profiles(2)
    review = f"rev_{uuid.uuid4().hex}"
    with tenant.graph.session() as session:
        session.run(
            "CREATE (v:Review {id: $id, brand: $brand, status: 'pending', kind: 'suggestion', match_weight: 7.5, "
            "rules: ['suggestion', 'trust'], "
            "comparison: '[{\"field\": \"name\"}]', created_at: $now, updated_at: $now, reason: 'Looks alike'}) "
            "WITH v UNWIND $ids AS one MATCH (c:Customer {id: one}) CREATE (v)-[:PROPOSES]->(c)",
            id=review, brand=tenant.id, ids=ids, now=utc_now(),
        ).consume()  # fmt: skip
    [item] = get(tenant, "", kind="suggestion")["items"]
    assert (item["match_weight"], item["comparison"], item["rules"]) == (
        7.5,
        [{"field": "name"}],
        ["suggestion", "trust"],
    )
    [group] = get(tenant, "/groups")["items"]
    assert (group["rule"], group["title"]) == ("suggestion", "likeness without a shared identifier, one review")
    assert get(tenant, f"/{review}/preview")["absorbed_ids"]
    emails = [tenant.client.get(f"/api/profiles/{one}").json()["identifiers"]["email"][0] for one in ids]
    asked = tenant.send(identifiers={"email": emails, "loyalty_id": "both"}, occurred_at=format_time(utc_now()))
    assert asked["decision"] == "merged"
    assert sweep_reviews(tenant.graph) >= 1
    assert get(tenant, f"/{review}")["status"] == "merged"


def test_a_part_of_a_review_is_rejected_and_the_rest_still_waits(tenant: Tenant) -> None:
    review_id, ids = tenant.review()
    answer = post(tenant, f"/{review_id}/reject", {"profile_ids": ids[:1], "reason": "a stranger"}, key="part")
    assert (answer.status_code, answer.json()["status"]) == (200, "pending"), answer.text
    again = post(tenant, f"/{review_id}/reject", {"profile_ids": ids[:1], "reason": "a stranger"}, key="part")
    assert again.json() == answer.json()
    assert set(get(tenant, f"/{review_id}")["profile_ids"]) == set(ids[1:])
    wrong = post(tenant, f"/{review_id}/reject", {"profile_ids": [ids[1], ids[0]]})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "profile_ids[1]")
    assert post(tenant, f"/{review_id}/reject").json()["status"] == "rejected"
