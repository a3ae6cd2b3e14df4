"""The relay on the real Neo4j and Redis: marks become stream entries and one wake-up, and none is ever lost."""

import uuid
from datetime import timedelta

import pytest
import redis

from core.clock import Clock
from graph.repositories import outbox
from ingest import relay
from tests.integration.read_side.conftest import START

NOW = START + timedelta(days=1)


@pytest.fixture
def client(redis_server):
    """The real Redis."""
    with redis.Redis.from_url(redis_server.url, socket_timeout=5) as connection:
        yield connection


@pytest.fixture
def kind(monkeypatch):
    """A kind of mark of this test alone, a lease and a stream of its own: other tests commit at the same time."""
    name = f"test-{uuid.uuid4().hex}"
    monkeypatch.setattr(outbox, "PROFILES_CHANGED", name)
    monkeypatch.setattr(relay, "LEASE_KEY", f"{name}:lease")
    monkeypatch.setattr(relay, "NORMALIZED_STREAM", f"{name}:stream")
    return name


def entries(client):
    found = [fields for _, fields in client.xrange(relay.NORMALIZED_STREAM)]
    client.delete(relay.NORMALIZED_STREAM)
    return [{name.decode(): value.decode() for name, value in fields.items()} for fields in found]


def at(seconds: int) -> Clock:
    """A clock that stands so many seconds after NOW."""
    return lambda: NOW + timedelta(seconds=seconds)


def test_marks_become_stream_entries_and_one_wake_up_in_order(small, client, kind):
    small.customer("a")
    small.mark("m2", kind, "a", events=("evt_3",), minutes=2)
    small.mark("m1", kind, "a", events=("evt_1", "evt_2"), minutes=1)
    small.save()
    sent: list[list[str]] = []
    done = relay.relay_marks(small.graph, client, sent.append, lambda: NOW)
    assert sent == [[small.name("m1"), small.name("m2")]]
    assert (done.marks, done.entries, done.tasks) == (2, 3, 1)
    assert entries(client) == [{"brand": small.brand.id, "event_id": f"evt_{n}"} for n in (1, 2, 3)]


def test_marks_under_way_are_left_alone_for_a_minute_then_sent_again(small, client, kind):
    small.customer("a")
    mark = small.mark("m1", kind, "a")
    small.save()
    sent: list[list[str]] = []
    for seconds in (0, 2, 59, 61, 63):
        relay.relay_marks(small.graph, client, sent.append, at(seconds))
    assert sent == [[mark], [mark]]


def test_nothing_is_lost_when_the_wake_up_fails(small, client, kind):
    small.customer("a")
    mark = small.mark("m1", kind, "a")
    small.save()

    def refuse(_):
        raise redis.ConnectionError

    with pytest.raises(redis.ConnectionError):
        relay.relay_marks(small.graph, client, refuse, lambda: NOW)
    assert client.get(relay.LEASE_KEY) is None
    sent: list[list[str]] = []
    relay.relay_marks(small.graph, client, sent.append, lambda: NOW + timedelta(minutes=2))
    assert sent == [[mark]]


def test_only_the_holder_of_the_lease_relays(small, client, kind):
    small.customer("a")
    small.mark("m1", kind, "a")
    small.save()
    sent: list[list[str]] = []
    with relay.relay_lease(client) as is_mine:
        assert is_mine
        relay.relay_marks(small.graph, client, sent.append, lambda: NOW)
        assert sent == []
    relay.relay_marks(small.graph, client, sent.append, lambda: NOW)
    assert len(sent) == 1


def test_a_lease_that_ran_out_is_not_taken_from_its_next_holder(client, kind):
    with relay.relay_lease(client):
        client.set(relay.LEASE_KEY, "somebody else")
    assert client.get(relay.LEASE_KEY) == b"somebody else"
    client.delete(relay.LEASE_KEY)


def test_big_marks_are_spread_over_several_tasks(monkeypatch, small, client, kind):
    monkeypatch.setattr(relay, "_PROFILES_PER_TASK", 2)
    for name in "abc":
        small.customer(name)
    marks = [small.mark(f"m{n}", kind, *names, minutes=n) for n, names in enumerate(["a", "ab", "abc", "c"])]
    small.save()
    sent: list[list[str]] = []
    relay.relay_marks(small.graph, client, sent.append, lambda: NOW)
    assert sent == [marks[:2], [marks[2]], [marks[3]]]


def test_more_marks_than_one_call_looks_at_are_all_relayed(monkeypatch, small, client, kind):
    monkeypatch.setattr(relay, "_MARKS_AT_ONCE", 2)
    small.customer("a")
    marks = [small.mark(f"m{n}", kind, "a", minutes=n) for n in range(5)]
    small.save()
    sent: list[list[str]] = []
    relay.relay_marks(small.graph, client, sent.append, lambda: NOW)
    assert [mark for batch in sent for mark in batch] == marks
