"""Lists of intents over HTTP: by the store that customers were last seen in, with products called by their names."""

from datetime import timedelta
from typing import Any

import pytest

from core.clock import format_time, utc_now
from graph.repositories.product_names import keep_names, read_names
from insight.intent_lists import refresh_intents
from insight.shop_floor import work_off
from tests.integration.api.conftest import Tenant


def ago(**span: float) -> str:
    return format_time(utc_now() - timedelta(**span))


def wants(tenant: Tenant, email: str, product: str, store: str | None = None, **payload: Any) -> str:
    """A customer who put a product into the cart, and was seen in a store."""
    who = {"email": email}
    if store is not None:
        tenant.send(
            type="store_visit", channel="store", identifiers=who, occurred_at=ago(days=2),
            payload={"store_id": store, "method": "checkin"},
        )  # fmt: skip
    sent = tenant.send(
        type="cart_add", identifiers=who, occurred_at=ago(hours=1), payload={"product_id": product, **payload}
    )
    return str(sent["profile_id"])


def listed(tenant: Tenant, **params: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = tenant.client.get(
            "/api/intent/product-intents", params={**params, **({"cursor": cursor} if cursor else {})}
        )
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return items


@pytest.mark.usefixtures("own_shop_marks")
def test_intents_of_a_store_are_those_of_customers_last_seen_there(tenant: Tenant) -> None:
    one, two, three = (
        wants(tenant, f"{n}@example.com", f"P{n % 2}", store) for n, store in enumerate(("S1", "S1", "S2"))
    )
    four = wants(tenant, "4@example.com", "P1")
    tenant.send(
        type="store_visit", channel="store", identifiers={"email": "1@example.com"}, occurred_at=ago(days=1),
        payload={"store_id": "S2", "method": "wifi"},
    )  # fmt: skip
    refresh_intents(tenant.graph, tenant.id, [one, two, three, four], utc_now())
    for limit in (1, 50):
        assert [item["profile_id"] for item in listed(tenant, store_id="S1", limit=limit)] == [one]
        assert {item["profile_id"] for item in listed(tenant, store_id="S2", limit=limit)} == {two, three}
    assert [item["profile_id"] for item in listed(tenant, store_id="S2", product_id="P1")] == [two]
    assert len(listed(tenant)) == 4
    assert listed(tenant, store_id="nowhere") == []


@pytest.mark.usefixtures("own_shop_marks")
def test_products_are_called_by_their_names_in_lists_and_in_the_360(tenant: Tenant) -> None:
    profile = wants(tenant, "a@example.com", "P1", name="Rain Jacket")
    tenant.send(
        type="purchase", identifiers={"email": "a@example.com"}, occurred_at=ago(days=3),
        payload={"order_id": "A-1", "total": "9.00", "currency": "USD",
                 "items": [{"product_id": "P2", "name": "Cap", "quantity": 1, "price": "9.00"}]},
    )  # fmt: skip
    work_off(tenant.graph)
    refresh_intents(tenant.graph, tenant.id, [profile], utc_now())
    assert [(item["product_id"], item["product_name"]) for item in listed(tenant)] == [("P1", "Rain Jacket")]
    assert read_names(tenant.graph, tenant.id, ["P1", "P2", "P3"]) == {"P1": "Rain Jacket", "P2": "Cap"}
    whole = tenant.client.get(f"/api/customer360/{profile}").json()
    assert whole["intents"][0]["product_name"] == "Rain Jacket"
    assert "Rain Jacket" in whole["journey"]["next_action"]["reason"]


def test_the_name_of_the_later_event_stands_and_other_brands_see_none(tenant: Tenant, new_tenant: Any) -> None:
    now = utc_now()
    keep_names(tenant.graph, tenant.id, {"P1": ("New", now)})
    keep_names(tenant.graph, tenant.id, {"P1": ("Old", now - timedelta(days=1))})
    assert read_names(tenant.graph, tenant.id, ["P1"]) == {"P1": "New"}
    assert read_names(tenant.graph, new_tenant().id, ["P1"]) == {}
