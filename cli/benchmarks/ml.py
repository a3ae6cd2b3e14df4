"""Bench `--ml`: features and `evaluate` beside the plain tools they are built on, as ratios of one run."""

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np

from core.errors import ConfigurationError
from ml.features.purchases import PurchaseFeatures, purchase_features
from ml.models.design import BOOSTED, look_back
from ml.orders.history import UNITS, outcome
from ml.orders.read import day_number, gather_history

FEATURES_TARGET, EVALUATE_TARGET, EVALUATE_BAR, MEMORY_TARGET = 3.0, 8.0, 12.0, 3.0
_START, _DAYS, _HORIZON = date(2023, 1, 1), 700, 90
_LINES_OF_A_CUSTOMER = 10
_THREADS = 2


@dataclass(frozen=True, slots=True)
class MlPlan:
    """Customers of each part (ten lines each) and rounds that are measured."""

    feature_customers: int = 1_000_000
    evaluate_customers: int = 200_000
    rounds: int = 3
    seed: int = 0


@dataclass(slots=True)
class MlResult:
    """Seconds by part and round, and the peak memory of `evaluate` in GiB."""

    plan: MlPlan
    group_by: list[float] = field(default_factory=list)
    features: list[float] = field(default_factory=list)
    file_group_by: list[float] = field(default_factory=list)
    lightgbm: list[float] = field(default_factory=list)
    evaluate: list[float] = field(default_factory=list)
    evaluate_gib: float = 0.0

    @property
    def features_ratio(self) -> float:
        """Median over the rounds of features over group-by."""
        return statistics.median(ours / plain for ours, plain in zip(self.features, self.group_by, strict=True))

    @property
    def evaluate_ratio(self) -> float:
        """Median over the rounds of `evaluate` over group-by of the file and LightGBM."""
        rounds = zip(self.evaluate, self.file_group_by, self.lightgbm, strict=True)
        return statistics.median(ours / (plain + trees) for ours, plain, trees in rounds)

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "features_ratio": self.features_ratio, "evaluate_ratio": self.evaluate_ratio}


def measure_ml(plan: MlPlan, tell: Callable[[str], None]) -> MlResult:
    """Measure both parts, plain and ours next to each other in every round."""
    result = MlResult(plan)
    with _database() as database:
        _make_lines(database, plan.feature_customers)
        for number in range(plan.rounds):
            result.group_by.append(_seconds(lambda: database.execute(_GROUP_BY.format("lines")).fetchnumpy()))
            result.features.append(_seconds(lambda: _make_features(database)))
            tell(f"features, round {number + 1}: {result.features[-1]:.2f} s, group-by {result.group_by[-1]:.2f} s")
    with _database() as database, TemporaryDirectory(prefix="constintel-bench-") as folder:
        file = Path(folder) / "orders.csv"
        _make_lines(database, plan.evaluate_customers)
        _write_orders(database, file)
        for number in range(plan.rounds):
            result.file_group_by.append(_seconds(lambda: _group_file(file)))
            result.lightgbm.append(_fit_plain(database))
            result.evaluate.append(_seconds(lambda: _evaluate(file, Path(folder) / "out", plan.seed)))
            tell(f"evaluate, round {number + 1}: {result.evaluate[-1]:.2f} s")
        result.evaluate_gib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    return result


def ml_markdown(result: MlResult) -> str:
    """The speed table, ratios beside their targets."""
    plan = result.plan
    customers, lines = plan.feature_customers, plan.feature_customers * _LINES_OF_A_CUSTOMER
    rows = [
        ("what", "seconds (median)", "ratio", "at most"),
        ("--", "--:", "--:", "--:"),
        (f"plain group-by, {lines:,} lines", _median(result.group_by), "", ""),
        (f"features of {customers:,} customers", _median(result.features), _ratio(result.features_ratio), "3"),
        (f"plain group-by of a file, {plan.evaluate_customers:,} customers", _median(result.file_group_by), "", ""),
        ("one LightGBM fit and predict", _median(result.lightgbm), "", ""),
        ("evaluate, backtests included", _median(result.evaluate), _ratio(result.evaluate_ratio), "8 (bar 12)"),
        ("evaluate, peak memory GiB", f"{result.evaluate_gib:.2f}", "", "3"),
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


_GROUP_BY = (
    "SELECT customer_id, count(DISTINCT order_key) AS orders, count(*) AS lines, sum(amount) AS spend,"
    " min(day) AS first, max(day) AS last FROM {} GROUP BY customer_id"
)


def _database() -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": str(_THREADS),
        "memory_limit": "3GB",
        "preserve_insertion_order": "false",
    }
    return duckdb.connect(":memory:", config=config)


def _make_lines(database: duckdb.DuckDBPyConnection, customers: int) -> None:
    """Ten lines a customer in orders of two, days and amounts by hash: the same for every run."""
    database.execute(
        f"""
        CREATE TABLE lines AS SELECT 'customer-' || lpad(c::VARCHAR, 8, '0') AS customer_id,
            hash(c * 100 + k // 2) AS order_key, 'product-' || (hash(c * 37 + k) % 2000) AS product_id,
            '' AS category, '' AS currency, {day_number(_START)} + least((hash(c) % 500) + (k // 2)
                * (10 + hash(c * 13 + k // 2) % 60), {_DAYS - 1})::INTEGER AS day,
            (100 + hash(c * 31 + k) % 10000) * {UNITS / 100:.0f}::DOUBLE AS amount, {UNITS:.0f}::DOUBLE AS quantity
        FROM range({customers}) t(c), range({_LINES_OF_A_CUSTOMER}) r(k)
        """  # noqa: S608 (own numbers)
    )


def _write_orders(database: duckdb.DuckDBPyConnection, file: Path) -> None:
    query = f"""
        SELECT customer_id, 'o-' || order_key AS order_id, strftime(DATE '1970-01-01' + day, '%Y-%m-%d') AS ordered_at,
            amount / {UNITS:.0f} AS amount, product_id FROM lines
    """  # noqa: S608 (own numbers)
    database.execute(f"COPY ({query}) TO $path (FORMAT csv, HEADER)", {"path": str(file)})


def _make_features(database: duckdb.DuckDBPyConnection) -> PurchaseFeatures:
    database.execute("DROP TABLE IF EXISTS customers")
    _, history = gather_history(database)
    return purchase_features(history, day_number(_START) + _DAYS)


def _group_file(file: Path) -> None:
    with _database() as database:
        database.execute(
            "SELECT customer_id, count(DISTINCT order_id), count(*), sum(amount), min(ordered_at), max(ordered_at)"
            " FROM read_csv($path) GROUP BY customer_id",
            {"path": str(file)},
        ).fetchnumpy()


def _fit_plain(database: duckdb.DuckDBPyConnection) -> float:
    """Seconds of one plain LightGBM fit on all customers' features, and of predicting them."""
    import lightgbm  # noqa: PLC0415 - heavy, and only here

    database.execute("DROP TABLE IF EXISTS customers")
    _, history = gather_history(database)
    end = day_number(_START) + _DAYS
    features = purchase_features(history, end - _HORIZON)
    rows = features.matrix(tuple(name for name in BOOSTED if name in features.columns and look_back(name) <= _DAYS))
    came = (outcome(history, end - _HORIZON, end).orders[features.customer] > 0).astype(np.float64)
    began = time.perf_counter()
    parameters = {"objective": "binary", "num_threads": _THREADS, "verbosity": -1}
    lightgbm.train(parameters, lightgbm.Dataset(rows, came), 100).predict(rows)
    return time.perf_counter() - began


def _evaluate(file: Path, out: Path, seed: int) -> None:
    """The command in a process of its own, as a user runs it."""
    words = [sys.executable, "-c", "from cli.main import app; app()", "evaluate", str(file), "--out", str(out)]
    cutoff = date.fromordinal(_START.toordinal() + _DAYS - _HORIZON).isoformat()
    words += ["--cutoff", cutoff, "--horizon", str(_HORIZON), "--seed", str(seed)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 (our own command)
    if done.returncode:
        raise ConfigurationError(f"evaluate failed: {(done.stderr.strip().splitlines() or ['no reason'])[-1]}")


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _median(values: list[float]) -> str:
    return f"{statistics.median(values):.2f}"


def _ratio(value: float) -> str:
    return f"{value:.2f}"
