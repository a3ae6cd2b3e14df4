"""Stored predictions as the 360 and the API show them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.money import to_decimal_string
from graph.values import parse_json, to_time, to_time_text

LOW_BELOW, HIGH_FROM = 0.30, 0.70


def churn_band(probability: float) -> str:
    """`low` below 0.30, `high` from 0.70 on, else `medium`."""
    if probability < LOW_BELOW:
        return "low"
    return "high" if probability >= HIGH_FROM else "medium"


def prediction_section(stored: Mapping[str, Any] | None, version: int, now: datetime) -> dict[str, Any] | None:
    """Stored properties of a Prediction in the shape of the 360; None while there is none.

    `is_current` tells whether it knows the profile's version `version`; `age_seconds` is its age at `now`.
    """
    if stored is None or stored.get("churn_probability") is None:
        return None
    at, currency = to_time(stored["at"]), stored["currency"]
    said = {"model_version": stored["model_version"], "confidence": stored["confidence"], "at": to_time_text(at)}
    horizon = stored["horizon_days"]
    recency, frequency, money = stored["rfm"]
    return {
        "churn": {
            "probability": stored["churn_probability"],
            "band": churn_band(stored["churn_probability"]),
            "reasons": list(stored["reasons"]),
            "horizon_days": horizon,
            **said,
        },
        "ltv": {
            "expected": to_decimal_string(stored["expected_minor"], currency),
            "low": to_decimal_string(stored["low_minor"], currency),
            "high": to_decimal_string(stored["high_minor"], currency),
            "currency": currency,
            "horizon_days": horizon,
            "expected_orders": stored["expected_orders"],
            **said,
        },
        "segment": {"name": stored["segment"], "recency": recency, "frequency": frequency, "monetary": money, **said},
        "recommendations": parse_json(stored.get("recommendations"), []),
        "age_seconds": None if at is None else max(0, int((now - at).total_seconds())),
        "is_current": stored["version"] == version,
    }
