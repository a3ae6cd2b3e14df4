"""PostHog's capture API over HTTP: every shape of body and address, aliases that join, dead letters."""

import base64
import gzip
import json
from typing import Any

import httpx
import pytest

from graph.repositories.dead_letters import list_letters
from tests.integration.api.conftest import Tenant


def profile(tenant: Tenant, kind: str, value: str) -> dict[str, Any]:
    answer = tenant.client.get("/api/profiles/lookup", params={"type": kind, "value": value})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def capture(tenant: Tenant, event: str, distinct: str, /, **properties: Any) -> dict[str, Any]:
    body = {
        "api_key": tenant.created["write_key"],
        "event": event,
        "distinct_id": distinct,
        "properties": properties,
    }
    answer = httpx.post(f"{tenant.url}/capture/", json=body)
    assert answer.status_code == 200, answer.text
    taken: dict[str, Any] = answer.json()
    assert (taken["status"], taken["accepted"]) == (1, 1)
    return taken


def bodies(key: str) -> dict[str, tuple[bytes, dict[str, str]]]:
    event = {"event": "x", "distinct_id": "u", "uuid": "k"}
    single = json.dumps({**event, "api_key": key}).encode()
    packed = base64.b64encode(gzip.compress(single)).decode().replace("+", "%2B")
    return {
        "single": (single, {}),
        "batch": (json.dumps({"api_key": key, "batch": [event], "historical_migration": True}).encode(), {}),
        "batch with token": (json.dumps({"token": key, "batch": [event]}).encode(), {}),
        "list": (json.dumps([{**event, "properties": {"token": key}}]).encode(), {}),
        "gzip": (gzip.compress(single), {"Content-Encoding": "gzip"}),
        "gzip without a word": (gzip.compress(single), {"Content-Type": "text/plain"}),
        "form": (b"data=" + base64.b64encode(single), {"Content-Type": "application/x-www-form-urlencoded"}),
        "packed form": (b"data=" + packed.encode(), {"Content-Type": "application/x-www-form-urlencoded"}),
    }


@pytest.mark.parametrize("shape", list(bodies("")))
@pytest.mark.parametrize("path", ["/batch/", "/capture/", "/e/"])
def test_every_shape_of_body_is_taken_at_every_address(tenant: Tenant, path: str, shape: str) -> None:
    content, headers = bodies(tenant.created["write_key"])[shape]
    for is_repeat in (False, True):
        answer = httpx.post(tenant.url + path, content=content, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.json()["results"][0]["duplicate"] is is_repeat
    event = tenant.client.get(f"/api/events/{answer.json()['results'][0]['event_id']}").json()
    assert event["source"] == "posthog"
    assert tenant.created["write_key"] not in json.dumps(event)
    assert profile(tenant, "user_id", "u")["event_count"] == 1


@pytest.mark.parametrize("content", [b"{", b"data=%%%", b"data=e30", b"[]", b'{"event": "x"}', b"7"])
def test_a_body_without_key_or_sense_is_4xx(tenant: Tenant, content: bytes) -> None:
    answer = httpx.post(f"{tenant.url}/batch/", content=content)
    assert answer.status_code in {400, 401}
    assert "message" in answer.json()


def test_a_page_may_ask_first(tenant: Tenant) -> None:
    answer = httpx.options(f"{tenant.url}/e/", headers={"Origin": "https://s.example"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "https://s.example")


def test_a_browsers_visit_joins_the_user_who_signs_in(tenant: Tenant) -> None:
    browser = {"$lib": "web", "$device_id": "anon-1"}
    capture(tenant, "$pageview", "anon-1", **browser, **{"$is_identified": False})
    capture(
        tenant, "$identify", "u-1", **browser, **{"$anon_distinct_id": "anon-1", "$set": {"email": "a@example.com"}}
    )
    capture(tenant, "Product Viewed", "u-1", product_id="P", **browser)
    found = profile(tenant, "email", "a@example.com")
    assert found["event_count"] == 3
    assert found["identifiers"] == {"cookie_id": ["anon-1"], "email": ["a@example.com"], "user_id": ["u-1"]}


@pytest.mark.parametrize("knows_user", [False, True])
def test_an_anonymous_id_that_came_as_a_users_joins_at_identify(tenant: Tenant, knows_user: bool) -> None:
    capture(tenant, "viewed", "anon-1")
    if knows_user:
        capture(tenant, "viewed", "u-1")
    capture(tenant, "$identify", "u-1", **{"$anon_distinct_id": "anon-1"})
    assert profile(tenant, "user_id", "u-1")["event_count"] == 2 + knows_user


@pytest.mark.parametrize("known", [("old",), ("new",), ("old", "new")])
def test_an_alias_joins_both_histories(tenant: Tenant, known: tuple[str, ...]) -> None:
    for distinct_id in known:
        capture(tenant, "viewed", distinct_id)
    capture(tenant, "$create_alias", "old", distinct_id="old", alias="new")
    assert profile(tenant, "user_id", "old")["event_count"] == 1 + len(known)
    assert profile(tenant, "user_id", "new")["id"] == profile(tenant, "user_id", "old")["id"]


def test_one_bad_event_of_a_batch_becomes_a_dead_letter(tenant: Tenant) -> None:
    key = tenant.created["write_key"]
    batch = [
        {"event": "x", "distinct_id": "u"},
        {"distinct_id": "u", "properties": {"token": key}},
        {"event": "y", "distinct_id": "u"},
    ]
    answer = httpx.post(f"{tenant.url}/batch/", json={"api_key": key, "batch": batch})
    assert (answer.status_code, answer.json()["accepted"], answer.json()["rejected"]) == (200, 2, 1)
    [letter] = list_letters(tenant.graph, tenant.id, 10)["items"]
    assert (letter["way"], letter["field"]) == ("posthog", "event")
    assert key not in letter["preview"]


def test_an_order_counts_as_anywhere(tenant: Tenant) -> None:
    capture(tenant, "Order Completed", "u-1", order_id="A-1", total=89.99, currency="USD")
    capture(tenant, "order_refunded", "u-1", order_id="A-1", amount="9.99")
    assert profile(tenant, "user_id", "u-1")["lifetime_value"] == "80.00"
