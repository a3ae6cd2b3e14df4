"""Computed traits over HTTP: defined, previewed, shown in the 360, replaced, refused, deleted; each brand its own."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from core.clock import format_time, utc_now
from insight.computed_traits.refresh import refresh_traits
from ml.runs.carry_out import carry_out_run
from tests.integration.api.conftest import Service, Tenant

SPEND = {
    "function": "sum", "from": "orders", "field": "total", "window": {"days": 30},
    "where": [{"field": "category", "op": "eq", "value": "Shoes"}, {"field": "total", "op": "gte", "value": "5.00"}],
}  # fmt: skip


def buy(tenant: Tenant, order_id: str, total: str, category: str = "Shoes", currency: str = "USD") -> str:
    payload = {
        "order_id": order_id, "total": total, "currency": currency,
        "line_items": [{"product_id": "P1", "category": category, "quantity": 1, "price": total}],
    }  # fmt: skip
    sent = tenant.send(
        type="purchase", identifiers={"email": "a@example.com"}, payload=payload, occurred_at=format_time(utc_now())
    )
    return str(sent["profile_id"])


def backfill(tenant: Tenant, service: Service, name: str) -> dict[str, Any]:
    """The definition after its backfill, carried out here or by a worker that runs beside the tests."""
    url = f"/api/traits/computed/{name}"
    models = service.app.state.services.models
    deadline = time.monotonic() + 60
    found: dict[str, Any] = tenant.client.get(url).json()
    while found["state"] != "ready":
        assert time.monotonic() < deadline
        if found["backfill"] is not None:
            carry_out_run(tenant.graph, models, tenant.id, found["backfill"]["run_id"])
        found = tenant.client.get(url).json()
    return found


def test_a_trait_is_defined_computed_and_shown_in_the_360(service: Service, tenant: Tenant) -> None:
    profile = buy(tenant, "A-1", "89.99")
    buy(tenant, "A-2", "4.00")
    buy(tenant, "A-3", "10.01")
    buy(tenant, "A-4", "50.00", "Bags")
    buy(tenant, "A-5", "70.00", currency="EUR")
    preview = tenant.client.post("/api/traits/computed/preview", json={**SPEND, "profile_id": profile})
    assert preview.json() == {"profile_id": profile, "value": "100.00", "type": "money", "currency": "USD"}
    made = tenant.client.post("/api/traits/computed", json={"name": "shoe_spend", **SPEND})
    assert made.status_code == 201, made.text
    assert (made.json()["state"], made.json()["type"], made.json()["backfill"]["state"]) == (
        "computing", "money", "queued",
    )  # fmt: skip
    assert backfill(tenant, service, "shoe_spend")["state"] == "ready"
    whole = tenant.client.get(f"/api/customer360/{profile}").json()
    shown = whole["computed_traits"]["shoe_spend"]
    assert (shown["value"], shown["currency"], shown["type"], shown["is_current"]) == ("100.00", "USD", "money", True)
    assert shown["computed_at"].endswith("Z")
    only = tenant.client.get(f"/api/customer360/{profile}?include=computed_traits").json()
    assert only["computed_traits"] == whole["computed_traits"]
    assert "overview" not in only
    assert "computed_traits" not in tenant.client.get(f"/api/customer360/{profile}?include=overview").json()
    past = tenant.client.get(f"/api/customer360/{profile}", params={"at": format_time(utc_now())})
    assert past.json()["computed_traits"] == {}


def test_the_etag_of_a_360_changes_with_its_traits(service: Service, tenant: Tenant) -> None:
    profile = buy(tenant, "A-1", "89.99")
    url = f"/api/customer360/{profile}?include=computed_traits"
    tag = tenant.client.get(url).headers["etag"]
    tenant.client.put("/api/traits/computed/visits", json={"function": "count"})
    changed = tenant.client.get(url, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()["computed_traits"]["visits"]["value"]) == (200, None)
    backfill(tenant, service, "visits")
    computed = tenant.client.get(url, headers={"If-None-Match": changed.headers["etag"]})
    assert (computed.status_code, computed.json()["computed_traits"]["visits"]["value"]) == (200, 1)
    assert tenant.client.get(url, headers={"If-None-Match": computed.headers["etag"]}).status_code == 304


def test_definitions_are_created_once_replaced_listed_and_deleted(tenant: Tenant) -> None:
    client, url = tenant.client, "/api/traits/computed"
    body = {"name": "visits", "function": "count"}
    key = {"Idempotency-Key": "k-1"}
    assert client.post(url, json=body, headers=key).status_code == 201
    assert client.post(url, json=body, headers=key).headers["idempotent-replayed"] == "true"
    assert client.post(url, json=body).status_code == 201
    conflict = client.post(url, json={**body, "window": {"days": 3}})
    assert (conflict.status_code, conflict.json()["errors"][0]["field"]) == (409, "name")
    replaced = client.put(f"{url}/visits", json={"function": "count", "window": {"days": 3}}).json()
    assert (replaced["version"], replaced["window"]) == (2, {"days": 3})
    assert client.put(f"{url}/visits", json={"function": "count", "window": {"days": 3}}).json()["version"] == 2
    client.put(f"{url}/again", json={"function": "days_since"})
    page = client.get(url, params={"limit": 1}).json()
    assert [one["name"] for one in page["items"]] == ["again"]
    rest = client.get(url, params={"limit": 1, "cursor": page["next_cursor"]}).json()
    assert ([one["name"] for one in rest["items"]], rest["next_cursor"]) == (["visits"], None)
    assert client.get(url, params={"cursor": "made-up"}).status_code == 422
    assert client.delete(f"{url}/visits").json() == {"deleted": True}
    assert client.delete(f"{url}/visits").status_code == 404
    assert client.get(f"{url}/visits").status_code == 404
    # A name that comes back does not meet its old values.
    assert client.post(url, json=body).json()["version"] > 3


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "No Spaces"}, "name"),
        ({"function": "median"}, "function"),
        ({"from": "people"}, "from"),
        ({"function": "sum", "field": "channel"}, "field"),
        ({"where": [{"field": "type", "op": "like", "value": "x"}]}, "where[0].op"),
        ({"where": [{"field": "type", "op": "eq", "value": 5}]}, "where[0].value"),
        ({"where": "type = 'x'"}, "where"),
        ({"window": {"days": 0}}, "window.days"),
        ({"window": "month"}, "window"),
        ({"sql": "SELECT 1"}, "sql"),
        ({"description": "x" * 501}, "description"),
    ],
)
def test_a_bad_definition_is_422_with_the_name_of_its_field(tenant: Tenant, change: dict[str, Any], field: str) -> None:
    answer = tenant.client.post("/api/traits/computed", json={"name": "visits", "function": "count", **change})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field
    assert tenant.client.get("/api/traits/computed").json()["items"] == []


def test_another_brands_definitions_and_profiles_are_unknown(new_tenant: Callable[[], Tenant]) -> None:
    one, two = new_tenant(), new_tenant()
    profile = buy(one, "A-1", "10.00")
    own = buy(two, "A-1", "20.00")
    one.client.put("/api/traits/computed/spend", json=SPEND)
    two.client.put("/api/traits/computed/visits", json={"function": "count"})
    assert two.client.get("/api/traits/computed/spend").status_code == 404
    assert two.client.delete("/api/traits/computed/spend").status_code == 404
    assert [item["name"] for item in two.client.get("/api/traits/computed").json()["items"]] == ["visits"]
    preview = two.client.post("/api/traits/computed/preview", json={**SPEND, "profile_id": profile})
    assert preview.status_code == 404
    # Ids of another brand in a task are nobody's.
    refresh_traits(one.graph, two.id, [profile, own], utc_now())
    assert one.client.get(f"/api/customer360/{profile}").json()["computed_traits"]["spend"]["value"] is None
    assert list(two.client.get(f"/api/customer360/{own}").json()["computed_traits"]) == ["visits"]
