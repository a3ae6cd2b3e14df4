"""Serving: why a churn probability is what it is, in words: what the parts of the models add, by family of columns."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ml.features.purchases import PurchaseFeatures
from ml.models.boosted import Boosted
from ml.models.candidates import BLENDS, BOOSTED_GLM, BTYD, GLM
from ml.models.day_one import USUAL_GAP, usual_gap
from ml.models.design import BOOSTED, LINEAR, log_odds
from ml.models.glm import Glm
from ml.models.snapshots import Snapshot
from ml.models.targets import Target, base_score
from ml.orders.history import Floats
from ml.serving.model import ServingModel

RHYTHM, RECENCY, FREQUENCY, VALUE, REFUNDS = range(5)
_MOST = 3
_LEAST = 0.05
"""Effects on the log odds smaller than this are not worth a word."""


def churn_effects(model: ServingModel, snapshot: Snapshot) -> Floats:
    """By customer and family, what is added to the log odds of no order; a column for each family."""
    part = model.bundle.parts[Target.CHURN]
    if model.bundle.is_day_one or part.fitted is None:
        return _day_one_effects(snapshot.known.features)
    effects = np.zeros((len(snapshot), REFUNDS + 1))
    effects[:, RHYTHM] = base_score(Target.CHURN, snapshot) - model.usual_score
    kinds = BLENDS.get(part.candidate, (BTYD,))
    glm, trees = part.fitted.glm, part.fitted.trees
    if glm is not None:
        share = sum(kind in {GLM, BOOSTED_GLM} for kind in kinds) / len(kinds)
        _add(effects, glm.names, share * _linear(glm, snapshot))
    if trees is not None:
        _add(effects, trees.names, kinds.count(BOOSTED_GLM) / len(kinds) * _boosted(trees, snapshot))
    return -effects


def churn_reasons(model: ServingModel, snapshot: Snapshot) -> list[tuple[str, ...]]:
    """Of each customer up to three sentences, the strongest effect first."""
    effects = churn_effects(model, snapshot)
    order = np.argsort(-np.abs(effects), axis=1, kind="stable")[:, :_MOST].tolist()
    told = [_Told(*row) for row in zip(*(snapshot.known.features[name].tolist() for name in _TOLD), strict=True)]
    return [
        tuple(
            f"{_facts(family, facts)}: {_direction(mine[family])}"
            for rank, family in enumerate(families)
            if rank == 0 or abs(mine[family]) >= _LEAST
        )
        for mine, families, facts in zip(effects.tolist(), order, told, strict=True)
    ]


def _day_one_effects(features: PurchaseFeatures) -> Floats:
    """The two parts of the formula beside a customer with usual gaps whose next order is due."""
    gap = usual_gap(features)
    effects = np.zeros((len(features), REFUNDS + 1))
    effects[:, RECENCY] = 2.22 * (np.log1p(features["recency_days"] / gap) - np.log(2.0))
    effects[:, FREQUENCY] = 0.98 * np.log(gap / USUAL_GAP)
    return effects


def _linear(glm: Glm, snapshot: Snapshot) -> Floats:
    return glm.contributions(snapshot.known.linear[:, [LINEAR.index(name) for name in glm.names]])


def _boosted(trees: Boosted, snapshot: Snapshot) -> Floats:
    rows = snapshot.known.boosted[:, [BOOSTED.index(name) for name in trees.names]]
    return trees.contributions(rows)[:, :-1]


def _add(effects: Floats, names: Sequence[str], values: Floats) -> None:
    for place, name in enumerate(names):
        effects[:, _family(name)] += values[:, place]


def _family(column: str) -> int:
    if column.startswith(("quarter_", "alive", "gap_", "order_day_gap")):
        return RHYTHM
    if column.startswith(("recency", "lapse")):
        return RECENCY
    if column.startswith("refund"):
        return REFUNDS
    if column.startswith(("value", "order_value", "order_day_value", "spend_", "monetary", "item")):
        return VALUE
    return FREQUENCY


class _Told(NamedTuple):
    """What sentences speak of, of one customer."""

    frequency: float
    recency_days: float
    first_order_days: float
    order_day_value_mean: float
    spend_91d: float
    refund_share: float
    order_day_gap_mean: float


_TOLD = _Told._fields


def _facts(family: int, of: _Told) -> str:
    orders, recency = round(of.frequency), round(of.recency_days)
    last = f"last order {recency} day{'' if recency == 1 else 's'} ago"
    if family == RECENCY:
        return last
    if family == FREQUENCY:
        span = round(of.first_order_days)
        count = f"{orders} order{'' if orders == 1 else 's'}"
        return f"{count} in {span} days" if span > 1 else f"{count} so far"
    if family == VALUE:
        return f"{of.order_day_value_mean:.2f} a day with orders, {of.spend_91d:.2f} in the last 91 days"
    if family == REFUNDS:
        return f"{0.0 if math.isnan(of.refund_share) else of.refund_share:.0%} of the money given back"
    gap = of.order_day_gap_mean
    return f"{last}, no second one to tell a rhythm by" if math.isnan(gap) else f"{last}, usually every {gap:.0f} days"


def _direction(effect: float) -> str:
    return "raises the risk" if effect > 0 else "lowers the risk"


def mean_score(snapshot: Snapshot) -> float:
    """Mean log odds of an order by rhythm alone: what a customer's own is compared with."""
    return float(np.mean(log_odds(1.0 - snapshot.view.silence))) if len(snapshot) else 0.0
