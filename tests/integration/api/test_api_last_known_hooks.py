"""A process that starts while Neo4j is away knows the webhook addresses that others saw, as they were changed last."""

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from brands.directory import BrandDirectory
from brands.last_known import LastKnown
from core.errors import UnavailableError
from core.settings import Settings
from tests.integration.api.conftest import Service, Tenant, client_of, serving
from tests.integration.api.test_api_crashes import api_process
from tests.integration.api.test_api_inbox import until_decided
from tests.integration.api.test_api_last_known import held, own_redis, settings
from tests.integration.api.test_api_outage import Link, link
from tests.integration.api.test_api_webhooks import shopify
from tests.integration.api.webhook_senders import SOURCES, Sender

__all__ = ["held", "link", "own_redis", "settings"]
ORDER = {"id": 1, "email": "restarted@example.com", "total_price": "10.00", "currency": "USD"}
KNOWN = "constintel:known:"


def body_of(source: str, number: int) -> dict[str, Any]:
    """One more delivery of the source, about one person."""
    email = "restarted@example.com"
    sale = {"total": "10.00", "currency": "USD"}
    bodies: dict[str, dict[str, Any]] = {
        "shopify": {**ORDER, "id": number},
        "woocommerce": {"id": number, "status": "completed", "billing": {"email": email}, **sale},
        "twilio": {"MessageSid": f"SM{number}", "From": "whatsapp:+14155550101", "Body": "hi", "AccountSid": "AC1"},
        "pos": {"store_id": "S1", "transaction_id": f"T{number}", "email": email, **sale},
        "stripe": {"id": f"evt_{number}", "type": "customer.created", "data": {"object": {"id": "c", "email": email}}},
        "zendesk": {"ticket": {"id": number, "requester": {"email": email}}},
    }
    return bodies[source]


def bytes_of(source: str, number: int) -> bytes:
    body = body_of(source, number)
    return (str(httpx.QueryParams(body)) if source == "twilio" else json.dumps(body)).encode()


def at(url: str, tenant: Tenant) -> Tenant:
    """The brand as its senders reach it at another process."""
    return replace(tenant, url=url)


def at_shared_address(url: str, tenant: Tenant, shop: str, **changes: Any) -> httpx.Response:
    return shopify(at(url, tenant), ORDER, path="/api/integrations/shopify/webhook", shop=shop, **changes)


def kept_name(source: str, tenant: Tenant) -> str:
    address = tenant.created["webhook_urls"][source].rsplit("/", 1)[-1]
    return f"{KNOWN}endpoint|{sha256(f'{source}|{address}'.encode()).hexdigest()}"


def put_account(running: Service, tenant: Tenant, account: str | None) -> None:
    with client_of(running.url, tenant.created["api_key"]) as client:
        told = client.put("/api/integrations/shopify/account", json={"account": account})
        assert told.json()["account"] == account


def rotate(running: Service, tenant: Tenant, source: str, **wish: Any) -> dict[str, Any]:
    with client_of(running.url, tenant.created["api_key"]) as client:
        answer = client.post(f"/api/integrations/{source}/rotate", json={"overlap_hours": 0, **wish})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


def test_a_process_started_during_an_outage_queues_signed_webhooks_of_all_sources_and_stores_them_once(
    settings: Settings, tenant: Tenant, link: Link
) -> None:
    key = tenant.created["api_key"]
    with serving(settings) as running, client_of(running.url, key) as client:
        assert client.post("/api/events", json={"type": "page_view"}).status_code == 200
        for source in SOURCES:
            Sender(at(running.url, tenant)).send(source, body_of(source, 1))
    link.cut()
    with serving(settings) as running, client_of(running.url, key) as client:
        here = at(running.url, tenant)
        queued = []
        for source in SOURCES:
            told = Sender(here).send(source, body_of(source, 2))
            assert told["decision"] == "queued", source
            queued.append(told["event_id"])
            assert Sender(here, "0" * 64).post(source, bytes_of(source, 2)).status_code == 401, source
            assert Sender(here).send(source, body_of(source, 2))["event_id"] == told["event_id"], source
        link.mend()
        for event_id in queued:
            assert until_decided(client, event_id)["decision"] in {"created", "attached"}
        # Shopify and WooCommerce sold once before and once during the outage, and so did the till.
        found = client.get("/api/profiles/lookup", params={"type": "email", "value": "restarted@example.com"}).json()
        assert (found["total_orders"], found["lifetime_value"]) == (6, "60.00")


def test_an_address_that_nobody_saw_is_503_during_the_outage(settings: Settings, tenant: Tenant, link: Link) -> None:
    with serving(settings) as running:
        Sender(at(running.url, tenant)).send("pos", body_of("pos", 1))
    link.cut()
    with serving(settings) as running:
        refused = Sender(at(running.url, tenant)).post("stripe", bytes_of("stripe", 1))
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert at_shared_address(running.url, tenant, "nobody.example").status_code == 503


def test_a_secret_that_was_changed_before_the_outage_stays_changed(
    settings: Settings, tenant: Tenant, link: Link, tmp_path: Path
) -> None:
    shop = f"{uuid.uuid4().hex}.example"
    with serving(settings) as first, serving(settings) as second:
        assert shopify(at(first.url, tenant), ORDER, shop=shop).status_code == 200
        assert at_shared_address(first.url, tenant, shop).status_code == 200
        secret = rotate(second, tenant, "shopify")["secret"]
        assert shopify(at(first.url, tenant), ORDER, shop=shop, secret=secret).status_code == 200
    link.cut()
    with api_process(settings, tmp_path / "log") as (url, _):
        assert shopify(at(url, tenant), ORDER, shop=shop).status_code == 401
        assert at_shared_address(url, tenant, shop).status_code == 401
        queued = shopify(at(url, tenant), {**ORDER, "id": 2}, shop=shop, secret=secret)
        assert (queued.status_code, queued.json()["decision"]) == (200, "queued")
        shared = at_shared_address(url, tenant, shop, secret=secret)
        assert (shared.status_code, shared.json()["decision"]) == (200, "queued")


def test_an_address_that_was_changed_over_before_the_outage_has_ended(
    settings: Settings, tenant: Tenant, link: Link
) -> None:
    old = tenant.created["webhook_urls"]["stripe"]
    with serving(settings) as running:
        for source in ("stripe", "pos"):
            Sender(at(running.url, tenant)).send(source, body_of(source, 1))
        gone = rotate(running, tenant, "stripe", new_address=True)
        kept = rotate(running, tenant, "pos", new_address=True, overlap_hours=1)
    link.cut()
    with serving(settings) as running:
        here = at(running.url, tenant)
        assert Sender(here, gone["secret"]).post("stripe", bytes_of("stripe", 2)).status_code == 404
        tenant.created["webhook_urls"]["stripe"] = gone["webhook_path"]
        assert Sender(here, gone["secret"]).send("stripe", body_of("stripe", 2))["decision"] == "queued"
        # The old till address and secret have an hour.
        assert Sender(here).send("pos", body_of("pos", 2))["decision"] == "queued"
        tenant.created["webhook_urls"]["pos"] = kept["webhook_path"]
        assert Sender(here, kept["secret"]).send("pos", body_of("pos", 3))["decision"] == "queued"
        assert old != gone["webhook_path"]


def test_a_shop_that_was_taken_back_before_the_outage_is_refused_at_the_shared_address(
    settings: Settings, tenant: Tenant, link: Link
) -> None:
    shop = f"{uuid.uuid4().hex}.example"
    with serving(settings) as first, serving(settings) as second:
        put_account(first, tenant, None)
        put_account(second, tenant, shop)
        assert at_shared_address(second.url, tenant, shop).status_code == 200
        # The same again as this process kept a moment ago, but not as Redis holds it.
        put_account(first, tenant, None)
    link.cut()
    with serving(settings) as running:
        assert at_shared_address(running.url, tenant, shop).status_code == 401


def test_a_shop_that_a_brand_registered_again_is_known_with_that_brand(
    settings: Settings, new_tenant: Callable[[], Tenant], link: Link
) -> None:
    shop, one, two = f"{uuid.uuid4().hex}.example", new_tenant(), new_tenant()
    with serving(settings) as first, serving(settings) as second:
        put_account(first, one, shop)
        put_account(first, two, shop)
        assert at_shared_address(first.url, two, shop).status_code == 200
        put_account(second, two, None)
        assert at_shared_address(second.url, one, shop).status_code == 200
        # The same again as this process kept a moment ago, but not as Redis holds it.
        put_account(first, two, shop)
    link.cut()
    with serving(settings) as running:
        for brand in (one, two):
            told = at_shared_address(running.url, brand, shop)
            assert (told.status_code, told.json()["decision"]) == (200, "queued")


def test_a_mapping_that_was_put_back_is_known_as_it_is(settings: Settings, tenant: Tenant, held: redis.Redis) -> None:
    with serving(settings) as first, serving(settings) as second:
        for running, total in ((first, "bill.sum"), (second, "bill.other"), (first, "bill.sum")):
            with client_of(running.url, tenant.created["api_key"]) as client:
                told = client.put("/api/integrations/pos/mapping", json={"mapping": {"total": total}})
                assert told.status_code == 200
    assert settings.neo4j_password is not None
    found = LastKnown(held, settings.neo4j_password.get_secret_value()).find("brand", tenant.id)
    assert found is not None
    assert "bill.sum" in json.dumps(found[0])
    assert "bill.other" not in json.dumps(found[0])


def test_a_new_secret_is_told_though_the_addresses_cannot_be_read_again(
    settings: Settings, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise UnavailableError("Neo4j is not reachable.")

    with serving(settings) as running:
        monkeypatch.setattr(BrandDirectory, "forget_endpoints", fail)
        secret = rotate(running, tenant, "stripe")["secret"]
    with serving(settings) as running:
        assert Sender(at(running.url, tenant), secret).post("stripe", bytes_of("stripe", 1)).status_code == 200
        assert Sender(at(running.url, tenant)).post("stripe", bytes_of("stripe", 2)).status_code == 401


def test_what_is_kept_of_addresses_names_no_secret_and_stands_in_its_own_place_only(
    settings: Settings, tenant: Tenant, link: Link, held: redis.Redis
) -> None:
    with serving(settings) as running:
        for source in ("stripe", "zendesk"):
            Sender(at(running.url, tenant)).send(source, body_of(source, 1))
    names = [kept_name(source, tenant) for source in ("stripe", "zendesk")]
    found = [name for kind in ("endpoint", "account") for name in held.scan_iter(f"{KNOWN}{kind}|*")]
    kept = b"".join(name + (held.hget(name, "body") or b"") for name in found)
    for word in (*tenant.created["webhook_secrets"].values(), *tenant.created["webhook_urls"].values(), tenant.id):
        assert word.rsplit("/", 1)[-1].encode() not in kept
    # Within its seal the secret is sealed with the installation's key.
    assert settings.neo4j_password is not None
    known = LastKnown(held, settings.neo4j_password.get_secret_value())
    opened = known.find("endpoint", names[0].removeprefix(f"{KNOWN}endpoint|"))
    assert opened is not None
    assert opened[0]["secret"].startswith("sealed:")
    for old, new in ((names[0], "aside"), (names[1], names[0]), ("aside", names[1])):
        held.rename(old, new)
    link.cut()
    with serving(settings) as running:
        for source in ("stripe", "zendesk"):
            assert Sender(at(running.url, tenant)).post(source, bytes_of(source, 2)).status_code == 503


@pytest.mark.parametrize("is_by_shop", [False, True])
def test_what_redis_lost_of_an_address_is_503_and_not_refused(
    settings: Settings, tenant: Tenant, link: Link, held: redis.Redis, *, is_by_shop: bool
) -> None:
    shop = f"{uuid.uuid4().hex}.example"
    with serving(settings) as running:
        assert shopify(at(running.url, tenant), ORDER, shop=shop).status_code == 200
        assert at_shared_address(running.url, tenant, shop).status_code == 200
    assert held.delete(kept_name("shopify", tenant)) == 1
    link.cut()
    with serving(settings) as running:
        here = at(running.url, tenant)
        answer = at_shared_address(running.url, tenant, shop) if is_by_shop else shopify(here, ORDER, shop=shop)
        assert answer.status_code == 503
