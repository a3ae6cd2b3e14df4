"""Serving, third step: reads profiles, lets the brand's model look at them, and attaches what it says."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from graph.driver import Graph
from graph.repositories import predictions as repository
from insight.predictions import prediction_section
from ml.serving.active import ActiveModels
from ml.serving.customers import Customer, Moment, customer_of
from ml.serving.model import ServingModel
from ml.serving.score import Scored, See, score_customers

log = structlog.get_logger(__name__)

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of scoring: shown sections by live profile (None: nothing can be foretold), ids that failed."""

    sections: dict[str, dict[str, Any] | None]
    failed: frozenset[str] = frozenset()


def predict_profiles(
    graph: Graph, models: ActiveModels, brand: str, profile_ids: Sequence[str], at: datetime
) -> Looked:
    """Score the live profiles behind `profile_ids` now and store it; a newer prediction is never replaced.

    Predictions of absorbed personas, and of profiles without an order, are taken away.
    """
    model = models.of(graph, brand)
    sections: dict[str, dict[str, Any] | None] = {}
    failed: set[str] = set()
    for chunk in _chunks(sorted(set(profile_ids))):
        rows = repository.read_customers(graph, brand, chunk)
        customers = readable_customers(rows, failed)
        scored = scored_customers(model, customers, at, failed)
        sections |= write_scored(graph, brand, model, scored, at)
        foretold = {one.profile_id for one in scored}
        silent = [one.id for one in customers if one.id not in foretold and one.id not in failed]
        sections |= dict.fromkeys(silent)
        merged = [row["id"] for row in rows if row["personas"] > 1]
        if silent or merged:
            repository.remove_predictions(graph, brand, silent, merged)
    return Looked(sections, frozenset(failed))


def write_scored(
    graph: Graph, brand: str, model: ServingModel, scored: Sequence[Scored], at: datetime
) -> dict[str, dict[str, Any] | None]:
    """Store predictions; each as the 360 shows it, by profile."""
    if not scored:
        return {}
    kept = {one.profile_id: stored_properties(model, one, at) for one in scored}
    rows = [
        {"id": one.profile_id, "version": one.version, "at": at, "segment": one.segment, "churn": one.churn,
         "properties": kept[one.profile_id]}
        for one in scored
    ]  # fmt: skip
    node = {"id": model.id, "brand": brand, "version": model.version, "type": "predictions", "created_at": at}
    repository.store_predictions(graph, brand, node, rows)
    return {one.profile_id: prediction_section(kept[one.profile_id], one.version, at) for one in scored}


def stored_properties(model: ServingModel, one: Scored, at: datetime) -> dict[str, Any]:
    """A prediction as node properties: money in minor units, products as JSON text."""
    return {
        "version": one.version,
        "at": at,
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
        "recommendations": json.dumps(one.recommendations, ensure_ascii=False),
    }


def readable_customers(rows: Sequence[dict[str, Any]], failed: set[str]) -> list[Customer]:
    """Stored rows as customers; ids of those that cannot be read are added to `failed`."""
    customers = []
    for row in rows:
        try:
            customers.append(customer_of(row))
        except (ArithmeticError, KeyError, TypeError, ValueError, AttributeError) as error:
            # One unreadable customer must not keep the others of its batch from their predictions.
            log.error("customer_unreadable", profile_id=row["id"], reason=type(error).__name__)
            failed.add(row["id"])
    return customers


def scored_customers(
    model: ServingModel, customers: Sequence[Customer], at: datetime, failed: set[str], see: See | None = None
) -> list[Scored]:
    """All at once; one by one when that fails, so that one odd history stops nobody else's; adds to `failed`."""
    moment = Moment(at)
    try:
        return score_customers(model, customers, moment, see)
    except (ArithmeticError, ValueError, IndexError):
        log.error("scoring_failed", customers=len(customers))
    found = []
    for customer in customers:
        try:
            found += score_customers(model, [customer], moment)
        except (ArithmeticError, ValueError, IndexError) as error:
            log.error("customer_not_scored", profile_id=customer.id, reason=type(error).__name__)
            failed.add(customer.id)
    return found


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
