"""Every route of the app: it states a guard, wants the right key, and knows nothing of another brand."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from api.auth import guard_of
from tests.integration.api.conftest import Service, Tenant

OPEN = {"/api/monitoring/health", "/api/monitoring/health/ready", "/metrics", "/tracker.js", "/browser/{name}"}
SIGNED = "/api/integrations/{source}"
# Each brand has its own of these, under the same name.
OWN = {"/api/integrations/{source}", "/api/integrations/{source}/account", "/api/integrations/{source}/deliveries",
       "/api/integrations/{source}/mapping", "/api/integrations/{source}/rotate"}  # fmt: skip
# What a brand puts under the name of another brand's thing is its own.
OWN_NAMES = {
    ("PUT", "/api/store/stores/{store_id}"), ("PUT", "/api/integrations/crm/connections/{name}"),
    ("PUT", "/api/traits/computed/{trait_name}"),
}  # fmt: skip

# A body that each POST would take, so that only the key decides.
BODIES: dict[str, Any] = {
    "/api/events": {"type": "page_view", "identifiers": {"email": "a@example.com"}},
    "/api/events/batch": {"events": [{"type": "page_view"}]},
    "/api/profiles/import": {"profiles": [{"external_id": "crm:1"}]},
    "/api/profiles/{profile_id}/merge": {"profile_ids": ["cus_x"]},
    "/api/profiles/{profile_id}/unmerge": {},
    "/api/reviews/bulk": {"decision": "reject", "review_ids": ["rev_x"]},
    "/api/reviews/{review_id}/approve": {},
    "/api/reviews/{review_id}/reject": {},
    "/api/reviews/{review_id}/split": {"profile_ids": ["cus_x", "cus_y"]},
    "/api/profiles/{profile_id}/identifiers": {"type": "phone", "value": "+14155550101"},
    "/api/profiles/{profile_id}/identifiers/unlink": {"type": "phone", "value": "+14155550101"},
    "/api/events/{event_id}/attach": {"profile_id": "cus_x"},
    "/api/identity/rules": {"rules": {}},
    "/api/identity/rules/preview": {"rules": {}},
    "/api/identity/rules/{version}/activate": {},
    "/api/identity/changes/webhooks": {"url": "https://hooks.example.com/identity"},
    "/api/identity/changes/webhooks/{webhook_id}/rotate": {"overlap_hours": 1},
    "/api/identity/changes/webhooks/{webhook_id}/test": {},
    "/api/identity/changes/webhooks/{webhook_id}/redeliver": {"cursor": "0"},
    "/api/predictions/score": {"profile_ids": ["cus_x"]},
    "/api/segments/lookalike": {"profile_ids": ["cus_x"]},
    "/api/models/train": {},
    "/api/models/score": {},
    "/api/models/rollback": {},
    "/api/models/runs/{model_run_id}/cancel": {},
    "/api/models/{model_id}/activate": {},
    "/api/suggestions/run": {},
    "/api/suggestions/jobs/{job_id}/cancel": {},
    "/api/events/replay": {},
    "/api/dead-letters/replay": {"way": "none"},
    "/api/dead-letters/discard": {"way": "none"},
    "/api/dead-letters/{letter_id}/replay": {},
    "/api/dead-letters/{letter_id}/discard": {},
    "/api/event-schemas": {"type": "page_view", "schema": {}},
    "/api/event-schemas/test": {"type": "page_view", "payload": {}, "schema": {}},
    "/api/event-schemas/{event_type}/{version}/activate": {},
    "/api/event-schemas/{event_type}/deactivate": {},
    "/api/transformations": {"steps": []},
    "/api/transformations/preview": {"event": {"type": "page_view"}, "steps": []},
    "/api/transformations/{version}/activate": {},
    "/api/intent/track": {"kind": "cart", "product_id": "P1", "identifiers": {"email": "a@example.com"}},
    "/api/integrations/{source}/rotate": {},
    "/api/integrations/csv": {},
    "/api/integrations/csv/{import_id}/cancel": {},
    "/api/inventory/movements": {"product_id": "P1", "location_id": "S1", "delta": 1},
    "/api/store/visits": {"store_id": "S1", "identifiers": {"email": "a@example.com"}},
    "/api/store/visits/{visit_id}/check-out": {},
    "/api/store/alerts/{alert_id}/delivered": {},
    "/api/store/alerts/{alert_id}/viewed": {},
    "/api/store/alerts/{alert_id}/dismissed": {},
    "/api/integrations/crm/sync": {"connection": "none"},
    "/api/traits/computed": {"name": "visits", "function": "count"},
    "/api/traits/computed/preview": {"function": "count", "profile_id": "cus_x"},
    "/api/integrations/crm/syncs/{sync_id}/cancel": {},
    "/api/admin/brands": {"id": "never"},
}
TRACKING = ("/v1", "/batch", "/capture", "/e/", "/i/")
TRACKED = ("track", "identify", "page", "screen", "group", "alias", "t", "i", "p", "s", "g", "a")
BODIES |= {f"/v1/{call}": {"event": "Product Viewed", "messageId": "m-1"} for call in TRACKED}
BODIES |= {path: {"batch": []} for path in ("/v1/batch", "/v1/b")}
CAPTURING = ("/batch", "/batch/", "/capture", "/capture/", "/e/", "/i/v0/e/")
BODIES |= {path: {"event": "Product Viewed", "uuid": "m-1"} for path in CAPTURING}
QUERY = {
    "/lookup": {"type": "email", "value": "a@example.com"},
    # Without this it would never end.
    "/stream": {"follow": "false"},
    "/propensity": {"profile_id": "cus_x"},
    "/next-action": {"profile_id": "cus_x"},
    "/why": {"a": "email:a@example.com", "b": "email:a@example.com"},
}


def routes(service: Service) -> Iterator[tuple[str, APIRoute]]:
    for route in service.app.routes:
        if isinstance(route, APIRoute):
            for method in sorted(route.methods or ()):
                yield method, route


def is_signed(route: APIRoute) -> bool:
    return guard_of(route.endpoint).kind == "signature"


def call(client: httpx.Client, method: str, path: str, ids: dict[str, str] | None = None) -> httpx.Response:
    address = path
    for name, value in (ids or {}).items():
        address = address.replace("{" + name + "}", value)
    address = address.replace("{source}", "shopify").replace("{", "no-such-").replace("}", "")
    query = next((params for end, params in QUERY.items() if path.endswith(end)), {})
    return client.request(method, address, params=query, json=BODIES.get(path) if method == "POST" else None)


def test_every_route_below_api_is_ours_and_guarded(service: Service) -> None:
    ours = {route.path for _, route in routes(service)}
    paths = [getattr(route, "path", "") for route in service.app.routes]
    assert {
        path for path in paths if path.startswith(("/api", "/browser", "/metrics", "/tracker.js", *TRACKING))
    } == ours
    for _, route in routes(service):
        guard = guard_of(route.endpoint)
        if guard.kind == "open":
            assert route.path in OPEN
        elif guard.kind == "signature":
            assert route.path.startswith(SIGNED)
        else:
            assert guard.scope is not None


def test_every_post_with_a_key_has_a_body_in_this_matrix(service: Service) -> None:
    posts = {route.path for method, route in routes(service) if method == "POST" and not is_signed(route)}
    assert posts == set(BODIES)


@pytest.mark.parametrize("key", ["", "ck_000000000000_" + "x" * 43, "ck_short", "wk_", "Bearer", "\u00e9" * 59])
def test_without_a_right_key_every_route_answers_401(service: Service, key: str) -> None:
    headers = {b"Authorization": b"Bearer " + key.encode()} if key else {}
    with httpx.Client(base_url=service.url, headers=headers) as client:
        for method, route in routes(service):
            if route.path in OPEN:
                continue
            answer = call(client, method, route.path)
            expected = 404 if "endpoint_id" in route.path else 401
            assert answer.status_code == expected, (route.path, answer.text)
            if expected == 401:
                assert answer.headers["www-authenticate"].startswith("Bearer")


def test_right_key_id_with_another_secret_is_401(service: Service, tenant: Tenant) -> None:
    key = tenant.created["api_key"]
    for wrong in (key[:-1] + ("A" if key[-1] != "A" else "B"), "wk" + key[2:], key + "A", key[:-1]):
        assert httpx.get(f"{service.url}/api/profiles", headers={"X-API-Key": wrong}).status_code == 401
    assert httpx.get(f"{service.url}/api/profiles", headers={"X-API-Key": key}).status_code == 200


@pytest.mark.parametrize("scope", ["read", "ingest"])
def test_a_key_does_only_what_its_scope_says(service: Service, tenant: Tenant, scope: str) -> None:
    with tenant.key(scope) as client:
        for method, route in routes(service):
            guard = guard_of(route.endpoint)
            if guard.kind == "key":
                answer = call(client, method, route.path)
                assert (answer.status_code == 403) == (guard.scope != scope), (route.path, answer.text)


def test_a_write_key_only_sends_events_and_cannot_claim_trust(tenant: Tenant) -> None:
    with tenant.write_client as client:
        sent = client.post(
            "/api/events", json={"type": "identify", "identifiers": {"email": "w@example.com"}, "trust": "verified"}
        )
        assert sent.status_code == 200
        assert client.get(f"/api/events/{sent.json()['event_id']}").status_code == 403
        assert client.get("/api/profiles").status_code == 403
    assert tenant.client.get(f"/api/events/{sent.json()['event_id']}").json()["trust"] == "declared"


def test_another_brands_ids_are_404_on_every_route_and_nothing_changes(
    service: Service, new_tenant: Callable[[], Tenant]
) -> None:
    owner, stranger = new_tenant(), new_tenant()
    first, second = owner.profiles(2)
    review_id, _ = owner.review()
    event_id = owner.send(identifiers={"email": "own@example.com"})["event_id"]
    batch = owner.client.post("/api/reviews/bulk", json={"decision": "reject", "review_ids": ["rev_x"]}).json()
    job = owner.client.post("/api/suggestions/run").json()
    visit = {"store_id": "S1", "identifiers": {"email": "own@example.com"}}
    visit_id = owner.client.post("/api/store/visits", json=visit).json()["visit_id"]
    run = owner.client.post("/api/models/score", json={}).json()
    owner.client.post("/api/predictions/score", json={"profile_ids": [first]})
    owner.client.put("/api/traits/computed/visits", json={"function": "count"})
    ids = {
        "trait_name": "visits",
        "model_run_id": run["id"], "model_id": f"{owner.id}|day-one-1",
        "profile_id": first, "review_id": review_id, "event_id": event_id, "batch_id": batch["id"], "job_id": job["id"],
        "store_id": "S1", "visit_id": visit_id,
    }  # fmt: skip
    before = owner.client.get("/api/profiles").json(), _waiting(owner)
    for method, route in routes(service):
        is_own = route.path in OWN or (method, route.path) in OWN_NAMES
        if "{" in route.path and not is_signed(route) and not is_own:
            answer = call(stranger.client, method, route.path, ids)
            assert answer.status_code == 404, (route.path, answer.text)
    own = stranger.profiles(1)[0]
    assert stranger.client.post(f"/api/profiles/{own}/merge", json={"profile_ids": [second]}).status_code == 404
    bulk = {"decision": "reject", "review_ids": [review_id]}
    assert stranger.client.post("/api/reviews/bulk", json=bulk).json()["outcomes"] == {"not_found": 1}
    assert (owner.client.get("/api/profiles").json(), _waiting(owner)) == before


def _waiting(tenant: Tenant) -> list[dict[str, Any]]:
    """The queue without the ages, which grow."""
    items = tenant.client.get("/api/reviews").json()["items"]
    return [{name: value for name, value in item.items() if name != "age_seconds"} for item in items]


def test_two_brands_with_the_same_identifiers_orders_and_message_ids_stay_apart(
    new_tenant: Callable[[], Tenant],
) -> None:
    event = {
        "type": "purchase",
        "message_id": "m-1",
        "identifiers": {"email": "same@example.com"},
        "payload": {"order_id": "A-1", "total": "10.00", "currency": "USD"},
    }
    one, two = new_tenant(), new_tenant()
    answers = [tenant.client.post("/api/events", json=event).json() for tenant in (one, two)]
    assert [answer["decision"] for answer in answers] == ["created", "created"]
    assert answers[0]["event_id"] != answers[1]["event_id"]
    for tenant in (one, two):
        items = tenant.client.get("/api/profiles").json()["items"]
        assert [(item["brand"], item["lifetime_value"], item["total_orders"]) for item in items] == [
            (tenant.id, "10.00", 1)
        ]


def test_a_revoked_key_is_refused_at_once_in_its_process(service: Service, tenant: Tenant) -> None:
    with tenant.key("read") as client:
        key_id = client.headers["authorization"].split()[1][3:15]
        assert client.get("/api/profiles").status_code == 200
        service.app.state.services.directory.revoke(tenant.id, key_id)
        assert client.get("/api/profiles").status_code == 401
