"""Propensities: how likely a customer buys, opens a message or clicks in one within some days."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from core.clock import format_time
from core.errors import NotFoundError
from graph.driver import Graph
from graph.repositories import predictions as repository
from ml.features.build import look_at
from ml.features.customers import Moment, customer_of
from ml.features.purchases import PurchaseFeatures
from ml.models.day_one import day_one_silence
from ml.serving.active import ActiveModels
from ml.serving.model import ServingModel
from ml.serving.score import snapshot_of

SPANS = (7, 30)
WINDOW_DAYS = 90.0
"""Days in which a customer's answers to messages are counted."""
_PRIOR_COUNT, _PRIOR_DAYS = 0.5, 30.0
_SENT = frozenset({"campaign_sent"})
_ACTIONS = {"open": frozenset({"email_open"}), "click": frozenset({"email_click", "sms_click"})}
MESSAGES = tuple(sorted(_SENT.union(*_ACTIONS.values())))
_DIGITS = 4


def propensity(graph: Graph, models: ActiveModels, brand: str, profile_id: str, now: datetime) -> dict[str, Any]:
    """Probabilities by action and days; `actions` is None where nothing is known to tell by; raises NotFoundError.

    Buying is told by the rhythm of orders alone, answers to messages by `answer_probability`.
    """
    rows = repository.read_customers(graph, brand, [profile_id], seen_before=None)
    if not rows:
        raise NotFoundError("No such profile.")
    customer, model = customer_of(rows[0]), models.of(graph, brand)
    since = now - timedelta(days=WINDOW_DAYS)
    counts = repository.count_messages(graph, brand, customer.id, MESSAGES, (since, now))
    first = customer.facts.first_event_at
    known_days = WINDOW_DAYS if first is None else (Moment(now).ms - first) / 86_400_000
    actions = [*_buying(model, look_at([customer], Moment(now)).purchases), *answering(counts, known_days)]
    return {
        "profile_id": customer.id,
        "actions": actions or None,
        "model_version": model.version,
        "confidence": model.confidence,
        "at": format_time(now),
    }


def _buying(model: ServingModel, features: PurchaseFeatures) -> list[dict[str, Any]]:
    if not len(features):
        return []
    snapshot = snapshot_of(model, features)
    found = []
    for days in SPANS:
        quiet = day_one_silence(features, days) if model.bundle.is_day_one else snapshot.ask(days).view.silence
        found.append(_action("buy", days, 1.0 - float(quiet[0])))
    return found


def answering(counts: Mapping[str, int], known_days: float) -> list[dict[str, Any]]:
    """Opening and clicking, from how many events of each type there were; empty where no message is known of."""
    if not any(counts.values()):
        return []
    span = min(max(known_days, 1.0), WINDOW_DAYS)
    return [
        _action(action, days, answer_probability(sum(counts.get(kind, 0) for kind in kinds), span, days))
        for action, kinds in _ACTIONS.items()
        for days in SPANS
    ]


def answer_probability(count: int, known_days: float, days: float) -> float:
    """Probability of one answer at least in the coming `days`, after `count` of them in `known_days`.

    Answers come at a rate of the customer's own; rates are taken for Gamma distributed, half an answer in 30 days
    before anything is known: 1 - ((30 + known) / (30 + known + days)) ^ (0.5 + count).
    """
    seen = _PRIOR_DAYS + known_days
    probability: float = 1.0 - (seen / (seen + days)) ** (_PRIOR_COUNT + count)
    return probability


def _action(action: str, days: int, probability: float) -> dict[str, Any]:
    return {"action": action, "days": days, "probability": round(probability, _DIGITS)}
