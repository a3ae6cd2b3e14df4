"""Runs of the suggestions through real workers: killed in the middle, taken over, and handed out by the sweep."""

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from core.brand import BrandSettings
from core.clock import utc_now
from core.settings import Settings, child_environment
from graph.commit import commit_batch
from graph.driver import Graph
from graph.repositories.brands import BrandRecord, create_brand
from graph.repositories.profiles import Page
from graph.repositories.suggestion_runs import DONE, due_runs, find_run, start_run
from graph.repositories.suggestions import SuggestionFilter, list_suggestions
from ml.suggestions.run import run_suggestions
from ml.suggestions.settings import SuggestionSettings
from tests.factories import event

pytestmark = pytest.mark.usefixtures("suggestions_slot")
_PATIENCE = 120.0
_PEOPLE = 60


@pytest.fixture
def brand(graph: Graph, brand_id: str) -> BrandSettings:
    """A brand of sixty people, each known twice: the second record has another e-mail address."""
    settings = BrandSettings(brand_id, name="Test")
    create_brand(graph, BrandRecord(settings, (), ()), op=brand_id, at=utc_now())
    events = [
        event(brand_id, f"email:{side}{n:03d}@{side}.example", traits=json.dumps(_person(n)))
        for n in range(_PEOPLE)
        for side in ("left", "right")
    ]
    commit_batch(graph, settings, events)
    return settings


def _person(number: int) -> dict[str, str]:
    """Names and a birthday that are like nobody else's."""
    letters = hashlib.sha256(str(number).encode()).hexdigest().translate(str.maketrans("0123456789", "ghijklmnop"))
    birthday = date(1940, 1, 1) + timedelta(days=number * 431)
    return {"first_name": letters[:9], "last_name": letters[9:20], "birthday": birthday.isoformat()}


def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition; fails when it does not come."""
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def queued(graph: Graph, brand: BrandSettings) -> str:
    run = start_run(graph, brand.id, SuggestionSettings().as_dict(), by="steward", now=utc_now())
    return str(run["id"])


def proposed(graph: Graph, run: tuple[str, str]) -> int:
    return int(find_run(graph, *run)["progress"]["proposed"])


def pairs(graph: Graph, brand: BrandSettings) -> list[frozenset[str]]:
    items = list_suggestions(graph, brand.id, Page(200), SuggestionFilter())["items"]
    return [frozenset({item["left_id"], item["right_id"]}) for item in items]


def test_a_worker_killed_while_it_proposes_is_replaced_and_nothing_is_proposed_twice(
    graph: Graph, graph_settings: Settings, brand: BrandSettings
) -> None:
    run = (brand.id, queued(graph, brand))
    words = [sys.executable, "-m", "tests.integration.suggestion_process", *run, "3"]
    with subprocess.Popen(words, env=child_environment(graph_settings)) as worker:
        until(lambda: proposed(graph, run) > 0)
        worker.kill()
    before = proposed(graph, run)
    assert before < _PEOPLE
    assert run_suggestions(graph, *run) is None
    until(lambda: run[1] in {due.id for due in due_runs(graph, now=utc_now(), resend=timedelta(0), limit=10)})
    assert run_suggestions(graph, *run) == DONE
    found = pairs(graph, brand)
    assert len(found) == len(set(found)) == proposed(graph, run) == _PEOPLE


@pytest.fixture
def worker(service_settings: Settings, tmp_path: Path) -> Iterator[None]:
    """A Celery worker with its beat, as `constintel worker` and `constintel beat` run them."""
    words = [sys.executable, "-m", "celery", "--app", "api.worker", "--quiet", "worker", "--beat", "--queues"]
    words += ["default,ml", "--concurrency", "1", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
    environment = child_environment(service_settings.model_copy(update={"data_dir": tmp_path}))
    with subprocess.Popen(words, env=environment) as process:
        yield
        process.terminate()


def test_a_job_that_waits_is_carried_out_by_a_celery_worker(graph: Graph, brand: BrandSettings, worker: None) -> None:
    run = (brand.id, queued(graph, brand))
    until(lambda: find_run(graph, *run)["state"] == DONE)
    assert len(pairs(graph, brand)) == _PEOPLE


def test_a_worker_that_only_starts_loads_none_of_the_models_libraries(service_settings: Settings) -> None:
    code = (
        "import sys, api.worker; api.worker.app.loader.import_default_modules();"
        "print(sorted({'splink', 'duckdb', 'lightgbm', 'sklearn'} & sys.modules.keys()),"
        " 'ml.run_suggestions' in api.worker.app.tasks)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=child_environment(service_settings),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[-2] == "[] True"
