"""The Segment-style API over HTTP: keys in all their places, odd labels, limits, dead letters, joined histories."""

import base64
import gzip
import json
import threading
import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from core.clock import format_time, utc_now
from core.settings import Settings
from graph.repositories.dead_letters import list_letters
from tests.integration.api.conftest import Tenant, serving
from tests.integration.api.test_api_outage import Link


def basic(key: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def send(tenant: Tenant, path: str, body: Any, **headers: str) -> dict[str, Any]:
    answer = httpx.post(tenant.url + path, json=body, headers={**basic(tenant.created["write_key"]), **headers})
    assert answer.status_code == 200, answer.text
    taken: dict[str, Any] = answer.json()
    assert taken["success"] is True
    return taken


def profile(tenant: Tenant, kind: str, value: str) -> dict[str, Any]:
    answer = tenant.client.get("/api/profiles/lookup", params={"type": kind, "value": value})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def stored(tenant: Tenant, taken: dict[str, Any], place: int = 0) -> dict[str, Any]:
    event: dict[str, Any] = tenant.client.get(f"/api/events/{taken['results'][place]['event_id']}").json()
    return event


def is_empty(tenant: Tenant) -> bool:
    return bool(tenant.client.get("/api/profiles").json()["items"] == [])


@pytest.mark.parametrize(
    "place",
    [
        "basic",
        "basic without colon",
        "bearer",
        "api key",
        "x-api-key",
        "body",
        "query",
        "query write_key",
        "body beside empty basic",
    ],
)
def test_the_write_key_is_found_in_all_its_places(tenant: Tenant, place: str) -> None:
    key, api_key = tenant.created["write_key"], tenant.created["api_key"]
    plain = base64.b64encode(key.encode()).decode()
    headers = {
        "basic": basic(key), "basic without colon": {"Authorization": f"Basic {plain}"},
        "bearer": {"Authorization": f"Bearer {key}"}, "api key": {"Authorization": f"Bearer {api_key}"},
        "x-api-key": {"X-API-Key": key}, "body beside empty basic": basic(""),
    }.get(place, {})  # fmt: skip
    query = {"query": {"writeKey": key}, "query write_key": {"write_key": key}}.get(place, {})
    body = {"userId": "u", **({"writeKey": key} if place.startswith("body") else {})}
    answer = httpx.post(f"{tenant.url}/v1/identify", params=query, json=body, headers=headers)
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    event = stored(tenant, answer.json())
    assert event["trust"] == ("transaction" if place == "api key" else "declared")
    assert key not in json.dumps(event)


@pytest.mark.parametrize(
    "headers",
    [{}, basic("wk_wrong"), {"Authorization": "Digest x"}, {"Authorization": "Basic ???"}, {"X-API-Key": "x"}],
)
def test_without_a_right_key_it_is_401_with_code_and_message(tenant: Tenant, headers: dict[str, str]) -> None:
    answer = httpx.post(f"{tenant.url}/v1/batch", json={"batch": []}, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthorized"
    assert answer.json()["message"] == answer.json()["detail"]
    assert "www-authenticate" in answer.headers


@pytest.mark.parametrize(
    "label", ["application/json", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", ""]
)
@pytest.mark.parametrize("packed", [False, True])
def test_the_body_is_json_whatever_its_label_and_packed_or_not(tenant: Tenant, label: str, packed: bool) -> None:
    content = json.dumps(
        {"batch": [{"type": "identify", "userId": "u"}], "writeKey": tenant.created["write_key"]}
    ).encode()
    headers = {"Content-Type": label} if label else {}
    if packed:
        content = gzip.compress(content)
        headers["Content-Encoding"] = "gzip"
    answer = httpx.post(f"{tenant.url}/v1/batch", content=content, headers=headers)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)


def test_pages_of_any_origin_may_send_and_read_answers_and_problems(tenant: Tenant) -> None:
    origin = {"Origin": "https://shop.example"}
    asked = {
        **origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    preflight = httpx.options(f"{tenant.url}/v1/t", headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-headers"] == "authorization,content-type"
    assert "POST" in preflight.headers["access-control-allow-methods"]
    good = httpx.post(
        f"{tenant.url}/v1/p",
        headers=origin,
        content=json.dumps({"anonymousId": "a", "writeKey": tenant.created["write_key"]}),
    )
    bad = httpx.post(f"{tenant.url}/v1/p", headers=origin, content=b"{")
    assert (good.status_code, bad.status_code) == (200, 400)
    for answer in (preflight, good, bad):
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"


def test_identify_joins_the_anonymous_history(tenant: Tenant) -> None:
    send(tenant, "/v1/page", {"anonymousId": "anon-1", "name": "Home"})
    send(tenant, "/v1/track", {"anonymousId": "anon-1", "event": "Product Viewed", "properties": {"product_id": "P"}})
    send(
        tenant,
        "/v1/identify",
        {"anonymousId": "anon-1", "userId": "u-1", "traits": {"email": "A@Example.com", "plan": "pro"}},
    )
    send(tenant, "/v1/track", {"userId": "u-1", "event": "Clicked"})
    found = profile(tenant, "email", "a@example.com")
    assert found["event_count"] == 4
    assert found["identifiers"] == {"cookie_id": ["anon-1"], "email": ["a@example.com"], "user_id": ["u-1"]}
    assert found["traits"]["plan"] == "pro"


@pytest.mark.parametrize("name", ["userId", "anonymousId"])
@pytest.mark.parametrize("is_known", [False, True])
def test_alias_joins_both_histories(tenant: Tenant, name: str, is_known: bool) -> None:
    send(tenant, "/v1/track", {name: "before", "event": "Clicked"})
    if is_known:
        send(tenant, "/v1/track", {"userId": "after", "event": "Clicked"})
    alias = send(tenant, "/v1/alias", {"previousId": "before", "userId": "after"})
    assert stored(tenant, alias)["decision"] != "review"
    send(tenant, "/v1/track", {"userId": "after", "event": "Clicked"})
    found = profile(tenant, "user_id", "after")
    assert found["event_count"] == 3 + is_known
    assert profile(tenant, "user_id", "before")["id"] == found["id"]


def test_two_users_without_an_alias_stay_apart(tenant: Tenant) -> None:
    for user in ("one", "two"):
        send(tenant, "/v1/identify", {"userId": user, "traits": {"email": "same@example.com"}})
    assert profile(tenant, "user_id", "one")["id"] != profile(tenant, "user_id", "two")["id"]


def test_one_bad_message_of_a_batch_becomes_a_dead_letter_and_the_rest_is_taken(tenant: Tenant) -> None:
    secret = "bad-value-of-somebody"
    batch = [
        {"type": "identify", "userId": "u-1"},
        {"type": "track", "userId": "u-1", "properties": {"note": secret}},
        {"type": "track", "userId": "u-1", "event": "Big", "properties": {"x": "y" * 33_000}},
        17,
        {"type": "page", "userId": "u-1"},
    ]
    for count in (1, 2):
        taken = send(tenant, "/v1/batch", {"batch": batch, "writeKey": tenant.created["write_key"]})
        assert (taken["accepted"], taken["rejected"]) == (2, 3)
        errors = [result["error"]["errors"][0]["field"] for result in taken["results"] if "error" in result]
        assert errors == ["event", "message", "message"]
        assert secret not in json.dumps(taken)
        letters = list_letters(tenant.graph, tenant.id, 10)["items"]
        assert {letter["count"] for letter in letters} == {count}
        assert {letter["code"] for letter in letters} == {"invalid_input", "too_large"}
        assert any(secret in letter["preview"] for letter in letters)
    # Page and identify have neither key nor time: each repeat is an event.
    assert profile(tenant, "user_id", "u-1")["event_count"] == 4


def test_an_invalid_single_message_is_answered_200_and_kept(tenant: Tenant) -> None:
    taken = send(tenant, "/v1/track", {"userId": "u-1", "writeKey": tenant.created["write_key"]})
    assert (taken["accepted"], taken["rejected"]) == (0, 1)
    [letter] = list_letters(tenant.graph, tenant.id, 10)["items"]
    assert (letter["way"], letter["field"]) == ("segment", "event")
    assert tenant.created["write_key"] not in letter["preview"]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400), (b"[]", 422), (b'{"batch": 1}', 422), (b"{}", 422),
        (b'{"batch": [{"type": "page", "x": NaN}]}', 400),
        (b'{"batch": [' + b",".join([b"{}"] * 2501) + b"]}", 413), (b'{"batch": ["' + b"x" * 4_200_000 + b'"]}', 413),
        (gzip.compress(b'{"batch": ["' + b"x" * 9_000_000 + b'"]}'), 413), (b'{"batch": []}', 200),
    ],
)  # fmt: skip
def test_only_a_request_that_is_bad_as_a_whole_is_4xx(tenant: Tenant, content: bytes, status: int) -> None:
    answer = httpx.post(f"{tenant.url}/v1/batch", content=content, headers=basic(tenant.created["write_key"]))
    assert answer.status_code == status
    if status != 200:
        assert {"code", "message"} <= answer.json().keys()
    assert is_empty(tenant)


def test_2500_messages_of_one_batch_are_taken_in_their_order(tenant: Tenant) -> None:
    batch = [{"type": "track", "event": "Step", "messageId": f"m-{n}", "userId": "u-1"} for n in range(2500)]
    taken = send(tenant, "/v1/batch", {"batch": batch})
    assert (taken["accepted"], len(taken["results"])) == (2500, 2500)
    assert profile(tenant, "user_id", "u-1")["event_count"] == 2500


def test_a_message_sent_again_is_the_same_event_however_it_comes(tenant: Tenant) -> None:
    message = {"type": "track", "event": "Order Completed", "messageId": "m-1", "userId": "u-1",
               "properties": {"order_id": "A-1", "total": 89.99, "currency": "USD"}}  # fmt: skip
    first = send(tenant, "/v1/track", message)
    for again in (
        send(tenant, "/v1/batch", {"batch": [message], "sentAt": format_time(utc_now() - timedelta(hours=1))}),
        send(tenant, "/v1/t", message, **{"X-Retry-Count": "3"}),
    ):
        assert again["results"][0]["event_id"] == first["results"][0]["event_id"]
        assert again["results"][0]["duplicate"] is True
    found = profile(tenant, "user_id", "u-1")
    assert (found["event_count"], found["lifetime_value"], found["total_orders"]) == (1, "89.99", 1)


def test_the_life_of_an_order_counts_exact_money(tenant: Tenant) -> None:
    def order(event: str, order_id: str, **properties: Any) -> None:
        send(tenant, "/v1/track", {"userId": "u-1", "event": event, "properties": {"order_id": order_id, **properties}})

    order(
        "Order Completed",
        "A-1",
        total=89.99,
        currency="USD",
        products=[{"product_id": "P1", "price": 89.99, "quantity": 1}],
    )
    order("Order Completed", "A-2", revenue="10.01", currency="USD")
    order("Order Completed", "A-3", total=5, currency="USD")
    assert profile(tenant, "user_id", "u-1")["lifetime_value"] == "105.00"
    order("Order Refunded", "A-1", total=9.99, currency="USD")
    order("Order Cancelled", "A-2")
    order("Order Refunded", "A-3")
    found = profile(tenant, "user_id", "u-1")
    assert (found["lifetime_value"], found["total_orders"]) == ("80.00", 1)


def test_a_wrong_clock_is_set_right_and_what_was_stated_is_kept(tenant: Tenant) -> None:
    now = utc_now()
    ahead = timedelta(days=30)
    message = {"type": "page", "userId": "u-1", "timestamp": format_time(now + ahead - timedelta(minutes=1))}
    taken = send(tenant, "/v1/batch", {"batch": [message], "sentAt": format_time(now + ahead)})
    event = stored(tenant, taken)
    assert event["warnings"] == []
    assert event["occurred_at"] < event["received_at"]
    assert event["payload"]["_message"]["timestamp"] == message["timestamp"]


def test_an_unusable_identifier_is_left_out_with_a_warning(tenant: Tenant) -> None:
    taken = send(tenant, "/v1/identify", {"userId": "null", "anonymousId": "a-1", "traits": {"email": "nobody"}})
    assert len(taken["results"][0]["warnings"]) == 2
    assert profile(tenant, "cookie_id", "a-1")["identifiers"] == {"cookie_id": ["a-1"]}


def test_an_alias_does_not_excuse_a_third_user(tenant: Tenant) -> None:
    send(tenant, "/v1/identify", {"userId": "three", "traits": {"email": "same@example.com"}})
    send(tenant, "/v1/identify", {"userId": "one"})
    alias = {"userId": "one", "previousId": "two", "context": {"traits": {"email": "same@example.com"}}}
    assert stored(tenant, send(tenant, "/v1/alias", alias))["decision"] == "review"
    assert profile(tenant, "user_id", "three")["id"] != profile(tenant, "user_id", "one")["id"]


def test_while_the_graph_is_away_and_there_is_no_inbox_it_is_503_with_retry_after_and_a_repeat_counts_once(
    service_settings: Settings, tenant: Tenant
) -> None:
    address = urlsplit(service_settings.neo4j_uri or "")
    link = Link(address.hostname or "127.0.0.1", address.port or 7687)
    update = {"neo4j_uri": f"bolt://127.0.0.1:{link.port}", "redis_url": None, "retry_budget_seconds": 1.0}
    body = {"batch": [{"type": "track", "event": "Clicked", "userId": "u-1", "messageId": "m-1"}, {"type": "nothing"}]}
    with serving(service_settings.model_copy(update=update)) as running:
        url, headers = f"{running.url}/v1/batch", basic(tenant.created["write_key"])
        assert httpx.post(url, json={"batch": [{"type": "page"}]}, headers=headers).status_code == 200
        link.cut()
        refused = httpx.post(url, json=body, headers=headers, timeout=30)
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert int(refused.headers["retry-after"]) >= 1
        link.mend()
        pause, deadline = threading.Event(), time.monotonic() + 30
        answer = refused
        while answer.status_code == 503 and time.monotonic() < deadline:
            pause.wait(0.1)
            answer = httpx.post(url, json=body, headers=headers, timeout=30)
        assert (answer.json()["accepted"], answer.json()["rejected"]) == (1, 1)
    link.close()
    assert profile(tenant, "user_id", "u-1")["event_count"] == 1
