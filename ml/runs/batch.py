"""Scoring everybody: page by page under the run's lease, so that a killed run goes on where its last page ended."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from core.clock import EARLIEST, format_time, from_micros, parse_time
from graph.driver import Graph
from graph.repositories.models import find_active, set_drift
from graph.repositories.predictions import CustomerRow
from graph.repositories.suggestions import count_profiles
from graph.values import parse_json, to_time
from ml.drift import Watch
from ml.features.build import look_at
from ml.features.customers import Customer, Moment, history_of
from ml.features.purchases import PurchaseFeatures
from ml.orders.history import Floats, outcome
from ml.runs.gather import customer_pages
from ml.runs.heart import Heart
from ml.serving.active import ActiveModels
from ml.serving.model import ServingModel
from ml.serving.score import foretell, snapshot_of
from ml.serving.store import Made, make, readable_customers, store_made


class _Scoring:
    """One scoring run over all profiles of a brand."""

    def __init__(self, graph: Graph, brand: str, models: ActiveModels, at: datetime, *, with_features: bool) -> None:
        self.graph, self.brand, self.at, self.with_features = graph, brand, at, with_features
        self.model = models.of(graph, brand)
        self.stored = find_active(graph, brand)
        self.watch = Watch(parse_json((self.stored or {}).get("reference"), {}))
        self.predicted, self.failed = 0, set[str]()
        self.matured = _matured_moment(self.model, self.stored, at)

    def make(self, rows: Sequence[CustomerRow]) -> Made:
        """Features and predictions of one page."""
        made = make(self.model, rows, self.at, self.failed, self._see, with_features=self.with_features)
        self.predicted += len(made.scored)
        if self.matured is not None and not self.model.bundle.is_day_one:
            self._mature(readable_customers(rows, self.failed), self.matured)
        return made

    def store(self, made: Made) -> None:
        """Attach them."""
        store_made(self.graph, self.brand, self.model, made, self.at)

    def _see(self, features: PurchaseFeatures, churn: Floats) -> None:
        if self.stored is not None and not self.model.bundle.is_day_one:
            self.watch.see(features, churn)

    def _mature(self, customers: Sequence[Customer], matured: Moment) -> None:
        past = look_at(customers, matured).purchases
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
    """Score all live profiles with the brand's active model; the facts of the run. Raises RunLostError.

    While one page is computed the one before is written and the next one read: the graph works beside this process.
    """
    progress = heart.progress
    scoring = _Scoring(graph, brand, models, at, with_features=bool(stored.get("with_features")))
    progress.total, progress.done = count_profiles(graph, brand), stored.get("done") or 0
    progress.position = stored.get("position")
    heart.tell("scoring")
    with ThreadPoolExecutor(1, "model-run-reads") as reader, ThreadPoolExecutor(1, "model-run-writes") as writer:
        writing: tuple[Future[None], Sequence[CustomerRow]] | None = None
        seen_before = at if scoring.with_features else None
        pages = customer_pages(graph, brand, seen_before, _after(progress.position))
        for rows in _read_ahead(pages, reader):
            made = scoring.make(rows)
            if writing is not None:
                _tell_written(heart, *writing)
            writing = writer.submit(scoring.store, made), rows
        if writing is not None:
            _tell_written(heart, *writing)
    return {"model_id": scoring.model.id, "result": json.dumps(scoring.report())}


def _read_ahead(pages: Iterator[list[CustomerRow]], reader: ThreadPoolExecutor) -> Iterator[list[CustomerRow]]:
    """The pages, each read while the one before is worked on."""
    coming = reader.submit(next, pages, None)
    while (rows := coming.result()) is not None:
        coming = reader.submit(next, pages, None)
        yield rows


def _tell_written(heart: Heart, writing: Future[None], rows: Sequence[CustomerRow]) -> None:
    """Wait until a page is in the graph; then the run goes on behind it, should this worker die."""
    writing.result()
    last = rows[-1]
    heart.progress.done += len(rows)
    heart.progress.position = f"{format_time(from_micros(last.created_at))} {last.id}"
    heart.tell("scoring")


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
