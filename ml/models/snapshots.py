"""Snapshots: customers as they were known on a past day, with what they did after it: what models learn from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ml.features.purchases import PurchaseFeatures, purchase_features
from ml.models.btyd import BgNbd, Btyd, BtydView, GammaGamma, fit_btyd, look
from ml.models.design import boosted_rows, linear_rows
from ml.orders.history import Floats, History, Ints, Outcome, outcome

YEAR_DAYS = 364
LEAST_KNOWN_DAYS = 90
REFERENCE_DAYS = 91.0
"""The span for which features say what BG/NBD expects: always the same, whatever the horizon."""


NO_BTYD = Btyd(BgNbd(1.0, 1.0, 1.0, 1.0), GammaGamma(1.0, 2.0, 1.0), 1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Known:
    """What is known of customers on one day: features, the BG/NBD fit, and the columns made of both."""

    features: PurchaseFeatures
    btyd: Btyd

    @classmethod
    def without_model(cls, features: PurchaseFeatures) -> "Known":
        """For the fixed formulas, which ask no BG/NBD."""
        return cls(features, NO_BTYD)

    @cached_property
    def quarter(self) -> BtydView:
        """What BG/NBD says of the reference span."""
        return look(self.btyd, self.features, REFERENCE_DAYS)

    @cached_property
    def linear(self) -> Floats:
        """Columns of the linear models."""
        return linear_rows(self.features, self.btyd, self.quarter)

    @cached_property
    def boosted(self) -> Floats:
        """Columns of the boosted trees."""
        return boosted_rows(self.features, self.quarter)


@dataclass(frozen=True)
class Snapshot:
    """Customers known on the day `origin`, asked for the next `length` days, and what came (None when unknown)."""

    origin: int
    length: int
    known: Known
    outcome: Outcome | None = None

    def __len__(self) -> int:
        return len(self.known.features)

    @cached_property
    def view(self) -> BtydView:
        """What BG/NBD says of the window."""
        return look(self.known.btyd, self.known.features, self.length)

    @property
    def orders(self) -> Floats:
        """Orders that came in the window."""
        return self._found.orders

    @property
    def spend(self) -> Floats:
        """Net spend that came in the window, in currency."""
        return self._found.spend

    @property
    def silent(self) -> Floats:
        """1 for customers without an order in the window, else 0."""
        found: Floats = (self._found.orders == 0).astype(np.float64)
        return found

    @property
    def _found(self) -> Outcome:
        if self.outcome is None:
            raise LookupError("What comes after this snapshot is not known.")
        return self.outcome

    def ask(self, length: int) -> "Snapshot":
        """The same customers asked for another number of days; without outcome."""
        return replace(self, length=length, outcome=None)


class SnapshotMaker:
    """Makes snapshots of one history; features and the BG/NBD fit of a day are made once."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._known: dict[int, Known] = {}

    def make(self, origin: int, length: int, *, has_outcome: bool = True) -> Snapshot:
        """The snapshot of that day; its model knows nothing at or after `origin`."""
        known = self._at(origin)
        if not has_outcome:
            return Snapshot(origin, length, known)
        whole = outcome(self.history, origin, origin + length)
        mine = known.features.customer
        return Snapshot(origin, length, known, Outcome(whole.orders[mine], whole.spend[mine]))

    def _at(self, origin: int) -> Known:
        if origin not in self._known:
            features = purchase_features(self.history, origin)
            nearest = min(self._known, key=lambda day: (abs(day - origin), day), default=None)
            start = None if nearest is None else self._known[nearest].btyd
            self._known[origin] = Known(features, fit_btyd(features, start))
        return self._known[origin]


@dataclass(frozen=True, slots=True)
class Windows:
    """Which windows of the known history models learn from and are judged by; days are day numbers."""

    start: int
    end: int
    horizon: int

    @property
    def span(self) -> int:
        """Days of history."""
        return self.end - self.start

    def training(self, end: int, count: int) -> list[tuple[int, int]]:
        """Origin and length of up to `count` windows that lie before `end`, evenly spaced, the latest first.

        A window is as long as the horizon where history allows, else it reaches to `end`.
        """
        return self._spread(end, 1 / 3, count)

    def judged(self, count: int) -> list[tuple[int, int]]:
        """Origin and length of the windows that judge candidates, who learn only from days before the origin."""
        windows = self._spread(self.end, 4 / 9, count)
        return [*windows, *self.year_ago] if self.year_ago[:1] not in ([one] for one in windows) else windows

    @property
    def year_ago(self) -> list[tuple[int, int]]:
        """The window of the same days a year before the cutoff, where enough was known before it; 52 weeks ago."""
        origin = self.end - YEAR_DAYS
        return [(origin, self.horizon)] if self.horizon <= YEAR_DAYS and origin - self.start >= LEAST_KNOWN_DAYS else []

    def _spread(self, end: int, from_share: float, count: int) -> list[tuple[int, int]]:
        span = end - self.start
        latest = max(end - self.horizon, self.start + 2 * span // 3)
        earliest = min(self.start + max(round(span * from_share), 1), latest)
        origins = np.unique(np.linspace(earliest, latest, count).round().astype(int))[::-1]
        return [(int(day), int(min(self.horizon, end - day))) for day in origins if day < end]


def row_weights(snapshots: Sequence[Snapshot], horizon: int) -> Floats:
    """How much each row counts: windows nearer to the horizon in length count more."""
    return np.concatenate([np.full(len(one), (one.length / horizon) ** 2) for one in snapshots])


def sample_customers(history: History, most: int, seed: int) -> Ints:
    """Positions of at most `most` customers, drawn once; ascending."""
    if history.customers <= most:
        return np.arange(history.customers)
    drawn = np.random.default_rng(seed).choice(history.customers, most, replace=False)
    return np.sort(drawn).astype(np.int64)
