"""Predictions over HTTP: scored now, how likely the next order is, what to do next."""

from datetime import timedelta

import pytest

from core.clock import format_time, utc_now
from tests.integration.api.conftest import Tenant


def buy(tenant: Tenant, email: str, *days_ago: int) -> str:
    for ago in days_ago:
        at = format_time(utc_now() - timedelta(days=ago, minutes=1))
        sent = tenant.send(
            type="purchase",
            identifiers={"email": email},
            occurred_at=at,
            payload={
                "order_id": f"{email}-{ago}", "total": "50.00", "currency": "USD",
                "line_items": [{"product_id": "TSH-1", "category": "Apparel", "quantity": 1, "price": "50.00"}],
            },
        )  # fmt: skip
    return str(sent["profile_id"])


def test_scoring_answers_computes_and_keeps(tenant: Tenant) -> None:
    quiet, fresh = buy(tenant, "quiet@example.com", 45, 60, 90), buy(tenant, "fresh@example.com", 1)
    [nobody] = tenant.profiles(1)
    ids = [fresh, quiet, nobody, "cus_unknown"]
    answer = tenant.client.post("/api/predictions/score", json={"profile_ids": ids})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert [item["profile_id"] for item in found["items"]] == [fresh, quiet, nobody]
    assert found["not_found"] == ["cus_unknown"]
    one = found["items"][1]
    assert one["features"]["frequency"] == 3
    assert one["predictions"]["churn"]["band"] == "high"
    assert found["items"][2]["predictions"] is None
    whole = tenant.client.get(f"/api/customer360/{quiet}").json()
    assert whole["predictions"]["churn"] == one["predictions"]["churn"]
    assert whole["predictions"]["ltv"] == one["predictions"]["ltv"]
    card = tenant.client.get(f"/api/profiles/{quiet}").json()
    assert (card["segment"], card["churn_probability"]) == ("at_risk", one["predictions"]["churn"]["probability"])


@pytest.mark.parametrize("body", [{}, {"profile_ids": []}, {"profile_ids": [1]}, {"profile_ids": ["x"] * 201}])
def test_a_wrong_list_of_profiles_is_named(tenant: Tenant, body: dict[str, object]) -> None:
    answer = tenant.client.post("/api/predictions/score", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith("profile_ids")


def test_propensity_grows_with_the_days_and_the_next_action_follows_the_risk(tenant: Tenant) -> None:
    quiet = buy(tenant, "quiet@example.com", 45, 60, 90)
    params = {"profile_id": quiet}
    actions = tenant.client.get("/api/predictions/propensity", params=params).json()["actions"]
    assert [one["days"] for one in actions] == [7, 30]
    assert 0 < actions[0]["probability"] < actions[1]["probability"] < 1
    tenant.client.post("/api/predictions/score", json={"profile_ids": [quiet]})
    found = tenant.client.get("/api/predictions/next-action", params=params).json()
    assert (found["action"], found["at_risk"], found["churn"]["band"]) == ("win_back", True, "high")
    assert found["product"]["product_id"] == "TSH-1"


@pytest.mark.parametrize("path", ["propensity", "next-action"])
def test_another_brands_profile_is_404(tenant: Tenant, new_tenant, path: str) -> None:
    [other] = new_tenant().profiles(1)
    answer = tenant.client.get(f"/api/predictions/{path}", params={"profile_id": other})
    assert answer.status_code == 404
    scored = tenant.client.post("/api/predictions/score", json={"profile_ids": [other]}).json()
    assert scored == {"items": [], "not_found": [other]}


def test_what_is_bought_once_for_ever_is_not_recommended_again(tenant: Tenant) -> None:
    one = buy(tenant, "once@example.com", 3, 40)

    def recommended() -> list[str]:
        found = tenant.client.post("/api/predictions/score", json={"profile_ids": [one]}).json()
        return [product["product_id"] for product in found["items"][0]["predictions"]["recommendations"]]

    assert recommended() == ["TSH-1"]
    for told in ({"products": ["TSH-1"]}, {"categories": [" Apparel "]}):
        answer = tenant.client.put("/api/predictions/settings", json={"bought_once": told})
        assert answer.status_code == 200, answer.text
        assert tenant.client.get("/api/predictions/settings").json() == answer.json()
        assert recommended() == []
    tenant.client.put(
        "/api/predictions/settings", json={"bought_once": {"products": ["other"], "categories": ["Shoes"]}}
    )
    assert recommended() == ["TSH-1"]


@pytest.mark.parametrize("told", [{"products": [""]}, {"products": [1]}, {"categories": ["x" * 201]}, {"shelf": []}])
def test_a_wrong_setting_of_recommendations_is_named(tenant: Tenant, told: dict[str, object]) -> None:
    answer = tenant.client.put("/api/predictions/settings", json={"bought_once": told})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith("bought_once")


def test_answers_to_messages_make_the_next_one_likelier(tenant: Tenant) -> None:
    def answer(kind: str, *days_ago: int) -> str:
        for ago in days_ago:
            at = format_time(utc_now() - timedelta(days=ago, minutes=1))
            sent = tenant.send(type=kind, channel="email", identifiers={"email": f"{kind}@example.com"}, occurred_at=at)
        return str(sent["profile_id"])

    def told(profile: str) -> dict[tuple[str, int], float]:
        actions = tenant.client.get("/api/predictions/propensity", params={"profile_id": profile}).json()["actions"]
        return {(one["action"], one["days"]): one["probability"] for one in actions}

    silent, opens = told(answer("campaign_sent", 60, 30, 1)), told(answer("email_open", 60, 40, 30, 1))
    clicks = told(answer("email_click", 60, 30, 1, 200))
    assert set(silent) == {("open", 7), ("open", 30), ("click", 7), ("click", 30)}
    assert silent["open", 7] < silent["open", 30] < opens["open", 30] < 1
    assert clicks["click", 30] > opens["click", 30] == silent["click", 30]
    # Only what happened in the last 90 days counts: 1 - ((30 + 90) / (30 + 90 + 30)) ** 3.5.
    assert clicks["click", 30] == pytest.approx(0.5420, abs=0.002)
    [nobody] = tenant.profiles(1)
    assert tenant.client.get("/api/predictions/propensity", params={"profile_id": nobody}).json()["actions"] is None


def test_the_catalogue_explains_every_feature_of_a_feature_set(tenant: Tenant) -> None:
    one = buy(tenant, "one@example.com", 3)
    tenant.client.post("/api/predictions/score", json={"profile_ids": [one]})
    shown = tenant.client.get(f"/api/features/{one}").json()["features"]
    listed = tenant.client.get("/api/features").json()["items"]
    assert [feature["name"] for feature in listed] == list(shown)
    assert all(feature["sentence"] and feature["window"] for feature in listed)


def test_a_check_in_is_told_by_the_features(tenant: Tenant) -> None:
    one = buy(tenant, "one@example.com", 3)
    at = format_time(utc_now() - timedelta(days=2))
    seen = {"store_id": "S1", "identifiers": {"email": "one@example.com"}, "at": at}
    assert tenant.client.post("/api/store/visits", json=seen).status_code == 201
    [item] = tenant.client.post("/api/predictions/score", json={"profile_ids": [one]}).json()["items"]
    found = item["features"]
    assert (found["store_visit_days"], round(found["last_store_visit_days"])) == (1, 2)
