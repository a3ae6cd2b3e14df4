"""Predictions about profiles: churn, value, segment, products, what is likely next."""

from typing import Annotated, Any

from pydantic import Field

from api.schemas.base import MAX_ID, Command, Id, Shape, example
from api.schemas.profiles import PROFILE_ID

_SAID = {"model_version": "day-one-1", "confidence": "low", "at": "2026-11-01T12:00:02Z"}
PREDICTIONS: dict[str, Any] = {
    "churn": {
        "probability": 0.7512,
        "band": "high",
        "reasons": ["last order 46 days ago: raises the risk", "3 orders in 91 days: raises the risk"],
        "horizon_days": 90,
        **_SAID,
    },
    "ltv": {
        "expected": "64.20", "low": "0.00", "high": "210.10", "currency": "USD", "horizon_days": 90,
        "expected_orders": 0.61, **_SAID,
    },
    "segment": {"name": "at_risk", "recency": 2, "frequency": 3, "monetary": 3, **_SAID},
    "recommendations": [{"product_id": "TSH-1", "score": 0.75, "reason": "bought once, last 45 days ago"}],
    "age_seconds": 3,
    "is_current": True,
}  # fmt: skip
MOST_SCORED = 200


class ScoreCommand(Command):
    """Profiles to score now."""

    model_config = example({"profile_ids": [PROFILE_ID]})

    profile_ids: Annotated[list[Id], Field(min_length=1, max_length=MOST_SCORED)]


_ONCE = {"bought_once": {"products": ["WASHER-9"], "categories": ["Washing machines"]}}
Name = Annotated[str, Field(min_length=1, max_length=MAX_ID, pattern=r"\S")]


class BoughtOnceCommand(Command):
    """Products that nobody needs twice, and categories of which nobody needs a second product."""

    products: Annotated[list[Name], Field(max_length=2_000, default_factory=list)]
    categories: Annotated[list[Name], Field(max_length=200, default_factory=list)]


class SettingsCommand(Command):
    """What recommendations keep to; what is set takes the place of what was set before."""

    model_config = example(_ONCE)

    bought_once: BoughtOnceCommand


class PredictionSettings(Shape):
    """What recommendations keep to."""

    model_config = example(_ONCE)

    bought_once: dict[str, list[str]]


class ScoredProfiles(Shape):
    """In the order asked for; `predictions` is null where nothing can be foretold (no order yet)."""

    model_config = example({
        "items": [{
            "profile_id": PROFILE_ID,
            "answered_for": None,
            "features": {"recency_days": 46.0, "frequency": 3, "monetary": "325.00"},
            "predictions": PREDICTIONS,
        }],
        "not_found": [],
    })  # fmt: skip

    items: list[dict[str, Any]]
    not_found: list[str]


class Propensity(Shape):
    """How likely each action is within some days; null while nothing is known to tell by."""

    model_config = example({
        "profile_id": PROFILE_ID,
        "actions": [
            {"action": "buy", "days": 7, "probability": 0.1021}, {"action": "buy", "days": 30, "probability": 0.31},
            {"action": "open", "days": 7, "probability": 0.1533}, {"action": "open", "days": 30, "probability": 0.4714},
        ],
        **_SAID,
    })  # fmt: skip

    profile_id: str
    actions: list[dict[str, Any]] | None
    model_version: str
    confidence: str
    at: str


class NextAction(Shape):
    """The one thing to do next for a customer, why, and what speaks for it."""

    model_config = example({
        "profile_id": PROFILE_ID,
        "action": "win_back",
        "reason": "churn risk 75% after 3 order(s)",
        "stage": "retention",
        "at_risk": True,
        "churn": {"probability": 0.7512, "band": "high"},
        "product": {"product_id": "TSH-1", "score": 0.75, "reason": "bought once, last 45 days ago"},
    })  # fmt: skip

    profile_id: str
    action: str
    reason: str
    stage: str | None
    at_risk: bool
    churn: dict[str, Any] | None
    product: dict[str, Any] | None
