"""Products, stock and privacy requests told by webhooks: stored once, in any order, listed for their brand alone."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from ingest.sources.signing import shopify_headers
from tests.integration.api.conftest import Tenant

SHOP = "first.example"
PRODUCT = {
    "id": 1, "title": "Tee", "product_type": "Apparel", "vendor": "House", "status": "active",
    "updated_at": "2026-10-01T00:00:00Z",
    "variants": [{"id": 11, "sku": "T-S", "title": "S", "price": "39.95", "inventory_item_id": 21}],
}  # fmt: skip
LEVEL = {"inventory_item_id": 21, "location_id": 31, "available": 6, "updated_at": "2026-10-01T00:00:00Z"}
REDACT = {"shop_domain": SHOP, "customer": {"id": 7, "email": "gone@example.com"}, "orders_to_redact": [1]}


def deliver(tenant: Tenant, topic: str, body: dict[str, Any], webhook_id: str = "w-1") -> dict[str, Any]:
    content = json.dumps(body).encode()
    headers = shopify_headers(
        tenant.created["webhook_secrets"]["shopify"], content, topic=topic, shop=SHOP, webhook_id=webhook_id
    )
    url = tenant.url + tenant.created["webhook_urls"]["shopify"]
    answer = httpx.post(url, content=content, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    taken: dict[str, Any] = answer.json()
    return taken


def products(tenant: Tenant, **query: Any) -> dict[str, Any]:
    answer = tenant.client.get("/api/products", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_product_stands_as_it_was_last_changed_whatever_came_first(new_tenant: Callable[[], Tenant]) -> None:
    tenant, stranger = new_tenant(), new_tenant()
    newer = {**PRODUCT, "title": "Linen Tee", "updated_at": "2026-10-02T00:00:00Z"}
    for body in (LEVEL, {**LEVEL, "available": 9, "updated_at": "2026-09-01T00:00:00Z"}):
        deliver(tenant, "inventory_levels/update", body)
    taken = deliver(tenant, "products/update", newer)
    assert (taken["decision"], taken["event_id"], taken["profile_id"]) == ("stored", None, None)
    deliver(tenant, "products/create", PRODUCT)
    [product] = products(tenant)["items"]
    assert (product["title"], product["category"], product["price"]) == ("Linen Tee", "Apparel", "39.95")
    assert [(level["location_id"], level["available"], level["sku"]) for level in product["stock"]] == [
        ("31", 6, "T-S")
    ]
    assert tenant.client.get("/api/profiles").json()["items"] == []
    assert products(stranger)["items"] == []
    deliver(tenant, "products/delete", {"id": 1})
    deliver(tenant, "products/update", newer)
    assert products(tenant)["items"] == []


def test_the_newest_word_about_an_item_stands_whether_its_product_or_it_was_told_of_last(tenant: Tenant) -> None:
    item = {"id": 21, "sku": "NEW", "updated_at": "2026-10-03T00:00:00Z"}
    deliver(tenant, "inventory_levels/update", LEVEL)
    deliver(tenant, "inventory_items/update", item)
    deliver(tenant, "products/create", PRODUCT)
    assert [level["sku"] for level in products(tenant)["items"][0]["stock"]] == ["NEW"]
    deliver(tenant, "products/update", {**PRODUCT, "updated_at": "2026-10-04T00:00:00Z"})
    assert [level["sku"] for level in products(tenant)["items"][0]["stock"]] == ["T-S"]


def test_products_come_in_pages(tenant: Tenant) -> None:
    for number in range(3):
        deliver(tenant, "products/create", {**PRODUCT, "id": number, "variants": []})
    first = products(tenant, limit=2)
    rest = products(tenant, limit=2, cursor=first["next_cursor"])
    seen = [item["product_id"] for item in (*first["items"], *rest["items"])]
    assert (seen, rest["next_cursor"]) == (["0", "1", "2"], None)
    assert tenant.client.get("/api/products", params={"cursor": "x"}).status_code == 422


def test_privacy_requests_are_queued_once_with_a_due_day_and_no_address(new_tenant: Callable[[], Tenant]) -> None:
    tenant, stranger = new_tenant(), new_tenant()
    for topic in ("customers/data_request", "customers/redact", "shop/redact"):
        for _ in range(2):
            assert deliver(tenant, topic, REDACT, webhook_id=f"w-{topic}")["decision"] == "stored"
    answer = tenant.client.get("/api/privacy/requests")
    asked = answer.json()["items"]
    assert sorted(item["topic"] for item in asked) == ["customers/data_request", "customers/redact", "shop/redact"]
    assert {item["subject"] for item in asked} == {"", "external_id:shopify:7"}
    assert all(item["status"] == "open" and item["due_at"] > item["requested_at"] for item in asked)
    assert "gone@example.com" not in answer.text
    paged = tenant.client.get("/api/privacy/requests", params={"limit": 2}).json()
    following = {"limit": 2, "cursor": paged["next_cursor"]}
    rest = tenant.client.get("/api/privacy/requests", params=following).json()
    assert [*paged["items"], *rest["items"]] == asked
    assert stranger.client.get("/api/privacy/requests").json()["items"] == []
    assert tenant.client.get("/api/profiles").json()["items"] == []
