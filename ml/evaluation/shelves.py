"""Backtest of recommendations: which shelves, in a window before the cutoff, held what customers bought next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from ml.models.recommend import RANKS, Own, Ranked, Together, fit_together, recommend
from ml.orders.baskets import Baskets, load_baskets
from ml.orders.history import Ints
from ml.training import Job

_MOST_LEARNT, _MOST_JUDGED = 20_000, 5_000
_BETTER = 1.01
WITH_OWN, NEW_ONLY = "all", "new"
_USUAL, NEW_FIRST = "together", "new first"
SHELVES = ("popular", _USUAL, NEW_FIRST)
"""What comes after own products: popular ones, or those bought together; or new ones in front of own ones."""


@dataclass(frozen=True)
class Shelves:
    """Recall and NDCG at 10 and the share of products shown, by file (all, new) and shelf; what was taken."""

    days: int
    judged: int
    metrics: Mapping[str, Mapping[str, Mapping[str, float]]]
    chosen: Mapping[str, str]

    def take(self, name: str, baskets: Baskets, together: Together, customers: Ints) -> Ranked:
        """The recommendations of a file, made as the judged window found best."""
        return _rank(self.chosen[name], name, (baskets, together), customers)

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"window_days": self.days, "customers": self.judged, "metrics": self.metrics, "chosen": self.chosen}


def judge_shelves(database: duckdb.DuckDBPyConnection, customers: int, job: Job) -> Shelves:
    """Compare shelves with and without EASE on the last window before the cutoff; EASE is taken where nobody bought."""
    [(first,)] = database.execute("SELECT coalesce(min(day), 0) FROM bought").fetchall()
    days = max(1, min(job.horizon, 91, (job.cutoff - first) // 3))
    origin = job.cutoff - days
    baskets = load_baskets(database, customers, origin, every=-(-customers // _MOST_LEARNT))
    truth = _truth(database, origin, job)
    known = np.unique(baskets.customer)
    judged = np.intersect1d(np.unique(truth[0]), known)
    if len(judged) > _MOST_JUDGED:
        judged = np.sort(np.random.default_rng(job.seed).choice(judged, _MOST_JUDGED, replace=False))
    if not len(judged):
        return Shelves(days, 0, {}, {WITH_OWN: _USUAL, NEW_ONLY: _USUAL})
    together = fit_together(baskets)
    metrics: dict[str, dict[str, dict[str, float]]] = {}
    chosen = {}
    for name in (WITH_OWN, NEW_ONLY):
        wanted = truth if name == WITH_OWN else _unseen(truth, baskets)
        metrics[name] = {
            shelf: _measure(_rank(shelf, name, (baskets, together), judged), wanted, judged, baskets)
            for shelf in (SHELVES if name == WITH_OWN else SHELVES[:2])
        }
        chosen[name] = _USUAL
        for shelf, found in metrics[name].items():
            if found["recall"] > metrics[name][chosen[name]]["recall"] * _BETTER:
                chosen[name] = shelf
    return Shelves(days, len(judged), metrics, chosen)


def _rank(shelf: str, name: str, made: tuple[Baskets, Together], customers: Ints) -> Ranked:
    """Ten products a customer in the shelf's order; `name` says whether own products are allowed."""
    baskets, together = made
    own = Own.NEVER if name == NEW_ONLY else Own.LAST if shelf == NEW_FIRST else Own.FIRST
    return recommend(baskets, together.none() if shelf == "popular" else together, customers, own)


def _truth(database: duckdb.DuckDBPyConnection, origin: int, job: Job) -> tuple[Ints, Ints]:
    """Customer and product of everything bought in the window."""
    found = database.execute(
        "SELECT DISTINCT c, p FROM bought WHERE day >= $origin AND day < $cutoff ORDER BY c, p",
        {"origin": origin, "cutoff": job.cutoff},
    ).fetchnumpy()
    return np.asarray(found["c"], dtype=np.int64), np.asarray(found["p"], dtype=np.int64)


def _unseen(truth: tuple[Ints, Ints], baskets: Baskets) -> tuple[Ints, Ints]:
    """Only what the customer had not bought before."""
    width = max(baskets.products, 1)
    fresh = ~np.isin(truth[0] * width + truth[1], baskets.customer * width + baskets.product)
    return truth[0][fresh], truth[1][fresh]


def _measure(ranked: Ranked, truth: tuple[Ints, Ints], judged: Ints, baskets: Baskets) -> dict[str, float]:
    """Recall and NDCG at 10 over customers who bought something of that kind; share of products that were shown."""
    width = max(baskets.products, 1)
    mine = np.isin(truth[0], judged)
    keys = truth[0][mine] * width + truth[1][mine]
    wanted = np.bincount(truth[0][mine])
    hit = np.isin(ranked.customer * width + ranked.product, keys)
    size = len(wanted)
    inside = hit & (ranked.customer < size)
    hits = np.bincount(ranked.customer[inside], minlength=size)
    gain = np.bincount(ranked.customer[inside], 1.0 / np.log2(ranked.rank[inside] + 1.0), minlength=size)
    ideal = np.append(0.0, np.cumsum(1.0 / np.log2(np.arange(RANKS) + 2.0)))
    asked = wanted > 0
    if not asked.any():
        return {"recall": 0.0, "ndcg": 0.0, "coverage": 0.0}
    return {
        "recall": float(np.mean(hits[asked] / wanted[asked])),
        "ndcg": float(np.mean(gain[asked] / ideal[np.minimum(wanted[asked], RANKS)])),
        "coverage": len(np.unique(ranked.product)) / width,
    }
