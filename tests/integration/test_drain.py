"""The drainer: what waits in the inbox is committed once, under its lease, and nothing is taken away before that."""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
import redis

from brands.onboarding import NewBrand, create_brand
from core.brand import BrandSettings
from core.decisions import EventResult
from core.errors import InvalidInputError, UnavailableError
from core.events import IncomingEvent
from core.settings import Settings
from embedded.redis import launch_redis
from graph.commit import commit_batch
from graph.driver import Graph
from graph.repositories.dead_letters import list_letters, message_letter
from ingest import drain
from ingest.drain import Drained, DrainPlan, drain_inbox
from ingest.inbox import LEASE_KEY, STREAM, UNREADABLE, Content, Inbox, inbox_length, read_entries, remove_entries
from ingest.leases import Lease, hold_lease
from ingest.redis_clients import open_async_redis, open_redis
from tests.factories import T0, event, fact
from tests.integration.graph_state import live_profiles

PLAN = DrainPlan(budget_seconds=5.0)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of these tests' own."""
    with launch_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@pytest.fixture
def client(url: str) -> Iterator[redis.Redis]:
    with open_redis(url, connect_seconds=2, answer_seconds=5) as opened:
        opened.flushall()
        yield opened


@pytest.fixture
def brand(graph: Graph) -> str:
    return create_brand(graph, NewBrand(f"t{uuid.uuid4().hex[:12]}")).id


def put(url: str, *contents: Content) -> list[bool]:
    async def run() -> list[bool]:
        opened = open_async_redis(url, connect_seconds=2, answer_seconds=5)
        try:
            return await Inbox(opened, max_entries=1000, max_bytes=1_000_000).put(contents)
        finally:
            await opened.aclose()

    return asyncio.run(run())


def test_what_waits_is_committed_once_and_taken_away(graph: Graph, client: redis.Redis, url: str, brand: str) -> None:
    events = [event(brand, "email:a@x.io", minute=n, order=fact(brand, f"o{n}")) for n in range(3)]
    assert put(url, *events, events[0]) == [True, True, True, False]
    assert put(url, events[1]) == [False]
    assert drain_inbox(graph, client, PLAN) == Drained(events=3)
    assert inbox_length(client) == 0
    assert client.exists("constintel:{inbox}:places", "constintel:{inbox}:failures") == 0
    assert client.get("constintel:{inbox}:bytes") == b"0"
    [live] = live_profiles(graph, brand)
    assert (live.event_count, live.performed, live.ltv_minor) == (3, 3, 3000)


def test_an_entry_of_a_kind_that_is_not_known_is_put_aside(graph: Graph, client: redis.Redis) -> None:
    client.xadd(STREAM, {"id": "x", "kind": "news", "body": "{}"})
    assert drain_inbox(graph, client, PLAN) == Drained()
    assert (inbox_length(client), client.llen(UNREADABLE)) == (0, 1)


def test_an_event_survives_the_way_through_redis_unchanged(client: redis.Redis, url: str, brand: str) -> None:
    sent = replace(
        event(brand, "email:é@x.io", "phone:+14155550101", order=fact(brand, "ö", lines='[{"a":1.10}]')),
        warnings=("w",), traits='{"n":1}', persona_id="cus_x", is_alias=True, payload='{"total":0.10}',
    )  # fmt: skip
    put(url, sent)
    assert [entry.content for entry in read_entries(client, 10)] == [sent]


def test_a_drainer_that_died_after_its_commit_has_stored_nothing_twice(
    graph: Graph, client: redis.Redis, url: str, brand: str
) -> None:
    put(url, event(brand, "email:a@x.io", key="one", order=fact(brand, "o1")))
    entries = read_entries(client, 10)
    assert drain_inbox(graph, client, PLAN).events == 1
    # The entry as it stood before, as a drainer would find it that takes over.
    for entry in entries:
        client.xadd("constintel:{inbox}:entries", {"id": entry.id, "kind": "event", "body": entry.body})
    assert drain_inbox(graph, client, PLAN).events == 1
    assert inbox_length(client) == 0
    [live] = live_profiles(graph, brand)
    assert (live.event_count, live.performed, live.ltv_minor) == (1, 1, 1000)


def test_only_the_holder_of_the_lease_drains_and_whoever_lost_it_takes_nothing_away(
    graph: Graph, client: redis.Redis, url: str, brand: str
) -> None:
    put(url, event(brand, "email:a@x.io"))
    with hold_lease(client, LEASE_KEY, 30_000) as held:
        assert held is not None
        assert drain_inbox(graph, client, PLAN) == Drained()
        late = Lease(client, LEASE_KEY, "of one that slept too long", 30_000)
        assert not remove_entries(client, late, read_entries(client, 10))
        assert not late.renew()
        assert held.renew()
    assert inbox_length(client) == 1
    assert drain_inbox(graph, client, PLAN).events == 1


def test_poison_becomes_a_dead_letter_and_holds_nobody_up(
    graph: Graph, client: redis.Redis, url: str, brand: str
) -> None:
    good = [event(brand, f"email:{n}@x.io") for n in range(4)]
    # No such index key fits: the graph refuses it whatever stands beside it.
    poison = event(brand, "email:p@x.io", "user_id:" + "u" * 50_000)
    put(url, *good[:2], poison, *good[2:])
    assert drain_inbox(graph, client, PLAN) == Drained(events=4, refused=1)
    assert inbox_length(client) == 0
    [letter] = list_letters(graph, brand, 10)["items"]
    assert (letter["code"], letter["event_id"]) == ("event_refused", poison.id)
    assert len(live_profiles(graph, brand)) == 4


def test_letters_wait_with_the_events_and_end_in_the_graph(
    graph: Graph, client: redis.Redis, url: str, brand: str
) -> None:
    letter = message_letter(brand, "segment", {"type": "track"}, InvalidInputError("x", field="event"), T0)
    put(url, letter, event(brand, "email:a@x.io"))
    assert drain_inbox(graph, client, PLAN) == Drained(events=1, letters=1)
    assert [one["id"] for one in list_letters(graph, brand, 10)["items"]] == [letter.id]


def test_events_of_a_brand_that_is_gone_are_dead_letters(graph: Graph, client: redis.Redis, url: str) -> None:
    gone = f"t{uuid.uuid4().hex[:12]}"
    put(url, event(gone, "email:a@x.io"))
    assert drain_inbox(graph, client, PLAN) == Drained(refused=1)
    assert len(list_letters(graph, gone, 10)["items"]) == 1


def test_while_the_graph_is_away_everything_stays(
    client: redis.Redis, url: str, brand: str, graph_settings: Settings
) -> None:
    put(url, event(brand, "email:a@x.io"))
    nowhere = graph_settings.model_copy(update={"neo4j_uri": "bolt://127.0.0.1:1"})
    with Graph.connect(nowhere) as away, pytest.raises(UnavailableError):
        drain_inbox(away, client, DrainPlan(budget_seconds=0.1))
    assert inbox_length(client) == 1
    assert client.get(LEASE_KEY) is None


def test_what_cannot_be_read_is_set_aside_for_a_person(graph: Graph, client: redis.Redis, url: str, brand: str) -> None:
    client.xadd("constintel:{inbox}:entries", {"id": "evt_x", "kind": "event", "body": b"{"})
    put(url, event(brand, "email:a@x.io"))
    assert drain_inbox(graph, client, PLAN).events == 1
    assert client.lrange("constintel:{inbox}:unreadable", 0, -1) == [b"{"]
    assert inbox_length(client) == 0


def test_what_the_graph_takes_only_in_small_parts_gets_through(
    graph: Graph, client: redis.Redis, url: str, brand: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def slow(
        graph: Graph, settings: BrandSettings, events: Sequence[IncomingEvent], **more: float
    ) -> list[EventResult]:
        sizes.append(len(events))
        if len(events) > 2:
            raise UnavailableError("not in time")
        return commit_batch(graph, settings, events, **more)

    monkeypatch.setattr(drain, "commit_batch", slow)
    put(url, *(event(brand, f"email:{n}@x.io") for n in range(10)))
    assert drain_inbox(graph, client, PLAN) == Drained(events=10)
    assert sizes[0] == 10
    assert inbox_length(client) == 0


def test_an_event_that_fails_alone_again_and_again_for_long_is_given_up_and_a_late_one_is_not(
    graph: Graph, client: redis.Redis, url: str, brand: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = event(brand, "email:slow@x.io"), event(brand, "email:quick@x.io")

    def commit(
        graph: Graph, settings: BrandSettings, events: Sequence[IncomingEvent], **more: float
    ) -> list[EventResult]:
        if any(one.id == slow.id for one in events):
            raise UnavailableError("not in time")
        return commit_batch(graph, settings, events, **more)

    monkeypatch.setattr(drain, "commit_batch", commit)
    put(url, slow, quick)
    done = [drain_inbox(graph, client, PLAN) for _ in range(7)]
    assert (sum(one.events for one in done), sum(one.refused for one in done)) == (1, 0)
    monkeypatch.setattr(drain, "_SLOW_SECONDS", 0.0)
    assert drain_inbox(graph, client, PLAN) == Drained(refused=1)
    [letter] = list_letters(graph, brand, 10)["items"]
    assert (letter["code"], letter["event_id"]) == ("event_timed_out", slow.id)
    assert client.exists("constintel:{inbox}:failures") == 0
