"""A real server on a real port for the tests of the API, and brands of their own with clients that talk to it."""

import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from brands.api_keys import PLATFORM_SCOPES
from brands.onboarding import NewBrand, add_key, create_brand
from core.settings import Settings
from graph.driver import Graph
from graph.repositories.shop_floor import list_shop_marks
from insight import shop_floor

_START_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Service:
    """The running service: its app for walking the routes, its address for talking to it."""

    app: FastAPI
    url: str


@dataclass(frozen=True, slots=True)
class Tenant:
    """A brand with its secrets and a client that holds its admin key."""

    id: str
    created: dict[str, Any]
    url: str
    client: httpx.Client
    graph: Graph

    def send(self, **event: Any) -> dict[str, Any]:
        """Send one event and answer its outcome."""
        answer = self.client.post("/api/events", json={"type": "page_view", **event})
        assert answer.status_code == 200, answer.text
        outcome: dict[str, Any] = answer.json()
        return outcome

    def profiles(self, count: int) -> list[str]:
        """Ids of `count` new profiles, each with an e-mail address of its own."""
        tag = uuid.uuid4().hex[:8]
        return [self.send(identifiers={"email": f"p{n}-{tag}@example.com"})["profile_id"] for n in range(count)]

    def review(self) -> tuple[str, list[str]]:
        """A pending review and its four profiles."""
        tag = uuid.uuid4().hex[:8]
        emails = [f"r{n}-{tag}@example.com" for n in range(4)]
        ids = [self.send(identifiers={"email": email})["profile_id"] for email in emails]
        outcome = self.send(identifiers={"email": emails})
        assert outcome["decision"] == "review"
        return outcome["review_id"], ids

    def key(self, *scopes: str) -> httpx.Client:
        """A client with another key of the brand, limited to `scopes`."""
        return client_of(self.url, add_key(self.graph, self.id, frozenset(scopes)))

    @property
    def write_client(self) -> httpx.Client:
        """A client with the brand's write key."""
        return client_of(self.url, self.created["write_key"])


def client_of(url: str, key: str) -> httpx.Client:
    """A client that sends `key` as a bearer."""
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30)


@contextmanager
def serving(settings: Settings) -> Iterator[Service]:
    """The API on a free port, served by uvicorn as in production."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = create_app(settings.model_copy(update={"public_url": url}))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        deadline = time.monotonic() + _START_SECONDS
        try:
            while not server.started and thread.is_alive() and time.monotonic() < deadline:
                thread.join(0.01)
            assert server.started
            yield Service(app, url)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def service(service_settings: Settings, graph: Graph) -> Iterator[Service]:
    """The API over the run's Neo4j and Redis."""
    with serving(service_settings) as running:
        yield running


@pytest.fixture
def new_tenant(service: Service, graph: Graph) -> Iterator[Callable[[], Tenant]]:
    """Makes brands; each call gives another one."""
    made: list[Tenant] = []

    def make() -> Tenant:
        created = create_brand(graph, NewBrand(f"t{uuid.uuid4().hex[:12]}")).as_dict()
        client = client_of(service.url, add_key(graph, created["id"], PLATFORM_SCOPES))
        made.append(Tenant(created["id"], created, service.url, client, graph))
        return made[-1]

    yield make
    for tenant in made:
        tenant.client.close()


@pytest.fixture
def tenant(new_tenant: Callable[[], Tenant]) -> Tenant:
    """One brand of its own."""
    return new_tenant()


@pytest.fixture
def own_shop_marks(monkeypatch: pytest.MonkeyPatch, tenant: Tenant) -> None:
    """Only marks of this test's brand are worked off: those of others may have their own reasons to wait."""
    listed = list_shop_marks

    def own(graph: Graph, limit: int) -> list[dict[str, Any]]:
        return [mark for mark in listed(graph, 1_000) if mark["brand"] == tenant.id][:limit]

    monkeypatch.setattr(shop_floor, "list_shop_marks", own)
