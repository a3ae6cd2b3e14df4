"""While Neo4j cannot be reached the service says so and forgets nobody's key; afterwards it goes on by itself."""

import selectors
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from core.settings import Settings
from tests.integration.api.conftest import Tenant, client_of, serving

_PIECE = 65_536
_SECONDS = 30.0


class Link:
    """A TCP link to Neo4j that can be cut and mended, or frozen and thawed."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._is_cut = False
        self._flows = threading.Event()
        self._flows.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection and refuse new ones."""
        self._is_cut = True
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def mend(self) -> None:
        """Let connections through again."""
        self._is_cut = False

    def freeze(self) -> None:
        """Carry nothing any more: connections stay open, new ones open too, and nobody gets an answer."""
        self._flows.clear()

    def thaw(self) -> None:
        """Carry everything that waited."""
        self._flows.set()

    def close(self) -> None:
        """End the link for good."""
        self.cut()
        self.thaw()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self._is_cut:
                    near.close()
                    continue
                far = socket.create_connection(self._target)
                self._open += [near, far]
                threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        with near, far, selectors.DefaultSelector() as selector, suppress(OSError):
            selector.register(near, selectors.EVENT_READ, far)
            selector.register(far, selectors.EVENT_READ, near)
            while True:
                for ready, _ in selector.select():
                    piece = ready.fileobj.recv(_PIECE)  # type: ignore[union-attr]  # sockets were registered
                    if not piece:
                        return
                    self._flows.wait()
                    ready.data.sendall(piece)


@pytest.fixture
def link(service_settings: Settings) -> Iterator[Link]:
    address = urlsplit(service_settings.neo4j_uri or "")
    opened = Link(address.hostname or "127.0.0.1", address.port or 7687)
    yield opened
    opened.close()


def test_without_redis_an_outage_is_503_until_it_is_over_and_the_event_is_stored_once(
    service_settings: Settings, tenant: Tenant, link: Link
) -> None:
    settings = service_settings.model_copy(
        update={
            "neo4j_uri": f"bolt://127.0.0.1:{link.port}",
            "redis_url": None,
            "retry_budget_seconds": 1.0,
        }
    )
    event = {"type": "identify", "message_id": uuid.uuid4().hex, "identifiers": {"email": "o@example.com"}}
    with serving(settings) as running, client_of(running.url, tenant.created["api_key"]) as client:
        assert client.post("/api/events", json={"type": "page_view"}).status_code == 200
        link.cut()
        started = time.monotonic()
        refused = client.post("/api/events", json=event)
        assert time.monotonic() - started < 10
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        health = client.get("/api/monitoring/health").json()
        assert (health["status"], health["checks"]["neo4j"]["status"]) == ("degraded", "down")
        assert client.get("/api/monitoring/health/ready").status_code == 503
        link.mend()
        pause = threading.Event()
        deadline = time.monotonic() + _SECONDS
        while client.get("/api/monitoring/health/ready").status_code != 200 and time.monotonic() < deadline:
            pause.wait(0.1)
        stored = client.post("/api/events", json=event)
        assert stored.status_code == 200
        assert client.post("/api/events", json=event).json()["duplicate"] is True
    profile = tenant.client.get(f"/api/profiles/{stored.json()['profile_id']}").json()
    assert profile["event_count"] == 1
