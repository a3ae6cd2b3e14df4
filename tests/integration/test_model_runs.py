"""Runs on the real graph: training, activation, rollback, batch scoring with a killed worker, drift, broken files."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from celery import Celery

from core.clock import utc_now
from core.errors import ConflictError
from core.settings import Settings, child_environment
from graph.driver import Graph
from graph.repositories.model_runs import (
    CANCELLED,
    DONE,
    MAX_ATTEMPTS,
    QUEUED,
    RunKind,
    cancel_run,
    due_runs,
    find_run,
    list_runs,
    start_run,
)
from graph.repositories.models import Change, find_active, find_version, list_versions
from graph.repositories.profiles import Page
from ml.runs.carry_out import carry_out_run
from ml.runs.tasks import RUN_TASK, schedule_runs, sweep_runs
from ml.serving.active import ActiveModels
from ml.serving.change import activate, roll_back
from ml.serving.files import folder_of
from ml.serving.store import refresh_profiles

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
SAVE = """
UNWIND $customers AS row
CREATE (c:Customer {id: row.id, brand: $brand, root_id: row.id, created_at: row.at, currency: 'USD', version: 1,
  persona_count: 1})
FOREACH (o IN row.orders | CREATE (c)-[:PLACED]->(:Order {key: o.key, brand: $brand, persona_id: row.id, counts: true,
  placed_at: o.at, counted_minor: o.minor, total_minor: o.minor, refunded_minor: 0, currency: 'USD', lines: o.lines}))
"""
REMOVE = """MATCH (c:Customer) WHERE c.brand = $brand
OPTIONAL MATCH (c)-[:PLACED|PERFORMED|HAS_PREDICTION|HAS_FEATURES]->(n) DETACH DELETE n, c"""
SEEN = """MATCH (c:Customer {id: $id})
CREATE (c)-[:PERFORMED]->(:Event {id: $id, brand: $brand, persona_id: $id, visit_at: $at})"""
COUNTED = "MATCH (f:FeatureSet {id: $id}) RETURN f.store_visit_days, f.last_store_visit_days"


def history(brand: str, customers: int, seed: int = 7) -> list[dict[str, Any]]:
    """Customers who buy at their own pace for a year and stop at some moment."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        orders: list[dict[str, Any]] = []
        pace, at = rng.gamma(2.0, 12.0) + 3.0, float(rng.uniform(0, 250))
        while at < 364:
            lines = json.dumps([{"product_id": f"P{int(rng.integers(0, 6))}", "category": "Apparel", "quantity": 1}])
            orders.append({
                "key": f"{brand}-{number}-{len(orders)}", "at": NOW - timedelta(days=365 - at),
                "minor": int(rng.gamma(4.0, 1500.0)) + 100, "lines": lines,
            })  # fmt: skip
            if rng.random() < 0.15:
                break
            at += float(rng.exponential(pace)) + 0.5
        rows.append(
            {"id": f"{brand}-c{number:05d}", "at": NOW - timedelta(days=400, minutes=-number), "orders": orders}
        )
    return rows


@pytest.fixture
def brand(graph: Graph, brand_id: str):
    with graph.session() as session:
        session.run("CREATE (:Brand {id: $brand, status: 'active'})", brand=brand_id).consume()
    yield brand_id
    with graph.session() as session:
        session.run("MATCH (b:Brand {id: $brand}) DETACH DELETE b", brand=brand_id).consume()
        session.run(REMOVE, brand=brand_id).consume()
        session.run("MATCH (r:ModelRun) WHERE r.brand = $brand DETACH DELETE r", brand=brand_id).consume()


def save(graph: Graph, brand: str, rows: list[dict[str, Any]]) -> None:
    with graph.session() as session:
        for start in range(0, len(rows), 200):
            session.run(SAVE, brand=brand, customers=rows[start : start + 200]).consume()


def run(
    graph: Graph, models: ActiveModels, brand: str, kind: RunKind, at: datetime = NOW, **settings: Any
) -> dict[str, Any]:
    started = start_run(graph, brand, kind, settings, by="test", now=at)
    assert carry_out_run(graph, models, brand, started["id"], clock=lambda: at, lease=timedelta(days=400)) == DONE
    return find_run(graph, brand, started["id"])


def predictions(graph: Graph, brand: str) -> dict[str, dict[str, Any]]:
    query = """MATCH (c:Customer)-[:HAS_PREDICTION]->(p:Prediction)-[:BY_MODEL]->(m:ModelVersion)
    WHERE c.brand = $brand RETURN c.id AS id, m.id AS model, p.churn_probability AS churn, p.segment AS segment,
      p.expected_minor AS expected"""
    with graph.session() as session:
        return {row["id"]: row.data() for row in session.run(query, brand=brand)}


def test_a_brand_with_history_is_trained_scored_watched_and_rolled_back(
    graph: Graph, brand: str, tmp_path: Path
) -> None:
    models = ActiveModels(tmp_path)
    rows = history(brand, 700)
    save(graph, brand, rows)
    trained = run(graph, models, brand, RunKind.TRAIN)
    active = find_active(graph, brand)
    assert trained["result"]["activated"], trained["result"]
    assert active is not None
    assert (active["id"], active["grade"], active["horizon_days"]) == (trained["model_id"], "basic", 60)
    assert "better than day one" in active["activation_reason"]
    metrics = json.loads(active["metrics"])
    assert metrics["churn"]["roc_auc"] > 0.6
    assert {"accuracy", "precision", "recall", "f1"} <= set(metrics["churn"])

    # The scoring run follows by itself; one profile alone is scored as among all.
    [waiting] = [one["id"] for one in list_runs(graph, brand, Page())["items"] if one["state"] == QUEUED]
    assert carry_out_run(graph, models, brand, waiting, clock=lambda: NOW, lease=timedelta(days=400)) == DONE
    stored = predictions(graph, brand)
    buyers = [row["id"] for row in rows if row["orders"]]
    assert set(stored) == set(buyers)
    assert {one["model"] for one in stored.values()} == {active["id"]}
    for profile in buyers[:40]:
        alone = refresh_profiles(graph, models, brand, [profile], NOW).sections[profile]
        assert alone is not None
        assert alone["churn"]["probability"] == pytest.approx(stored[profile]["churn"], abs=2e-4)
        assert alone["segment"]["name"] == stored[profile]["segment"]
        assert alone["churn"]["confidence"] == "medium"
        assert alone["churn"]["reasons"]
        assert alone["recommendations"]
    drift = json.loads(find_version(graph, brand, active["id"])["drift"])
    assert drift["alerts"] == []
    assert drift["realised"] is None

    # Trained again on the same history it only ties, and does not take over.
    again = run(graph, models, brand, RunKind.TRAIN)
    assert not again["result"]["activated"]
    assert again["model_id"] != active["id"]

    activate(graph, tmp_path, brand, again["model_id"], Change("me", "try", NOW))
    assert models.of(graph, brand).id == again["model_id"]
    assert roll_back(graph, brand, Change("me", "no", NOW)) == {"active": active["id"], "previous": again["model_id"]}
    assert roll_back(graph, brand, Change("me", "no", NOW))["active"] is None
    assert models.of(graph, brand).version == "day-one-1"
    with pytest.raises(ConflictError):
        roll_back(graph, brand, Change("me", "no", NOW))
    activate(graph, tmp_path, brand, active["id"], Change("me", "back", NOW))

    _drifts_once_its_horizon_has_passed(graph, models, brand, active["id"])
    _is_never_loaded_once_its_file_was_changed(graph, tmp_path, brand, active["id"])
    assert len(list_versions(graph, brand, Page())["items"]) == 2


def test_a_scoring_run_counts_days_in_stores(graph: Graph, brand: str, tmp_path: Path) -> None:
    rows = history(brand, 3)
    save(graph, brand, rows)
    times = [NOW - timedelta(hours=36), NOW]
    with graph.session() as session:
        for row, at in zip(rows[1:], times, strict=True):
            session.run(SEEN, id=row["id"], brand=brand, at=at).consume()
        run(graph, ActiveModels(tmp_path), brand, RunKind.SCORE, with_features=True)
        found = [session.run(COUNTED, id=row["id"]).values() for row in rows]
    assert found == [[[0, None]], [[1, 1.5]], [[0, None]]]


def _drifts_once_its_horizon_has_passed(graph: Graph, models: ActiveModels, brand: str, version_id: str) -> None:
    """Nobody bought since, so it was far too hopeful, and it says so."""
    later = run(graph, models, brand, RunKind.SCORE, NOW + timedelta(days=95))
    drift = json.loads(find_version(graph, brand, version_id)["drift"])
    assert later["result"]["alerts"] == len(drift["alerts"]) >= 2
    assert drift["realised"]["actual"] > 0.99
    assert drift["realised"]["is_off"]
    assert drift["shifts"]["recency_days"]["psi"] > drift["shifts"]["recency_days"]["alert_above"]


def _is_never_loaded_once_its_file_was_changed(graph: Graph, data_dir: Path, brand: str, version_id: str) -> None:
    """Day one answers instead, and says so."""
    path = folder_of(data_dir, version_id) / "model.json"
    path.write_text(path.read_text().replace("0", "1", 1))
    assert ActiveModels(data_dir).of(graph, brand).version == "day-one-1"
    with pytest.raises(ConflictError):
        activate(graph, data_dir, brand, version_id, Change("me", "?", NOW))


def test_too_little_history_keeps_day_one_and_says_why(graph: Graph, brand: str, tmp_path: Path) -> None:
    save(graph, brand, history(brand, 20))
    trained = run(graph, ActiveModels(tmp_path), brand, RunKind.TRAIN)
    assert not trained["result"]["activated"]
    assert "fewer than 100" in trained["result"]["reason"]
    assert find_active(graph, brand) is None


def test_a_brand_without_customers_trains_to_nothing(graph: Graph, brand: str, tmp_path: Path) -> None:
    assert not run(graph, ActiveModels(tmp_path), brand, RunKind.TRAIN)["result"]["activated"]
    assert run(graph, ActiveModels(tmp_path), brand, RunKind.SCORE)["result"]["predicted"] == 0


def test_a_brand_has_one_run_of_a_kind_at_a_time(graph: Graph, brand: str, tmp_path: Path) -> None:
    first = start_run(graph, brand, RunKind.TRAIN, {}, by="a", now=NOW)
    assert start_run(graph, brand, RunKind.TRAIN, {}, by="b", now=NOW)["id"] == first["id"]
    assert start_run(graph, brand, RunKind.SCORE, {}, by="b", now=NOW)["is_new"]
    assert cancel_run(graph, brand, first["id"], by="a", now=NOW)["state"] == CANCELLED
    assert carry_out_run(graph, ActiveModels(tmp_path), brand, first["id"]) is None
    assert start_run(graph, brand, RunKind.TRAIN, {}, by="b", now=NOW)["is_new"]


KILLED = """
import os, signal, sys
from core.settings import load_settings
from graph.driver import Graph
from ml.runs import batch
from ml.runs.carry_out import carry_out_run
from ml.serving.active import ActiveModels
from pathlib import Path
from datetime import timedelta
import ml.runs.gather as gather
gather._PAGE = 50
pages = []
write = batch.store_made
def dies(*args):
    pages.append(1)
    if len(pages) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return write(*args)
batch.store_made = dies
graph = Graph.connect(load_settings())
carry_out_run(graph, ActiveModels(Path(sys.argv[3])), sys.argv[1], sys.argv[2], lease=timedelta(seconds=2))
"""


def test_a_killed_scoring_run_is_taken_up_where_its_last_page_ended(
    graph: Graph, brand: str, tmp_path: Path, neo4j_server, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = history(brand, 240)
    save(graph, brand, rows)
    started = start_run(graph, brand, RunKind.SCORE, {}, by="test", now=utc_now())
    environment = {
        **os.environ, "NEO4J_URI": neo4j_server.uri, "NEO4J_USER": neo4j_server.user,
        "NEO4J_PASSWORD": neo4j_server.password,
    }  # fmt: skip
    words = [sys.executable, "-c", KILLED, brand, started["id"], str(tmp_path)]
    died = subprocess.run(words, env=environment, check=False, timeout=240)
    assert died.returncode == -signal.SIGKILL
    half = predictions(graph, brand)
    assert 0 < len(half) < 240
    assert find_run(graph, brand, started["id"])["progress"]["done"] == 100
    later = utc_now() + timedelta(minutes=5)
    told: list[str] = []
    while started["id"] not in told:
        swept = sweep_runs(graph, lambda _, run_id: told.append(run_id), lambda: later)
        assert swept
    assert carry_out_run(graph, ActiveModels(tmp_path), brand, started["id"], clock=lambda: later) in {DONE, None}
    done = find_run(graph, brand, started["id"])
    assert done["progress"]["done"] == 240
    assert set(predictions(graph, brand)) == {row["id"] for row in rows if row["orders"]}


def test_a_real_worker_takes_a_run_off_the_queue(graph: Graph, brand: str, service_settings: Settings) -> None:
    save(graph, brand, history(brand, 30))
    started = start_run(graph, brand, RunKind.SCORE, {}, by="test", now=utc_now())
    words = ["celery", "--app", "api.worker", "--quiet", "worker", "--queues", brand, "--concurrency", "1"]
    with subprocess.Popen([sys.executable, "-m", *words], env=child_environment(service_settings)) as worker:
        try:
            broker = Celery(broker=service_settings.redis_url)
            broker.send_task(RUN_TASK, args=[brand, started["id"]], queue=brand)
            deadline = time.monotonic() + 120
            while find_run(graph, brand, started["id"])["state"] != DONE:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        finally:
            worker.terminate()
    assert len(predictions(graph, brand)) == 30


def test_a_run_that_keeps_killing_workers_is_given_up(graph: Graph, brand: str) -> None:
    started = start_run(graph, brand, RunKind.SCORE, {"attempts": MAX_ATTEMPTS}, by="test", now=NOW)
    with graph.session() as session:
        session.run("MATCH (r:ModelRun {id: $id}) SET r.attempts = $n", id=started["id"], n=MAX_ATTEMPTS).consume()
    while find_run(graph, brand, started["id"])["state"] == QUEUED:
        assert due_runs(graph, now=NOW, resend=timedelta(0))
        sweep_runs(graph, lambda *_: None, lambda: NOW)
    assert find_run(graph, brand, started["id"])["state"] == "failed"


def test_what_is_due_is_started_once(graph: Graph, brand: str) -> None:
    assert len([one for one in schedule_runs(graph, utc_now) if _is_of(graph, brand, one)]) == 2
    assert not [one for one in schedule_runs(graph, utc_now) if _is_of(graph, brand, one)]


def _is_of(graph: Graph, brand: str, run_id: str) -> bool:
    with graph.session() as session:
        found = session.run("MATCH (r:ModelRun {id: $id}) RETURN r.brand AS brand", id=run_id).single()
    return found is not None and found["brand"] == brand
