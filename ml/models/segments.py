"""The five segments by fixed rules on recency, frequency and money: names never depend on the order of clusters."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ml.features.purchases import PurchaseFeatures
from ml.orders.history import Floats

CHAMPION, LOYAL, AT_RISK, NEW, POTENTIAL = "champion", "loyal", "at_risk", "new", "potential"
SEGMENTS = (CHAMPION, LOYAL, AT_RISK, NEW, POTENTIAL)
_FEW = 100
_RFM = ("recency", "frequency", "money")
_GRID = np.arange(1, 100)
RECENCY_STEPS = (7.0, 30.0, 45.0, 90.0)
_MIDDLE = 3.0


@dataclass(frozen=True)
class Rfm:
    """Scores 1 (worst) to 5 (best) of recency, frequency and money."""

    recency: Floats
    frequency: Floats
    money: Floats


@dataclass(frozen=True)
class RfmScale:
    """Percentiles of recency, frequency and money among the customers of one day: what a customer is measured against.

    Without them, below 100 customers, fixed steps count: recency below 7, 30, 45, 90 days is 5, 4, 3, 2; frequency is
    the number of order days up to 5; money is 3.
    """

    percentiles: dict[str, list[float]] | None = None

    def scores(self, features: PurchaseFeatures) -> Rfm:
        """Scores of any customers; equal values get the same score."""
        recency, frequency = features["recency_days"], features["order_days"]
        if self.percentiles is None:
            steps = 5.0 - np.searchsorted(RECENCY_STEPS, recency, side="right").astype(np.float64)
            return Rfm(steps, np.minimum(frequency, 5.0), np.full(len(features), _MIDDLE))
        money = _money(features)
        found = (
            _quintile(self.percentiles[name], values)
            for name, values in zip(_RFM, (-recency, frequency, money), strict=True)
        )
        return Rfm(*found)


def fit_scale(features: PurchaseFeatures) -> RfmScale:
    """The scale of these customers."""
    if len(features) < _FEW:
        return RfmScale()
    values = (-features["recency_days"], features["order_days"], _money(features))
    return RfmScale({name: np.percentile(found, _GRID).tolist() for name, found in zip(_RFM, values, strict=True)})


def segment_names(features: PurchaseFeatures, scale: RfmScale) -> list[str]:
    """The segment of each customer, by the first rule that fits.

    new: one order and R >= 4; champion: R >= 4 and FM >= 4; loyal: R >= 3 and FM >= 3; at_risk: R <= 2 and FM >= 2.5;
    potential: everybody else. FM is the mean of F and M.
    """
    scores = scale.scores(features)
    value = (scores.frequency + scores.money) / 2.0
    rules = [
        (features["order_days"] == 1) & (scores.recency >= 4),  # noqa: PLR2004 (the rules of the docstring)
        (scores.recency >= 4) & (value >= 4),  # noqa: PLR2004
        (scores.recency >= 3) & (value >= 3),  # noqa: PLR2004
        (scores.recency <= 2) & (value >= 2.5),  # noqa: PLR2004
    ]
    places = np.select(rules, [3, 0, 1, 2], 4)
    return [SEGMENTS[place] for place in places]


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """What became of a segment in a judged window."""

    segment: str
    customers: int
    churn: float
    spend_mean: float
    spend_share: float

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def realised(names: list[str], silent: Floats, spend: Floats) -> list[SegmentRow]:
    """Churn and spend by segment in the window after the segments were given."""
    labels = np.asarray(names)
    total = max(float(spend.sum()), 1e-9)
    rows = []
    for name in SEGMENTS:
        mine = labels == name
        if mine.any():
            money = float(spend[mine].sum())
            rows.append(
                SegmentRow(name, int(mine.sum()), float(silent[mine].mean()), money / int(mine.sum()), money / total)
            )
    return rows


def _money(features: PurchaseFeatures) -> Floats:
    return features["monetary"]


def _quintile(percentiles: list[float], values: Floats) -> Floats:
    """1 to 5 by the share of the reference below, equal ones counted half."""
    grid = np.asarray(percentiles)
    places = np.searchsorted(grid, values, side="left") + np.searchsorted(grid, values, side="right")
    return np.clip(np.ceil(places / (2.0 * len(grid)) * 5.0), 1.0, 5.0)
