"""A process that starts while Neo4j is away knows the keys that others saw, if nobody but the service wrote them."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from brands.directory import BrandDirectory
from brands.last_known import KNOWN_SECONDS, LastKnown
from core.settings import Settings
from embedded.redis import RedisServer, launch_redis
from tests.integration.api.conftest import Tenant, client_of, serving
from tests.integration.api.test_api_crashes import api_process
from tests.integration.api.test_api_inbox import until, until_decided
from tests.integration.api.test_api_outage import Link, link

__all__ = ["link"]
EVENT = {"type": "identify", "message_id": "m-1", "identifiers": {"email": "restarted@example.com"}}


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that remembers nothing yet."""
    with launch_redis(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def settings(service_settings: Settings, own_redis: RedisServer, link: Link) -> Settings:
    """Neo4j over the link: `link.cut()` takes it away."""
    return service_settings.model_copy(
        update={"neo4j_uri": f"bolt://127.0.0.1:{link.port}", "redis_url": own_redis.url}
    )


@pytest.fixture
def held(own_redis: RedisServer) -> Iterator[redis.Redis]:
    """What Redis holds."""
    client = redis.Redis.from_url(own_redis.url)
    yield client
    client.close()


def seen(settings: Settings, *keys: str) -> None:
    """A process that saw these keys and ended."""
    with serving(settings) as running:
        for key in keys:
            with client_of(running.url, key) as client:
                assert client.post("/api/events", json={"type": "page_view"}).status_code == 200


def test_a_process_started_during_an_outage_queues_events_of_known_keys_and_stores_them_once(
    settings: Settings, tenant: Tenant, link: Link, tmp_path: Path
) -> None:
    key, stranger = tenant.created["api_key"], tenant.created["write_key"]
    seen(settings, key)
    link.cut()
    with api_process(settings, tmp_path / "log") as (url, _), client_of(url, key) as client:
        queued = client.post("/api/events", json=EVENT)
        assert (queued.status_code, queued.json()["decision"]) == (200, "queued")
        assert client.post("/api/events", json=EVENT).json()["event_id"] == queued.json()["event_id"]
        with client_of(url, stranger) as other:
            assert other.post("/api/events", json=EVENT).status_code == 503
        with client_of(url, f"{key[:-4]}AAAA") as wrong:
            assert wrong.post("/api/events", json=EVENT).status_code == 401
        link.mend()
        assert until_decided(client, queued.json()["event_id"])["decision"] == "created"


def test_a_key_that_was_taken_back_before_the_outage_is_refused_during_it(
    settings: Settings, tenant: Tenant, link: Link, tmp_path: Path, held: redis.Redis
) -> None:
    key = tenant.created["write_key"]
    with serving(settings) as running, client_of(running.url, key) as client:
        assert client.post("/api/events", json={"type": "page_view"}).status_code == 200
        name = f"constintel:known:key|{key.split('_')[1]}"
        before = until(lambda: held.hget(name, "body"), "the key is kept")
        running.app.state.services.directory.revoke(tenant.id, key.split("_")[1])
        until(lambda: held.hget(name, "body") != before, "the end of the key is kept")
    link.cut()
    with api_process(settings, tmp_path / "log") as (url, _), client_of(url, key) as client:
        assert client.post("/api/events", json=EVENT).status_code == 401


def test_a_key_that_is_taken_back_during_the_outage_is_refused_soon_after_it(
    settings: Settings, tenant: Tenant, link: Link, tmp_path: Path
) -> None:
    key = tenant.created["write_key"]
    seen(settings, key)
    link.cut()
    with api_process(settings, tmp_path / "log") as (url, _), client_of(url, key) as client:
        assert client.post("/api/events", json=EVENT).status_code == 200
        # Somebody reaches the database by another way.
        directory = BrandDirectory(tenant.graph)
        directory.revoke(tenant.id, key.split("_")[1])
        directory.close()
        link.mend()
        until(lambda: client.post("/api/events", json=EVENT).status_code == 401, "the key is refused")


def test_what_was_changed_in_redis_or_is_too_old_makes_nobody_a_caller(
    settings: Settings, tenant: Tenant, link: Link, held: redis.Redis
) -> None:
    keys = (tenant.created["api_key"], tenant.created["write_key"])
    seen(settings, *keys)
    first, second = (f"constintel:known:key|{key.split('_')[1]}" for key in keys)
    body = held.hget(second, "body")
    assert isinstance(body, bytes)
    assert tenant.id.encode() not in body
    # Another's entry in the place of one's own, and one without a whole seal.
    held.hset(second, mapping={b"body": held.hget(first, "body") or b"", b"at": held.hget(first, "at") or b""})
    link.cut()
    with serving(settings) as running, client_of(running.url, keys[1]) as client:
        assert client.post("/api/events", json=EVENT).status_code == 503
        held.hset(second, "body", b"AAAA" + body[4:])
        assert client.post("/api/events", json=EVENT).status_code == 503
        with client_of(running.url, keys[0]) as other:
            assert other.post("/api/events", json=EVENT).status_code == 200


def test_the_later_answer_of_the_graph_stands_and_an_hour_is_the_most(own_redis: RedisServer) -> None:
    now = time.time()
    clock = [now]
    known = LastKnown(redis.Redis.from_url(own_redis.url), "password", lambda: clock[0])
    key = uuid.uuid4().hex
    known.keep("key", key, {"is_revoked": True}, now)
    known.keep("key", key, {"is_revoked": False}, now - 5)
    assert until(lambda: known.find("key", key), "it is kept") == ({"is_revoked": True}, 0.0)
    other = LastKnown(redis.Redis.from_url(own_redis.url), "another password", lambda: clock[0])
    assert other.find("key", key) is None
    clock[0] = now + KNOWN_SECONDS - 1
    assert known.find("key", key) is not None
    clock[0] = now + KNOWN_SECONDS + 1
    assert known.find("key", key) is None
    known.close()
    other.close()
