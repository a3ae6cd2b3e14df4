"""Drift: how far features and scores of now are from those a model learnt from, and what came of past predictions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ml.features.purchases import PurchaseFeatures
from ml.metrics import churn_metrics
from ml.orders.history import Floats

BINS = 10
WATCHED = ("recency_days", "frequency", "order_day_gap_mean", "order_day_value_mean", "orders_91d", "spend_91d")
"""Features watched: those that only grow with the age of the history are left out, they move by themselves."""
SCORE = "churn_probability"
EFFECT = 0.1
"""A shift below this is too small to matter, however sure it is."""
_SURE = 3.0
_LEAST = 1e-4
_LEAST_MATURED = 200
_GAP = 0.05
_MOST_KEPT = 20_000


def reference_of(features: PurchaseFeatures, churn: Floats) -> dict[str, Any]:
    """Edges of the deciles of each watched feature and of the score, and the share of customers in each bin."""
    columns = {name: features[name] for name in WATCHED} | {SCORE: churn}
    return {name: _bins(values) for name, values in columns.items()}


def _bins(values: Floats) -> dict[str, Any]:
    known = values[np.isfinite(values)]
    edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS)) if len(known) else np.zeros(0)
    return {"edges": edges.tolist(), "counts": counts_of(values, edges).tolist()}


def counts_of(values: Floats, edges: Floats) -> Floats:
    """Customers in each bin, those without a value in the last place."""
    known = values[np.isfinite(values)]
    found = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    return np.append(found, len(values) - len(known)).astype(np.float64)


def population_stability(before: Floats, now: Floats) -> float:
    """Population stability index of two counts over the same bins: 0 for the same shares."""
    p = np.maximum(before / max(before.sum(), 1.0), _LEAST)
    q = np.maximum(now / max(now.sum(), 1.0), _LEAST)
    return float(np.sum((q - p) * np.log(q / p)))


def alarm_above(before: Floats, now: Floats) -> float:
    """The index from which a shift is told: more than chance gives for so many customers, and no trifle."""
    n, m = max(float(before.sum()), 1.0), max(float(now.sum()), 1.0)
    return max(EFFECT, _SURE * (len(before) - 1) * (1.0 / n + 1.0 / m))


@dataclass(slots=True)
class Watch:
    """Counts of a scoring run over all profiles, and outcomes of predictions whose horizon has passed."""

    reference: Mapping[str, Any]
    counts: dict[str, Floats] = field(default_factory=dict)
    probability: list[float] = field(default_factory=list)
    silent: list[float] = field(default_factory=list)
    foretold_spend: float = 0.0
    actual_spend: float = 0.0

    def see(self, features: PurchaseFeatures, churn: Floats) -> None:
        """Count a page of profiles."""
        columns = {name: features[name] for name in WATCHED} | {SCORE: churn}
        for name, kept in self.reference.items():
            if name in columns:
                found = counts_of(columns[name], np.asarray(kept["edges"]))
                self.counts[name] = self.counts[name] + found if name in self.counts else found

    def mature(self, probability: Floats, silent: Floats, foretold: Floats, actual: Floats) -> None:
        """Take what came of a page's predictions of one horizon ago; the first 20,000 customers are kept."""
        room = max(0, _MOST_KEPT - len(self.probability))
        self.probability += probability[:room].tolist()
        self.silent += silent[:room].tolist()
        self.foretold_spend += float(foretold[:room].sum())
        self.actual_spend += float(actual[:room].sum())

    def as_dict(self) -> dict[str, Any]:
        """The report: shifts by column, realised against predicted, and `alerts` in words."""
        shifts, alerts = {}, []
        for name, now in self.counts.items():
            before = np.asarray(self.reference[name]["counts"], dtype=np.float64)
            index, limit = population_stability(before, now), alarm_above(before, now)
            shifts[name] = {"psi": round(index, 4), "alert_above": round(limit, 4), "customers": int(now.sum())}
            if index > limit:
                alerts.append(f"{name} has shifted (index {index:.2f}, told from {limit:.2f} on)")
        realised = self._realised()
        if realised is not None and realised["is_off"]:
            alerts.append(f"{realised['actual']:.1%} placed no order where {realised['predicted']:.1%} was foretold")
        return {"shifts": shifts, "realised": realised, "alerts": alerts}

    def _realised(self) -> dict[str, Any] | None:
        if len(self.probability) < _LEAST_MATURED:
            return None
        found = churn_metrics(np.asarray(self.probability), np.asarray(self.silent))
        spend = self.foretold_spend / self.actual_spend - 1.0 if self.actual_spend > 0 else 0.0
        is_off = abs(found["predicted"] - found["actual"]) > _GAP
        return {**found, "customers": len(self.probability), "spend_bias": spend, "is_off": is_off}
