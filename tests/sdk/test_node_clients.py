"""The client libraries of Node of three vendors deliver everything and report no error, also over a restart."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api.conftest import Tenant
from tests.sdk.conftest import NodeClient, ServiceProgram

PORTION = 10
Open = Callable[[str], NodeClient]


@pytest.fixture
def open_client(node_folder: Path, shop: Tenant) -> Iterator[Open]:
    """Opens clients of `shop`."""
    opened: list[NodeClient] = []

    def open_one(library: str) -> NodeClient:
        opened.append(NodeClient(node_folder, library, shop))
        return opened[-1]

    yield open_one
    for client in opened:
        client.kill()


def profile(shop: Tenant, kind: str, value: str) -> dict[str, Any]:
    answer = shop.client.get("/api/profiles/lookup", params={"type": kind, "value": value})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("library", ["segment", "rudder", "posthog"])
def test_every_call_arrives_and_the_anonymous_history_joins(shop: Tenant, open_client: Open, library: str) -> None:
    client = open_client(library)
    client.tell(do="tour", user="u-1", anonymous="a-1", email="A@Example.com")
    assert client.close() == []
    found = profile(shop, "email", "a@example.com")
    assert (found["event_count"], found["lifetime_value"], found["total_orders"]) == (7, "89.99", 1)
    assert found["traits"]["plan"] == "pro"
    assert profile(shop, "cookie_id", "a-1")["id"] == found["id"]


@pytest.mark.parametrize("library", ["segment", "rudder", "posthog"])
def test_a_restart_loses_and_doubles_nothing(
    program: ServiceProgram, shop: Tenant, open_client: Open, library: str
) -> None:
    client = open_client(library)
    client.tell(do="send", user="u-1", count=PORTION)
    program.kill()
    try:
        client.tell(do="send", user="u-1", count=PORTION)
    finally:
        program.start()
    client.tell(do="send", user="u-1", count=PORTION)
    assert client.close() == []
    assert profile(shop, "user_id", "u-1")["event_count"] == 3 * PORTION
