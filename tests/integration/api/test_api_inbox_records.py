"""Products, stock and privacy requests while Neo4j is away: they wait in the inbox and are stored once."""

from dataclasses import replace

import httpx

from core.settings import Settings
from tests.integration.api.conftest import Service, Tenant, serving
from tests.integration.api.test_api_catalogue import LEVEL, PRODUCT, REDACT, SHOP, deliver
from tests.integration.api.test_api_inbox import known_client, own_redis, running, settings, until
from tests.integration.api.test_api_outage import Link, link
from tests.integration.api.test_api_webhooks import shopify

__all__ = ["link", "own_redis", "running", "settings"]
NEWER = {**PRODUCT, "title": "Linen Tee", "updated_at": "2026-10-02T00:00:00Z"}


def until_inbox_is_empty(client: httpx.Client) -> None:
    def is_empty() -> bool:
        answer = client.get("/api/monitoring/queues").raise_for_status().json()
        return answer["inbox"] is not None and answer["inbox"]["entries"] == 0

    until(is_empty, "the inbox is empty")


def test_products_stock_and_privacy_requests_of_an_outage_are_queued_and_stored_once_it_is_over(
    running: Service, tenant: Tenant, link: Link
) -> None:
    here = replace(tenant, url=running.url)
    with known_client(running, tenant) as client:
        assert deliver(here, "products/create", PRODUCT)["decision"] == "stored"
        link.cut()
        for _ in range(2):
            assert deliver(here, "products/update", NEWER)["decision"] == "queued"
            assert deliver(here, "inventory_levels/update", LEVEL)["decision"] == "queued"
            told = deliver(here, "customers/redact", REDACT)
            assert (told["decision"], told["event_id"]) == ("queued", None)
        # Three were told twice, which is three entries.
        assert client.get("/api/monitoring/queues").raise_for_status().json()["inbox"]["entries"] == 3
        link.mend()
        until_inbox_is_empty(client)
        [product] = client.get("/api/products").json()["items"]
        assert product["title"] == "Linen Tee"
        assert [(level["location_id"], level["available"]) for level in product["stock"]] == [("31", 6)]
        [request] = client.get("/api/privacy/requests").json()["items"]
        assert (request["topic"], request["status"]) == ("customers/redact", "open")


def test_an_older_product_of_the_outage_does_not_replace_what_came_after_it(
    running: Service, tenant: Tenant, link: Link
) -> None:
    here = replace(tenant, url=running.url)
    with known_client(running, tenant) as client:
        deliver(here, "products/create", NEWER)
        link.cut()
        assert deliver(here, "products/update", PRODUCT)["decision"] == "queued"
        assert deliver(here, "customers/data_request", REDACT)["decision"] == "queued"
        link.mend()
        until_inbox_is_empty(client)
        assert len(client.get("/api/privacy/requests").json()["items"]) == 1
        assert [item["title"] for item in client.get("/api/products").json()["items"]] == ["Linen Tee"]


def test_without_an_inbox_they_are_refused_for_a_while(settings: Settings, tenant: Tenant, link: Link) -> None:
    alone = settings.model_copy(update={"redis_url": None})
    with serving(alone) as running:
        here = replace(tenant, url=running.url)
        assert deliver(here, "products/create", PRODUCT)["decision"] == "stored"
        link.cut()
        refused = shopify(here, NEWER, topic="products/update", shop=SHOP)
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
