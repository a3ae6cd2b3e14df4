"""Serving, third step: reads profiles, makes their features, lets the brand's model look at them, and attaches both."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from graph.driver import Graph
from graph.repositories import predictions as repository
from graph.repositories.predictions import CustomerRow
from insight.predictions import prediction_section
from ml.features.build import look_at
from ml.features.customers import Customer, Moment, customer_of
from ml.features.store import feature_rows, store_features
from ml.serving.active import ActiveModels
from ml.serving.model import ServingModel
from ml.serving.score import Scored, See, score_profiles

log = structlog.get_logger(__name__)

# Read and stored at once: commits of the same customers wait for each transaction.
_CHUNK = 100


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of it: shown sections by live profile (None: nothing can be foretold), ids that failed."""

    sections: dict[str, dict[str, Any] | None]
    failed: frozenset[str] = frozenset()


@dataclass(slots=True)
class Made:
    """What was made of some profiles and waits to be stored; `silent` have no prediction, `merged` several personas.

    `features` is None when none were asked for.
    """

    scored: list[Scored]
    features: list[dict[str, Any]] | None
    silent: list[str]
    merged: list[str]


def refresh_profiles(
    graph: Graph, models: ActiveModels, brand: str, profile_ids: Sequence[str], at: datetime
) -> Looked:
    """Make features and predictions of the live profiles behind `profile_ids` now and store them.

    Newer ones are never replaced; those of absorbed personas, and predictions without an order, are taken away.
    """
    model = models.of(graph, brand)
    sections: dict[str, dict[str, Any] | None] = {}
    failed: set[str] = set()
    for chunk in _chunks(sorted(set(profile_ids))):
        made = make(model, repository.read_customers(graph, brand, chunk, at), at, failed)
        store_made(graph, brand, model, made, at)
        sections |= {
            one.profile_id: prediction_section(stored_properties(model, one) | {"at": at}, one.version, at)
            for one in made.scored
        }
        sections |= dict.fromkeys(made.silent)
    return Looked(sections, frozenset(failed))


def make(
    model: ServingModel,
    rows: Sequence[CustomerRow],
    at: datetime,
    failed: set[str],
    see: See | None = None,
    *,
    with_features: bool = True,
) -> Made:
    """Features and predictions of these rows; nothing is stored. Ids of those that cannot be read go to `failed`.

    All at once; one by one when that fails, so that one odd history stops nobody else's.
    """
    customers = readable_customers(rows, failed)
    made = Made([], [] if with_features else None, [], [row.id for row in rows if row.personas > 1])
    moment = Moment(at)
    try:
        _make(model, customers, moment, made, see)
    except (ArithmeticError, ValueError, IndexError):
        log.error("scoring_failed", customers=len(customers))
        for customer in customers:
            try:
                _make(model, [customer], moment, made, None)
            except (ArithmeticError, ValueError, IndexError) as error:
                log.error("customer_not_scored", profile_id=customer.id, reason=type(error).__name__)
                failed.add(customer.id)
    foretold = {one.profile_id for one in made.scored}
    made.silent = [one.id for one in customers if one.id not in foretold and one.id not in failed]
    return made


def _make(model: ServingModel, customers: Sequence[Customer], moment: Moment, made: Made, see: See | None) -> None:
    profiles = look_at(customers, moment)
    scored = score_profiles(model, profiles, see)
    if made.features is not None:
        made.features += feature_rows(profiles)
    made.scored += scored


def store_made(graph: Graph, brand: str, model: ServingModel, made: Made, at: datetime) -> None:
    """Attach what was made, and take away what no longer holds."""
    if made.scored:
        rows = [
            {"id": one.profile_id, "version": one.version, "segment": one.segment, "churn": one.churn,
             "properties": stored_properties(model, one)}
            for one in made.scored
        ]  # fmt: skip
        node = {"id": model.id, "brand": brand, "version": model.version, "type": "predictions", "created_at": at}
        repository.store_predictions(graph, brand, node, rows, at)
    if made.silent or made.merged:
        repository.remove_predictions(graph, brand, made.silent, made.merged)
    if made.features is not None:
        store_features(graph, brand, made.features, made.merged, at)


def stored_properties(model: ServingModel, one: Scored) -> dict[str, Any]:
    """A prediction as node properties, without its time: money in minor units, products as JSON text."""
    return {
        "version": one.version,
        "model_version": model.version,
        "confidence": model.confidence,
        "horizon_days": model.horizon,
        "churn_probability": one.churn,
        "reasons": list(one.reasons),
        "expected_orders": one.orders,
        "expected_minor": one.expected_minor,
        "low_minor": one.low_minor,
        "high_minor": one.high_minor,
        "currency": one.currency,
        "segment": one.segment,
        "rfm": list(one.rfm),
        "rfm_cell": "".join(map(str, one.rfm)),
        "recommendations": json.dumps(one.recommendations, ensure_ascii=False),
    }


def readable_customers(rows: Sequence[CustomerRow], failed: set[str]) -> list[Customer]:
    """Stored rows as customers; ids of those that cannot be read are added to `failed`."""
    customers = []
    for row in rows:
        try:
            customers.append(customer_of(row))
        except (ArithmeticError, KeyError, TypeError, ValueError, AttributeError) as error:
            # One unreadable customer must not keep the others of its batch from their predictions.
            log.error("customer_unreadable", profile_id=row.id, reason=type(error).__name__)
            failed.add(row.id)
    return customers


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
