"""Buy till you die: BG/NBD for orders and Gamma-Gamma for their value, by maximum a posteriori with weak priors."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln, hyp2f1, psi

from ml.features.purchases import PurchaseFeatures
from ml.orders.history import Floats, Ints

WEEK = 7.0
_PRIOR_SPREAD = 1.5
_MOST_CUSTOMERS = 40_000
_MOST_VALUES = 20_000


@dataclass(frozen=True, slots=True)
class BgNbd:
    """Parameters in weeks: order rates are Gamma(r, alpha), the chance to stop after an order is Beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float

    def alive(self, x: Floats, tx: Floats, age: Floats) -> Floats:
        """Probability that a customer with `x` repeat days, the last at `tx` of `age` weeks, still buys."""
        ratio = self.a / (self.b + np.maximum(x, 1.0) - 1.0)
        growth = np.minimum((self.r + x) * np.log((self.alpha + age) / (self.alpha + tx)), 700.0)
        return np.where(x > 0, 1.0 / (1.0 + ratio * np.exp(growth)), 1.0)

    def silence(self, x: Floats, tx: Floats, age: Floats, weeks: float) -> Floats:
        """Probability of no order in the coming `weeks`."""
        quiet = np.exp((self.r + x) * np.log((self.alpha + age) / (self.alpha + age + weeks)))
        return 1.0 - self.alive(x, tx, age) * (1.0 - quiet)

    def expected(self, x: Floats, tx: Floats, age: Floats, weeks: float) -> Floats:
        """Expected number of days with an order in the coming `weeks`."""
        a = self.a if abs(self.a - 1.0) > 1e-4 else self.a + 1e-4  # noqa: PLR2004 (the formula divides by a - 1)
        top = self.alpha + age
        quiet = np.exp((self.r + x) * np.log(top / (top + weeks)))
        with np.errstate(all="ignore"):
            series = hyp2f1(self.r + x, self.b + x, a + self.b + x - 1.0, weeks / (top + weeks))
            found = (a + self.b + x - 1.0) / (a - 1.0) * (1.0 - quiet * series)
        steady = (self.r + x) / top * weeks
        usable = np.isfinite(found) & (found >= 0.0) & (found <= steady * (1.0 + 1e-6))
        return np.where(usable, found, steady) * self.alive(x, tx, age)


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """Parameters of the value of an order day; values vary within and between customers."""

    p: float
    q: float
    v: float

    def expected(self, count: Floats, mean: Floats) -> Floats:
        """Expected value of a customer's next order day, after `count` days of `mean` value."""
        return self.p * (self.v + count * mean) / (self.p * count + self.q - 1.0)


@dataclass(frozen=True, slots=True)
class Btyd:
    """Both parts together, as fitted on one history."""

    orders: BgNbd
    value: GammaGamma
    orders_per_day: float
    """Mean number of orders on a day with any."""
    typical_value: float
    """Median money of an order day: what values are measured in."""
    typical_items: float
    """Median quantity of an order day."""

    def as_dict(self) -> dict[str, object]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Btyd":
        """From what `as_dict` gave."""
        scales = (float(stored[name]) for name in ("orders_per_day", "typical_value", "typical_items"))
        return cls(BgNbd(**stored["orders"]), GammaGamma(**stored["value"]), *scales)


@dataclass(frozen=True, slots=True)
class BtydView:
    """What the model says of customers for a span of days."""

    alive: Floats
    silence: Floats
    order_days: Floats
    value: Floats

    @property
    def spend(self) -> Floats:
        """Expected money of the span."""
        return self.order_days * self.value


def look(model: Btyd, features: PurchaseFeatures, days: float) -> BtydView:
    """Alive, silence, expected order days and value of each customer for the coming `days`."""
    x, tx, age = _statistics(features)
    weeks = days / WEEK
    return BtydView(
        alive=model.orders.alive(x, tx, age),
        silence=np.clip(model.orders.silence(x, tx, age, weeks), 1e-6, 1.0 - 1e-6),
        order_days=np.maximum(model.orders.expected(x, tx, age, weeks), 1e-6),
        value=np.maximum(model.value.expected(features["order_days"], features["order_day_value_mean"]), 1e-6),
    )


def fit_btyd(features: PurchaseFeatures, start: Btyd | None = None) -> Btyd:
    """Fit on customers' statistics as of a day; `start` (a fit nearby) saves steps."""
    orders = _fit_orders(features, start)
    value = _fit_value(features, start)
    per_day = float(features["frequency"].sum() / features["order_days"].sum())
    return Btyd(orders, value, per_day, _typical(features["order_day_value_mean"]), _typical(features["items_mean"]))


def _typical(values: Floats) -> float:
    positive = values[values > 0]
    return float(np.median(positive)) if len(positive) else 1.0


def _statistics(features: PurchaseFeatures) -> tuple[Floats, Floats, Floats]:
    return features["order_days"] - 1.0, features["span_days"] / WEEK, features["first_order_days"] / WEEK


def _fit_orders(features: PurchaseFeatures, start: Btyd | None) -> BgNbd:
    every = max(1, -(-len(features) // _MOST_CUSTOMERS))
    x, tx, age = (values[::every] for values in _statistics(features))
    distinct, weights = _distinct(x, tx, age)
    centre = np.log([0.5, max(float(age.mean()), 0.1) / 3.0, 0.8, 2.4])
    target = _OrderTarget(distinct, weights.astype(np.float64), centre)
    first = centre if start is None else np.log([start.orders.r, start.orders.alpha, start.orders.a, start.orders.b])
    found = minimize(target, first, jac=True, method="L-BFGS-B", bounds=[(c - 8.0, c + 8.0) for c in centre])
    return BgNbd(*(float(value) for value in np.exp(found.x)))


def _distinct(x: Floats, tx: Floats, age: Floats) -> tuple[Floats, Ints]:
    """Each combination of the three once, and how many customers have it; days packed into one number for speed."""
    whole = [np.round(values * scale).astype(np.int64) for values, scale in ((x, 1.0), (tx, WEEK), (age, WEEK))]
    keys, counts = np.unique((whole[0] << 42) | (whole[1] << 21) | whole[2], return_counts=True)
    low = (1 << 21) - 1
    return np.column_stack([keys >> 42, ((keys >> 21) & low) / WEEK, (keys & low) / WEEK]), counts.astype(np.int64)


class _OrderTarget:
    """Negative log posterior of BG/NBD and its gradient in the logs of the parameters."""

    def __init__(self, distinct: Floats, weights: Floats, centre: Floats) -> None:
        self._x, self._tx, self._age = distinct.T
        self._place: Ints
        self._counts, self._place = np.unique(self._x, return_inverse=True)
        self._weights, self._centre = weights, centre

    def __call__(self, logs: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = np.exp(logs)
        counts, place, x = self._counts, self._place, self._x
        repeat = x > 0
        rest = np.maximum(b + counts - 1.0, 1e-12)
        begin = gammaln(r + counts) - gammaln(r) + r * np.log(alpha)
        stay = gammaln(a + b) - gammaln(a + b + counts) + gammaln(b + counts) - gammaln(b)
        late, early = np.log(alpha + self._age), np.log(alpha + self._tx)
        live = -(r + x) * late
        gone = np.where(repeat, np.log(a) - np.log(rest)[place] - (r + x) * early, -np.inf)
        either = np.logaddexp(live, gone)
        total = (begin + stay)[place] + either
        share = np.exp(gone - either)
        d_r = (psi(r + counts) - psi(r) + np.log(alpha))[place] - (1 - share) * late - share * early
        d_alpha = r / alpha - (r + x) * ((1 - share) / (alpha + self._age) + share / (alpha + self._tx))
        d_a = (psi(a + b) - psi(a + b + counts))[place] + share / a
        d_b = (psi(a + b) - psi(a + b + counts) + psi(b + counts) - psi(b))[place] - share * (1.0 / rest)[place]
        slopes = np.array([self._weights @ d for d in (d_r, d_alpha, d_a, d_b)]) * np.exp(logs)
        pull = (logs - self._centre) / _PRIOR_SPREAD
        scale = self._weights.sum()
        value = float(0.5 * pull @ pull - self._weights @ total)
        return value / scale, (pull / _PRIOR_SPREAD - slopes) / scale


def _fit_value(features: PurchaseFeatures, start: Btyd | None) -> GammaGamma:
    count, mean = features["order_days"], features["order_day_value_mean"]
    usable = np.flatnonzero((mean > 0) & (count > 1))
    usable = usable[:: max(1, -(-len(usable) // _MOST_VALUES))]
    typical = float(mean[mean > 0].mean()) if (mean > 0).any() else 1.0
    centre = np.log([6.0, 3.0, 1.0])  # p, q - 1, v over the typical value
    counts, place = np.unique(count[usable], return_inverse=True)
    k, m = count[usable], mean[usable] / typical
    logs_of_m, logs_of_k = np.log(m), np.log(k)

    def target(logs: Floats) -> float:
        p, q, v = np.exp(logs)
        q += 1.0
        shape = p * counts
        fixed = gammaln(shape + q) - gammaln(shape) - gammaln(q) + q * np.log(v)
        total = fixed[place] + p * k * (logs_of_m + logs_of_k) - logs_of_m - (p * k + q) * np.log(v + k * m)
        pull = (logs - centre) / _PRIOR_SPREAD
        return float(0.5 * pull @ pull - total.sum()) / max(len(k), 1)

    value = None if start is None else start.value
    first = centre if value is None else np.log([value.p, max(value.q - 1.0, 1e-3), value.v / typical])
    found = minimize(target, first, method="L-BFGS-B", bounds=[(c - 6.0, c + 6.0) for c in centre])
    p, q, v = np.exp(found.x)
    return GammaGamma(float(p), float(q + 1.0), float(v * typical))
