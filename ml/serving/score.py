"""Serving, second step: the model looks at customers; a pure function, the same for one profile and for all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.money import minor_digits
from ml.features.build import Profiles
from ml.features.purchases import PurchaseFeatures
from ml.models.day_one import day_one_orders, day_one_silence
from ml.models.intervals import HIGH, LOW, Foretold
from ml.models.segments import segment_names
from ml.models.snapshots import Known, Snapshot
from ml.orders.history import Floats
from ml.serving.model import ServingModel
from ml.serving.products import recommend_products
from ml.serving.reasons import churn_reasons

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


def score_profiles(model: ServingModel, profiles: Profiles, see: See | None = None) -> list[Scored]:
    """Predictions for those with an order before the moment; of the others nothing can be foretold.

    `see` is shown features and churn probabilities of all at once.
    """
    features = profiles.purchases
    if not len(features):
        return []
    snapshot = snapshot_of(model, features)
    foretold = foretell(model, snapshot)
    if see is not None:
        see(features, foretold.silence)
    customers = [profiles.customers[place] for place in features.customer.tolist()]
    units = np.array([10.0 ** minor_digits(customer.currency) for customer in customers])
    low, high = (model.bundle.spread.quantile(foretold, level) for level in (LOW, HIGH))
    rfm = model.rfm(features)
    products = (tuple(recommend_products(one, model.shelf, profiles.moment, model.once)) for one in customers)
    columns = (
        (one.id for one in customers),
        (one.version for one in customers),
        (one.currency for one in customers),
        _rounded(foretold.silence),
        churn_reasons(model, snapshot),
        _rounded(foretold.orders),
        *(_minor(money, units) for money in (foretold.spend, low, high)),
        segment_names(features, model.bundle.scale),
        zip(*(scores.astype(np.int64).tolist() for scores in (rfm.recency, rfm.frequency, rfm.money)), strict=True),
        products,
    )
    return [Scored(*row) for row in zip(*columns, strict=True)]


def _rounded(values: Floats) -> list[float]:
    found: list[float] = np.round(values, _DIGITS).tolist()
    return found


def _minor(values: Floats, units: Floats) -> list[int]:
    found: list[int] = np.rint(values * units).astype(np.int64).tolist()
    return found
