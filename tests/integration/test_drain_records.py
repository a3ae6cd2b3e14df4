"""The drainer and what sources tell beside events: of a thing the newest stands, what fails keeps nobody waiting."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import redis
from neo4j.exceptions import AuthError
from pydantic import SecretStr

from core.catalogue import PrivacyRequestRecord, ProductRecord, Record, StockItemRecord, StockRecord
from core.settings import Settings
from graph.driver import Graph
from graph.repositories.catalogue import list_products, store_records
from ingest import drain
from ingest.drain import Drained, drain_inbox
from ingest.inbox import LEASE_KEY, UNREADABLE, inbox_length, read_entries
from ingest.leases import Lease
from ingest.told_records import told_records
from tests.factories import T0, event
from tests.integration.test_drain import PLAN, brand, client, put, url
from tests.integration.test_ended_by_server import end_blocked

__all__ = ["brand", "client", "url"]
TEE = ProductRecord("shopify", "a.example", "1", T0, title="Tee")
# No number of the database is as large.
TOO_LARGE = StockRecord("shopify", "a.example", "21", "31", T0, available=2**63)


def test_records_survive_the_way_through_redis_and_the_same_told_again_waits_once(
    client: redis.Redis, url: str, brand: str
) -> None:
    redact = PrivacyRequestRecord(
        "shopify", "é.example", "customers/redact", "k", T0, T0 + timedelta(days=30), "email:x"
    )
    records: list[Record] = [
        ProductRecord("shopify", "é.example", "1", T0, title="Ü", price="1.10", variants=({"id": "11", "sku": None},)),
        StockItemRecord("shopify", "é.example", "21", T0, sku="T-S"),
        StockRecord("shopify", "é.example", "21", "31", T0, available=6),
        redact,
    ]
    told = told_records(brand, records, T0)
    later = told_records(brand, records, T0 + timedelta(seconds=5))
    other = told_records(brand, records[:1], T0)
    # A privacy request counts its days from when it came: told again it is the first one still.
    again = replace(redact, requested_at=T0 + timedelta(seconds=5), due_at=T0 + timedelta(days=31))
    assert put(url, told, later, told_records(brand, [*records[:3], again], T0), other) == [True, False, False, True]
    assert [entry.content for entry in read_entries(client, 10)] == [told, other]
    assert list(told.records) == records


def test_records_of_a_brand_that_is_gone_are_put_aside_and_keep_nobody_waiting(
    graph: Graph, client: redis.Redis, url: str, brand: str
) -> None:
    put(url, told_records("tgone", [TEE], T0), told_records(brand, [TEE], T0), event(brand, "email:a@x.io"))
    assert drain_inbox(graph, client, PLAN) == Drained(events=1, records=1)
    assert (inbox_length(client), client.llen(UNREADABLE)) == (0, 1)
    assert [item["title"] for item in list_products(graph, brand, None, None)["items"]] == ["Tee"]
    assert list_products(graph, "tgone", None, None)["items"] == []


def test_records_that_the_graph_refuses_keep_nobody_waiting_and_are_tried_again(
    graph: Graph, client: redis.Redis, url: str, brand: str
) -> None:
    put(url, told_records(brand, [TOO_LARGE], T0), event(brand, "email:a@x.io"))
    assert drain_inbox(graph, client, PLAN) == Drained(events=1)
    for _ in range(2 * drain._MAX_FAILURES):
        assert drain_inbox(graph, client, PLAN) == Drained()
    assert (inbox_length(client), client.llen(UNREADABLE)) == (1, 0)


def test_records_that_the_graph_refuses_again_and_again_for_long_are_put_aside(
    graph: Graph, client: redis.Redis, url: str, brand: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "_SLOW_SECONDS", 0.0)
    put(url, told_records(brand, [TOO_LARGE], T0))
    for _ in range(drain._MAX_FAILURES):
        assert (inbox_length(client), client.llen(UNREADABLE)) == (1, 0)
        assert drain_inbox(graph, client, PLAN) == Drained()
    assert (inbox_length(client), client.llen(UNREADABLE)) == (0, 1)
    assert client.exists("constintel:{inbox}:places", "constintel:{inbox}:failures") == 0


def test_while_the_graph_takes_our_password_no_more_everything_stays(
    client: redis.Redis, url: str, brand: str, graph_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "_SLOW_SECONDS", 0.0)
    monkeypatch.setattr(drain, "_MAX_FAILURES", 1)
    put(url, told_records(brand, [TEE], T0))
    changed = graph_settings.model_copy(update={"neo4j_password": SecretStr("another one")})
    # Once only: the server keeps everybody waiting who is wrong three times.
    with Graph.connect(changed) as stranger, pytest.raises(AuthError):
        drain_inbox(stranger, client, PLAN)
    assert (inbox_length(client), client.llen(UNREADABLE)) == (1, 0)


def test_records_whose_write_the_server_ends_stay_and_are_stored_by_the_next_drain(
    graph: Graph, client: redis.Redis, url: str, brand: str
) -> None:
    store_records(graph, brand, [TEE], received_at=T0)
    put(url, told_records(brand, [replace(TEE, title="Linen Tee", at=T0 + timedelta(days=1))], T0))
    with ThreadPoolExecutor(1) as pool, graph.session() as session, session.begin_transaction() as holder:
        holder.run("MATCH (p:Product) WHERE p.brand = $brand SET p.key = p.key", brand=brand).consume()
        drained = pool.submit(drain_inbox, graph, client, PLAN)
        end_blocked(graph, brand)
        assert drained.result(30) == Drained()
    assert inbox_length(client) == 1
    assert drain_inbox(graph, client, PLAN) == Drained(records=1)
    assert [item["title"] for item in list_products(graph, brand, None, None)["items"]] == ["Linen Tee"]


def test_a_lease_is_held_through_records_that_take_longer_than_it_lasts(
    graph: Graph, client: redis.Redis, url: str, brand: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives: list[int] = []

    def slow(*args: Any, **named: Any) -> None:
        # As if the time of the lease were nearly over when this one is stored.
        client.pexpire(LEASE_KEY, 1_000)
        store_records(*args, **named)

    def renewed(held: Lease) -> bool:
        found = renew(held)
        lives.append(client.pttl(LEASE_KEY))
        return found

    renew = Lease.renew
    monkeypatch.setattr("ingest.drain.store_records", slow)
    monkeypatch.setattr(Lease, "renew", renewed)
    put(url, *(told_records(brand, [replace(TEE, product_id=str(number))], T0) for number in range(5)))
    assert drain_inbox(graph, client, PLAN) == Drained(records=5)
    assert len(lives) >= 5
    assert min(lives) > 1_000
