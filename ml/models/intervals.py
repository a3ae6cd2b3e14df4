"""The spread of spend: a lump of nothing, above it what past windows say of actual over expected spend of buyers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml.orders.history import Floats

LOW, HIGH = 0.1, 0.9
_GRID = np.linspace(0.01, 0.99, 99)
_LEAST = 200
_MOST_GROUPS = 8
_USUAL_SPREAD = 0.9


@dataclass(frozen=True)
class Foretold:
    """Predictions of a window: probability of no order, expected orders, expected spend."""

    silence: Floats
    orders: Floats
    spend: Floats

    @property
    def pace(self) -> Floats:
        """Expected orders of those who order at all: the more, the narrower their spread."""
        return self.orders / np.maximum(1.0 - self.silence, 1e-9)

    @property
    def spend_of_buyers(self) -> Floats:
        """Expected spend of those who order at all."""
        return self.spend / np.maximum(1.0 - self.silence, 1e-9)


@dataclass(frozen=True)
class Spread:
    """For groups of pace (upper `edges`, the last one open), quantiles of actual over expected spend of buyers."""

    edges: Floats
    ratios: Floats

    def quantile(self, foretold: Foretold, level: float) -> Floats:
        """That quantile of spend, for each customer; 0 where doing nothing is likelier than the level."""
        group = np.searchsorted(self.edges, foretold.pace, side="right")
        above = (level - foretold.silence) / np.maximum(1.0 - foretold.silence, 1e-9)
        inside = np.clip(above, _GRID[0], _GRID[-1])
        place = (inside - _GRID[0]) / (_GRID[1] - _GRID[0])
        left = np.minimum(place.astype(np.int64), len(_GRID) - 2)
        share = place - left
        ratio = self.ratios[group, left] * (1.0 - share) + self.ratios[group, left + 1] * share
        return np.where(above > 0, np.maximum(ratio * foretold.spend_of_buyers, 0.0), 0.0)

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"pace_edges": self.edges.tolist(), "levels": _GRID.tolist(), "ratios": self.ratios.tolist()}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> "Spread":
        """From what `as_dict` gave."""
        return cls(np.asarray(stored["pace_edges"], dtype=np.float64), np.asarray(stored["ratios"], dtype=np.float64))


def fit_spread(windows: Sequence[tuple[Foretold, Floats]]) -> Spread:
    """Learn the ratios from judged windows, each with the actual spend; a log-normal guess where too few bought."""
    bought = [
        (one.pace[spend > 0], (spend / np.maximum(one.spend_of_buyers, 1e-9))[spend > 0]) for one, spend in windows
    ]
    pace = np.concatenate([found[0] for found in bought]) if bought else np.zeros(0)
    ratio = np.concatenate([found[1] for found in bought]) if bought else np.zeros(0)
    if len(ratio) < _LEAST:
        return Spread(np.zeros(0), _guess()[None, :])
    groups = min(_MOST_GROUPS, len(ratio) // _LEAST)
    edges = np.unique(np.quantile(pace, np.arange(1, groups) / groups))
    group = np.searchsorted(edges, pace, side="right")
    inside = [ratio[group == number] for number in range(len(edges) + 1)]
    rows = [np.quantile(found, _GRID) if len(found) else _guess() for found in inside]
    return Spread(edges, np.vstack(rows))


@dataclass(frozen=True, slots=True)
class Coverage:
    """Shares of customers whose actual spend lay below, inside and above the range."""

    below: float
    inside: float
    above: float


def coverage(low: Floats, high: Floats, actual: Floats) -> Coverage:
    """How often the range held; its ends belong to it."""
    below, above = float(np.mean(actual < low - 1e-9)), float(np.mean(actual > high + 1e-9))
    return Coverage(below, 1.0 - below - above, above)


def _guess() -> Floats:
    from scipy.special import ndtri  # noqa: PLC0415 - only for brands with hardly a buyer

    found: Floats = np.exp(_USUAL_SPREAD * ndtri(_GRID) - _USUAL_SPREAD**2 / 2.0)
    return found
