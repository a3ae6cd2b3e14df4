"""Schemas of event types and transformations over HTTP: what counts, at every door, and what repeats are."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.integration.api.conftest import Tenant
from tests.integration.api.test_api_segment import basic
from tests.integration.api.test_api_webhooks import ORDER, shopify

SCHEMAS, STEPS = "/api/event-schemas", "/api/transformations"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["order_id"],
    "properties": {
        "order_id": {"type": "string", "pattern": "^[A-Z]-[0-9]+$"},
        "total": {"type": ["string", "number"]},
    },
}


def made(tenant: Tenant, **more: Any) -> dict[str, Any]:
    answer = tenant.client.post(SCHEMAS, json={"type": "purchase", "schema": SCHEMA, "activate": True, **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def purchase(order_id: str, **more: Any) -> dict[str, Any]:
    payload = {"order_id": order_id, "total": "10.00", "currency": "USD"}
    return {"type": "purchase", "identifiers": {"email": "s@example.com"}, "payload": payload, **more}


def steps(tenant: Tenant, *wanted: dict[str, Any]) -> str:
    answer = tenant.client.post(STEPS, json={"steps": list(wanted)})
    assert answer.status_code == 201, answer.text
    version = str(answer.json()["version"])
    assert tenant.client.post(f"{STEPS}/{version}/activate").status_code == 200
    return version


def test_reject_answers_422_naming_the_field_and_a_batch_takes_the_rest(tenant: Tenant) -> None:
    made(tenant, mode="reject")
    answer = tenant.client.post("/api/events", json=purchase("secret-value"))
    assert (answer.status_code, answer.json()["code"]) == (422, "schema_violation")
    assert answer.json()["errors"][0]["field"] == "payload.order_id"
    assert "secret-value" not in answer.text
    batch = {"events": [purchase("A-1"), purchase("nope"), {"type": "page_view"}]}
    found = tenant.client.post("/api/events/batch", json=batch).json()
    assert (found["accepted"], found["rejected"]) == (2, 1)
    assert found["results"][1]["error"]["code"] == "schema_violation"


def test_warn_takes_the_event_and_says_what_does_not_fit(tenant: Tenant) -> None:
    made(tenant)
    outcome = tenant.client.post("/api/events", json=purchase("nope")).json()
    warning = "schema: payload.order_id: does not match the pattern of the schema"
    assert outcome["warnings"] == [warning]
    assert tenant.client.get(f"/api/events/{outcome['event_id']}").json()["warnings"] == [warning]


def letters(tenant: Tenant) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = tenant.client.get("/api/dead-letters").json()["items"]
    return items


def test_tracking_and_webhooks_are_answered_200_and_keep_a_dead_letter(tenant: Tenant) -> None:
    made(tenant, mode="reject")
    message = {"type": "track", "event": "Order Completed", "userId": "u", "messageId": "m-1",
               "properties": {"order_id": "nope", "total": 5}}  # fmt: skip
    answer = httpx.post(f"{tenant.url}/v1/batch", json={"batch": [message]}, headers=basic(tenant.created["write_key"]))
    assert (answer.status_code, answer.json()["rejected"]) == (200, 1)
    assert [letter["code"] for letter in letters(tenant)] == ["schema_violation"]
    fits = {**message, "messageId": "m-2", "properties": {"order_id": "A-2", "total": 5}}
    answer = httpx.post(f"{tenant.url}/v1/batch", json={"batch": [fits]}, headers=basic(tenant.created["write_key"]))
    assert answer.json()["accepted"] == 1
    made(tenant, mode="reject", schema={"required": ["never"]})
    delivery = shopify(tenant, ORDER)
    assert (delivery.status_code, delivery.json()["decision"]) == (200, "dead_letter")
    kept = letters(tenant)
    assert len(kept) == 2
    replayed = tenant.client.post(f"/api/dead-letters/{kept[0]['id']}/replay")
    assert replayed.status_code == 200, replayed.text


def test_rows_of_a_file_that_do_not_fit_are_refused_with_the_reason(tenant: Tenant) -> None:
    made(tenant, mode="reject")
    content = b"email,order_id,total\nf@example.com,A-1,5\nf@example.com,nope,5\n"
    files = {"file": ("orders.csv", content)}
    tried = tenant.client.post("/api/integrations/csv", files=files, data={"dry_run": "true"}).json()
    done = tenant.client.post("/api/integrations/csv", files=files).json()
    reason = "payload.order_id: does not match the pattern of the schema"
    for found in (tried, done):
        assert (found["accepted"], found["rejected"]) == (1, 1)
        assert found["problems"] == [{"row": 3, "reason": reason}]


def test_versions_are_kept_and_one_counts_until_none_does(tenant: Tenant) -> None:
    first = made(tenant, mode="reject")
    second = tenant.client.post(SCHEMAS, json={"type": "purchase", "schema": {}, "note": "free"}).json()
    assert [(item["version"], item["is_active"]) for item in (first, second)] == [(1, True), (2, False)]
    assert tenant.client.post("/api/events", json=purchase("nope")).status_code == 422
    assert tenant.client.post(f"{SCHEMAS}/purchase/2/activate", json={}).status_code == 200
    assert tenant.client.post("/api/events", json=purchase("nope")).status_code == 200
    assert tenant.client.post(f"{SCHEMAS}/purchase/1/activate", json={"mode": "warn"}).json()["mode"] == "warn"
    listed = tenant.client.get(SCHEMAS, params={"type": "purchase"}).json()["items"]
    assert [(item["version"], item["is_active"]) for item in listed] == [(2, False), (1, True)]
    assert [item["version"] for item in tenant.client.get(SCHEMAS, params={"active": True}).json()["items"]] == [1]
    assert tenant.client.get(f"{SCHEMAS}/purchase/2").json()["schema"] == {}
    assert tenant.client.post(f"{SCHEMAS}/purchase/deactivate").status_code == 200
    assert tenant.client.post(f"{SCHEMAS}/purchase/deactivate").status_code == 404
    assert tenant.client.post("/api/events", json=purchase("nope")).json()["warnings"] == []


def test_schemas_are_listed_in_pages(tenant: Tenant) -> None:
    for kind in ("b_type", "a_type", "b_type"):
        assert tenant.client.post(SCHEMAS, json={"type": kind, "schema": {}}).status_code == 201
    first = tenant.client.get(SCHEMAS, params={"limit": 2}).json()
    second = tenant.client.get(SCHEMAS, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [(item["type"], item["version"]) for item in (*first["items"], *second["items"])] == [
        ("a_type", 1), ("b_type", 2), ("b_type", 1),
    ]  # fmt: skip
    assert second["next_cursor"] is None
    assert tenant.client.get(SCHEMAS, params={"cursor": "made-up"}).status_code == 422


def test_a_payload_is_tested_against_any_schema_without_an_event(tenant: Tenant) -> None:
    made(tenant, mode="reject")
    body = {"type": "purchase", "payload": {"total": {}}}
    expected = [
        {"field": "payload.order_id", "reason": "missing"},
        {"field": "payload.total", "reason": "must be of type string or number"},
    ]
    for more in ({}, {"version": 1}, {"schema": SCHEMA}):
        found = tenant.client.post(f"{SCHEMAS}/test", json={**body, **more}).json()
        assert found["valid"] is False
        assert sorted(found["violations"], key=str) == expected
    assert tenant.client.post(f"{SCHEMAS}/test", json={**body, "version": 9}).status_code == 404
    assert tenant.client.post(f"{SCHEMAS}/test", json={"type": "refund", "payload": {}}).status_code == 404


@pytest.mark.parametrize("schema", [{"$ref": "https://evil.example/x"}, {"pattern": "(a+)+$"}, {"type": "shoe"}])
def test_a_hostile_schema_is_422_and_not_stored(tenant: Tenant, schema: dict[str, Any]) -> None:
    for path, body in ((SCHEMAS, {"type": "x", "schema": schema}), (f"{SCHEMAS}/test", {"type": "x", "schema": schema,
                                                                                        "payload": {}})):  # fmt: skip
        answer = tenant.client.post(path, json=body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "schema")
    assert tenant.client.get(SCHEMAS).json()["items"] == []


def test_the_same_idempotency_key_makes_one_version(tenant: Tenant) -> None:
    headers = {"Idempotency-Key": "once"}
    for path, body in ((SCHEMAS, {"type": "x", "schema": {}}), (STEPS, {"steps": []})):
        answers = [tenant.client.post(path, json=body, headers=headers | {"Idempotency-Key": path}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[0].json() == answers[1].json()
        assert len(tenant.client.get(path).json()["items"]) == 1


def test_steps_rename_map_hash_and_drop_before_anything_reads_the_event(tenant: Tenant) -> None:
    version = steps(
        tenant,
        {"op": "rename", "field": "payload.betrag", "to": "payload.total", "type": "purchase"},
        {"op": "rename", "field": "payload.mail", "to": "payload.email"},
        {"op": "map", "field": "payload.status", "values": {"bezahlt": "paid"}, "default": "open"},
        {"op": "rename", "field": "payload.positionen", "to": "payload.items"},
        {"op": "hash", "field": "traits.tax"},
        {"op": "drop", "field": "payload.secret"},
        {"op": "drop", "field": "identifiers.card_last4"},
    )
    made(tenant, mode="reject", schema={"required": ["total"], "properties": {"secret": False}})
    event = {
        "type": "purchase", "source": "shop", "identifiers": {"card_last4": "1234"},
        "payload": {"order_id": "A-1", "betrag": "12.50", "currency": "USD", "mail": "t@example.com", "secret": "x",
                    "status": "bezahlt", "traits": {"tax": "DE123", "city": "Ulm"}},
    }  # fmt: skip
    outcome = tenant.client.post("/api/events", json=event).json()
    assert outcome["warnings"] == []
    found = tenant.client.get("/api/profiles/lookup", params={"type": "email", "value": "t@example.com"}).json()
    assert (found["id"], found["lifetime_value"], found["traits"]["city"]) == (outcome["profile_id"], "12.50", "Ulm")
    assert found["traits"]["tax"] not in {"", "DE123"}
    assert "card_last4" not in found["identifiers"]
    stored = tenant.client.get(f"/api/events/{outcome['event_id']}").json()
    assert stored["payload"]["status"] == "paid"
    assert stored["payload"]["traits"]["tax"] == found["traits"]["tax"]
    assert "DE123" not in str(stored)
    [listed] = tenant.client.get(STEPS).json()["items"]
    assert (listed["version"], listed["is_active"]) == (version, True)
    assert tenant.client.post(f"{STEPS}/none/activate").status_code == 200
    assert tenant.client.post("/api/events", json=event).status_code == 422


def test_a_repeat_after_other_steps_is_the_same_event(tenant: Tenant) -> None:
    event = {
        "type": "page_view",
        "occurred_at": "2026-11-01T12:00:00Z",
        "payload": {"a": "1", "email": "r@example.com"},
    }
    first = tenant.client.post("/api/events", json=event).json()
    steps(tenant, {"op": "drop", "field": "payload.a"}, {"op": "drop", "field": "payload.email"})
    again = tenant.client.post("/api/events", json=event).json()
    assert (again["event_id"], again["duplicate"], again["warnings"]) == (first["event_id"], True, [])


def test_steps_concern_tracking_messages_and_webhooks_too(tenant: Tenant) -> None:
    steps(
        tenant,
        {"op": "rename", "field": "payload.betrag", "to": "payload.total", "source": "segment"},
        {"op": "hash", "field": "traits.tax", "source": "segment"},
        {"op": "drop", "field": "payload.customer", "source": "shopify"},
    )
    message = {"type": "track", "event": "Order Completed", "userId": "u-7", "messageId": "m-7",
               "properties": {"order_id": "A-7", "betrag": "5.00", "currency": "USD"},
               "context": {"traits": {"tax": "DE7", "email": "u7@example.com"}}}  # fmt: skip
    httpx.post(f"{tenant.url}/v1/batch", json={"batch": [message]}, headers=basic(tenant.created["write_key"]))
    found = tenant.client.get("/api/profiles/lookup", params={"type": "user_id", "value": "u-7"}).json()
    assert found["lifetime_value"] == "5.00"
    assert found["traits"]["tax"] not in {"", "DE7"}
    delivery = shopify(tenant, ORDER)
    stored = tenant.client.get(f"/api/events/{delivery.json()['event_id']}").json()
    assert "customer" not in stored["payload"]


def test_a_preview_shows_before_and_after_and_writes_nothing(tenant: Tenant) -> None:
    body = {
        "event": {"type": "purchase", "payload": {"betrag": "1.00", "order_id": "A-1"}},
        "steps": [{"op": "rename", "field": "payload.betrag", "to": "payload.total"},
                  {"op": "drop", "field": "payload.x", "type": "refund"}],
    }  # fmt: skip
    found = tenant.client.post(f"{STEPS}/preview", json=body).json()
    assert found["before"]["payload"] == {"betrag": "1.00", "order_id": "A-1"}
    assert found["after"]["payload"] == {"total": "1.00", "order_id": "A-1"}
    assert (found["before"]["order"]["total"], found["after"]["order"]["total"]) == (None, 1.00)
    assert (found["steps_applied"], found["warnings"]) == (1, [])
    assert tenant.client.get("/api/profiles").json()["items"] == []
    assert tenant.client.get(STEPS).json()["items"] == []
    wrong = {**body, "steps": [{"op": "drop", "field": "nowhere"}]}
    assert tenant.client.post(f"{STEPS}/preview", json=wrong).json()["errors"][0]["field"] == "steps[0].field"


def test_another_brand_sees_nothing_of_schemas_and_steps(new_tenant: Callable[[], Tenant]) -> None:
    owner, stranger = new_tenant(), new_tenant()
    made(owner, mode="reject")
    steps(owner, {"op": "drop", "field": "payload.order_id"})
    assert stranger.client.get(SCHEMAS).json()["items"] == []
    assert stranger.client.get(STEPS).json()["items"] == []
    assert stranger.client.get(f"{SCHEMAS}/purchase/1").status_code == 404
    assert stranger.client.post("/api/events", json=purchase("nope")).status_code == 200
