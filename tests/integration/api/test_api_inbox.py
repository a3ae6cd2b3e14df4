"""While Neo4j is away events wait in the inbox and are answered `queued`; afterwards each is stored once."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from api.schemas.events import EventOutcome
from core.settings import Settings
from embedded.redis import RedisServer, launch_redis
from ingest.inbox import STREAM
from tests.integration.api.conftest import Service, Tenant, client_of, serving
from tests.integration.api.test_api_outage import Link, link
from tests.integration.api.test_api_webhooks import shopify

__all__ = ["link"]
_SECONDS = 60.0


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis of these tests' own: what is in its inbox nobody else drains."""
    with launch_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def settings(service_settings: Settings, own_redis: RedisServer, link: Link) -> Settings:
    return service_settings.model_copy(
        update={"neo4j_uri": f"bolt://127.0.0.1:{link.port}", "redis_url": own_redis.url}
    )


@pytest.fixture
def running(settings: Settings) -> Iterator[Service]:
    with serving(settings) as service:
        yield service


def until(condition: Callable[[], Any], what: str) -> Any:
    """The first true answer of `condition`."""
    pause = threading.Event()
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        if found := condition():
            return found
        pause.wait(0.05)
    raise AssertionError(f"waited in vain until {what}")


@contextmanager
def known_client(running: Service, tenant: Tenant) -> Iterator[httpx.Client]:
    """A client whose key and brand the service has seen."""
    with client_of(running.url, tenant.created["api_key"]) as client:
        assert client.post("/api/events", json={"type": "page_view"}).status_code == 200
        yield client


def purchase(number: int, email: str) -> dict[str, Any]:
    return {
        "type": "purchase",
        "message_id": f"m-{number}",
        "identifiers": {"email": email},
        "payload": {"order_id": f"o-{number}", "total": "10.00", "currency": "USD"},
    }


def until_decided(client: httpx.Client, event_id: str) -> dict[str, Any]:
    """The event once it is no longer queued; its id stays the same all the while."""

    def look() -> dict[str, Any] | None:
        answer = client.get(f"/api/events/{event_id}")
        assert answer.status_code == 200, answer.text
        event: dict[str, Any] = answer.json()
        assert event["event_id"] == event_id
        return event if event["decision"] != "queued" else None

    found: dict[str, Any] = until(look, "the event is decided")
    return found


def test_events_are_queued_while_neo4j_is_away_and_stored_once_afterwards(
    running: Service, tenant: Tenant, link: Link
) -> None:
    email = f"{uuid.uuid4().hex}@example.com"
    with known_client(running, tenant) as client:
        link.cut()
        first = client.post("/api/events", json=purchase(0, email))
        assert first.status_code == 200, first.text
        outcome = first.json()
        assert (outcome["decision"], outcome["profile_id"], outcome["duplicate"]) == ("queued", None, False)
        assert outcome.keys() == EventOutcome.model_fields.keys()
        again = client.post("/api/events", json=purchase(0, email)).json()
        assert (again["decision"], again["event_id"], again["duplicate"]) == ("queued", outcome["event_id"], True)
        batch = client.post(
            "/api/events/batch", json={"events": [purchase(1, email), {"type": 7}, purchase(2, email)]}
        ).json()
        assert (batch["accepted"], batch["rejected"]) == (2, 1)
        assert [result.get("decision") for result in batch["results"]] == ["queued", None, "queued"]
        waiting = client.get(f"/api/events/{outcome['event_id']}").json()
        assert (waiting["decision"], waiting["profile_id"], waiting["amount"]) == ("queued", None, "10.00")
        assert waiting["identifiers"] == {"email": [email]}
        assert client.get("/api/monitoring/health/ready").status_code == 200
        assert client.get("/api/monitoring/health").json()["checks"]["neo4j"]["status"] == "down"
        link.mend()
        for event_id in (outcome["event_id"], *(r["event_id"] for r in batch["results"] if "event_id" in r)):
            assert until_decided(client, event_id)["decision"] in {"created", "attached"}
        repeated = client.post("/api/events", json=purchase(0, email)).json()
        assert (repeated["duplicate"], repeated["event_id"]) == (True, outcome["event_id"])
        profile = client.get("/api/profiles/lookup", params={"type": "email", "value": email}).json()
        assert (profile["event_count"], profile["total_orders"], profile["lifetime_value"]) == (3, 3, "30.00")


def test_webhooks_and_tracking_libraries_are_answered_while_neo4j_is_away(
    running: Service, tenant: Tenant, link: Link
) -> None:
    email = f"{uuid.uuid4().hex}@example.com"
    order = {"id": 77, "email": email, "total_price": "12.00", "currency": "USD", "created_at": "2026-11-01T12:00:00Z"}
    here = Tenant(tenant.id, tenant.created, running.url, tenant.client, tenant.graph)
    with known_client(running, tenant) as client, client_of(running.url, tenant.created["write_key"]) as writer:
        assert shopify(here, {**order, "id": 76}).status_code == 200
        assert writer.post("/v1/track", json={"userId": "u-1", "event": "Product Viewed"}).status_code == 200
        link.cut()
        hook = shopify(here, order, webhook_id="w-2")
        assert (hook.status_code, hook.json()["decision"]) == (200, "queued")
        tracked = writer.post(
            "/v1/batch",
            json={"batch": [
                {"type": "track", "userId": "u-1", "event": "Order Completed", "messageId": "q-1",
                 "properties": {"order_id": "s-1", "total": 5, "currency": "USD"}},
                {"type": "track", "userId": "u-1", "messageId": "q-2"},
            ]},
        )  # fmt: skip
        assert (tracked.status_code, tracked.json()["accepted"], tracked.json()["rejected"]) == (200, 1, 1)
        link.mend()
        until_decided(client, hook.json()["event_id"])
        until_decided(client, tracked.json()["results"][0]["event_id"])
        shopper = client.get("/api/profiles/lookup", params={"type": "email", "value": email}).json()
        assert (shopper["total_orders"], shopper["lifetime_value"]) == (2, "24.00")


def test_a_neo4j_that_freezes_loses_nothing_and_doubles_nothing(running: Service, tenant: Tenant, link: Link) -> None:
    email = f"{uuid.uuid4().hex}@example.com"
    answers: list[httpx.Response] = []
    with known_client(running, tenant) as client:

        def send(number: int) -> None:
            with client_of(running.url, tenant.created["api_key"]) as own:
                answers.append(own.post("/api/events", json=purchase(number, email)))

        link.freeze()
        senders = [threading.Thread(target=send, args=(number,)) for number in range(8)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.json()["decision"] for answer in answers} == {"queued"}
        link.thaw()
        for answer in answers:
            until_decided(client, answer.json()["event_id"])
        profile = client.get("/api/profiles/lookup", params={"type": "email", "value": email}).json()
        assert (profile["event_count"], profile["total_orders"], profile["lifetime_value"]) == (8, 8, "80.00")


def test_nobody_else_sees_a_queued_event(running: Service, new_tenant: Callable[[], Tenant], link: Link) -> None:
    owner, stranger = new_tenant(), new_tenant()
    with known_client(running, owner) as client, known_client(running, stranger) as other:
        link.cut()
        queued = client.post("/api/events", json=purchase(0, "own@example.com")).json()
        assert queued["decision"] == "queued"
        assert client.get(f"/api/events/{queued['event_id']}").status_code == 200
        assert other.get(f"/api/events/{queued['event_id']}").status_code in {404, 503}
        link.mend()
        until_decided(client, queued["event_id"])


def test_an_unknown_key_is_503_while_nobody_can_tell_and_holds_up_no_known_one(
    running: Service, tenant: Tenant, new_tenant: Callable[[], Tenant], link: Link
) -> None:
    unseen = new_tenant()
    with known_client(running, tenant) as client:
        link.cut()
        assert client.post("/api/events", json=purchase(0, "k@example.com")).json()["decision"] == "queued"
        with client_of(running.url, unseen.created["api_key"]) as other:
            refused = other.post("/api/events", json={"type": "page_view"})
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert client.post("/api/events", json=purchase(1, "k@example.com")).json()["decision"] == "queued"
        link.mend()


def test_with_neo4j_and_redis_away_events_are_503_and_nothing_is_half_taken(
    settings: Settings, tenant: Tenant, link: Link, tmp_path: Path
) -> None:
    with launch_redis(tmp_path / "redis") as mortal:
        update = {"redis_url": mortal.url}
        with serving(settings.model_copy(update=update)) as running, known_client(running, tenant) as client:
            link.cut()
            assert client.post("/api/events", json=purchase(0, "n@example.com")).json()["decision"] == "queued"
            mortal.process.kill_group()
            refused = client.post("/api/events", json=purchase(1, "n@example.com"))
            assert refused.status_code == 503
            assert int(refused.headers["retry-after"]) >= 1
            assert client.get("/api/monitoring/health/ready").status_code == 503
            link.mend()


def _sent_again(client: httpx.Client, event: dict[str, Any]) -> dict[str, Any]:
    """The outcome once the service takes it."""

    def send() -> dict[str, Any] | None:
        answer = client.post("/api/events", json=event)
        taken: dict[str, Any] | None = answer.json() if answer.status_code == 200 else None
        return taken

    outcome: dict[str, Any] = until(send, "there is room again")
    return outcome


def test_a_full_inbox_is_503(settings: Settings, tenant: Tenant, link: Link, tmp_path: Path) -> None:
    with launch_redis(tmp_path / "redis") as small:
        update = {"redis_url": small.url, "inbox_max_events": 2}
        with serving(settings.model_copy(update=update)) as running, known_client(running, tenant) as client:
            link.cut()
            events = [purchase(number, "f@example.com") for number in range(3)]
            assert [client.post("/api/events", json=one).status_code for one in events] == [200, 200, 503]
            with redis.Redis.from_url(small.url) as connection:
                assert connection.xlen(STREAM) == 2
            link.mend()
            for number in range(2):
                event_id = _sent_again(client, events[number])["event_id"]
                until_decided(client, event_id)
