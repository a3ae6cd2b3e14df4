"""Traits over HTTP: every value is kept with its source and time, one is chosen, merges and unmerges lose nothing."""

from collections.abc import Callable

from tests.integration.api.conftest import Tenant


def _say(tenant: Tenant, email: str, source: str, at: str, **traits: str) -> str:
    sent = tenant.send(
        type="identify", source=source, occurred_at=at, identifiers={"email": email}, payload={"traits": traits}
    )
    return str(sent["profile_id"])


def test_the_latest_value_shows_and_every_value_is_kept(new_tenant: Callable[[], Tenant]) -> None:
    tenant = new_tenant()
    profile = _say(tenant, "a@example.com", "shop", "2026-10-02T00:00:00Z", city="Pune", first_name="Ada")
    _say(tenant, "a@example.com", "crm", "2026-10-01T00:00:00Z", city="Goa")
    assert tenant.client.get(f"/api/profiles/{profile}").json()["traits"] == {"city": "Pune", "first_name": "Ada"}
    [city, _] = tenant.client.get(f"/api/profiles/{profile}/traits").json()["items"]
    assert [(one["value"], one["source"], one["count"]) for one in city["values"]] == [
        ("Pune", "shop", 1),
        ("Goa", "crm", 1),
    ]


def test_a_brand_chooses_the_strategy_of_each_trait(new_tenant: Callable[[], Tenant]) -> None:
    tenant = new_tenant()
    profile = _say(tenant, "a@example.com", "shop", "2026-10-02T00:00:00Z", city="Pune", color="red")
    _say(tenant, "a@example.com", "crm", "2026-10-01T00:00:00Z", city="Goa", color="blue")
    strategies = {"city": {"strategy": "source_priority", "sources": ["crm"]}, "*": {"strategy": "oldest"}}
    saved = tenant.client.put("/api/identity/traits/strategies", json={"strategies": strategies})
    assert saved.status_code == 200, saved.text
    assert tenant.client.get(f"/api/profiles/{profile}").json()["traits"] == {"city": "Goa", "color": "blue"}
    wrong = tenant.client.put("/api/identity/traits/strategies", json={"strategies": {"x": {"strategy": "best"}}})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "strategies[0].strategy")


def test_a_merge_keeps_every_value_and_an_unmerge_gives_them_back(new_tenant: Callable[[], Tenant]) -> None:
    tenant = new_tenant()
    first = _say(tenant, "a@example.com", "shop", "2026-10-01T00:00:00Z", city="Pune")
    second = _say(tenant, "b@example.com", "shop", "2026-10-02T00:00:00Z", city="Goa")
    merged = tenant.client.post(f"/api/profiles/{first}/merge", json={"profile_ids": [second]}).json()
    survivor = merged["survivor_id"]
    [city] = tenant.client.get(f"/api/profiles/{survivor}/traits").json()["items"]
    assert (city["value"], len(city["values"])) == ("Goa", 2)
    assert tenant.client.post(f"/api/profiles/{survivor}/unmerge", json={}).status_code == 200
    assert tenant.client.get(f"/api/profiles/{first}").json()["traits"] == {"city": "Pune"}
    assert tenant.client.get(f"/api/profiles/{second}").json()["traits"] == {"city": "Goa"}
