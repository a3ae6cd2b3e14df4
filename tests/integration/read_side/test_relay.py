"""The relay on the real Neo4j and Redis: marks become stream entries and one wake-up, and none is ever lost."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import redis

from core.brand import BrandSettings
from core.clock import Clock
from graph.commit import commit_batch
from graph.driver import Graph
from graph.repositories import outbox
from graph.repositories.changes import append_waiting
from ingest import mark_choice, relay, streams
from ingest.mark_choice import FEW_MARKS
from ingest.stewardship import unmerge_profile
from tests.factories import event
from tests.house.installation import wait_until
from tests.integration.read_side.conftest import START

NOW = START + timedelta(days=1)


@pytest.fixture
def client(redis_server):
    """The real Redis."""
    with redis.Redis.from_url(redis_server.url, socket_timeout=5) as connection:
        yield connection


@pytest.fixture
def kind(monkeypatch):
    """Kinds of marks of this test alone, a lease and streams of its own: other tests commit at the same time."""
    name = f"test-{uuid.uuid4().hex}"
    monkeypatch.setattr(outbox, "PROFILES_CHANGED", name)
    monkeypatch.setattr(outbox, "PROFILES_STREAMED", f"{name}-streamed")
    monkeypatch.setattr(relay, "LEASE_KEY", f"{name}:lease")
    for stream in ("RAW", "NORMALIZED", "MERGE_REQUESTS"):
        monkeypatch.setattr(streams, stream, f"{name}:{stream}")
    return name


def entries(client, stream="NORMALIZED"):
    """Entries of a stream of this test, which is taken away."""
    name = getattr(streams, stream)
    found = [fields for _, fields in client.xrange(name)]
    client.delete(name)
    return [{name.decode(): value.decode() for name, value in fields.items()} for fields in found]


def ids(client, stream="NORMALIZED"):
    return [entry["event_id"] for entry in entries(client, stream)]


def at(seconds: int) -> Clock:
    """A clock that stands so many seconds after NOW."""
    return lambda: NOW + timedelta(seconds=seconds)


def test_marks_become_stream_entries_and_one_wake_up_in_order(small, client, kind):
    small.customer("a")
    email = small.link("a", "email", "a@example.com")
    third = small.event("e3", "a", minutes=3)
    first = small.event("e1", "a", minutes=1, keys=(email,), payload='{"n":1}', amount_minor=8999, currency="USD")
    second = small.event("e2", None, minutes=2, decision="unattached")
    small.mark("m2", kind, "a", events=(third,), minutes=2)
    small.mark("m1", kind, "a", events=(first, second, "evt_removed_since"), minutes=1)
    small.save()
    sent: list[list[str]] = []
    done = relay.relay_marks(small.graph, client, sent.append, lambda: NOW)
    assert sent == [[small.name("m1"), small.name("m2")]]
    assert (done.marks, done.woken, done.tasks) == (2, 2, 1)
    raw, normalized = entries(client, "RAW"), entries(client)
    assert [entry["event_id"] for entry in raw] == [entry["event_id"] for entry in normalized] == [first, second, third]
    assert raw[0] == {
        "brand": small.brand.id, "event_id": first, "type": "page_view", "channel": "website", "source": "shop",
        "occurred_at": "2026-11-01T12:01:00Z", "received_at": "2026-11-01T12:01:00Z", "payload": '{"n":1}',
    }  # fmt: skip
    assert normalized[0] == {
        "brand": small.brand.id, "event_id": first, "type": "page_view", "channel": "website", "source": "shop",
        "occurred_at": "2026-11-01T12:01:00Z", "identifiers": '{"email":["a@example.com"]}', "decision": "attached",
        "profile_id": small.name("a"), "amount": "89.99", "currency": "USD",
    }  # fmt: skip
    assert "profile_id" not in normalized[1]


def test_what_failed_is_written_first_of_all_when_redis_is_back(monkeypatch, small, client, kind):
    """In the order of commits, although the later mark came while the earlier one could not be written."""
    small.customer("a")
    first, second = small.event("e1", "a"), small.event("e2", "a")
    small.mark("m1", kind, "a", events=(first,), minutes=1)
    small.save()
    sent: list[list[str]] = []
    with monkeypatch.context() as patched:
        patched.setattr(streams, "append", _refuse)
        with pytest.raises(redis.ConnectionError):
            relay.relay_marks(small.graph, client, sent.append, lambda: NOW)
    small.mark("m2", kind, "a", events=(second,), minutes=2)
    small.save()
    relay.relay_marks(small.graph, client, sent.append, lambda: NOW)
    assert ids(client) == [first, second]
    assert sent == [[small.name("m1"), small.name("m2")]]


def test_a_relay_that_died_after_writing_writes_again_and_keeps_the_order(monkeypatch, small, client, kind):
    small.customer("a")
    events = [small.event(f"e{n}", "a") for n in range(3)]
    for n, event_id in enumerate(events):
        small.mark(f"m{n}", kind, "a", events=(event_id,), minutes=n)
    small.save()
    with monkeypatch.context() as patched:
        patched.setattr(relay, "set_streamed", _refuse)
        with pytest.raises(redis.ConnectionError):
            relay.relay_marks(small.graph, client, _ignore, lambda: NOW)
    relay.relay_marks(small.graph, client, _ignore, lambda: NOW)
    assert ids(client) == events * 2


def test_an_hour_without_redis_misses_nothing(monkeypatch, small, client, kind):
    monkeypatch.setattr(relay, "_MARKS_AT_ONCE", 7)
    monkeypatch.setattr(relay, "_EVENTS_AT_ONCE", 10)
    small.customer("a")
    events = [small.event(f"e{n:03}", "a") for n in range(90)]
    for n in range(30):
        small.mark(f"m{n}", kind, "a", events=tuple(events[3 * n : 3 * n + 3]), minutes=n)
    small.save()
    relay.relay_marks(small.graph, client, _ignore, lambda: NOW + timedelta(hours=1))
    assert ids(client, "RAW") == events


def test_streams_are_trimmed_to_about_their_length(small, client, kind):
    small.customer("a")
    small.mark("m", kind, "a", events=tuple(small.event(f"e{n}", "a") for n in range(400)))
    small.save()
    relay.relay_marks(small.graph, client, _ignore, lambda: NOW, max_entries=50)
    assert 50 <= len(ids(client, "RAW")) <= 250


def test_merges_and_reviews_of_whoever_decided_are_in_a_stream_of_their_own(graph, client, kind, brand_id):
    brand = BrandSettings(brand_id)
    commit_batch(graph, brand, [event(brand_id, "email:a@x.io"), event(brand_id, "phone:+14155550101")])
    [merged] = commit_batch(graph, brand, [event(brand_id, "email:a@x.io", "phone:+14155550101")])
    unmerge_profile(graph, brand, merged.profile_id or "", by="steward")
    append_waiting(graph, brand_id, 50)
    for _ in range(2):
        relay.relay_marks(graph, client, _ignore, lambda: NOW)
    own = [entry for entry in entries(client, "MERGE_REQUESTS") if entry["brand"] == brand_id]
    assert [entry["kind"] for entry in own] == ["merged", "unmerged"]
    assert json.loads(own[0]["change"])["merge_id"] == merged.merge_id


def test_whoever_is_forgotten_is_forgotten_by_the_streams_too(small, client, kind):
    small.customer("a")
    kept, gone = small.event("e1", "a"), small.event("e2", "a")
    small.mark("m", kind, "a", events=(kept, gone))
    small.save()
    relay.relay_marks(small.graph, client, _ignore, lambda: NOW)
    assert streams.forget(client, "another brand", [gone]) == 0
    assert streams.forget(client, small.brand.id, [gone]) == 2
    assert ids(client, "RAW") == ids(client) == [kept]


def _ignore(_):
    """Wakes nobody."""


def _refuse(*_):
    raise redis.ConnectionError


def test_marks_under_way_are_left_alone_for_a_minute_then_for_two_and_sent_again(small, client, kind):
    small.customer("a")
    mark = small.mark("m1", kind, "a")
    small.save()
    sent: list[list[str]] = []
    for seconds in (0, 2, 59, 61, 63, 180, 182, 184):
        relay.relay_marks(small.graph, client, sent.append, at(seconds))
    assert sent == [[mark], [mark], [mark]]


def test_many_marks_gather_for_ten_seconds_and_are_woken_together(small, client, kind):
    small.customer("a")
    marks = [small.mark(f"m{number}", kind, "a") for number in range(FEW_MARKS + 1)]
    small.save()
    sent: list[list[str]] = []
    began = (START - NOW).total_seconds()
    for seconds in (0, 5, 9, 10, 12):
        relay.relay_marks(small.graph, client, sent.append, at(int(began) + seconds))
    assert [sorted(batch) for batch in sent] == [sorted(marks)]


def _blocked(graph: Graph, mark: str) -> bool:
    """Whether a transaction that names the mark waits for a lock."""
    query = "SHOW TRANSACTIONS YIELD parameters, status WHERE status STARTS WITH 'Blocked' AND $id IN parameters.ids"
    with graph.session() as session:
        return bool(session.run(f"{query} RETURN 1", id=mark).values())


def test_a_mark_that_is_done_while_it_is_taken_is_left_out(small, client, kind):
    small.customer("a")
    done, left = small.mark("m1", kind, "a"), small.mark("m2", kind, "a", minutes=1)
    small.save()
    with ThreadPoolExecutor(1) as pool, small.graph.session() as session, session.begin_transaction() as worker:
        worker.run("MATCH (m:Mark {id: $id}) DELETE m", id=done).consume()
        taking = pool.submit(outbox.take_marks, small.graph, [done, left], NOW)
        wait_until(lambda: _blocked(small.graph, done), "the relay waits for the worker's lock")
        worker.commit()
        assert [mark.id for mark in taking.result()] == [left]


def test_nothing_is_lost_when_the_wake_up_fails(small, client, kind):
    small.customer("a")
    mark = small.mark("m1", kind, "a")
    small.save()

    with pytest.raises(redis.ConnectionError):
        relay.relay_marks(small.graph, client, _refuse, lambda: NOW)
    assert client.get(relay.LEASE_KEY) is None
    sent: list[list[str]] = []
    relay.relay_marks(small.graph, client, sent.append, lambda: NOW + timedelta(minutes=2))
    assert sent == [[mark]]


def test_only_the_holder_of_the_lease_relays(small, client, kind):
    small.customer("a")
    small.mark("m1", kind, "a")
    small.save()
    sent: list[list[str]] = []
    with relay.relay_lease(client) as held:
        assert held is not None
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
    monkeypatch.setattr(mark_choice, "_PROFILES_PER_TASK", 2)
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
