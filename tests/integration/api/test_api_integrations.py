"""Integrations under their brand's hand: secrets change over, accounts, mappings, last deliveries, message states."""

import itertools
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from core.settings import Settings
from ingest.sources.signing import twilio_form
from tests.integration.api.conftest import Tenant, serving
from tests.integration.api.webhook_senders import SOURCES, Sender

ORDER = {"id": 1, "email": "a@example.com", "total_price": "10.00", "currency": "USD"}
CHARGE = {
    "id": "evt_1", "type": "customer.created", "created": 1_790_000_000,
    "data": {"object": {"id": "cus_1", "email": "a@example.com"}},
}  # fmt: skip


def settings(tenant: Tenant, source: str) -> dict[str, Any]:
    answer = tenant.client.get(f"/api/integrations/{source}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_every_source_is_listed_with_its_address_and_no_secret(tenant: Tenant) -> None:
    answer = tenant.client.get("/api/integrations")
    items = answer.json()["items"]
    assert {item["source"]: item["webhook_path"] for item in items} == tenant.created["webhook_urls"]
    assert all(item["webhook_url"] == tenant.url + item["webhook_path"] for item in items)
    assert all(item["last_delivery"] is None for item in items)
    assert not any(secret in answer.text for secret in tenant.created["webhook_secrets"].values())
    assert tenant.client.get("/api/integrations/fax").status_code == 404


def test_a_senders_own_secret_is_taken_and_the_old_one_works_on_for_its_time(tenant: Tenant) -> None:
    Sender(tenant).send("stripe", CHARGE)
    rotated = tenant.client.post("/api/integrations/stripe/rotate", json={"secret": "whsec_of_the_sender"}).json()
    assert rotated["secret"] == "whsec_of_the_sender"
    for secret in ("whsec_of_the_sender", None):
        assert Sender(tenant, secret).send("stripe", CHARGE)["duplicate"] is True
    tenant.client.post("/api/integrations/stripe/rotate", json={"overlap_hours": 0})
    body = json.dumps(CHARGE).encode()
    assert [Sender(tenant, secret).post("stripe", body).status_code for secret in ("whsec_of_the_sender", None)] == [
        401, 401,
    ]  # fmt: skip
    assert settings(tenant, "stripe")["old_secret_until"] is None


def test_a_change_over_holds_in_every_process_within_seconds(tenant: Tenant, service_settings: Settings) -> None:
    with serving(service_settings) as other:
        elsewhere = Sender(replace(tenant, url=other.url))
        assert elsewhere.send("stripe", CHARGE)["decision"] == "created"
        tenant.client.post("/api/integrations/stripe/rotate", json={"secret": "whsec_of_the_sender"})
        changed = replace(elsewhere, secret="whsec_of_the_sender")
        deadline = time.monotonic() + 20
        while changed.post("stripe", json.dumps(CHARGE).encode()).status_code != 200:
            assert time.monotonic() < deadline
        assert elsewhere.send("stripe", CHARGE)["duplicate"] is True


def test_the_public_address_is_signed_whatever_host_a_proxy_asks_for(tenant: Tenant) -> None:
    sender = Sender(tenant)
    message = {"MessageSid": "SM1", "From": "whatsapp:+14155550101", "Body": "hi", "SmsStatus": "received"}
    headers, content = twilio_form(sender.secret_of("twilio"), sender.url("twilio"), message)
    proxied = {
        **headers,
        "Host": "10.0.0.7:8080",
        "X-Forwarded-Host": "elsewhere.example",
        "X-Forwarded-Proto": "https",
    }
    assert httpx.post(sender.url("twilio"), content=content, headers=proxied, timeout=30).status_code == 200
    inner = twilio_form(sender.secret_of("twilio"), "http://10.0.0.7:8080" + sender.path("twilio"), message)[0]
    refused = httpx.post(sender.url("twilio"), content=content, headers={**proxied, **inner}, timeout=30)
    assert refused.status_code == 401


def test_an_address_changes_over_and_the_old_one_ends(tenant: Tenant) -> None:
    old = tenant.created["webhook_urls"]["stripe"]
    answer = tenant.client.post(
        "/api/integrations/stripe/rotate", json={"new_address": True, "overlap_hours": 1}
    ).json()
    assert answer["webhook_path"] != old
    tenant.created["webhook_secrets"]["stripe"] = answer["secret"]
    assert Sender(tenant).send("stripe", CHARGE)["decision"] == "created"
    assert [one["webhook_path"] for one in settings(tenant, "stripe")["old_addresses"]] == [old]
    tenant.created["webhook_urls"]["stripe"] = answer["webhook_path"]
    assert Sender(tenant).send("stripe", CHARGE)["duplicate"] is True
    gone = tenant.client.post("/api/integrations/stripe/rotate", json={"new_address": True, "overlap_hours": 0}).json()
    assert Sender(tenant, gone["secret"]).post("stripe", json.dumps(CHARGE).encode()).status_code == 404
    tenant.created["webhook_urls"]["stripe"] = gone["webhook_path"]
    assert Sender(tenant, gone["secret"]).send("stripe", CHARGE)["duplicate"] is True


def test_the_same_change_over_asked_twice_is_one(tenant: Tenant) -> None:
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    answers = [tenant.client.post("/api/integrations/pos/rotate", headers=headers).json() for _ in range(2)]
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"secret": "short"}, "secret"),
        ({"secret": "with space in it"}, "secret"),
        ({"secret": 5}, "secret"),
        ({"overlap_hours": -1}, "overlap_hours"),
        ({"overlap_hours": 1e9}, "overlap_hours"),
        ({"colour": 1}, "colour"),
    ],
)
def test_a_change_over_that_is_none_is_refused_by_field(tenant: Tenant, body: dict[str, Any], field: str) -> None:
    answer = tenant.client.post("/api/integrations/pos/rotate", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_a_registered_shop_may_use_the_shared_address_at_once(tenant: Tenant) -> None:
    shop = f"{uuid.uuid4().hex}.example"
    answer = tenant.client.put("/api/integrations/shopify/account", json={"account": f"https://{shop.upper()}/"})
    assert answer.json()["account"] == shop
    content = json.dumps(ORDER).encode()
    headers = {**Sender(tenant).headers("shopify", content), "X-Shopify-Shop-Domain": shop}
    sent = httpx.post(f"{tenant.url}/api/integrations/shopify/webhook", content=content, headers=headers, timeout=30)
    assert (sent.status_code, sent.json()["decision"]) == (200, "created")
    assert tenant.client.put("/api/integrations/shopify/account", json={"account": None}).json()["account"] is None
    sent = httpx.post(f"{tenant.url}/api/integrations/shopify/webhook", content=content, headers=headers, timeout=30)
    assert sent.status_code == 401
    for wrong in ({"account": 5}, {"account": " "}, {"account": "a\nb"}, {}):
        assert tenant.client.put("/api/integrations/shopify/account", json=wrong).status_code == 422


def test_tills_are_read_by_the_brands_mapping(tenant: Tenant) -> None:
    mapping = {"transaction_id": "bill.no", "total": "bill.sum", "customer.email": "buyer.mail"}
    answer = tenant.client.put("/api/integrations/pos/mapping", json={"mapping": mapping})
    assert (answer.status_code, answer.json()["mapping"]) == (200, mapping)
    sale = {"bill": {"no": "B1", "sum": "12.50"}, "buyer": {"mail": "a@example.com"}, "currency": "USD"}
    taken = Sender(tenant).send("pos", [sale, {"bill": {}}, {**sale, "bill": {"no": "B2", "sum": "1.00"}}])
    assert [result.get("decision") or result["error"]["errors"][0]["field"] for result in taken["results"]] == [
        "created", "attached", "transactions[1].transaction_id", "attached", "attached",
    ]  # fmt: skip
    [profile] = tenant.client.get("/api/profiles").json()["items"]
    assert (profile["lifetime_value"], profile["event_count"]) == ("13.50", 4)
    refused = tenant.client.put("/api/integrations/pos/mapping", json={"mapping": {"total": "a..b"}})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "mapping.total")
    assert tenant.client.put("/api/integrations/shopify/mapping", json={"mapping": {}}).status_code == 422
    assert tenant.client.put("/api/integrations/pos/mapping", json={"mapping": {}}).json()["mapping"] == {}


def test_a_refused_sale_of_a_taken_delivery_is_kept_and_replayed_by_the_mapping_of_then(tenant: Tenant) -> None:
    good = {"transaction_id": "T1", "total": "1.00", "email": "a@example.com"}
    other = {"bill": {"no": "B1", "sum": "12.50"}, "email": "a@example.com"}
    taken = Sender(tenant).send("pos", [good, other])
    letter_id = taken["results"][-1]["error"]["dead_letter_id"]
    assert tenant.client.get(f"/api/dead-letters/{letter_id}").json()["message"] == other
    assert tenant.client.post(f"/api/dead-letters/{letter_id}/replay").status_code == 422
    mapping = {"transaction_id": "bill.no", "total": "bill.sum"}
    tenant.client.put("/api/integrations/pos/mapping", json={"mapping": mapping})
    assert tenant.client.post(f"/api/dead-letters/{letter_id}/replay").status_code == 200
    [profile] = tenant.client.get("/api/profiles").json()["items"]
    assert (profile["lifetime_value"], profile["total_orders"], profile["event_count"]) == ("13.50", 2, 4)
    assert Sender(tenant).send("pos", [good, other])["duplicate"] is True
    # Alone it is refused, and its sender is told; nothing is kept of it.
    assert Sender(tenant).post("pos", b"[{}]").status_code == 422
    assert tenant.client.get("/api/dead-letters").json()["items"] == []


def test_the_last_deliveries_say_what_became_of_them_and_nothing_of_what_they_held(
    new_tenant: Callable[[], Tenant],
) -> None:
    tenant, stranger = new_tenant(), new_tenant()
    sender = Sender(tenant)
    body = json.dumps(ORDER).encode()
    sender.send("shopify", ORDER)
    sender.send("shopify", ORDER)
    sender.send("shopify", {"id": 1, "name": "private-4711"}, "themes/update")
    assert Sender(tenant, "0" * 64).post("shopify", body, "orders/private-4711").status_code == 401
    assert sender.post("shopify", b'{"id": [4711]}').status_code == 422
    answer = tenant.client.get("/api/integrations/shopify/deliveries")
    told = answer.json()["items"]
    assert [(one["status"], one["outcome"], one["topic"], one["duplicates"]) for one in told] == [
        (422, "invalid_input", "orders/create", 0),
        (401, "unauthorized", "", 0),
        (200, "ignored", "themes/update", 0),
        (200, "created", "orders/create", 1),
        (200, "created", "orders/create", 0),
    ]
    assert told[0]["field"] == "id"
    assert "4711" not in answer.text
    assert "a@example.com" not in answer.text
    assert settings(tenant, "shopify")["last_delivery"] == told[0]
    assert len(tenant.client.get("/api/integrations/shopify/deliveries?limit=2").json()["items"]) == 2
    assert stranger.client.get("/api/integrations/shopify/deliveries").json()["items"] == []
    for _ in range(110):
        Sender(tenant, "0" * 64).post("pos", b"{}")
    kept = tenant.client.get("/api/integrations/pos/deliveries?limit=100").json()["items"]
    assert len(kept) == 100


def test_states_of_a_message_in_any_order_end_furthest(new_tenant: Callable[[], Tenant]) -> None:
    tenant, stranger = new_tenant(), new_tenant()
    base = {"From": "whatsapp:+14155559999", "To": "whatsapp:+14155550101", "AccountSid": "AC1"}
    orders = list(itertools.permutations(["sent", "delivered", "read"]))
    for number, order in enumerate(orders):
        for status in order:
            Sender(tenant).send("twilio", {**base, "MessageSid": f"SM{number}", "MessageStatus": status})
        answer = tenant.client.get(f"/api/integrations/twilio/messages/SM{number}").json()
        assert (answer["status"], answer["channel"]) == ("read", "whatsapp")
        assert [state["status"] for state in answer["states"]] == ["sent", "delivered", "read"]
    failed = {**base, "MessageSid": "SMx", "MessageStatus": "undelivered", "ErrorCode": "63016"}
    Sender(tenant).send("twilio", failed)
    assert tenant.client.get("/api/integrations/twilio/messages/SMx").json()["error_code"] == "63016"
    assert tenant.client.get("/api/integrations/twilio/messages/none").status_code == 404
    assert stranger.client.get("/api/integrations/twilio/messages/SM0?account=AC1").status_code == 404
    [profile] = tenant.client.get("/api/profiles").json()["items"]
    assert profile["event_count"] == 3 * len(orders) + 1


def test_sources_of_the_senders_are_those_of_the_service(tenant: Tenant) -> None:
    assert {item["source"] for item in tenant.client.get("/api/integrations").json()["items"]} == set(SOURCES)
