"""Computed traits for everybody: backfills that are killed, definitions that change meanwhile, values that age."""

import json
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from core.brand import BrandSettings
from core.clock import utc_now
from core.errors import ConflictError, NotFoundError
from core.settings import Settings, child_environment
from core.trait_definitions import definition_from_data
from graph.commit import commit_batch
from graph.driver import Graph
from graph.repositories import trait_definitions as repository
from graph.repositories.brands import BrandRecord, create_brand
from graph.repositories.computed_traits import store_values
from graph.repositories.model_runs import DONE, RunKind, cancel_run, find_run, start_run
from graph.repositories.outbox import read_marks
from graph.repositories.profiles import Page
from graph.repositories.trait_definitions import (
    COMPUTING,
    READY,
    Change,
    delete_definition,
    find_set,
    get_definition,
    list_definitions,
    pending_brands,
    put_definition,
)
from ingest.relay import FEATURES_TASK
from ingest.stewardship.merging import merge_profiles, unmerge_profile
from insight.computed_traits import refresh
from insight.computed_traits.refresh import compute_traits, refresh_due, refresh_traits
from insight.profile360 import etag, get_profile360
from ml.runs import traits as runs
from ml.runs.carry_out import carry_out_run
from ml.runs.tasks import RUN_TASK, schedule_runs
from ml.serving.active import ActiveModels
from ml.tasks import work_off_marks
from tests.factories import T0, event, fact

NOW = T0 + timedelta(days=2)
VISITS = {"name": "visits", "function": "count"}
SPEND = {"name": "spend", "function": "sum", "from": "orders", "field": "total"}


@pytest.fixture
def brand(graph: Graph, brand_id: str) -> Iterator[BrandSettings]:
    """A brand whose customers, definitions and runs go afterwards: what lies around would be due for others."""
    settings = BrandSettings(brand_id, name="Test")
    create_brand(graph, BrandRecord(settings, (), ()), op=brand_id, at=utc_now())
    yield settings
    with graph.session() as session:
        query = "MATCH (n:ComputedTraits|TraitSet|TraitDefinition|ModelRun) WHERE n.brand = $brand DETACH DELETE n"
        session.run(query, brand=brand_id).consume()


def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition; fails when it does not come."""
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def people(graph: Graph, brand: BrandSettings, count: int) -> list[str]:
    """Ids of profiles that were each seen once."""
    events = [event(brand.id, f"email:p{number}@x.io", minute=number) for number in range(count)]
    return [str(result.profile_id) for result in commit_batch(graph, brand, events)]


def define(graph: Graph, brand: BrandSettings, data: dict[str, Any], **more: bool) -> bool:
    return put_definition(graph, brand.id, definition_from_data(data), Change("test", NOW), **more)


def run(graph: Graph, brand: BrandSettings, at: datetime = NOW) -> dict[str, Any]:
    started = start_run(graph, brand.id, RunKind.TRAITS, {}, by="test", now=at)
    models = ActiveModels(Path("unused"))
    lease = timedelta(days=4000)
    # A worker that runs beside the tests may have been quicker.
    carry_out_run(graph, models, brand.id, started["id"], clock=lambda: at, lease=lease)
    until(lambda: find_run(graph, brand.id, started["id"])["state"] == DONE)
    return find_run(graph, brand.id, started["id"])


def stored(graph: Graph, brand: BrandSettings) -> dict[str, dict[str, Any]]:
    query = """MATCH (c:Customer)-[:HAS_COMPUTED_TRAITS]->(n:ComputedTraits) WHERE c.brand = $brand
        RETURN c.id AS id, properties(n) AS n"""
    with graph.session() as session:
        return {row["id"]: row["n"] for row in session.run(query, brand=brand.id)}


def shown(graph: Graph, brand: BrandSettings, profile: str, at: datetime = NOW) -> dict[str, Any]:
    section = get_profile360(graph, brand.id, profile, clock=lambda: at)["computed_traits"]
    return {name: one["value"] for name, one in section.items()}


def test_a_new_definition_is_computed_for_everybody_and_says_how_far_that_is(
    graph: Graph, brand: BrandSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "_PAGE", 4)
    profiles = people(graph, brand, 10)
    assert define(graph, brand, VISITS)
    start_run(graph, brand.id, RunKind.TRAITS, {}, by="test", now=NOW)
    waiting = get_definition(graph, brand.id, "visits")
    assert (waiting["state"], waiting["backfill"]["state"]) == (COMPUTING, "queued")
    assert shown(graph, brand, profiles[0]) == {"visits": None}
    done = run(graph, brand)
    assert (done["progress"], done["result"]["computed"]) == ({"done": 10, "total": 10}, 10)
    ready = get_definition(graph, brand.id, "visits")
    assert (ready["state"], ready["backfill"], ready["version"]) == (READY, None, 1)
    assert all(shown(graph, brand, profile) == {"visits": 1} for profile in profiles)


def test_an_equal_definition_changes_nothing_and_a_changed_one_hides_its_old_values(
    graph: Graph, brand: BrandSettings
) -> None:
    [profile] = people(graph, brand, 1)
    assert define(graph, brand, VISITS)
    run(graph, brand)
    assert not define(graph, brand, {**VISITS, "description": "How often", "window": "all"}, must_be_new=True)
    assert get_definition(graph, brand.id, "visits")["description"] == "How often"
    assert find_set(graph, brand.id).version == 1
    assert define(graph, brand, {**SPEND, "name": "visits"})
    # A count of 1 must not be shown as one cent.
    assert shown(graph, brand, profile) == {"visits": None}
    run(graph, brand)
    assert shown(graph, brand, profile) == {"visits": "0.00"}
    with pytest.raises(ConflictError):
        define(graph, brand, VISITS, must_be_new=True)


def test_a_deleted_definition_is_shown_no_more_and_its_values_go(graph: Graph, brand: BrandSettings) -> None:
    profiles = people(graph, brand, 3)
    define(graph, brand, VISITS)
    define(graph, brand, SPEND)
    run(graph, brand)
    delete_definition(graph, brand.id, "visits", NOW)
    assert shown(graph, brand, profiles[0]) == {"spend": "0.00"}
    done = run(graph, brand)
    # Values of the others are as good as before: nobody was computed anew.
    assert done["result"]["computed"] == 0
    assert all("v_visits" not in one and one["v_spend"] == 0 for one in stored(graph, brand).values())
    delete_definition(graph, brand.id, "spend", NOW)
    run(graph, brand)
    assert (stored(graph, brand), shown(graph, brand, profiles[0])) == ({}, {})
    with pytest.raises(NotFoundError):
        delete_definition(graph, brand.id, "spend", NOW)


def test_a_definition_that_is_deleted_while_it_is_read_is_there_whole_or_not_at_all(
    graph: Graph, brand: BrandSettings
) -> None:
    def churn() -> None:
        for _ in range(150):
            put_definition(graph, brand.id, definition_from_data(VISITS), Change("test", NOW))
            delete_definition(graph, brand.id, "visits", NOW)

    def read() -> None:
        while not writer.done():
            assert {one.name for one in find_set(graph, brand.id).definitions} <= {"visits"}
            assert {one["function"] for one in list_definitions(graph, brand.id, Page(10, None))["items"]} <= {"count"}
            with suppress(NotFoundError):
                assert get_definition(graph, brand.id, "visits")["function"] == "count"

    with ThreadPoolExecutor(4) as pool:
        writer = pool.submit(churn)
        readers = [pool.submit(read) for _ in range(3)]
    for done in [writer, *readers]:
        done.result()


def test_definitions_that_change_during_a_backfill_are_taken_up_by_it(
    graph: Graph, brand: BrandSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "_PAGE", 3)
    people(graph, brand, 8)
    define(graph, brand, VISITS)
    pages: list[int] = []

    def compute(*args: Any) -> set[str]:
        pages.append(1)
        if len(pages) == 2:
            define(graph, brand, SPEND)
            delete_definition(graph, brand.id, "visits", NOW)
        return compute_traits(*args)

    monkeypatch.setattr(runs, "compute_traits", compute)
    run(graph, brand)
    values = stored(graph, brand).values()
    assert len(values) == 8
    assert all("v_visits" not in one and one["v_spend"] == 0 for one in values)
    assert find_set(graph, brand.id).is_ready


def test_what_was_computed_from_older_definitions_never_replaces_newer_values(
    graph: Graph, brand: BrandSettings
) -> None:
    [profile] = people(graph, brand, 1)
    define(graph, brand, VISITS)
    old = find_set(graph, brand.id)
    define(graph, brand, {**VISITS, "where": [{"field": "type", "op": "eq", "value": "never"}]})
    compute_traits(graph, find_set(graph, brand.id), [profile], NOW)
    compute_traits(graph, old, [profile], NOW + timedelta(days=1))
    assert shown(graph, brand, profile) == {"visits": 0}


@pytest.mark.parametrize(("version", "later", "kept"), [(1, 1, True), (2, 0, True), (2, 1, False), (3, -1, False)])
def test_what_was_computed_from_an_older_profile_or_earlier_never_replaces_newer_values(
    graph: Graph, brand: BrandSettings, version: int, later: int, kept: bool
) -> None:
    [profile] = people(graph, brand, 1)
    define(graph, brand, VISITS)
    refresh_traits(graph, brand.id, [profile], NOW)
    row = {"set_version": 1, "version": version, "computed_at": NOW + timedelta(seconds=later)}
    with graph.session() as session:
        query = (
            "MATCH (n:ComputedTraits {id: $id}) SET n.version = 2, n.computed_at = $now + duration({microseconds: 1})"
        )
        session.run(query, id=profile, now=NOW).consume()
    properties = {**row, "id": profile, "brand": brand.id, "v_visits": 99}
    store_values(graph, brand.id, [{**row, "id": profile, "properties": properties}])
    assert (stored(graph, brand)[profile]["v_visits"] == 1) is kept


def test_a_backfill_that_a_person_stopped_stays_stopped_until_the_definitions_change(
    graph: Graph, brand: BrandSettings
) -> None:
    people(graph, brand, 1)
    define(graph, brand, VISITS)
    started = start_run(graph, brand.id, RunKind.TRAITS, {}, by="test", now=NOW)
    assert brand.id in pending_brands(graph, NOW)
    cancel_run(graph, brand.id, started["id"], by="steward", now=NOW)
    assert get_definition(graph, brand.id, "visits")["state"] == COMPUTING
    assert brand.id not in pending_brands(graph, NOW)
    put_definition(graph, brand.id, definition_from_data(SPEND), Change("test", NOW + timedelta(seconds=1)))
    assert brand.id in pending_brands(graph, NOW)


KILLED = """
import os, signal, sys
from datetime import timedelta
from pathlib import Path
from core.settings import load_settings
from graph.driver import Graph
from insight.computed_traits import refresh
from ml.runs import traits
from ml.runs.carry_out import carry_out_run
from ml.serving.active import ActiveModels
traits._PAGE = 10
pages = []
store = refresh.repository.store_values
def dies(*args):
    pages.append(1)
    if len(pages) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return store(*args)
refresh.repository.store_values = dies
graph = Graph.connect(load_settings())
carry_out_run(graph, ActiveModels(Path("unused")), sys.argv[1], sys.argv[2], lease=timedelta(seconds=2))
"""


def test_a_killed_backfill_is_taken_up_where_its_last_page_ended(
    graph: Graph, graph_settings: Settings, brand: BrandSettings
) -> None:
    people(graph, brand, 45)
    define(graph, brand, VISITS)
    started = start_run(graph, brand.id, RunKind.TRAITS, {}, by="test", now=utc_now())
    words = [sys.executable, "-c", KILLED, brand.id, started["id"]]
    died = subprocess.run(words, env=child_environment(graph_settings), check=False, timeout=240)
    assert died.returncode == -signal.SIGKILL
    assert len(stored(graph, brand)) == 20
    assert get_definition(graph, brand.id, "visits")["backfill"]["progress"] == {"done": 20, "total": 45}
    later = utc_now() + timedelta(minutes=5)
    assert carry_out_run(graph, ActiveModels(Path("unused")), brand.id, started["id"], clock=lambda: later) == DONE
    done = find_run(graph, brand.id, started["id"])
    assert (done["progress"]["done"], done["result"]["computed"], done["attempts"]) == (45, 25, 2)
    assert [one["v_visits"] for one in stored(graph, brand).values()] == [1] * 45


def test_a_pass_that_nobody_started_is_started_by_the_schedule_once(graph: Graph, brand: BrandSettings) -> None:
    people(graph, brand, 1)
    define(graph, brand, VISITS)

    def of_traits() -> list[str]:
        own = [find_run(graph, brand.id, one) for one in schedule_runs(graph) if _is_of(graph, brand, one)]
        return [one["id"] for one in own if one["kind"] == "traits"]

    [first] = of_traits()
    assert of_traits() == [first]
    run(graph, brand)
    assert of_traits() == []


def _is_of(graph: Graph, brand: BrandSettings, run_id: str) -> bool:
    with graph.session() as session:
        query = "MATCH (r:ModelRun {id: $id}) WHERE r.brand = $brand RETURN r"
        return session.run(query, id=run_id, brand=brand.id).single() is not None


def test_values_follow_merges_unmerges_and_late_events(graph: Graph, brand: BrandSettings) -> None:
    define(graph, brand, SPEND)
    define(graph, brand, {"name": "first_channel", "function": "first", "field": "channel"})
    sale = event(brand.id, "email:a@x.io", minute=60, order=fact(brand.id, "o1", total=1050))
    other = event(brand.id, "email:b@x.io", minute=50, channel="store", order=fact(brand.id, "o2", total=2000))
    one, two = (str(result.profile_id) for result in commit_batch(graph, brand, [sale, other]))
    refresh_traits(graph, brand.id, [one, two], NOW)
    assert shown(graph, brand, one) == {"spend": "10.50", "first_channel": "website"}
    survivor = merge_profiles(graph, brand, one, [two], by="test").survivor_id
    refresh_traits(graph, brand.id, [one, two], NOW)
    assert shown(graph, brand, two) == {"spend": "30.50", "first_channel": "store"}
    assert list(stored(graph, brand)) == [survivor]
    late = event(brand.id, "email:a@x.io", minute=5, channel="app")
    commit_batch(graph, brand, [late, event(brand.id, minute=70, order=fact(brand.id, "o1", "refund", 50))])
    unmerge_profile(graph, brand, survivor, by="test")
    refresh_traits(graph, brand.id, [one, two], NOW)
    assert shown(graph, brand, one) == {"spend": "10.00", "first_channel": "app"}
    assert shown(graph, brand, two) == {"spend": "20.00", "first_channel": "store"}
    commit_batch(graph, brand, [event(brand.id, minute=80, order=fact(brand.id, "o2", "cancel", 0))])
    refresh_traits(graph, brand.id, [two], NOW)
    assert shown(graph, brand, two)["spend"] == "0.00"


def leave_mark(graph: Graph, brand: BrandSettings, profiles: list[str]) -> str:
    """A mark of a kind that no relay looks for: a worker that runs beside the tests leaves it alone."""
    query = "CREATE (:Mark {id: $brand + '_test', brand: $brand, kind: 'test', profile_ids: $ids, created_at: $now})"
    with graph.session() as session:
        session.run(query, brand=brand.id, ids=profiles, now=NOW).consume()
    return f"{brand.id}_test"


def test_a_mark_goes_when_the_traits_of_its_profiles_are_stored(graph: Graph, brand: BrandSettings) -> None:
    define(graph, brand, VISITS)
    profiles = people(graph, brand, 2)
    mark = leave_mark(graph, brand, profiles)
    work_off_marks(graph, [mark])
    assert not read_marks(graph, [mark])
    assert all(shown(graph, brand, profile) == {"visits": 1} for profile in profiles)


def test_a_customer_with_many_events_is_folded_without_holding_them(graph: Graph, brand: BrandSettings) -> None:
    payload = json.dumps({"category": "Shoes", "text": "x" * 4_000})
    events = [replace(event(brand.id, "email:a@x.io", minute=number), payload=payload) for number in range(3_000)]
    for start in range(0, len(events), 500):
        commit_batch(graph, brand, events[start : start + 500])
    define(graph, brand, {"name": "favourite", "function": "most_frequent", "field": "payload.category"})
    [profile] = {str(result.profile_id) for result in commit_batch(graph, brand, events[:1])}
    tracemalloc.start()
    refresh_traits(graph, brand.id, [profile], NOW)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert shown(graph, brand, profile) == {"favourite": "Shoes"}
    assert peak < len(events) * len(payload) / 2


def test_values_age_when_their_time_comes_though_nothing_happens(
    graph: Graph, brand: BrandSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "_DUE_AT_ONCE", 10_000)
    define(graph, brand, {**VISITS, "window": {"days": 7}})
    define(graph, brand, {"name": "quiet_days", "function": "days_since"})
    # Far ahead, so that no worker that runs beside the tests finds it due.
    born = T0 + timedelta(days=36_500)
    seen = replace(event(brand.id, "email:p0@x.io"), occurred_at=born)
    profile = str(commit_batch(graph, brand, [seen])[0].profile_id)
    refresh_traits(graph, brand.id, [profile], born + timedelta(days=2))
    assert shown(graph, brand, profile) == {"visits": 1, "quiet_days": 2}
    tag = etag(get_profile360(graph, brand.id, profile))
    edge = born + timedelta(days=7)
    for at, expected in (
        (born + timedelta(days=3, microseconds=-1), {"visits": 1, "quiet_days": 2}),
        (born + timedelta(days=3), {"visits": 1, "quiet_days": 3}),
        (edge, {"visits": 1, "quiet_days": 7}),
        (edge + timedelta(microseconds=1), {"visits": 0, "quiet_days": 7}),
        (edge + timedelta(days=1), {"visits": 0, "quiet_days": 8}),
    ):
        refresh_due(graph, at)
        assert shown(graph, brand, profile) == expected, at
    assert etag(get_profile360(graph, brand.id, profile)) != tag


def test_one_unreadable_customer_keeps_nobody_else_from_their_traits(graph: Graph, brand: BrandSettings) -> None:
    one, two = people(graph, brand, 2)
    commit_batch(graph, brand, [event(brand.id, "email:p0@x.io", order=fact(brand.id, "o1"))])
    with graph.session() as session:
        session.run("MATCH (o:Order {key: $key}) SET o.lines = '{broken'", key=f"{brand.id}|shop|o1").consume()
    define(graph, brand, {**VISITS, "from": "orders", "where": [{"field": "category", "op": "eq", "value": "x"}]})
    assert refresh_traits(graph, brand.id, [one, two], NOW) == {one}
    assert list(stored(graph, brand)) == [two]
    assert run(graph, brand)["result"] == {"computed": 1, "failed": 1, "version": 1}


def test_definitions_are_listed_by_name_in_pages_and_at_most_a_hundred(
    graph: Graph, brand: BrandSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "MAX_DEFINITIONS", 3)
    for name in ("c", "a", "b"):
        define(graph, brand, {**VISITS, "name": name})
    with pytest.raises(ConflictError):
        define(graph, brand, {**VISITS, "name": "d"})
    first = list_definitions(graph, brand.id, Page(2))
    rest = list_definitions(graph, brand.id, Page(2, first["next_cursor"]))
    assert [one["name"] for one in (*first["items"], *rest["items"])] == ["a", "b", "c"]
    assert rest["next_cursor"] is None


def test_a_real_worker_backfills_and_then_follows_a_commit(
    graph: Graph, brand: BrandSettings, service_settings: Settings
) -> None:
    profiles = people(graph, brand, 3)
    define(graph, brand, VISITS)
    started = start_run(graph, brand.id, RunKind.TRAITS, {}, by="test", now=utc_now())
    words = ["celery", "--app", "api.worker", "--quiet", "worker", "--queues", brand.id, "--concurrency", "1"]
    with subprocess.Popen([sys.executable, "-m", *words], env=child_environment(service_settings)) as worker:
        try:
            broker = Celery(broker=service_settings.redis_url)
            broker.send_task(RUN_TASK, args=[brand.id, started["id"]], queue=brand.id)
            until(lambda: get_definition(graph, brand.id, "visits")["state"] == READY)
            assert shown(graph, brand, profiles[0]) == {"visits": 1}
            commit_batch(graph, brand, [event(brand.id, "email:p0@x.io", minute=99)])
            broker.send_task(FEATURES_TASK, args=[[leave_mark(graph, brand, profiles)]], queue=brand.id)
            until(lambda: shown(graph, brand, profiles[0]) == {"visits": 2})
        finally:
            worker.terminate()
