"""Webhooks of the change feed over HTTP: set up, tested, rotated, sent again; no secret and no other brand is shown."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from core.clock import utc_now
from core.settings import Settings
from graph.driver import Graph
from graph.repositories.change_hooks import get_hook, update_hook
from graph.repositories.changes import append_waiting, prune_feed
from ingest.changes.delivery import deliver_due
from tests.integration.api.conftest import Service, Tenant, client_of, serving
from tests.integration.test_change_delivery import POLICY, Receiver, receiving, serve_only

HOOKS = "/api/identity/changes/webhooks"


@pytest.fixture(scope="module")
def inside(service_settings: Settings, graph: Graph) -> Iterator[Service]:
    """The API of an installation that lets webhooks stay inside."""
    with serving(service_settings.model_copy(update={"webhook_private_addresses": True})) as running:
        yield running


@pytest.fixture
def client(inside: Service, tenant: Tenant) -> Iterator[httpx.Client]:
    """An admin's client of that installation; its webhooks are taken away afterwards."""
    with client_of(inside.url, tenant.created["api_key"]) as opened:
        yield opened
        for hook in opened.get(HOOKS).json()["items"]:
            opened.delete(f"{HOOKS}/{hook['id']}")


@pytest.fixture(autouse=True)
def own_webhooks_only(monkeypatch: pytest.MonkeyPatch, tenant: Tenant) -> None:
    """Other tests have webhooks at the same time: each delivers to its own."""
    serve_only(monkeypatch, tenant.id)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


def subscribe(client: httpx.Client, receiver: Receiver, **more: Any) -> str:
    answer = client.post(HOOKS, json={"url": receiver.url, **more})
    assert answer.status_code == 201, answer.text
    receiver.secret = answer.json()["secret"]
    return str(answer.json()["id"])


def happen(tenant: Tenant, count: int) -> list[str]:
    ids = tenant.profiles(count)
    while append_waiting(tenant.graph, tenant.id, 100):
        pass
    return ids


def test_a_webhook_is_told_of_what_happens_after_it_was_set_up(
    client: httpx.Client, tenant: Tenant, graph: Graph, receiver: Receiver
) -> None:
    happen(tenant, 1)
    hook_id = subscribe(client, receiver)
    [profile] = happen(tenant, 1)
    assert client.get(f"{HOOKS}/{hook_id}").json()["behind"] == 1
    deliver_due(graph, POLICY)
    [(_, message)] = receiver.taken
    assert [change["profile_id"] for change in message["data"]["changes"]] == [profile]
    shown = client.get(f"{HOOKS}/{hook_id}").json()
    assert (shown["cursor"], shown["behind"], shown["active"], shown["failures"]) == ("2", 0, True, 0)
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["delivered"]


def test_with_a_cursor_it_is_told_of_everything_since(
    client: httpx.Client, tenant: Tenant, graph: Graph, receiver: Receiver
) -> None:
    happen(tenant, 3)
    subscribe(client, receiver, cursor="1")
    deliver_due(graph, POLICY)
    assert receiver.cursors() == [2, 3]


def test_the_secret_is_shown_once_and_nowhere_else(client: httpx.Client, receiver: Receiver) -> None:
    hook_id = subscribe(client, receiver)
    assert receiver.secret.startswith("whsec_")
    for answer in (client.get(HOOKS), client.get(f"{HOOKS}/{hook_id}"), client.patch(f"{HOOKS}/{hook_id}", json={})):
        assert answer.status_code == 200
        assert "whsec_" not in answer.text
        assert "secret" not in answer.json()


def test_the_same_request_again_makes_no_second_webhook(client: httpx.Client, receiver: Receiver) -> None:
    headers = {"Idempotency-Key": "one-webhook"}
    answers = [client.post(HOOKS, json={"url": receiver.url}, headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len(client.get(HOOKS).json()["items"]) == 1


def test_a_rotated_secret_signs_beside_the_old_one(
    client: httpx.Client, tenant: Tenant, graph: Graph, receiver: Receiver
) -> None:
    hook_id = subscribe(client, receiver)
    old = receiver.secret
    rotated = client.post(f"{HOOKS}/{hook_id}/rotate", json={"overlap_hours": 1}).json()
    assert rotated["secret"] not in ("", old)
    for secret in (old, rotated["secret"]):
        receiver.secret = secret
        happen(tenant, 1)
        deliver_due(graph, POLICY)
    assert len(receiver.taken) == 2


def test_a_test_message_says_how_it_went_and_moves_nothing(client: httpx.Client, receiver: Receiver) -> None:
    hook_id = subscribe(client, receiver, active=False)
    answer = client.post(f"{HOOKS}/{hook_id}/test", json={})
    assert (answer.json()["outcome"], answer.json()["status"]) == ("delivered", 204)
    assert receiver.taken[0][1]["type"] == "webhook.test"
    receiver.answers = [500]
    assert client.post(f"{HOOKS}/{hook_id}/test").json()["error"] == "status_500"
    assert client.get(f"{HOOKS}/{hook_id}").json()["cursor"] == "0"


def test_redelivery_sends_the_same_entries_in_new_messages(
    client: httpx.Client, tenant: Tenant, graph: Graph, receiver: Receiver
) -> None:
    hook_id = subscribe(client, receiver)
    happen(tenant, 2)
    deliver_due(graph, POLICY)
    assert client.post(f"{HOOKS}/{hook_id}/redeliver", json={"cursor": "0"}).json()["behind"] == 2
    deliver_due(graph, POLICY)
    first, again = receiver.taken
    assert first[0] != again[0]
    assert first[1]["data"]["changes"] == again[1]["data"]["changes"]
    for cursor in ("7", "x"):
        refused = client.post(f"{HOOKS}/{hook_id}/redeliver", json={"cursor": cursor})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "cursor")


def test_switched_off_it_gets_nothing_and_on_again_all_that_it_missed(
    client: httpx.Client, tenant: Tenant, graph: Graph, receiver: Receiver
) -> None:
    hook_id = subscribe(client, receiver)
    assert client.patch(f"{HOOKS}/{hook_id}", json={"active": False}).json()["active"] is False
    happen(tenant, 2)
    deliver_due(graph, POLICY)
    assert receiver.taken == []
    client.patch(f"{HOOKS}/{hook_id}", json={"active": True, "kinds": ["created"]}).raise_for_status()
    deliver_due(graph, POLICY)
    assert receiver.cursors() == [1, 2]


def test_one_that_was_given_up_says_why_and_starts_afresh_when_switched_on(
    client: httpx.Client, tenant: Tenant, graph: Graph, receiver: Receiver
) -> None:
    hook_id = subscribe(client, receiver)
    happen(tenant, 1)
    receiver.answers = [410]
    deliver_due(graph, POLICY)
    shown = client.get(f"{HOOKS}/{hook_id}").json()
    assert (shown["active"], shown["disabled_reason"]) == (False, "answered_410")
    fresh = client.patch(f"{HOOKS}/{hook_id}", json={"active": True}).json()
    assert (fresh["active"], fresh["disabled_reason"], fresh["failures"]) == (True, None, 0)
    deliver_due(graph, POLICY)
    assert receiver.cursors() == [1]


def test_switching_on_behind_retention_names_the_oldest_cursor(
    client: httpx.Client, tenant: Tenant, graph: Graph, receiver: Receiver
) -> None:
    hook_id = subscribe(client, receiver, active=False)
    happen(tenant, 2)
    prune_feed(graph, tenant.id, utc_now() + timedelta(minutes=1))
    answer = client.patch(f"{HOOKS}/{hook_id}", json={"active": True})
    assert (answer.status_code, answer.json()["oldest_cursor"]) == (410, "2")
    assert client.post(f"{HOOKS}/{hook_id}/redeliver", json={"cursor": "2"}).status_code == 200
    assert client.patch(f"{HOOKS}/{hook_id}", json={"active": True}).status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "example.com", "http://", "http://127.0.0.1/", "http://localhost:8080/", "http://[::1]/",
        "http://10.1.2.3/", "http://169.254.169.254/latest/meta-data", "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::a00:1]/", "http://user:secret@example.com/", "https://example.com/#x", "http://metadata.internal/",
        "http://exa mple.com/", "https://" + "a" * 2_000 + ".com/", "http://0.0.0.0/", "http://224.0.0.1/",
    ],
)  # fmt: skip
def test_an_address_that_is_none_or_leads_inside_is_refused(tenant: Tenant, url: str) -> None:
    answer = tenant.client.post(HOOKS, json={"url": url})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "url")
    assert url not in answer.text
    assert tenant.client.get(HOOKS).json() == {"items": []}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"), ({"url": 1}, "url"), ({"url": "https://h.example.com", "kinds": ["x"]}, "kinds"),
        ({"url": "https://h.example.com", "cursor": "9"}, "cursor"),
        ({"url": "https://h.example.com", "more": 1}, "more"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(tenant: Tenant, body: dict[str, Any], field: str) -> None:
    answer = tenant.client.post(HOOKS, json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_a_brand_has_at_most_twenty(tenant: Tenant) -> None:
    body = {"url": "https://hooks.example.com/x", "active": False}
    assert [tenant.client.post(HOOKS, json=body).status_code for _ in range(21)] == [201] * 20 + [409]


def test_another_brands_webhook_is_404_and_stays_as_it_is(new_tenant: Callable[[], Tenant]) -> None:
    owner, stranger = new_tenant(), new_tenant()
    hook_id = owner.client.post(HOOKS, json={"url": "https://h.example.com/x", "active": False}).json()["id"]
    before = owner.client.get(f"{HOOKS}/{hook_id}").json()
    address = f"{HOOKS}/{hook_id}"
    for method, path, body in (
        ("GET", address, None), ("PATCH", address, {"active": True}), ("DELETE", address, None),
        ("POST", f"{address}/rotate", {}), ("POST", f"{address}/test", {}),
        ("POST", f"{address}/redeliver", {"cursor": "0"}),
    ):  # fmt: skip
        assert stranger.client.request(method, path, json=body).status_code == 404, (method, path)
    assert stranger.client.get(HOOKS).json() == {"items": []}
    assert owner.client.get(address).json() == before
    assert owner.client.delete(address).json() == {"deleted": True}
    assert owner.client.delete(address).status_code == 404


def test_a_key_that_only_reads_sees_no_webhooks(tenant: Tenant, graph: Graph) -> None:
    with tenant.key("read") as reader:
        assert reader.get(HOOKS).status_code == 403
    hook_id = tenant.client.post(HOOKS, json={"url": "https://h.example.com/x", "active": False}).json()["id"]
    update_hook(graph, tenant.id, hook_id, {"is_active": False})
    assert get_hook(graph, tenant.id, hook_id).url == "https://h.example.com/x"


def test_no_secret_of_a_webhook_is_stored_as_it_is(
    client: httpx.Client, tenant: Tenant, graph: Graph, receiver: Receiver
) -> None:
    hook_id = subscribe(client, receiver)
    first = receiver.secret
    second = client.post(f"{HOOKS}/{hook_id}/rotate", json={"overlap_hours": 1}).json()["secret"]
    incoming = client.post("/api/integrations/stripe/rotate", json={"new_address": True}).json()["secret"]
    query = (
        "MATCH (n) WHERE (n:ChangeHook OR n:Endpoint) AND n.brand = $brand "
        "UNWIND [n.secret, n.old_secret] AS told WITH told WHERE told IS NOT NULL RETURN collect(told) AS stored"
    )
    with graph.session() as session:
        stored = session.run(query, brand=tenant.id).single(strict=True)["stored"]
    assert len(stored) >= 10
    assert all(one.startswith("sealed:") for one in stored)
    plain = {first, second, incoming, *tenant.created["webhook_secrets"].values()}
    assert not any(secret in one for one in stored for secret in plain)
    assert get_hook(graph, tenant.id, hook_id).secrets(utc_now()) == (second, first)
