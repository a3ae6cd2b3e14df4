"""The API process and Neo4j are killed without a warning: what was acknowledged is there, nothing is there twice."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.brand import BrandSettings
from core.errors import TimedOutError, UnavailableError
from core.events import IncomingEvent
from core.settings import Settings, child_environment
from embedded.neo4j import Neo4jOptions, Neo4jServer, start_neo4j
from embedded.neo4j_conf import TEST_SIZES
from embedded.process import free_port
from graph.commit import commit_batch
from graph.driver import Graph
from graph.invariants import broken_invariants
from graph.migrations import migrate
from tests.conftest import Neo4jAddress, neo4j_update
from tests.factories import event, fact
from tests.histories import overlapping_history
from tests.integration.api.conftest import Service, Tenant, client_of
from tests.integration.cutting_proxy import AFTER_COMMIT, BEFORE_COMMIT, cutting_proxy
from tests.integration.graph_state import live_profiles
from tests.oracle import Person, people_of

_SECONDS = 240.0
_CLIENTS = 4


@contextmanager
def api_process(settings: Settings, log: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """One API process as `serve` runs it; killed at the end."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    words = [sys.executable, "-m", "uvicorn", "api.app:create_app", "--factory", "--port", str(port)]
    with log.open("ab") as output:
        process = subprocess.Popen(words, env=child_environment(settings), stdout=output, stderr=output)
    try:
        _wait_until_served(url, process)
        yield url, process
    finally:
        process.kill()
        process.wait()


def _wait_until_served(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            if httpx.get(f"{url}/api/monitoring/health/ready", timeout=2).is_success:
                return
        except httpx.TransportError:
            continue
    pytest.fail("the API did not start")


def as_body(told: IncomingEvent) -> dict[str, Any]:
    """The event as a client sends it."""
    body: dict[str, Any] = {
        "message_id": told.id,
        "type": told.type,
        "source": told.source,
        "occurred_at": told.occurred_at.isoformat(),
        "identifiers": {},
    }
    for found in told.identifiers:
        body["identifiers"].setdefault(found.type, []).append(found.value)
    if told.order is not None:
        total = f"{told.order.total_minor / 100:.2f}"
        body["payload"] = {"order_id": told.order.order_id, "total": total, "currency": told.order.currency}
    return body


def found_people(graph: Graph, brand: str) -> set[Person]:
    """Live profiles as the oracle tells people."""
    return {
        Person(live.identifiers, live.performed, live.total_orders, live.ltv_minor)
        for live in live_profiles(graph, brand)
    }


def is_sound(graph: Graph, brand: str, told: list[IncomingEvent]) -> bool:
    """Whether exactly what was told is there."""
    assert broken_invariants(graph, brand) == []
    return found_people(graph, brand) == people_of(told)


def _batch(brand: str) -> list[IncomingEvent]:
    """Two people who turn out to be one, and what both bought: one transaction that touches everything."""
    return [
        event(brand, "email:a@example.com", key="1", minute=1, order=fact(brand, "o1", total=1000)),
        event(brand, "phone:+14155550101", key="2", minute=2, order=fact(brand, "o2", total=500)),
        event(brand, "email:a@example.com", "phone:+14155550101", key="3", minute=3),
        event(brand, "email:b@example.com", key="4", minute=4, order=fact(brand, "o1", total=1000)),
    ]


@pytest.mark.parametrize("point", [BEFORE_COMMIT, AFTER_COMMIT])
def test_an_api_that_is_killed_at_a_commit_neither_loses_nor_repeats_anything(
    service: Service, tenant: Tenant, service_settings: Settings, tmp_path: Path, point: str
) -> None:
    acknowledged = [event(tenant.id, "email:a@example.com", "email:c@example.com", key="0")]
    in_flight = _batch(tenant.id)
    key = str(tenant.client.headers["Authorization"]).removeprefix("Bearer ")
    with cutting_proxy(service_settings.neo4j_uri or "") as proxy, ThreadPoolExecutor(1) as sender:
        cut = service_settings.model_copy(update={"neo4j_uri": f"bolt://127.0.0.1:{proxy.port}"})
        with api_process(cut, tmp_path / "api.log") as (url, process), client_of(url, key) as client:
            assert client.post("/api/events", json=as_body(acknowledged[0])).status_code == 200
            proxy.hold(point)
            sent = sender.submit(client.post, "/api/events/batch", json={"events": [as_body(e) for e in in_flight]})
            assert proxy.held.wait(_SECONDS)
            process.kill()
            process.wait()
            with pytest.raises(httpx.TransportError):
                sent.result()
    stored = in_flight if point == AFTER_COMMIT else []
    assert is_sound(tenant.graph, tenant.id, [*acknowledged, *stored])
    again = tenant.client.post("/api/events/batch", json={"events": [as_body(e) for e in [*acknowledged, *in_flight]]})
    answers = [answer["duplicate"] for answer in again.json()["results"]]
    assert answers == [True] + [point == AFTER_COMMIT] * len(in_flight)
    assert is_sound(tenant.graph, tenant.id, [*acknowledged, *in_flight])


class Clients:
    """Clients that send events until each is acknowledged, whatever happens to the service meanwhile."""

    def __init__(self, key: str, told: list[IncomingEvent]) -> None:
        self.acknowledged: list[str] = []
        """Ids of events, as the service gave them."""
        self.url = ""
        self._key = key
        self._waiting = list(told)
        self._lock = threading.Lock()

    def run(self) -> None:
        """Send what is waiting; what is not acknowledged waits again."""
        while (told := self._take()) is not None:
            try:
                with client_of(self.url, self._key) as client:
                    answer = client.post("/api/events", json=as_body(told))
            except httpx.TransportError:
                answer = None
            with self._lock:
                if answer is not None and answer.status_code == 200:
                    self.acknowledged.append(answer.json()["event_id"])
                else:
                    self._waiting.append(told)

    def wait_for(self, count: int) -> list[str]:
        """Return when so many are acknowledged; which ones."""
        return wait_for(self.acknowledged, count)

    def _take(self) -> IncomingEvent | None:
        with self._lock:
            return self._waiting.pop(0) if self._waiting else None


def wait_for(acknowledged: list[str], count: int) -> list[str]:
    """Return when the list is so long; a copy of it."""
    deadline = time.monotonic() + _SECONDS
    pause = threading.Event()
    while len(acknowledged) < count:
        assert time.monotonic() < deadline
        pause.wait(0.01)
    return list(acknowledged)


def are_stored(graph: Graph, ids: list[str]) -> bool:
    """Whether the graph has all of these events."""
    with graph.session() as session:
        [[found]] = session.run("UNWIND $ids AS id MATCH (e:Event {id: id}) RETURN count(e)", ids=ids).values()
    return bool(found == len(set(ids)))


def test_an_api_that_is_killed_under_load_keeps_what_it_acknowledged(
    tenant: Tenant, service_settings: Settings, tmp_path: Path
) -> None:
    history = overlapping_history(tenant.id, 7, blocks=5, events=90, most=3)
    key = str(tenant.client.headers["Authorization"]).removeprefix("Bearer ")
    clients = Clients(key, history)
    with ThreadPoolExecutor(_CLIENTS) as pool:
        running: list[Future[None]] = []
        for stop_at in (30, len(history)):
            with api_process(service_settings, tmp_path / "api.log") as (url, process):
                clients.url = url
                running = running or [pool.submit(clients.run) for _ in range(_CLIENTS)]
                clients.wait_for(stop_at)
                process.kill()
                process.wait()
                assert are_stored(tenant.graph, list(clients.acknowledged))
        for done in running:
            done.result()
    assert is_sound(tenant.graph, tenant.id, history)


@pytest.fixture
def own_neo4j(tmp_path: Path) -> Neo4jOptions:
    """A place, and ports, for a server that may be killed and started again on its data."""
    return Neo4jOptions(tmp_path / "neo4j", free_port(), free_port(), sizes=TEST_SIZES)


def _start(options: Neo4jOptions) -> Neo4jServer:
    server = start_neo4j(options)
    server.wait_until_started()
    return server


def test_a_neo4j_that_is_killed_has_everything_acknowledged_when_it_is_back(
    own_neo4j: Neo4jOptions, graph_settings: Settings, brand_id: str
) -> None:
    history = overlapping_history(brand_id, 8, blocks=4, events=60, most=3)
    acknowledged: list[str] = []

    def write(graph: Graph, batches: list[list[IncomingEvent]]) -> None:
        while batches:
            try:
                done = commit_batch(graph, BrandSettings(brand_id), batches[0], budget_seconds=5)
            except (UnavailableError, TimedOutError):
                continue
            acknowledged.extend(result.event_id for result in done)
            del batches[0]

    server = _start(own_neo4j)
    address = Neo4jAddress(server.uri, server.user, server.password)
    settings = graph_settings.model_copy(update=neo4j_update(address))
    try:
        with Graph.connect(settings) as graph, ThreadPoolExecutor(_CLIENTS) as pool:
            migrate(graph)
            batches = [history[start : start + 3] for start in range(0, len(history), 3)]
            running = [pool.submit(write, graph, batches[place::_CLIENTS]) for place in range(_CLIENTS)]
            before = wait_for(acknowledged, 15)
            server.process.kill_group()
            assert len(before) < len(history)
            server = _start(own_neo4j)
            assert are_stored(graph, before)
            for done in running:
                done.result()
            assert is_sound(graph, brand_id, history)
    finally:
        server.stop()
