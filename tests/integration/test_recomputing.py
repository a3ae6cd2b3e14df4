"""A late sign-in that moves more events than one transaction should: they are moved afterwards, killed or not."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import redis

from brands.onboarding import NewBrand, create_brand
from core.brand import BrandSettings
from core.clock import utc_now
from core.events import IncomingEvent
from core.settings import Settings, child_environment
from graph.commit import commit_batch
from graph.driver import Graph
from graph.invariants import broken_invariants
from graph.recompute import list_waiting, move_some
from graph.repositories.profiles import get_profile
from ingest.recomputing import move_waiting
from insight.profile360 import get_profile360
from tests.factories import event, fact
from tests.integration.graph_state import by_identifier, live_profiles

FIRST, LATE = "email:a@x.io", "email:b@x.io"


def _history(brand: str, events: int = 9) -> list[IncomingEvent]:
    """A signs in on a tablet, then it is used; only then it comes out that B had signed in before all that."""
    used = [
        event(brand, "device_id:t", key=f"u{number}", minute=10 + number, traits=f'{{"step": {number}}}')
        for number in range(events)
    ]
    sale = event(brand, "device_id:t", key="sale", minute=50, order=fact(brand, "o1", total=900))
    refund = event(brand, key="refund", minute=60, order=fact(brand, "o1", "refund", 300, refund_id="r"))
    return [
        event(brand, FIRST, "device_id:t", key="first", minute=1), *used, sale, refund,
        event(brand, LATE, "device_id:t", key="late", minute=5),
    ]  # fmt: skip


def _send(graph: Graph, settings: BrandSettings, events: list[IncomingEvent]) -> None:
    for one in events:
        commit_batch(graph, settings, [one])


def _state(graph: Graph, brand: str) -> set[tuple[frozenset[str], int, int, int]]:
    lives = live_profiles(graph, brand)
    assert all(live.event_count == live.performed for live in lives)
    return {(live.identifiers, live.event_count, live.total_orders, live.ltv_minor) for live in lives}


def _finish(graph: Graph, settings: BrandSettings, until: Callable[[], bool] = lambda: False) -> int:
    steps = 0
    for waiting in list_waiting(graph, utc_now()):
        while waiting.brand == settings.id and not until() and move_some(graph, settings, waiting.id):
            steps += 1
    return steps


def _is_waiting(graph: Graph, brand: str) -> bool:
    return any(waiting.brand == brand for waiting in list_waiting(graph, utc_now(), 10_000))


def _says(graph: Graph, brand: str) -> set[bool]:
    ids = [by_identifier(graph, brand, who).id for who in (FIRST, LATE)]
    whole = {get_profile360(graph, brand, one)["recomputing"] for one in ids}
    assert whole == {get_profile(graph, brand, one)["recomputing"] for one in ids}
    return whole


def test_more_events_than_one_transaction_takes_are_moved_afterwards(graph: Graph, brand_id: str) -> None:
    at_once, later = brand_id + "a", replace(BrandSettings(brand_id), moved_at_once=2)
    _send(graph, BrandSettings(at_once), _history(at_once))
    _send(graph, later, _history(brand_id))
    assert not _is_waiting(graph, at_once)
    assert by_identifier(graph, brand_id, LATE).event_count == 1
    assert _says(graph, brand_id) == {True}
    versions = {live.id: get_profile(graph, brand_id, live.id)["version"] for live in live_profiles(graph, brand_id)}
    assert _finish(graph, later, lambda: broken_invariants(graph, brand_id) != []) == 4, "four steps and the last"
    assert broken_invariants(graph, brand_id) == []
    assert _state(graph, brand_id) == _state(graph, at_once)
    assert by_identifier(graph, brand_id, LATE).ltv_minor == 600
    assert _says(graph, brand_id) == {False}
    assert all(get_profile(graph, brand_id, one)["version"] > before for one, before in versions.items())
    traits = [get_profile(graph, one, by_identifier(graph, one, LATE).id)["traits"] for one in (brand_id, at_once)]
    assert traits == [{"step": 8}, {"step": 8}]


def test_what_arrives_meanwhile_ends_where_it_belongs(graph: Graph, brand_id: str) -> None:
    at_once, later = brand_id + "a", replace(BrandSettings(brand_id), moved_at_once=2)

    def meanwhile(brand: str) -> list[IncomingEvent]:
        return [
            event(brand, "device_id:t", key="m1", minute=15),
            event(brand, "email:c@x.io", "device_id:t", key="m2", minute=14),
            event(brand, "email:c@x.io", FIRST, key="m3", minute=70),
        ]

    _send(graph, BrandSettings(at_once), [*_history(at_once), *meanwhile(at_once)])
    _send(graph, later, _history(brand_id))
    [waiting] = [one for one in list_waiting(graph, utc_now(), 10_000) if one.brand == brand_id]
    for one in meanwhile(brand_id):
        move_some(graph, later, waiting.id)
        _send(graph, later, [one])
    _finish(graph, later)
    assert not _is_waiting(graph, brand_id)
    assert _state(graph, brand_id) == _state(graph, at_once)
    assert _says(graph, brand_id) == {False}
    assert broken_invariants(graph, brand_id) == []


_MOVER = """
import redis
from core.settings import load_settings
from graph.driver import Graph
from ingest.recomputing import move_waiting
settings = load_settings()
with Graph.connect(settings) as graph:
    move_waiting(graph, redis.Redis.from_url(settings.redis_url), at_once=1)
"""


def test_a_mover_that_is_killed_leaves_nothing_undone_and_does_nothing_twice(
    graph: Graph, brand_id: str, service_settings: Settings
) -> None:
    create_brand(graph, NewBrand(id=brand_id))
    at_once = brand_id + "a"
    _send(graph, BrandSettings(at_once), _history(at_once, 60))
    _send(graph, replace(BrandSettings(brand_id), moved_at_once=2), _history(brand_id, 60))
    environment = child_environment(service_settings)
    mover = subprocess.Popen([sys.executable, "-c", _MOVER], env=environment)
    while by_identifier(graph, brand_id, LATE).event_count < 5:
        assert mover.poll() is None
    mover.kill()
    mover.wait()
    assert _is_waiting(graph, brand_id)
    assert _says(graph, brand_id) == {True}
    with redis.Redis.from_url(str(service_settings.redis_url)) as client:
        assert move_waiting(graph, client, at_once=50) == 0, "the killed one's lease still runs"
        client.delete("constintel:recompute:lease")
        move_waiting(graph, client, at_once=50)
    assert not _is_waiting(graph, brand_id)
    assert _state(graph, brand_id) == _state(graph, at_once)
    assert broken_invariants(graph, brand_id) == []
