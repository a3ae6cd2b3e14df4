"""The day-one model: fixed, documented formulas that answer while a brand has too little history to learn from."""

import numpy as np

from ml.features.purchases import PurchaseFeatures
from ml.models.design import log_odds, to_probability
from ml.orders.history import Floats

HORIZON = 90.0
"""The days that the formula was written for; other horizons move the log odds by the log of their ratio."""
USUAL_GAP = 21.0
"""Days between orders taken for a customer of whom nothing is known; counts as one gap beside the customer's own."""
_INTERCEPT, _GAP, _LAPSE = -4.4, 0.98, 2.22


def day_one_silence(features: PurchaseFeatures, days: float) -> Floats:
    """Probability of no order in the coming `days`.

    log odds = -4.4 + 0.98 ln(gap) + 2.22 ln(1 + recency / gap), where gap is the mean of the customer's gaps and one of
    21 days: rare buyers and those late for their next order are the likeliest to stay away.
    """
    gap = usual_gap(features)
    score = _INTERCEPT + _GAP * np.log(gap) + _LAPSE * np.log1p(features["recency_days"] / gap)
    return to_probability(score - np.log(days / HORIZON))


def usual_gap(features: PurchaseFeatures) -> Floats:
    """Mean days between orders, with one gap of 21 days beside the customer's own."""
    return np.maximum((features["span_days"] + USUAL_GAP) / features["order_days"], 1.0)


def day_one_orders(features: PurchaseFeatures, days: float) -> Floats:
    """Expected orders: those who come back order at their usual pace, at half of it over a long time."""
    pace = np.maximum(days / (2.0 * usual_gap(features)), 1.0)
    per_day = features["frequency"] / features["order_days"]
    orders: Floats = (1.0 - day_one_silence(features, days)) * pace * per_day
    return orders


def day_one_spend(features: PurchaseFeatures, days: float) -> Floats:
    """Expected money: expected orders times the value of one, between the customer's own mean and everybody's."""
    count = features["frequency"]
    own = np.maximum(features["monetary_gross"] - features["refunded"], 0.0)
    everybody = own.sum() / max(float(count.sum()), 1.0)
    spend: Floats = day_one_orders(features, days) * (own + everybody) / (count + 1.0)
    return spend


def day_one_scores(features: PurchaseFeatures, days: float) -> dict[str, Floats]:
    """The three targets as scores: log odds of an order, log of expected orders and spend."""
    silence = np.clip(day_one_silence(features, days), 1e-6, 1.0 - 1e-6)
    return {
        "churn": -log_odds(silence),
        "orders": np.log(np.maximum(day_one_orders(features, days), 1e-9)),
        "spend": np.log(np.maximum(day_one_spend(features, days), 1e-9)),
    }
