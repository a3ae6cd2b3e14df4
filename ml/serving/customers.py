"""Serving, first step: stored orders of profiles as the history that features and models read."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from core.clock import EARLIEST
from core.money import minor_digits
from graph.values import parse_json
from ml.features.purchases import PurchaseFeatures, purchase_features
from ml.orders.history import UNITS, History
from resolver.orders import REFUND, REFUNDED, read_lines

_DAY_MS = 86_400_000
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Sale:
    """A counted order; times in milliseconds since 1970, money in ten-thousandths of the brand's currency.

    `refunded_at` is when the last of `refund` was given back. `products` are (product id, category or '').
    """

    at: int
    gross: float
    refund: float = 0.0
    refunded_at: int = 0
    items: float = 0.0
    products: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Customer:
    """A live profile with its counted orders, in the order of their times."""

    id: str
    version: int
    currency: str
    sales: tuple[Sale, ...]


def customer_of(row: dict[str, Any]) -> Customer:
    """A stored row {id, version, currency, orders}; orders in another currency count, their money does not."""
    currency = row["currency"] or "USD"
    sales = sorted((_sale(stored, currency) for stored in row["orders"]), key=lambda sale: (sale.at, sale.gross))
    return Customer(row["id"], row["version"], currency, tuple(sales))


def _sale(stored: Sequence[Any], currency: str) -> Sale:
    at, counted, refunded, stated, lines, facts = stored
    unit = UNITS / 10 ** minor_digits(currency) if stated == currency else 0.0
    try:
        found = read_lines(lines or "")
    except json.JSONDecodeError:
        found = []
    back = max(refunded or 0, 0)
    return Sale(
        at=int(at),
        gross=((counted or 0) + back) * unit,
        refund=back * unit,
        refunded_at=_refunded_at(facts, at) if back else 0,
        items=float(sum(_quantity(line) for line in found) or 1),
        products=_products(found),
    )


def _refunded_at(facts: str | None, placed_at: int) -> int:
    """When the last refund was told; the order's own time when nothing says."""
    stored = parse_json(facts, [])
    times = [int(fact["at"]) // 1_000 for fact in stored if fact.get("kind") in {REFUND, REFUNDED}]
    return max([placed_at, *times])


def _quantity(line: dict[str, Any]) -> float:
    value = line.get("quantity", 1)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0 else 1.0


def _products(lines: Sequence[dict[str, Any]]) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for line in lines:
        name, category = line.get("product_id"), line.get("category")
        if isinstance(name, str) and name.strip():
            found[name.strip()] = category.strip() if isinstance(category, str) else ""
    return tuple(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class Moment:
    """The moment of a prediction, and the day number that stands for it: everything is counted in days back from it.

    A moment inside a day counts as its end, so that at midnight days are those of the calendar.
    """

    at: datetime

    @property
    def ms(self) -> int:
        """Milliseconds since 1970."""
        return (self.at - EARLIEST) // timedelta(milliseconds=1)

    @property
    def day(self) -> int:
        """The day number; features know the days before it."""
        return -((EARLIEST - self.at) // _DAY)

    def day_of(self, at: int) -> int:
        """The day of a time before the moment: one day back up to 24 hours before it, two up to 48, and so on."""
        return self.day - max(1, -((at - self.ms) // _DAY_MS))


def history_of(customers: Sequence[Customer], moment: Moment) -> History:
    """What these customers did before the moment; nothing at or after it has any influence."""
    rows: dict[tuple[int, int], list[float]] = {}
    for place, customer in enumerate(customers):
        for sale in customer.sales:
            if sale.at >= moment.ms:
                continue
            row = rows.setdefault((place, moment.day_of(sale.at)), [0.0] * 4)
            row[0] += 1.0
            row[1] += sale.gross
            row[3] += sale.items
            if sale.refund and sale.refunded_at < moment.ms:
                rows.setdefault((place, moment.day_of(sale.refunded_at)), [0.0] * 4)[2] += sale.refund
    keys = np.array(sorted(rows), dtype=np.int64).reshape(-1, 2)
    table = np.array([rows[int(place), int(day)] for place, day in keys], dtype=np.float64).reshape(-1, 4)
    orders, gross, refund, items = table.T
    return History(len(customers), keys[:, 0], keys[:, 1], orders, gross, refund, items)


def features_of(customers: Sequence[Customer], moment: Moment) -> PurchaseFeatures:
    """Features of those with an order before the moment; `customer` are positions in the sequence."""
    return purchase_features(history_of(customers, moment), moment.day)
