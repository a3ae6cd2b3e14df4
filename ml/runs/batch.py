"""Scoring everybody: page by page under the run's lease, so that a killed run goes on where its last page ended."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from core.clock import EARLIEST, format_time, parse_time
from graph.driver import Graph
from graph.repositories import predictions as repository
from graph.repositories.models import find_active, set_drift
from graph.repositories.suggestions import count_profiles
from graph.values import parse_json, to_time
from ml.drift import Watch
from ml.features.purchases import PurchaseFeatures
from ml.features.store import compute_features
from ml.orders.history import Floats, outcome
from ml.runs.gather import customer_pages
from ml.runs.heart import Heart
from ml.serving.active import ActiveModels
from ml.serving.customers import Customer, Moment, features_of, history_of
from ml.serving.model import ServingModel
from ml.serving.score import foretell, snapshot_of
from ml.serving.store import readable_customers, scored_customers, write_scored


class _Scoring:
    """One scoring run over all profiles of a brand."""

    def __init__(self, graph: Graph, brand: str, models: ActiveModels, at: datetime) -> None:
        self.graph, self.brand, self.at = graph, brand, at
        self.model = models.of(graph, brand)
        self.stored = find_active(graph, brand)
        self.watch = Watch(parse_json((self.stored or {}).get("reference"), {}))
        self.predicted, self.failed = 0, set[str]()
        self.matured = _matured_moment(self.model, self.stored, at)

    def page(self, rows: Sequence[dict[str, Any]], *, with_features: bool) -> None:
        """Score and store one page."""
        customers = readable_customers(rows, self.failed)
        scored = scored_customers(self.model, customers, self.at, self.failed, self._see)
        write_scored(self.graph, self.brand, self.model, scored, self.at)
        foretold = {one.profile_id for one in scored}
        silent = [one.id for one in customers if one.id not in foretold and one.id not in self.failed]
        merged = [row["id"] for row in rows if row["personas"] > 1]
        if silent or merged:
            repository.remove_predictions(self.graph, self.brand, silent, merged)
        if with_features:
            compute_features(self.graph, self.brand, [row["id"] for row in rows], self.at)
        self.predicted += len(scored)
        if self.matured is not None and not self.model.bundle.is_day_one:
            self._mature(customers, self.matured)

    def _see(self, features: PurchaseFeatures, churn: Floats) -> None:
        if self.stored is not None and not self.model.bundle.is_day_one:
            self.watch.see(features, churn)

    def _mature(self, customers: Sequence[Customer], matured: Moment) -> None:
        past = features_of(customers, matured)
        if len(past):
            said = foretell(self.model, snapshot_of(self.model, past))
            history = history_of(customers, Moment(matured.at + timedelta(days=self.model.horizon)))
            found = outcome(history, matured.day, matured.day + self.model.horizon)
            orders, spend = found.orders[past.customer], found.spend[past.customer]
            self.watch.mature(said.silence, (orders == 0).astype(np.float64), said.spend, spend)

    def report(self) -> dict[str, Any]:
        """What the run found out; drift is kept with the version that was watched."""
        found = {"predicted": self.predicted, "failed": len(self.failed), "model_version": self.model.version}
        if self.stored is not None and self.watch.counts:
            drift = {"at": format_time(self.at), **self.watch.as_dict()}
            set_drift(self.graph, self.brand, self.stored["id"], json.dumps(drift), has_alert=bool(drift["alerts"]))
            found["alerts"] = len(drift["alerts"])
        return found


def score_all(
    graph: Graph, brand: str, models: ActiveModels, stored: dict[str, Any], heart: Heart, at: datetime
) -> dict[str, Any]:
    """Score all live profiles with the brand's active model; the facts of the run. Raises RunLostError."""
    progress, scoring = heart.progress, _Scoring(graph, brand, models, at)
    progress.total, progress.done = count_profiles(graph, brand), stored.get("done") or 0
    progress.position = stored.get("position")
    heart.tell("scoring")
    for rows in customer_pages(graph, brand, _after(progress.position)):
        scoring.page(rows, with_features=bool(stored.get("with_features")))
        last = rows[-1]
        progress.done += len(rows)
        progress.position = f"{format_time(to_time(last['created_at']) or EARLIEST)} {last['id']}"
        heart.tell("scoring")
    return {"model_id": scoring.model.id, "result": json.dumps(scoring.report())}


def _after(position: str | None) -> tuple[datetime, str] | None:
    if not position:
        return None
    at, _, id_ = position.partition(" ")
    return parse_time(at) or EARLIEST, id_


def _matured_moment(model: ServingModel, stored: dict[str, Any] | None, at: datetime) -> Moment | None:
    """The midnight one horizon ago, when the version knew nothing after it; None while its horizon has not passed.

    What it would have said then follows from the orders known then, so no old prediction needs to be kept.
    """
    data_to = to_time((stored or {}).get("data_to"))
    if data_to is None:
        return None
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    past = midnight - timedelta(days=model.horizon)
    return Moment(past) if past >= data_to else None
