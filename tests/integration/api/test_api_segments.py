"""Segments over HTTP: the RFM grid and its members, profiles like given ones."""

from collections import Counter

import pytest

from tests.integration.api.conftest import Tenant
from tests.integration.api.test_api_predictions import buy

QUIET, FRESH = (45, 60, 90), (1, 2, 4, 5, 7)


def score(tenant: Tenant, *ids: str) -> None:
    assert tenant.client.post("/api/predictions/score", json={"profile_ids": list(ids)}).status_code == 200


def test_the_grid_counts_every_scored_customer_once_and_lists_them_by_cell(tenant: Tenant) -> None:
    days = [QUIET, QUIET, FRESH, FRESH, FRESH, (1,), (200,)]
    ids = [buy(tenant, f"m{place}@example.com", *ago) for place, ago in enumerate(days)]
    score(tenant, *ids, *tenant.profiles(1))
    grid = tenant.client.get("/api/segments/rfm").json()
    assert grid["customers"] == len(ids) == sum(cell["customers"] for cell in grid["cells"])
    assert (grid["scale"]["by"], grid["confidence"]) == ("steps", "low")
    names = ("recency", "frequency", "monetary")
    shown: Counter[str] = Counter()
    for cell in grid["cells"]:
        params = {name: cell[name] for name in names} | {"limit": 2}
        while True:
            page = tenant.client.get("/api/segments/rfm/members", params=params).json()
            for item in page["items"]:
                assert [item[name] for name in names] == [cell[name] for name in names]
                whole = tenant.client.get(f"/api/customer360/{item['profile_id']}").json()["predictions"]
                assert [whole["segment"][name] for name in names] == [item[name] for name in names]
                shown[item["profile_id"]] += 1
            if page["next_cursor"] is None:
                break
            params["cursor"] = page["next_cursor"]
    assert shown == Counter(ids)


def test_members_of_any_money_are_those_of_all_cells(tenant: Tenant) -> None:
    ids = [buy(tenant, f"m{place}@example.com", *FRESH) for place in range(3)]
    score(tenant, *ids)
    page = tenant.client.get("/api/segments/rfm/members", params={"recency": 5, "frequency": 5, "limit": 2}).json()
    rest = tenant.client.get(
        "/api/segments/rfm/members",
        params={"recency": 5, "frequency": 5, "limit": 2, "cursor": page["next_cursor"]},
    ).json()
    assert sorted(item["profile_id"] for item in page["items"] + rest["items"]) == sorted(ids)
    assert rest["next_cursor"] is None
    elsewhere = {"recency": 1, "frequency": 1, "cursor": page["next_cursor"]}
    answer = tenant.client.get("/api/segments/rfm/members", params=elsewhere)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")


@pytest.mark.parametrize("params", [{}, {"recency": 5}, {"recency": 6, "frequency": 1}, {"recency": 0, "frequency": 1}])
def test_scores_outside_one_to_five_are_named(tenant: Tenant, params: dict[str, int]) -> None:
    answer = tenant.client.get("/api/segments/rfm/members", params=params)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] in {"recency", "frequency"}


def test_profiles_like_the_given_ones_come_first_with_reasons(tenant: Tenant) -> None:
    fresh = [buy(tenant, f"f{place}@example.com", *FRESH) for place in range(3)]
    quiet = [buy(tenant, f"q{place}@example.com", *QUIET) for place in range(3)]
    [nobody] = tenant.profiles(1)
    score(tenant, *fresh, *quiet, nobody)
    body = {"profile_ids": [fresh[0], nobody, "cus_unknown"], "limit": 4}
    found = tenant.client.post("/api/segments/lookalike", json=body).json()
    assert [item["profile_id"] for item in found["items"]][:2] == sorted(fresh[1:])
    assert {item["profile_id"] for item in found["items"][2:]} < set(quiet)
    assert [item["segment"] for item in found["items"][:2]] == ["champion", "champion"]
    assert all(item["reasons"] for item in found["items"])
    assert (found["not_found"], found["without_orders"]) == (["cus_unknown"], [nobody])
    assert (found["looked_at"], found["is_complete"]) == (5, True)
    near = tenant.client.post("/api/segments/lookalike", json={**body, "min_similarity": 0.9}).json()
    assert [item["profile_id"] for item in near["items"]] == sorted(fresh[1:])


def test_a_profile_that_was_absorbed_is_neither_given_nor_found(tenant: Tenant) -> None:
    ids = [buy(tenant, f"f{place}@example.com", *FRESH) for place in range(3)]
    score(tenant, *ids)
    tenant.client.post(f"/api/profiles/{ids[0]}/merge", json={"profile_ids": [ids[1]]})
    found = tenant.client.post("/api/segments/lookalike", json={"profile_ids": [ids[1]]}).json()
    assert [item["profile_id"] for item in found["items"]] == [ids[2]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "profile_ids"), ({"profile_ids": []}, "profile_ids"), ({"profile_ids": ["x"] * 201}, "profile_ids"),
        ({"profile_ids": ["x"], "limit": 0}, "limit"), ({"profile_ids": ["x"], "min_similarity": 2}, "min_similarity"),
        ({"profile_ids": ["cus_unknown"]}, "profile_ids"),
    ],
)  # fmt: skip
def test_a_wrong_question_is_named(tenant: Tenant, body: dict[str, object], field: str) -> None:
    answer = tenant.client.post("/api/segments/lookalike", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith(field)
