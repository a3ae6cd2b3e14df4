"""Queues, numbers, metrics and streams over HTTP: true, bound to the caller, and refusing before reading when full."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from core.settings import Settings
from embedded.redis import launch_redis
from graph.driver import Graph
from ingest import relay
from ingest.redis_clients import open_redis
from tests.integration.api.conftest import Service, Tenant, client_of, serving
from tests.integration.api.test_api_inbox import known_client, until
from tests.integration.api.test_api_outage import Link, link

__all__ = ["link"]


@pytest.fixture(scope="module")
def own_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of these tests' own."""
    with launch_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@pytest.fixture
def own_settings(service_settings: Settings, own_url: str) -> Settings:
    return service_settings.model_copy(update={"redis_url": own_url})


def samples(url: str) -> dict[tuple[str, str], float]:
    """(name, the label that tells series of one process apart) → value, of this process and its Redis' others."""
    answer = httpx.get(f"{url}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    found: dict[tuple[str, str], float] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = {name: value for name, value in sample.labels.items() if name not in {"process", "method"}}
            key = (sample.name, ",".join(f"{name}={value}" for name, value in sorted(labels.items())))
            found[key] = found.get(key, 0.0) + sample.value
    return found


def test_metrics_count_events_by_source_and_decision(own_settings: Settings, tenant: Tenant) -> None:
    with serving(own_settings) as running, client_of(running.url, tenant.created["api_key"]) as client:
        before = samples(running.url)
        event = {"type": "identify", "message_id": "m-1", "identifiers": {"email": "a@example.com"}}
        for _ in range(2):
            assert client.post("/api/events", json=event).status_code == 200
        assert client.post("/api/events", json={"type": 7}).status_code == 422
        batch = {"events": [{"type": "page_view"}, {"nothing": 1}]}
        assert client.post("/api/events/batch", json=batch).json()["rejected"] == 1
        with client_of(running.url, tenant.created["write_key"]) as writer:
            body = {"batch": [{"type": "track", "event": "Clicked", "userId": "u"}, {"type": "?"}]}
            assert writer.post("/v1/batch", json=body).status_code == 200
        after = samples(running.url)

        def grown(name: str, labels: str) -> float:
            return after.get((name, labels), 0.0) - before.get((name, labels), 0.0)

        assert grown("constintel_events_received_total", "source=api") == 5
        assert grown("constintel_events_accepted_total", "decision=created,source=api") == 2
        assert grown("constintel_events_accepted_total", "decision=unattached,source=api") == 1
        assert grown("constintel_events_rejected_total", "source=api") == 2
        assert grown("constintel_events_duplicate_total", "source=api") == 1
        assert grown("constintel_events_accepted_total", "decision=created,source=segment") == 1
        assert grown("constintel_events_rejected_total", "source=segment") == 1
        assert grown("constintel_take_seconds_count", "source=api") == 3
        assert grown("constintel_commit_events_sum", "") == 4
        assert grown("constintel_http_requests_total", "route=/api/events,status=200") == 2
        assert grown("constintel_http_requests_total", "route=/api/events,status=422") == 1
        assert after["constintel_up", "part=neo4j"] == 1
        assert after["constintel_queue_length", "queue=inbox"] == 0
        stats = client.get("/api/monitoring/stats").json()
        assert stats["sources"]["api"]["decisions"]["created"] >= 2
        assert stats["sources"]["api"]["milliseconds"]["p99"] > 0
        assert stats["commits"]["events"] >= 4


def test_every_process_is_in_the_numbers_until_it_ends(own_settings: Settings, tenant: Tenant) -> None:
    with (
        serving(own_settings) as first,
        serving(own_settings) as second,
        client_of(first.url, tenant.created["api_key"]) as client,
    ):
        assert client.post("/api/events", json={"type": "page_view"}).status_code == 200
        until(lambda: ("constintel_take_seconds_count", "source=api") in samples(second.url), "the other tells")


def test_queues_tell_what_waits_and_null_for_what_cannot_be_told(
    own_settings: Settings, tenant: Tenant, link: Link
) -> None:
    settings = own_settings.model_copy(update={"neo4j_uri": f"bolt://127.0.0.1:{link.port}"})
    with serving(settings) as running, known_client(running, tenant) as client:
        queues = client.get("/api/monitoring/queues").json()
        assert queues.keys() == {"commit", "inbox", "marks", "tasks", "streams", "dead_letters"}
        assert queues["inbox"] == {"entries": 0, "bytes": 0, "oldest_seconds": 0.0}
        assert queues["marks"]["streams"]["marks"] >= 1
        assert queues["dead_letters"] == 0
        link.cut()
        assert client.post("/api/events", json={"type": "page_view"}).json()["decision"] == "queued"
        waiting = client.get("/api/monitoring/queues").json()
        assert (waiting["inbox"]["entries"], waiting["marks"], waiting["dead_letters"]) == (1, None, None)
        assert waiting["inbox"]["bytes"] > 0
        link.mend()
        until(lambda: client.get("/api/monitoring/queues").json()["inbox"]["entries"] == 0, "the inbox is empty")


def test_a_stream_shows_the_entries_of_the_callers_brand_alone(
    own_settings: Settings, own_url: str, new_tenant: Callable[[], Tenant], graph: Graph
) -> None:
    one, two = new_tenant(), new_tenant()
    with serving(own_settings) as running:
        clients = [client_of(running.url, tenant.created["api_key"]) for tenant in (one, two)]
        sent: list[list[str]] = [[], []]
        for number in range(5):
            for place, client in enumerate(clients):
                event = {"type": "page_view", "payload": {"n": number}, "identifiers": {"email": f"{number}@x.io"}}
                sent[place].append(client.post("/api/events", json=event).json()["event_id"])
        with open_redis(own_url, connect_seconds=2, answer_seconds=5) as connection:
            until(lambda: not _relay(graph, connection), "everything is in the streams")
        for place, client in enumerate(clients):
            newest = client.get("/api/streams/events.raw").json()
            assert [item["event_id"] for item in newest["items"]] == sent[place][::-1]
            assert newest["items"][0]["payload"] == {"n": 4}
            assert "brand" not in newest["items"][0]
            assert _pages(client, "events.normalized", limit=2) == sent[place]
        info = clients[0].get("/api/streams/info").json()["items"]
        assert [item["name"] for item in info] == ["events.raw", "events.normalized", "merge_requests"]
        assert info[0]["length"] >= 10
        assert clients[0].get("/api/streams/events.secret").status_code == 404
        assert clients[0].get("/api/streams/events.raw", params={"cursor": "x"}).status_code == 422
        for client in clients:
            client.close()


def _relay(graph: Graph, connection: Any) -> int:
    return relay.relay_marks(graph, connection, lambda _: None).marks


def _pages(client: httpx.Client, name: str, *, limit: int) -> list[str]:
    """Event ids from the oldest on; whoever follows a stream stays where the last page ended."""
    found: list[str] = []
    cursor = None
    while True:
        params: dict[str, Any] = {"order": "oldest", "limit": limit, "cursor": cursor}
        page = client.get(f"/api/streams/{name}", params=params).json()
        if not page["items"] and page["next_cursor"] == cursor:
            return found
        found += [item["event_id"] for item in page["items"]]
        cursor = page["next_cursor"]


@pytest.mark.parametrize("path", ["/api/events", "/api/events/batch", "/v1/track", "/v1/batch", "/batch/"])
def test_a_full_house_refuses_before_reading_large_requests_first(
    service: Service, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    ingest = service.app.state.services.ingest
    with client_of(service.url, tenant.created["api_key"]) as client:
        monkeypatch.setattr(ingest._committer, "_waiting_events", ingest._room // 2 + 1)
        # Nothing of it is read: it is no JSON at all.
        large = client.post(path, content=b"{" * 40_000)
        assert (large.status_code, large.json()["code"]) == (429, "too_many_requests")
        assert int(large.headers["retry-after"]) >= 1
        assert client.post(path, content=b"{").status_code == 400
        monkeypatch.setattr(ingest._committer, "_waiting_events", ingest._room + 1)
        refused = client.post(path, content=b"{")
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert int(refused.headers["retry-after"]) >= 1
        assert client.get("/api/profiles").status_code == 200


def test_a_webhook_is_refused_before_reading_when_the_house_is_full(
    service: Service, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest = service.app.state.services.ingest
    monkeypatch.setattr(ingest._committer, "_waiting_events", ingest._room + 1)
    path = tenant.created["webhook_urls"]["shopify"]
    assert httpx.post(service.url + path, content=b"{}").status_code == 503


def test_an_unknown_method_is_no_line_of_its_own(service: Service) -> None:
    name = uuid.uuid4().hex.upper()
    httpx.request(name, f"{service.url}/api/events")
    assert name not in httpx.get(f"{service.url}/metrics").text
