"""A replay of everything that came in changes nothing, by whatever door it came."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api.conftest import Tenant
from tests.integration.api.test_api_webhooks import shopify

_NODES = (
    "MATCH (n {brand: $brand}) WHERE NOT n:Mark AND NOT n:ApiKey AND NOT n:IdempotencyKey "
    "RETURN labels(n)[0] AS label, properties(n) AS properties"
)
_LINKS = (
    "MATCH (a {brand: $brand})-[r]->(b) RETURN coalesce(a.id, a.key) AS one, type(r) AS type, "
    "coalesce(b.id, b.key) AS other, properties(r) AS properties"
)


def digest(tenant: Tenant) -> str:
    """Of every node and relationship of the brand, outbox and keys left out."""
    with tenant.graph.session() as session:
        rows = [
            json.dumps(row.data(), sort_keys=True, default=str)
            for query in (_NODES, _LINKS)
            for row in session.run(query, brand=tenant.id)
        ]
    return hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest()


def send_a_history(tenant: Tenant) -> int:
    """Orders, refunds, merges, a weak link, a webhook, a message of a tracking library; how many events."""
    order = {"order_id": "A-1", "total": "89.99", "currency": "USD", "items": [{"product_id": "P", "quantity": 1}]}
    tenant.send(type="purchase", identifiers={"email": "a@x.io"}, payload=order, message_id="1")
    tenant.send(type="purchase", identifiers={"phone": "+14155550101"}, payload={**order, "order_id": "A-2"})
    tenant.send(identifiers={"email": "a@x.io", "phone": "+14155550101"}, message_id="2")
    tenant.send(type="refund", payload={"order_id": "A-1", "refund_id": "r", "amount": "9.99", "currency": "USD"})
    tenant.send(identifiers={"cookie_id": "c-1"})
    tenant.send(identifiers={"cookie_id": "c-1", "email": "b@x.io"})
    tenant.send(type="search")
    hook = {"id": 7, "email": "c@x.io", "total_price": "12.00", "currency": "USD", "created_at": "2026-11-01T12:00:00Z"}
    assert shopify(tenant, hook).status_code == 200
    with tenant.write_client as writer:
        body = {"userId": "u-1", "event": "Product Viewed", "messageId": "m"}
        assert writer.post("/v1/track", json=body).json()["accepted"] == 1
    return 9


def replay(tenant: Tenant, **body: Any) -> dict[str, Any]:
    answer = tenant.client.post("/api/events/replay", json=body)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def test_a_replay_of_everything_is_a_no_op(tenant: Tenant) -> None:
    events = send_a_history(tenant)
    before = digest(tenant)
    page = replay(tenant)
    assert page == {
        "replayed": events, "already_there": events, "stored": 0, "failed": 0, "progress": 1.0, "next_cursor": None,
    }  # fmt: skip
    assert digest(tenant) == before


def test_pages_follow_each_other_to_the_end_with_progress(tenant: Tenant) -> None:
    events = send_a_history(tenant)
    pages = [replay(tenant, limit=2)]
    while pages[-1]["next_cursor"] is not None:
        pages.append(replay(tenant, limit=2, cursor=pages[-1]["next_cursor"]))
    assert sum(page["replayed"] for page in pages) == events
    places = [page["progress"] for page in pages]
    assert places == sorted(places)
    assert places[-1] == 1.0


def test_a_replay_is_limited_by_type_and_time_of_receipt(tenant: Tenant) -> None:
    send_a_history(tenant)
    assert replay(tenant, type="refund")["replayed"] == 1
    assert replay(tenant, until="2026-01-01T00:00:00Z")["replayed"] == 0
    assert replay(tenant, since="2026-01-01T00:00:00Z", type="search")["replayed"] == 1


def test_another_brands_events_are_not_replayed(tenant: Tenant, new_tenant: Any) -> None:
    send_a_history(tenant)
    assert replay(new_tenant())["replayed"] == 0


@pytest.mark.parametrize("body", [{"cursor": "x"}, {"limit": 0}, {"limit": 501}, {"since": "today"}, {"all": True}])
def test_what_does_not_fit_is_422(tenant: Tenant, body: dict[str, Any]) -> None:
    assert tenant.client.post("/api/events/replay", json=body).status_code == 422


def test_the_command_replays_everything_and_says_how_much(tenant: Tenant) -> None:
    events = send_a_history(tenant)
    command = [str(Path(sys.executable).with_name("constintel")), "replay", "--url", tenant.url]
    done = subprocess.run([*command, "--key", tenant.created["api_key"]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith(f"{events} replayed, {events} already there, 0 stored, 0 failed")
