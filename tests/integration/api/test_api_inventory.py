"""Stock, demand and trends over HTTP on the real graph."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from core.clock import utc_now
from insight import shop_floor
from insight.intent_lists import refresh_intents
from tests.integration.api.conftest import Tenant
from tests.integration.api.test_api_store_staff import put_in_cart
from tests.integration.api.test_api_stores import ago, check_in

pytestmark = pytest.mark.usefixtures("own_shop_marks")


def set_level(tenant: Tenant, location: str, available: int, product: str = "P1", **more: Any) -> dict[str, Any]:
    body = {"product_id": product, "location_id": location, "available": available, **more}
    answer = tenant.client.put("/api/inventory/levels", json=body)
    assert answer.status_code == 200, answer.text
    moved: dict[str, Any] = answer.json()
    return moved


def move(tenant: Tenant, delta: int, **more: Any) -> Any:
    body = {"product_id": "P1", "location_id": "S1", "delta": delta, **more}
    return tenant.client.post("/api/inventory/movements", json=body)


def levels(tenant: Tenant) -> dict[str, int | None]:
    products = tenant.client.get("/api/products").json()["items"]
    return {level["location_id"]: level["available"] for product in products for level in product["stock"]}


def items(tenant: Tenant, path: str) -> list[dict[str, Any]]:
    answer = tenant.client.get(f"/api/inventory/{path}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def test_levels_are_set_and_moved_and_every_change_is_kept(tenant: Tenant) -> None:
    set_level(tenant, "S1", 5, title="Premium Sneakers")
    assert move(tenant, -2, reason="sold").json()["available"] == 3
    assert move(tenant, 4).json()["available"] == 7
    assert levels(tenant) == {"S1": 7}
    page = tenant.client.get("/api/inventory/movements?limit=2").json()
    rest = tenant.client.get(f"/api/inventory/movements?limit=2&cursor={page['next_cursor']}").json()
    kept = [(one["before"], one["delta"], one["available"]) for one in page["items"] + rest["items"]]
    assert kept == [(3, 4, 7), (5, -2, 3), (None, 5, 5)]


def test_stock_never_falls_below_nothing_and_what_is_refused_changes_nothing(tenant: Tenant) -> None:
    set_level(tenant, "S1", 1)
    refused = move(tenant, -2)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "delta")
    assert move(tenant, -1, location_id="S2").status_code == 422
    assert levels(tenant) == {"S1": 1}
    for body in ({"available": -1}, {"available": "5"}, {"available": 1.5}, {}):
        answer = tenant.client.put("/api/inventory/levels", json={"product_id": "P1", "location_id": "S1", **body})
        assert answer.status_code == 422, answer.text


def test_a_movement_that_is_told_again_moves_once(tenant: Tenant) -> None:
    first = move(tenant, 5, movement_id="w-1")
    assert first.status_code == 201
    assert move(tenant, 5, movement_id="w-1").json() == first.json()
    assert levels(tenant) == {"S1": 5}


def test_movements_at_once_add_up(tenant: Tenant) -> None:
    set_level(tenant, "S1", 5)
    codes: list[int] = []
    runs = [threading.Thread(target=lambda: codes.append(move(tenant, -1).status_code)) for _ in range(8)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert sorted(codes) == [201] * 5 + [422] * 3
    assert levels(tenant) == {"S1": 0}


def want(tenant: Tenant, email: str, store: str | None, product: str = "P1") -> str:
    profile: str = put_in_cart(tenant, email, product)["profile_id"]
    if store is not None:
        check_in(tenant, email, store_id=store)
    return profile


def test_demand_stands_at_the_store_of_the_last_visit_beside_its_stock(tenant: Tenant) -> None:
    profiles = [
        want(tenant, "a@example.com", "S1"), want(tenant, "b@example.com", "S1"), want(tenant, "c@example.com", None),
    ]  # fmt: skip
    refresh_intents(tenant.graph, tenant.id, profiles, utc_now())
    tenant.client.put("/api/store/stores/S2", json={"location_ids": ["L2", "L3"]})
    set_level(tenant, "S1", 0, title="Premium Sneakers")
    set_level(tenant, "L2", 3)
    set_level(tenant, "L3", 1)
    [signal] = items(tenant, "demand-signals")
    assert (signal["title"], signal["open_intents"], signal["high_intents"]) == ("Premium Sneakers", 3, 3)
    assert (signal["available"], signal["without_store"]) == (4, 1)
    assert {one["store_id"]: (one["open_intents"], one["available"], one["missing"]) for one in signal["stores"]} == {
        "S1": (2, 0, 2), "S2": (0, 4, 0),
    }  # fmt: skip
    [step] = items(tenant, "store-recommendations?store_id=S1")
    assert (step["action"], step["from_store"], step["to_store"], step["quantity"]) == ("move", "S2", "S1", 2)
    assert items(tenant, "store-recommendations?store_id=S2") == items(tenant, "demand-signals?store_id=S9") == []


def test_staff_hears_where_a_wanted_product_is(tenant: Tenant) -> None:
    set_level(tenant, "S1", 0)
    set_level(tenant, "S2", 4)
    want(tenant, "a@example.com", "S1")
    want(tenant, "b@example.com", "S2")
    shop_floor.work_off(tenant.graph)
    told = tenant.client.get("/api/store/alerts").json()["items"]
    assert {alert["store_id"]: alert["reason"] for alert in told} == {
        "S1": "not in this store, 4 elsewhere", "S2": "4 in this store",
    }  # fmt: skip


def test_what_gained_most_over_the_window_before_is_trending(tenant: Tenant) -> None:
    def view(product: str, times: int, at: str) -> None:
        for number in range(times):
            tenant.send(
                type="product_view", identifiers={"email": f"v{number}@example.com"}, payload={"product_id": product},
                occurred_at=at,
            )  # fmt: skip

    view("RISING", 3, ago(hours=0))
    view("FALLING", 2, ago(hours=0))
    view("FALLING", 5, ago(days=8))
    view("OLD", 5, ago(days=40))
    shop_floor.work_off(tenant.graph)
    found = items(tenant, "trending?days=7")
    assert [(one["product_id"], one["score"], one["score_before"], one["gain"]) for one in found] == [
        ("RISING", 3, 0, 3), ("FALLING", 2, 5, -3),
    ]  # fmt: skip
    assert found[0]["window"] == {"views": 3, "carts": 0, "purchases": 0}
    assert [one["product_id"] for one in items(tenant, "trending?limit=1")] == ["RISING"]


def test_all_about_a_product(tenant: Tenant) -> None:
    tenant.send(type="product_view", identifiers={"email": "a@example.com"}, payload={"product_id": "P1"})
    profile = want(tenant, "a@example.com", "S1")
    shop_floor.work_off(tenant.graph)
    refresh_intents(tenant.graph, tenant.id, [profile], utc_now())
    set_level(tenant, "S1", 0)
    found = tenant.client.get("/api/inventory/product-insights/P1").json()
    assert found["window"] == {"views": 1, "carts": 1, "purchases": 0}
    assert (found["carts_per_view"], found["purchases_per_cart"]) == (1.0, 0.0)
    assert found["days"] == [{"day": (utc_now() - timedelta(0)).strftime("%Y-%m-%d"), **found["window"]}]
    assert found["demand"]["open_intents"] == 1
    assert [step["action"] for step in found["recommendations"]] == ["restock"]
    assert tenant.client.get("/api/inventory/product-insights/P9").status_code == 404


@pytest.mark.parametrize(
    "path", ["trending?days=0", "trending?days=31", "trending?limit=101", "demand-signals?limit=x"]
)
def test_bounds_are_said_and_kept(tenant: Tenant, path: str) -> None:
    assert tenant.client.get(f"/api/inventory/{path}").status_code == 422


def test_products_are_found_by_words_of_theirs_and_by_id(tenant: Tenant) -> None:
    for product, title in (("P1", "Premium Sneakers"), ("P2", "Premium Shirt"), ("P3", "Socks")):
        set_level(tenant, "S1", 1, product, title=title)

    def found(query: str) -> list[str]:
        return [one["product_id"] for one in tenant.client.get(f"/api/products?{query}").json()["items"]]

    assert found("q=premium") == ["P1", "P2"]
    assert found("q=SHIRT premium") == found("q=p2") == ["P2"]
    assert found("q=hat") == []
    page = tenant.client.get("/api/products?q=premium&limit=1").json()
    assert found(f"q=premium&limit=1&cursor={page['next_cursor']}") == ["P2"]
    [product] = tenant.client.get("/api/products/P3").json()["items"]
    assert (product["title"], product["stock"][0]["available"]) == ("Socks", 1)
    assert tenant.client.get("/api/products/P9").status_code == 404
