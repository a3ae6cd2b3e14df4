"""The change feed over HTTP: pages by cursor, and a stream of the backlog first and then of what happens."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from api import change_stream
from core.clock import utc_now
from core.settings import Settings, child_environment
from graph.driver import Graph
from graph.repositories.changes import append_waiting, prune_feed
from tests.integration.api.conftest import Service, Tenant, client_of, serving
from tests.integration.api.test_api_outage import Link

CHANGES = "/api/identity/changes"
STREAM = f"{CHANGES}/stream"


def relay(tenant: Tenant) -> None:
    while append_waiting(tenant.graph, tenant.id, 100):
        pass


def page(tenant: Tenant, **params: Any) -> dict[str, Any]:
    answer = tenant.client.get(CHANGES, params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


class Stream:
    """Reads a stream event by event."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.iter_lines()
        self.comments = 0

    def next(self) -> dict[str, Any] | None:
        """The next event with its data, None when the stream ended."""
        event: dict[str, Any] = {}
        for line in self._lines:
            if not line:
                if "data" in event:
                    return event
                event = {}
            elif line.startswith(":"):
                self.comments += 1
            else:
                name, _, value = line.partition(": ")
                event[name] = json.loads(value) if name == "data" else value
        return None


@contextmanager
def streaming(client: httpx.Client, *, last_event_id: str | None = None, **params: Any) -> Iterator[Stream]:
    headers = {"Last-Event-ID": last_event_id} if last_event_id else None
    params = {"from" if name == "start" else name: value for name, value in params.items()}
    with client.stream("GET", STREAM, params=params, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer)


def test_pages_follow_one_another_and_end_with_a_cursor_to_come_back_with(tenant: Tenant) -> None:
    ids = tenant.profiles(3)
    relay(tenant)
    first = page(tenant, limit=2)
    assert ([item["profile_id"] for item in first["items"]], first["has_more"]) == (ids[:2], True)
    second = page(tenant, limit=2, cursor=first["next_cursor"])
    assert ([item["profile_id"] for item in second["items"]], second["has_more"]) == (ids[2:], False)
    assert page(tenant, cursor=second["next_cursor"]) == {
        "items": [], "next_cursor": second["next_cursor"], "has_more": False,
    }  # fmt: skip
    assert page(tenant, **{"from": "now"})["next_cursor"] == second["next_cursor"]


def test_an_entry_names_the_old_id_the_profile_then_and_the_live_one_now(tenant: Tenant) -> None:
    one, two, three = tenant.profiles(3)
    tenant.client.post(f"/api/profiles/{one}/merge", json={"profile_ids": [two]}).raise_for_status()
    tenant.client.post(f"/api/profiles/{one}/merge", json={"profile_ids": [three]}).raise_for_status()
    tenant.client.post(f"/api/profiles/{one}/unmerge", json={}).raise_for_status()
    relay(tenant)
    merged, again, unmerged = page(tenant, kind=["merged", "unmerged"])["items"]
    assert merged["moves"] == [{"old_id": two, "profile_id": one, "live_id": one}]
    assert again["moves"] == [{"old_id": three, "profile_id": one, "live_id": three}]
    assert unmerged["moves"] == [{"old_id": three, "profile_id": three, "live_id": three}]
    assert merged["at"].endswith("Z")


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"cursor": "x"}, "cursor"), ({"cursor": "-1"}, "cursor"), ({"cursor": "9" * 30}, "cursor"),
        ({"cursor": "99"}, "cursor"), ({"kind": "exploded"}, "kind"), ({"from": "then"}, "from"),
        ({"cursor": "0", "from": "now"}, "from"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", [CHANGES, STREAM])
def test_what_makes_no_sense_is_refused_by_name(tenant: Tenant, params: dict[str, str], field: str, path: str) -> None:
    answer = tenant.client.get(path, params={**params, **({"follow": "false"} if path == STREAM else {})})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_a_cursor_older_than_retention_is_410_and_names_the_oldest(tenant: Tenant, graph: Graph) -> None:
    tenant.profiles(2)
    relay(tenant)
    prune_feed(graph, tenant.id, utc_now() + timedelta(minutes=1))
    for path in (CHANGES, STREAM):
        answer = tenant.client.get(path, params={"cursor": "1"})
        assert (answer.status_code, answer.json()["code"]) == (410, "cursor_expired")
        assert answer.json()["oldest_cursor"] == "2"
    assert page(tenant, cursor="2")["items"] == []


def test_a_brand_reads_its_own_feed_only(new_tenant: Callable[[], Tenant]) -> None:
    one, two = new_tenant(), new_tenant()
    [profile] = one.profiles(1)
    relay(one)
    assert [item["profile_id"] for item in page(one)["items"]] == [profile]
    assert page(two) == {"items": [], "next_cursor": "0", "has_more": False}


def test_a_stream_gives_the_backlog_then_what_happens(tenant: Tenant) -> None:
    ids = tenant.profiles(2)
    relay(tenant)
    with streaming(tenant.client) as stream:
        for number, expected in enumerate(ids, 1):
            event = stream.next()
            assert event is not None
            assert (event["id"], event["event"], event["data"]["profile_id"]) == (str(number), "created", expected)
        [new] = tenant.profiles(1)
        relay(tenant)
        event = stream.next()
        assert event is not None
        assert (event["id"], event["data"]["profile_id"]) == ("3", new)
    assert page(tenant, cursor="2")["items"][0] == event["data"]


def test_a_stream_goes_on_after_the_last_event_id(tenant: Tenant) -> None:
    ids = tenant.profiles(3)
    relay(tenant)
    for seen, cursor in (("2", "1"), (None, "2")):
        with streaming(tenant.client, last_event_id=seen, cursor=cursor, follow="false") as stream:
            event = stream.next()
            assert event is not None
            assert event["data"]["profile_id"] == ids[2]
            assert stream.next() is None


def test_a_stream_of_some_kinds_gives_only_those(tenant: Tenant) -> None:
    one, two = tenant.profiles(2)
    tenant.client.post(f"/api/profiles/{one}/merge", json={"profile_ids": [two]}).raise_for_status()
    relay(tenant)
    with streaming(tenant.client, kind="merged", follow="false") as stream:
        event = stream.next()
        assert event is not None
        assert event["event"] == "merged"
        assert stream.next() is None


def test_many_listeners_share_one_poller(tenant: Tenant, service: Service, graph: Graph) -> None:
    heard = threading.Barrier(11, timeout=60)

    def listen() -> str:
        with (
            client_of(service.url, tenant.created["api_key"]) as client,
            streaming(client, start="now") as stream,
        ):
            heard.wait()
            event = stream.next()
            assert event is not None
            return str(event["data"]["profile_id"])

    streams = service.app.state.services.streams
    with ThreadPoolExecutor(10) as threads:
        listeners = [threads.submit(listen) for _ in range(10)]
        heard.wait()
        tasks = streams._poller
        [profile] = tenant.profiles(1)
        relay(tenant)
        assert {listener.result() for listener in listeners} == {profile}
        assert streams._poller is tasks


def test_a_listener_whose_key_was_revoked_is_let_go_and_others_get_signs_of_life(
    service_settings: Settings, graph: Graph, new_tenant: Callable[[], Tenant], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_stream.ChangeStreams.__init__, "__kwdefaults__", {
        "poll_seconds": 0.05, "heartbeat_seconds": 0.05,
    })  # fmt: skip
    tenant = new_tenant()
    with serving(service_settings) as running, tenant.key("read") as other:
        key = other.headers["authorization"].split()[1]
        with client_of(running.url, key) as client, streaming(client) as stream:
            tenant.profiles(1)
            relay(tenant)
            assert stream.next() is not None
            running.app.state.services.directory.revoke(tenant.id, key[3:15])
            assert stream.next() is None
            assert stream.comments >= 1


def test_a_slow_listener_gets_everything_in_order_from_what_is_stored(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_stream, "_RECENT", 4)
    monkeypatch.setattr(change_stream, "_PAGE", 3)
    with streaming(tenant.client, start="now") as stream:
        body = {"events": [{"type": "page_view", "identifiers": {"email": f"s{n}@example.com"}} for n in range(40)]}
        tenant.client.post("/api/events/batch", json=body).raise_for_status()
        relay(tenant)
        seen: list[str] = []
        while len(seen) < 40:
            event = stream.next()
            assert event is not None
            seen.append(event["id"])
    assert seen == [str(number) for number in range(1, 41)]


@pytest.fixture
def link(service_settings: Settings) -> Iterator[Link]:
    """A way to Neo4j that can be cut and mended."""
    address = urlsplit(service_settings.neo4j_uri or "")
    opened = Link(address.hostname or "127.0.0.1", address.port or 7687)
    yield opened
    opened.close()


def test_a_stream_survives_an_outage_of_the_graph(service_settings: Settings, tenant: Tenant, link: Link) -> None:
    settings = service_settings.model_copy(update={"neo4j_uri": f"bolt://127.0.0.1:{link.port}"})
    with (
        serving(settings) as running,
        client_of(running.url, tenant.created["api_key"]) as client,
        streaming(client, start="now") as stream,
    ):
        profiles = tenant.profiles(1)
        relay(tenant)
        events = [stream.next()]
        link.cut()
        profiles += tenant.profiles(1)
        relay(tenant)
        deadline = time.monotonic() + 60
        while running.app.state.services.streams.outages == 0 and time.monotonic() < deadline:
            threading.Event().wait(0.05)
        link.mend()
        events.append(stream.next())
        assert [event["data"]["profile_id"] for event in events if event] == profiles


def test_a_stream_ends_when_the_server_is_told_to_stop(service_settings: Settings, tenant: Tenant) -> None:
    tenant.profiles(1)
    relay(tenant)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "uvicorn", "api.app:create_app", "--factory", "--port", str(port)]
    server = subprocess.Popen([*words, "--no-access-log"], env=child_environment(service_settings), cwd=os.getcwd())
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", transport=httpx.HTTPTransport(retries=12), timeout=60,
            headers={"X-API-Key": tenant.created["api_key"]},
        ) as client, streaming(client) as stream:  # fmt: skip
            assert stream.next() is not None
            server.send_signal(signal.SIGTERM)
            assert stream.next() is None
        assert server.wait(timeout=60) in (0, -signal.SIGTERM)
    finally:
        server.kill()
        server.wait()
