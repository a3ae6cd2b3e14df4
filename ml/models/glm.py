"""Generalised linear models with a ridge penalty and an offset: logistic, and Tweedie with a log link."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ml.orders.history import Floats

_STEPS = 30
_ENOUGH = 1e-7
_LIMIT = 30.0
_ARRAYS = ("centre", "spread", "weights")


class Family(StrEnum):
    """What is modelled: the probability of a yes, a count, or an amount that is often zero."""

    LOGISTIC = "logistic"
    POISSON = "poisson"
    TWEEDIE = "tweedie"


_POWER = {Family.POISSON: 1.0, Family.TWEEDIE: 1.4}


@dataclass(frozen=True)
class Glm:
    """A fitted model; columns are standardised with `centre` and `spread` first."""

    family: Family
    names: tuple[str, ...]
    centre: Floats
    spread: Floats
    weights: Floats
    intercept: float

    def raw(self, rows: Floats, offset: Floats) -> Floats:
        """The linear score: log odds or log mean; `rows` has the columns of `names`."""
        return offset + self.intercept + self._standard(rows) @ self.weights

    def contributions(self, rows: Floats) -> Floats:
        """What each column adds to the linear score, beside offset and intercept."""
        return self._standard(rows) * self.weights

    def as_dict(self) -> dict[str, object]:
        """As JSON."""
        return {
            "family": self.family.value,
            "names": list(self.names),
            "centre": self.centre.tolist(),
            "spread": self.spread.tolist(),
            "weights": self.weights.tolist(),
            "intercept": self.intercept,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> "Glm":
        """From what `as_dict` gave."""
        centre, spread, weights = (np.asarray(stored[name], dtype=np.float64) for name in _ARRAYS)
        names = stored["names"]
        assert isinstance(names, list)  # noqa: S101 (narrows the type)
        family, intercept = Family(str(stored["family"])), float(str(stored["intercept"]))
        return cls(family, tuple(names), centre, spread, weights, intercept)

    def _standard(self, rows: Floats) -> Floats:
        return np.clip((rows - self.centre) / self.spread, -_LIMIT, _LIMIT)


@dataclass(frozen=True)
class Sample:
    """What a model learns from: rows, outcomes, the score they start from, and how much each row counts."""

    rows: Floats
    outcome: Floats
    offset: Floats
    weight: Floats


def fit_glm(family: Family, names: Sequence[str], sample: Sample, ridge: float) -> Glm:
    """Penalised maximum likelihood by Newton steps; `ridge` is per standardised column, the intercept is free."""
    total = sample.weight.sum()
    centre = sample.weight @ sample.rows / total
    spread = np.sqrt(sample.weight @ (sample.rows - centre) ** 2 / total)
    spread[spread < 1e-9] = 1.0  # noqa: PLR2004 (a column that never varies)
    columns = np.column_stack([np.ones(len(sample.rows)), (sample.rows - centre) / spread])
    penalty = np.full(columns.shape[1], ridge * total)
    penalty[0] = 1e-6 * total
    found = np.zeros(columns.shape[1])
    loss = _loss(family, columns @ found + sample.offset, sample) + 0.5 * penalty @ found**2
    for _ in range(_STEPS):
        slope, curve = _slopes(family, columns @ found + sample.offset, sample)
        gradient = columns.T @ slope + penalty * found
        hessian = (columns * curve[:, None]).T @ columns + np.diag(penalty)
        step = np.linalg.solve(hessian, gradient)
        size, better = 1.0, loss
        while size > 1e-4:  # noqa: PLR2004 (a step this short changes nothing)
            tried = found - size * step
            better = _loss(family, columns @ tried + sample.offset, sample) + 0.5 * penalty @ tried**2
            if np.isfinite(better) and better <= loss:
                break
            size /= 2
        if not np.isfinite(better) or better > loss:
            break
        found, gain, loss = found - size * step, loss - better, better
        if gain < _ENOUGH * total:
            break
    return Glm(family, tuple(names), centre, spread, found[1:], float(found[0]))


def _loss(family: Family, score: Floats, sample: Sample) -> float:
    if family is Family.LOGISTIC:
        return float(sample.weight @ (np.logaddexp(0.0, score) - sample.outcome * score))
    power = _POWER[family]
    with np.errstate(over="ignore"):
        rise = np.exp((2.0 - power) * score) / (2.0 - power)
        fall = sample.outcome * (score if power == 1.0 else np.exp((1.0 - power) * score) / (1.0 - power))
    return float(sample.weight @ (rise - fall))


def _slopes(family: Family, score: Floats, sample: Sample) -> tuple[Floats, Floats]:
    """First and (expected) second derivative of the loss by the score."""
    if family is Family.LOGISTIC:
        mean = 1.0 / (1.0 + np.exp(-score))
        return sample.weight * (mean - sample.outcome), sample.weight * np.maximum(mean * (1.0 - mean), 1e-9)
    power = _POWER[family]
    mean = np.exp(np.clip(score, -_LIMIT, _LIMIT))
    slope = mean ** (2.0 - power) - sample.outcome * mean ** (1.0 - power)
    return sample.weight * slope, sample.weight * np.maximum(mean ** (2.0 - power), 1e-9)
