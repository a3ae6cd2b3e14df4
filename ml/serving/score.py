"""Serving, second step: the model looks at customers; a pure function, the same for one profile and for all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.money import minor_digits
from ml.features.purchases import PurchaseFeatures
from ml.models.day_one import day_one_orders, day_one_silence
from ml.models.intervals import HIGH, LOW, Foretold
from ml.models.segments import Rfm, segment_names
from ml.models.snapshots import Known, Snapshot
from ml.orders.history import Floats
from ml.serving.customers import Customer, Moment, features_of
from ml.serving.model import ServingModel
from ml.serving.products import recommend_products
from ml.serving.reasons import churn_effects, reasons_in_words

_DIGITS = 4

See = Callable[[PurchaseFeatures, Floats], None]
"""Looks at features and churn probabilities of many customers."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What is foretold of one profile; money in minor units, `low` and `high` its 10th and 90th percentile."""

    profile_id: str
    version: int
    currency: str
    churn: float
    reasons: tuple[str, ...]
    orders: float
    expected_minor: int
    low_minor: int
    high_minor: int
    segment: str
    rfm: tuple[int, int, int]
    recommendations: tuple[dict[str, Any], ...]


def snapshot_of(model: ServingModel, features: PurchaseFeatures) -> Snapshot:
    """The customers as the model sees them."""
    btyd = model.bundle.btyd
    known = Known.without_model(features) if btyd is None else Known(features, btyd)
    return Snapshot(features.as_of, model.horizon, known)


def foretell(model: ServingModel, snapshot: Snapshot) -> Foretold:
    """Probability of no order, expected orders and spend; on day one an order is worth the customer's own mean."""
    if not model.bundle.is_day_one:
        return model.bundle.foretell(snapshot)
    features = snapshot.known.features
    orders = day_one_orders(features, model.horizon)
    value = np.maximum(features["monetary_gross"] - features["refunded"], 0.0) / np.maximum(features["frequency"], 1.0)
    return Foretold(np.clip(day_one_silence(features, model.horizon), 1e-4, 1.0 - 1e-4), orders, orders * value)


def score_customers(
    model: ServingModel, customers: Sequence[Customer], moment: Moment, see: See | None = None
) -> list[Scored]:
    """Predictions for those with an order before the moment; of the others nothing can be foretold.

    `see` is shown features and churn probabilities of all at once.
    """
    features = features_of(customers, moment)
    if not len(features):
        return []
    snapshot = snapshot_of(model, features)
    foretold = foretell(model, snapshot)
    if see is not None:
        see(features, foretold.silence)
    low, high = (model.bundle.spread.quantile(foretold, level) for level in (LOW, HIGH))
    rfm = model.rfm(features)
    names = segment_names(features, model.bundle.scale)
    effects = churn_effects(model, snapshot)
    found = []
    for row, place in enumerate(features.customer.tolist()):
        customer = customers[place]
        unit = 10 ** minor_digits(customer.currency)
        found.append(
            Scored(
                profile_id=customer.id,
                version=customer.version,
                currency=customer.currency,
                churn=round(float(foretold.silence[row]), _DIGITS),
                reasons=tuple(reasons_in_words(effects[row], features, row)),
                orders=round(float(foretold.orders[row]), _DIGITS),
                expected_minor=_minor(foretold.spend, row, unit),
                low_minor=_minor(low, row, unit),
                high_minor=_minor(high, row, unit),
                segment=names[row],
                rfm=_points(rfm, row),
                recommendations=tuple(recommend_products(customer, model.shelf, moment)),
            )
        )
    return found


def _minor(values: Floats, row: int, unit: int) -> int:
    return round(float(values[row]) * unit)


def _points(rfm: Rfm, row: int) -> tuple[int, int, int]:
    return int(rfm.recency[row]), int(rfm.frequency[row]), int(rfm.money[row])
