"""The columns that the linear and boosted models see of a customer: named, finite, free of the currency's scale."""

import numpy as np

from ml.features.purchases import PurchaseFeatures
from ml.models.btyd import Btyd, BtydView
from ml.orders.history import Floats

LINEAR = (
    "quarter_odds", "quarter_orders", "alive", "repeats", "single", "recency", "recency_share", "recency_share_squared",
    "lapse", "value", "items", "orders_28d", "orders_56d", "orders_182d", "orders_364d", "gap_ratio", "gap_variation",
    "refund_share",
)  # fmt: skip
"""Columns of the linear models, in this order."""

BOOSTED = (
    "order_days", "frequency", "recency_days", "first_order_days", "span_days", "order_day_gap_mean",
    "order_day_gap_spread", "order_day_gap_last", "order_day_gap_ratio", "recency_share", "monetary_gross",
    "order_day_value_mean", "order_day_value_spread", "order_day_value_max", "order_day_value_first",
    "order_day_value_last", "order_day_value_repeat", "order_day_value_trend", "items_mean", "items_last",
    "item_price", "orders_28d", "spend_28d", "orders_56d", "spend_56d", "orders_91d", "spend_91d", "orders_182d",
    "spend_182d", "orders_364d", "spend_364d", "refund_share", "refund_days", "alive", "value_expected",
    "quarter_odds", "quarter_orders",
)  # fmt: skip
"""Columns that the boosted trees see: plain features, and what BG/NBD and Gamma-Gamma say."""


_SHORT = 6


def log_odds(probability: Floats) -> Floats:
    """Logit of probabilities inside 0 and 1."""
    return np.log(probability / (1.0 - probability))


def to_probability(score: Floats) -> Floats:
    """Inverse of the logit."""
    return 1.0 / (1.0 + np.exp(-np.clip(score, -30.0, 30.0)))


def look_back(name: str) -> int:
    """Days that a counter of recent orders or spend looks back; 0 for every other column."""
    tail = name.rsplit("_", 1)[-1]
    return int(tail[:-1]) if tail[:-1].isdigit() and tail.endswith("d") else 0


def usable(names: tuple[str, ...], known_days: int, horizon: int) -> tuple[int, ...]:
    """Places of the columns that mean the same in every window and at the cutoff.

    Left out are counters that look back further than the shortest history learnt from (`known_days`): they would count
    more days at the cutoff than in training; and those that look back less than a sixth of the horizon: they say more
    of the moment than of the customer.
    """
    spans = [(place, look_back(name)) for place, name in enumerate(names)]
    return tuple(place for place, days in spans if not days or horizon / _SHORT <= days <= known_days)


def linear_rows(f: PurchaseFeatures, btyd: Btyd, quarter: BtydView) -> Floats:
    """A row of `LINEAR` for each customer; `quarter` is what BG/NBD says of the reference span."""
    share = f["recency_share"]
    repeats = f["order_days"] - 1.0
    columns = {
        "quarter_odds": log_odds(1.0 - quarter.silence),
        "quarter_orders": np.log(quarter.order_days),
        "alive": quarter.alive,
        "repeats": np.log1p(repeats),
        "single": (repeats == 0).astype(np.float64),
        "recency": np.log1p(f["recency_days"]),
        "recency_share": share,
        "recency_share_squared": share * share,
        "lapse": np.log(f["order_days"]) * share,
        "value": np.log1p(np.maximum(f["order_day_value_mean"], 0.0) / btyd.typical_value),
        "items": np.log1p(np.maximum(f["items_mean"], 0.0) / btyd.typical_items),
        "gap_ratio": np.nan_to_num(np.log1p(np.minimum(f["order_day_gap_ratio"], 1e3))),
        "gap_variation": np.nan_to_num(f["order_day_gap_spread"] / f["order_day_gap_mean"]),
        "refund_share": np.nan_to_num(f["refund_share"]),
    }
    columns |= {name: np.log1p(f[name]) for name in LINEAR if look_back(name)}
    return np.column_stack([columns[name] for name in LINEAR])


def boosted_rows(f: PurchaseFeatures, quarter: BtydView) -> Floats:
    """A row of `BOOSTED` for each customer; NaN where a feature has no meaning yet."""
    said = {
        "alive": quarter.alive,
        "value_expected": quarter.value,
        "quarter_odds": log_odds(1.0 - quarter.silence),
        "quarter_orders": np.log(quarter.order_days),
    }
    return np.column_stack([said[name] if name in said else f[name] for name in BOOSTED])
