"""Everything fails, in turn and at random, while clients send and send again: every acknowledged event counts once.

CONSTINTEL_CHAOS_SECONDS keeps on for so long with further failures, CONSTINTEL_CHAOS_SEED chooses others, and
CONSTINTEL_CHAOS_PATIENCE is how many seconds after a recovery queued events may wait (a minute).
"""

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import redis
from pydantic import SecretStr

from brands.onboarding import NewBrand, create_brand
from core.settings import Settings
from graph.driver import Graph
from ingest.inbox import PLACES, inbox_length
from ingest.redis_clients import open_redis
from tests.house.installation import RunningUp, running_up, wait_until
from tests.integration.chaos import Clients, Databases, databases, kill
from tests.integration.graph_state import live_profiles
from tests.oracle import people_of

_FREEZE_SECONDS = 10
_START_SECONDS = 240
# The promise: what was queued is decided within a minute of the recovery. A crowded machine needs more of everything.
_RESOLVE_SECONDS = float(os.environ.get("CONSTINTEL_CHAOS_PATIENCE", "60"))
_EVENTS = "MATCH (e:Event {brand: $brand}) RETURN e.id AS id"


def _faults(up: RunningUp, servers: Databases, chance: random.Random) -> dict[str, Callable[[], None]]:
    def freeze_neo4j() -> None:
        os.kill(servers.neo4j.pid, signal.SIGSTOP)
        threading.Event().wait(_FREEZE_SECONDS)
        os.kill(servers.neo4j.pid, signal.SIGCONT)

    def kill_neo4j() -> None:
        servers.kill_neo4j()
        # While it is away the inbox has to outlive its own server and the processes that fill it.
        wait_until(lambda: _waiting(servers) > 0, "events wait in the inbox")
        if chance.random() < 0.5:
            kill(up, "api")
        servers.kill_redis()
        servers.start_redis()
        servers.start_neo4j()

    def kill_redis() -> None:
        servers.kill_redis()
        threading.Event().wait(chance.random())
        servers.start_redis()

    def cut_commits() -> None:
        before = servers.proxy.commits_cut
        servers.proxy.cuts = 3
        wait_until(lambda: servers.proxy.commits_cut >= before + 3, "three commits lost their answer")

    return {
        "the API is killed": lambda: kill(up, "api"),
        "the worker is killed": lambda: kill(up, "worker"),
        "Redis is killed": kill_redis,
        "commits are cut": cut_commits,
        "Neo4j freezes": freeze_neo4j,
        "Neo4j is killed": kill_neo4j,
    }


def _waiting(servers: Databases) -> int:
    with open_redis(servers.redis.url, connect_seconds=2, answer_seconds=5) as client:
        try:
            return inbox_length(client)
        except redis.RedisError:
            return 1


def _wait_until_decided(servers: Databases, clients: Clients, name: str) -> None:
    """Until nothing is in the inbox that was acknowledged as queued before now, after all is there again."""
    queued = sorted(clients.queued)
    if queued:
        with open_redis(servers.redis.url, connect_seconds=2, answer_seconds=5) as client:
            wait_until(
                lambda: not any(client.hmget(PLACES, queued)),
                f"what was queued is decided after: {name}",
                _RESOLVE_SECONDS,
            )


def _warm_up(url: str, key: str) -> None:
    """One event that is decided: the first transactions of a new server take long."""

    def is_decided() -> bool:
        answer = httpx.post(f"{url}/api/events", json={"type": "page_view"}, headers={"X-API-Key": key}, timeout=60)
        return bool(answer.status_code == 200 and answer.json()["decision"] != "queued")

    wait_until(is_decided, "the first event is decided", _START_SECONDS)


def _is_ready(url: str) -> bool:
    try:
        health = httpx.get(f"{url}/api/monitoring/health", timeout=10).json()
    except httpx.TransportError:
        return False
    return bool(health["checks"]["neo4j"]["status"] == "ok" and health["checks"]["redis"]["status"] == "ok")


def test_every_acknowledged_event_counts_once_whatever_dies(tmp_path: Path) -> None:
    seed = int(os.environ.get("CONSTINTEL_CHAOS_SEED", "1"))
    until = time.monotonic() + float(os.environ.get("CONSTINTEL_CHAOS_SECONDS", "0"))
    chance = random.Random(seed)
    with databases(tmp_path) as servers, running_up(tmp_path / "data", addresses=servers.addresses) as up:
        url = str(up.wait_until_running(_START_SECONDS)["url"])
        settings = Settings(
            neo4j_uri=servers.neo4j.uri,
            neo4j_user=servers.neo4j.user,
            neo4j_password=SecretStr(servers.neo4j.password),
            # Where the key is that seals what this process writes for the running installation.
            data_dir=tmp_path / "data",
        )
        with Graph.connect(settings) as graph:
            made = create_brand(graph, NewBrand("chaos"))
            _warm_up(url, create_brand(graph, NewBrand("warm-up")).api_key)
            clients = Clients(url, made.api_key, made.id, seed)
            clients.start(3)
            try:
                wait_until(lambda: len(clients.sent) > 20, "the clients are under way")
                faults = _faults(up, servers, chance)
                names = chance.sample(sorted(faults), len(faults))
                while names:
                    name = names.pop()
                    before = len(clients.sent)
                    faults[name]()
                    wait_until(lambda: _is_ready(url), f"all is there again after: {name}")
                    clients.wait_for_more(before)
                    _wait_until_decided(servers, clients, name)
                    if not names and time.monotonic() < until:
                        names = [chance.choice(sorted(faults))]
            finally:
                clients.stop()
            wait_until(lambda: _waiting(servers) == 0, "the inbox is empty at the end", _RESOLVE_SECONDS)
            _check(graph, clients)


def _check(graph: Graph, clients: Clients) -> None:
    """What was acknowledged, against the graph and against an oracle that knows neither order nor failures."""
    assert clients.refused == []
    assert clients.queued, "nothing was queued: the failures did not fail"
    assert all(event_id == event.id for event_id, event in clients.sent.items())
    with graph.session() as session:
        stored = [row["id"] for row in session.run(_EVENTS, brand=clients.brand)]
    assert len(stored) == len(set(stored))
    assert set(stored) == set(clients.sent)
    found = {
        (live.identifiers, live.event_count, live.performed, live.total_orders, live.ltv_minor)
        for live in live_profiles(graph, clients.brand)
    }
    people = people_of(list(clients.sent.values()))
    assert found == {(one.identifiers, one.events, one.events, one.orders, one.ltv_minor) for one in people}
    with httpx.Client(base_url=clients.url, headers={"Authorization": f"Bearer {clients.key}"}, timeout=20) as client:
        for event_id in sorted(clients.queued)[:200]:
            assert client.get(f"/api/events/{event_id}").json()["decision"] in {"created", "attached", "merged"}
