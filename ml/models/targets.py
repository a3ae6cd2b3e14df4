"""The three targets: whether a customer orders, how often, for how much; what each is learnt from and counted by."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ml.models.design import log_odds, to_probability
from ml.models.glm import Family
from ml.models.snapshots import Snapshot
from ml.orders.history import Floats


class Target(StrEnum):
    """What is predicted of the days asked for. Scores are log odds of an order, or the log of a mean."""

    CHURN = "churn"
    ORDERS = "orders"
    SPEND = "spend"


FAMILY = {Target.CHURN: Family.LOGISTIC, Target.ORDERS: Family.POISSON, Target.SPEND: Family.TWEEDIE}
SPEND_POWER = 1.4


def learnt_outcome(target: Target, snapshot: Snapshot) -> Floats:
    """What the models are fitted to: 1 for an order, number of orders, money (no less than 0)."""
    if target is Target.CHURN:
        return 1.0 - snapshot.silent
    return snapshot.orders if target is Target.ORDERS else np.maximum(snapshot.spend, 0.0)


def base_score(target: Target, snapshot: Snapshot) -> Floats:
    """The score of BG/NBD and Gamma-Gamma for the snapshot's window: where every other model starts."""
    view = snapshot.view
    if target is Target.CHURN:
        return log_odds(1.0 - view.silence)
    if target is Target.ORDERS:
        return np.log(view.order_days * snapshot.known.btyd.orders_per_day)
    return np.log(view.spend)


def to_value(target: Target, score: Floats) -> Floats:
    """The prediction of a score: probability of no order, expected orders, expected money."""
    return to_probability(-score) if target is Target.CHURN else np.exp(np.clip(score, -30.0, 30.0))


def losses(target: Target, score: Floats, snapshot: Snapshot) -> Floats:
    """Loss of each customer's score: log loss, Poisson or Tweedie deviance (up to what no score changes)."""
    found = learnt_outcome(target, snapshot)
    if target is Target.CHURN:
        return np.logaddexp(0.0, score) - found * score
    mean = to_value(target, score)
    if target is Target.ORDERS:
        return mean - found * np.log(mean)
    power = SPEND_POWER
    deviance: Floats = mean ** (2 - power) / (2 - power) - found * mean ** (1 - power) / (1 - power)
    return deviance


@dataclass(frozen=True, slots=True)
class Gap:
    """By how much all scores of a window would have to move for its total to come out right, and how sure that is."""

    size: float
    noise: float
    """Standard error from the number of customers alone."""


def level_gap(target: Target, score: Floats, snapshot: Snapshot) -> Gap:
    """The gap between foretold and actual total; money counts net of refunds."""
    value = to_value(target, score)
    if target is Target.CHURN:
        curve = max(float(np.mean(value * (1.0 - value))), 1e-6)
        found = float(np.mean(value) - np.mean(snapshot.silent))
        return Gap(found / curve, (curve * len(value)) ** -0.5)
    actual = snapshot.orders if target is Target.ORDERS else snapshot.spend
    total = max(float(actual.sum()), 1e-9)
    noise = float(np.sqrt(np.sum((actual - value) ** 2))) / total
    return Gap(float(np.log(total / max(float(value.sum()), 1e-9))), noise)


def stacked(values: Sequence[Floats]) -> Floats:
    """The arrays one below the other."""
    return np.concatenate(list(values)) if values else np.zeros(0)
