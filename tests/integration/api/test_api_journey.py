"""Journey, attribution and intents over HTTP: what moved a customer, what deserves credit, who wants what."""

from decimal import Decimal

import pytest

from core.clock import utc_now
from insight.attribution import MODELS
from insight.customer_journey import refresh_effects
from insight.intent_lists import refresh_intents
from tests.integration.api.conftest import Tenant

MAIL = {"email": "ada@example.com"}


def history(tenant: Tenant) -> str:
    """Three touchpoints on two channels, then an order of 10.01 with P1 in it."""
    for day, kind, channel in ((1, "email_click", "email"), (2, "product_view", "website"), (3, "cart_add", "website")):
        tenant.send(
            type=kind, channel=channel, identifiers=MAIL, occurred_at=f"2026-11-0{day}T10:00:00Z",
            payload={"product_id": "P1"},
        )  # fmt: skip
    items = [{"product_id": "P1", "quantity": 1, "price": "10.01"}]
    sale = {"order_id": "A-1", "total": "10.01", "currency": "USD", "items": items}
    sent = tenant.send(
        type="purchase", channel="website", identifiers=MAIL, occurred_at="2026-11-04T10:00:00Z", payload=sale
    )
    return str(sent["profile_id"])


def test_credits_of_every_model_sum_to_the_order_to_the_cent(tenant: Tenant) -> None:
    profile = history(tenant)
    answer = tenant.client.get(f"/api/customer360/{profile}/journey").json()
    [conversion] = answer["conversions"]
    assert [point["channel"] for point in conversion["touchpoints"]] == ["email", "website", "website"]
    assert set(conversion["credits"]) == set(MODELS)
    for credit in conversion["credits"].values():
        assert sum(map(Decimal, credit["by_touchpoint"])) == Decimal("10.01")
        assert sum(map(Decimal, credit["by_channel"].values())) == Decimal("10.01")
    assert conversion["credits"]["first"]["by_channel"] == {"email": "10.01", "website": "0.00"}
    assert (answer["stage"], answer["stages"][-1]["why"]) == ("purchase", "first order")


def test_data_driven_uses_the_brands_own_paths_once_they_were_looked_at(tenant: Tenant) -> None:
    profile = history(tenant)
    before = tenant.client.get(f"/api/customer360/{profile}/journey", params={"model": "data_driven"}).json()
    assert before["data_driven_since"] is None
    tenant.send(type="page_view", channel="sms", identifiers={"email": "b@example.com"})
    effects = refresh_effects(tenant.graph, tenant.id)
    assert effects["email"] > 0
    assert effects["sms"] == 0
    after = tenant.client.get(f"/api/customer360/{profile}/journey", params={"model": "data_driven"}).json()
    assert after["data_driven_since"] is not None
    assert list(after["conversions"][0]["credits"]) == ["data_driven"]


@pytest.mark.parametrize(
    ("query", "field"),
    [({"model": "magic"}, "model"), ({"window_days": "0"}, "window_days"), ({"conversions": "51"}, "conversions")],
)
def test_a_question_that_does_not_fit_names_its_field(tenant: Tenant, query: dict[str, str], field: str) -> None:
    [profile] = tenant.profiles(1)
    answer = tenant.client.get(f"/api/customer360/{profile}/journey", params=query)
    assert answer.status_code == 422
    assert field in str(answer.json()["errors"])


def test_interest_told_in_few_words_is_an_event_and_shows_in_the_360(tenant: Tenant) -> None:
    sent = tenant.client.post(
        "/api/intent/track", json={"kind": "cart", "product_id": "P9", "identifiers": MAIL}
    ).json()
    found = tenant.client.get(f"/api/customer360/{sent['profile_id']}").json()
    assert [(one["product_id"], one["score"]) for one in found["intents"]] == [("P9", 70)]
    assert found["overview"]["stage"] == "consideration"


def test_high_intents_are_listed_by_product_and_follow_a_merge(tenant: Tenant) -> None:
    ids = []
    for name, kind in (("a", "cart"), ("b", "cart"), ("c", "view")):
        body = {"kind": kind, "product_id": "P9", "identifiers": {"email": f"{name}@example.com"}}
        ids.append(tenant.client.post("/api/intent/track", json=body).json()["profile_id"])
    refresh_intents(tenant.graph, tenant.id, ids, utc_now())
    listed = tenant.client.get("/api/intent/product-intents", params={"product_id": "P9"}).json()["items"]
    assert {one["profile_id"] for one in listed} == set(ids[:2])
    assert tenant.client.get("/api/intent/product-intents", params={"product_id": "P8"}).json()["items"] == []
    everybody = tenant.client.get("/api/intent/product-intents", params={"min_score": 0, "limit": 2}).json()
    rest = tenant.client.get(
        "/api/intent/product-intents", params={"min_score": 0, "limit": 2, "cursor": everybody["next_cursor"]}
    ).json()
    assert {one["profile_id"] for one in (*everybody["items"], *rest["items"])} == set(ids)
    merged = tenant.client.post(f"/api/profiles/{ids[0]}/merge", json={"profile_ids": [ids[1]]}).json()
    refresh_intents(tenant.graph, tenant.id, ids, utc_now())
    listed = tenant.client.get("/api/intent/product-intents", params={"product_id": "P9"}).json()["items"]
    assert [(one["profile_id"], one["score"]) for one in listed] == [(merged["survivor_id"], 80)]
    assert tenant.client.get(f"/api/profiles/{merged['survivor_id']}").json()["stage"] == "consideration"


def test_an_unknown_kind_is_refused(tenant: Tenant) -> None:
    answer = tenant.client.post("/api/intent/track", json={"kind": "love", "product_id": "P", "identifiers": MAIL})
    assert answer.status_code == 422
