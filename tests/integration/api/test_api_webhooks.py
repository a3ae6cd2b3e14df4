"""Webhooks in by HTTP: the right signature is taken, every other is 401 and stored nowhere."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from core.clock import utc_now
from ingest.sources.signing import (
    pos_headers,
    shopify_headers,
    twilio_form,
    twilio_json,
    woocommerce_headers,
)
from tests.integration.api.conftest import Tenant, client_of

SHOP = "first.example"
ORDER = {"id": 12345, "email": "sarah@example.com", "total_price": "89.99", "currency": "USD", "customer": {"id": 7}}
WOO_ORDER = {
    "id": 31, "status": "completed", "total": "12.50", "currency": "USD", "date_modified_gmt": "2026-11-01T10:00:00",
    "billing": {"email": "woo@example.com"},
}  # fmt: skip
SALE = {"store_id": "S1", "transaction_id": "T1", "total": "20.00", "currency": "USD", "phone": "+1-415-555-0123"}
MESSAGE = {
    "MessageSid": "SM1", "From": "whatsapp:+14155550101", "To": "whatsapp:+14155559999", "Body": "hi",
    "SmsStatus": "received", "AccountSid": "AC1",
}  # fmt: skip


def path_of(tenant: Tenant, source: str) -> str:
    return str(tenant.created["webhook_urls"][source])


def secret_of(tenant: Tenant, source: str) -> str:
    return str(tenant.created["webhook_secrets"][source])


def shopify(tenant: Tenant, body: dict[str, Any], *, path: str | None = None, **changes: str) -> httpx.Response:
    content = json.dumps(body).encode()
    named = {"topic": "orders/create", "shop": SHOP, "webhook_id": "w-1", **changes}
    secret = named.pop("secret", secret_of(tenant, "shopify"))
    headers = shopify_headers(secret, content, **named)
    return httpx.post(tenant.url + (path or path_of(tenant, "shopify")), content=content, headers=headers, timeout=30)


def is_empty(tenant: Tenant) -> bool:
    return bool(tenant.client.get("/api/profiles").json()["items"] == [])


def test_a_signed_shopify_order_is_an_event_and_a_redelivery_is_the_same(tenant: Tenant) -> None:
    first = shopify(tenant, ORDER)
    assert first.status_code == 200
    assert first.json()["decision"] == "created"
    assert shopify(tenant, ORDER).json() == {**first.json(), "duplicate": True}
    profile = tenant.client.get(f"/api/profiles/{first.json()['profile_id']}").json()
    assert (profile["lifetime_value"], profile["total_orders"]) == ("89.99", 1)
    assert profile["identifiers"]["external_id"] == ["shopify:7"]


def test_customer_ids_of_a_brands_second_shop_carry_its_name(tenant: Tenant) -> None:
    shopify(tenant, ORDER)
    second = shopify(tenant, {**ORDER, "email": "other@example.com"}, shop="second.example").json()
    profile = tenant.client.get(f"/api/profiles/{second['profile_id']}").json()
    assert second["decision"] == "created"
    assert profile["identifiers"]["external_id"] == ["shopify/second.example:7"]


def test_an_unread_topic_is_answered_200_and_stored_nowhere(tenant: Tenant) -> None:
    answer = shopify(tenant, {"id": 1}, topic="themes/publish")
    assert (answer.status_code, answer.json()["event_id"]) == (200, None)
    assert answer.json()["ignored"]
    assert is_empty(tenant)


@pytest.mark.parametrize("address", ["/api/integrations/shopify/webhook", "/api/integrations/shopify"])
def test_a_shop_that_delivered_before_is_known_by_its_domain(new_tenant: Callable[[], Tenant], address: str) -> None:
    shop = f"{address.count('/')}-{utc_now().timestamp()}.example"
    owner, rival = new_tenant(), new_tenant()
    assert shopify(owner, ORDER, path=address, shop=shop).status_code == 401
    # Another brand may claim the same domain: the signature decides whose delivery it is.
    shopify(rival, ORDER, shop=shop)
    shopify(owner, ORDER, shop=shop)
    taken = shopify(owner, {**ORDER, "id": 2}, path=address, shop=shop, webhook_id="w-2")
    assert taken.status_code == 200
    assert owner.client.get(f"/api/events/{taken.json()['event_id']}").status_code == 200
    assert shopify(owner, ORDER, path=address, shop=shop, secret="wrong").status_code == 401


def test_woocommerce_orders_with_one_delivery_id_both_land(tenant: Tenant) -> None:
    for order_id in (31, 32):
        content = json.dumps({**WOO_ORDER, "id": order_id}).encode()
        headers = woocommerce_headers(
            secret_of(tenant, "woocommerce"), content, topic="order.created", site="https://s.example/", delivery_id="d"
        )
        answer = httpx.post(tenant.url + path_of(tenant, "woocommerce"), content=content, headers=headers, timeout=30)
        assert answer.status_code == 200
    [profile] = tenant.client.get("/api/profiles").json()["items"]
    assert (profile["total_orders"], profile["lifetime_value"]) == (2, "25.00")


@pytest.mark.parametrize("end", ["", "own"])
def test_the_unsigned_ping_of_woocommerce_is_answered_200(tenant: Tenant, end: str) -> None:
    path = path_of(tenant, "woocommerce") if end else "/api/integrations/woocommerce/webhook"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert httpx.post(tenant.url + path, content=b"webhook_id=17", headers=form, timeout=30).status_code == 200
    assert httpx.post(tenant.url + path, content=b"webhook_id=17&id=1", headers=form, timeout=30).status_code == 401
    assert is_empty(tenant)


def test_twilio_signs_the_public_address_and_the_form(tenant: Tenant) -> None:
    url = tenant.url + path_of(tenant, "twilio")
    headers, content = twilio_form(secret_of(tenant, "twilio"), url, MESSAGE)
    answer = httpx.post(url, content=content, headers=headers, timeout=30)
    assert answer.status_code == 200
    assert answer.json()["decision"] == "created"
    profile = tenant.client.get(f"/api/profiles/{answer.json()['profile_id']}").json()
    assert profile["identifiers"] == {"phone": ["+14155550101"], "whatsapp": ["+14155550101"]}
    elsewhere, content = twilio_form(secret_of(tenant, "twilio"), url + "?x=1", MESSAGE)
    assert httpx.post(url, content=content, headers=elsewhere, timeout=30).status_code == 401
    assert httpx.post(url + "?x=1", content=content, headers=elsewhere, timeout=30).json()["duplicate"] is True


def test_twilio_may_send_json(tenant: Tenant) -> None:
    content = json.dumps(MESSAGE).encode()
    headers, url = twilio_json(secret_of(tenant, "twilio"), tenant.url + path_of(tenant, "twilio"), content)
    assert httpx.post(url, content=content, headers=headers, timeout=30).json()["decision"] == "created"


def test_a_till_may_sign_or_send_an_api_key(tenant: Tenant) -> None:
    content = json.dumps(SALE).encode()
    path = path_of(tenant, "pos")
    signed = httpx.post(
        tenant.url + path, content=content, headers=pos_headers(secret_of(tenant, "pos"), content, utc_now())
    )
    assert signed.status_code == 200
    for address in (path, "/api/integrations/pos/webhook", "/api/integrations/pos"):
        again = tenant.client.post(address, content=content).json()
        assert (again["event_id"], again["duplicate"]) == (signed.json()["event_id"], True)
    with tenant.write_client as client:
        assert client.post("/api/integrations/pos", content=content).json()["duplicate"] is True
    with tenant.key("read") as client:
        assert client.post("/api/integrations/pos", content=content).status_code == 403


def test_several_sales_answer_the_first_and_all_results(tenant: Tenant) -> None:
    sales = [SALE, {**SALE, "transaction_id": "T2"}]
    answer = tenant.client.post("/api/integrations/pos", json={"transactions": sales})
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result["decision"] for result in results] == ["created", "attached", "attached", "attached"]
    assert answer.json()["event_id"] == results[0]["event_id"]


def test_a_till_of_another_brand_is_refused(new_tenant: Callable[[], Tenant]) -> None:
    one, two = new_tenant(), new_tenant()
    with client_of(one.url, two.created["api_key"]) as client:
        assert client.post(path_of(one, "pos"), json=SALE).status_code == 404
    assert is_empty(one)
    assert is_empty(two)


@pytest.mark.parametrize("source", ["shopify", "woocommerce", "twilio", "pos"])
def test_a_wrong_signature_is_401_and_stored_nowhere(tenant: Tenant, source: str) -> None:
    url = tenant.url + path_of(tenant, source)
    body = json.dumps({"shopify": ORDER, "woocommerce": WOO_ORDER, "twilio": MESSAGE, "pos": SALE}[source]).encode()

    def headers(secret: str, content: bytes) -> dict[str, str]:
        if source == "shopify":
            return shopify_headers(secret, content, topic="orders/create", shop=SHOP, webhook_id="w")
        if source == "woocommerce":
            return woocommerce_headers(
                secret, content, topic="order.created", site="https://s.example/", delivery_id="d"
            )
        if source == "twilio":
            return twilio_form(secret, url, MESSAGE)[0]
        return pos_headers(secret, content, utc_now())

    right = headers(secret_of(tenant, source), body)
    signature = next(name for name in right if "Signature" in name or "Hmac" in name)
    wrong = {
        "another secret": headers("0" * 64, body),
        "another body": headers(secret_of(tenant, source), body + b" "),
        "none": {name: value for name, value in right.items() if name != signature},
        "nonsense": {**right, signature: "t=1,v1=é".encode().decode("latin-1")},
        "empty": {**right, signature: ""},
    }
    if source == "twilio":
        del wrong["another body"]
    for case, sent in wrong.items():
        answer = httpx.post(url, content=body, headers={k.encode(): v.encode("latin-1") for k, v in sent.items()})
        assert answer.status_code == 401, case
        assert answer.headers["content-type"] == "application/problem+json"
    assert is_empty(tenant)


def test_a_stale_till_signature_is_401(tenant: Tenant) -> None:
    content = json.dumps(SALE).encode()
    for age in (timedelta(minutes=6), -timedelta(minutes=6)):
        headers = pos_headers(secret_of(tenant, "pos"), content, utc_now() - age)
        assert (
            httpx.post(tenant.url + path_of(tenant, "pos"), content=content, headers=headers, timeout=30).status_code
            == 401
        )
    assert is_empty(tenant)


def test_an_unknown_address_or_one_of_another_source_is_404(tenant: Tenant) -> None:
    foreign = path_of(tenant, "pos").replace("/pos/", "/shopify/")
    for path in (
        foreign,
        "/api/integrations/shopify/webhook/0000",
        "/api/integrations/fax/webhook",
        "/api/integrations/fax",
    ):
        assert shopify(tenant, ORDER, path=path).status_code == 404, path


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"[]", 422), (b"{}", 422), (b'{"id": NaN}', 400), (b" " * 1_100_000, 413)]
)
def test_a_signed_body_that_does_not_fit_is_refused(tenant: Tenant, body: bytes, status: int) -> None:
    headers = shopify_headers(secret_of(tenant, "shopify"), body, topic="orders/create", shop=SHOP, webhook_id="w")
    answer = httpx.post(tenant.url + path_of(tenant, "shopify"), content=body, headers=headers, timeout=30)
    assert answer.status_code == status
    assert is_empty(tenant)


def test_an_unread_topic_of_a_known_shop_is_200_at_the_shared_address_too(tenant: Tenant) -> None:
    shop = f"s{utc_now().timestamp()}.example"
    shopify(tenant, ORDER, shop=shop)
    shared = "/api/integrations/shopify/webhook"
    assert shopify(tenant, {"id": 1}, path=shared, shop=shop, topic="themes/publish").status_code == 200
    assert shopify(tenant, {"id": 1}, path=shared, shop=shop, topic="themes/publish", secret="wrong").status_code == 401
    assert shopify(tenant, {"id": 1}, path=shared, shop="unknown.example", topic="themes/publish").status_code == 401
