"""Made-up retailers of different kinds, from a seed: order lines as an order file has them."""

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np

HEADER = ("customer_id", "order_id", "ordered_at", "amount", "product_id", "category", "quantity", "currency")


@dataclass(frozen=True)
class Retailer:
    """How customers behave: rates a day, chance to stop after an order, value, and what moves demand over time."""

    customers: int = 1_500
    days: int = 540
    rate: float = 0.02
    rate_shape: float = 0.8
    stop: float = 0.12
    value: float = 40.0
    value_spread: float = 0.6
    between_spread: float = 0.5
    products: int = 120
    lines: float = 2.0
    refunds: float = 0.0
    season: float = 0.0
    trend: float = 0.0
    regular: int = 1
    start: date = date(2023, 1, 1)


KINDS = {
    "gifts": Retailer(rate=0.018, between_spread=1.2, lines=4.0, refunds=0.04, season=0.6, products=300),
    "grocery": Retailer(customers=700, rate=0.12, stop=0.01, value=30, between_spread=0.4, lines=6.0, regular=3),
    "fashion": Retailer(rate=0.010, stop=0.2, season=0.8, refunds=0.25, products=250),
    "growing": Retailer(trend=1.5),
    "declining": Retailer(trend=-1.2),
    "heavy_tail": Retailer(between_spread=1.6, value_spread=1.0),
}


def make_rows(retailer: Retailer, seed: int = 0) -> list[tuple[str, ...]]:
    """Order lines in order of customers; the same seed gives the same rows."""
    rng = np.random.default_rng(seed)
    demand = _demand(retailer)
    joined = np.sort(rng.choice(retailer.days, retailer.customers, p=demand / demand.sum()))
    rows: list[tuple[str, ...]] = []
    for number, first in enumerate(joined.tolist()):
        rows += _customer_rows(retailer, demand, rng, (number, first))
    return rows


def write_file(path: Path, rows: list[tuple[str, ...]], shuffle: int | None = None) -> Path:
    """The rows as a CSV file, in random order when `shuffle` is a seed."""
    order = np.arange(len(rows)) if shuffle is None else np.random.default_rng(shuffle).permutation(len(rows))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(rows[place] for place in order)
    return path


def small(kind: str, **changes: float) -> Retailer:
    """A retailer of that kind with some things changed."""
    change: Callable[..., Retailer] = replace
    return change(KINDS[kind], **changes)


def _demand(retailer: Retailer) -> np.ndarray:
    """Demand by day: a yearly wave with its peak at the end of the year, and a trend over the whole span."""
    day = np.arange(retailer.days)
    wave = np.maximum(np.cos(2 * np.pi * (day - 345) / 365.25), -0.5)
    return np.exp(retailer.season * wave + retailer.trend * (day / retailer.days - 0.5))


def _customer_rows(
    retailer: Retailer, demand: np.ndarray, rng: np.random.Generator, who: tuple[int, int]
) -> list[tuple[str, ...]]:
    number, day = who
    rate = rng.gamma(retailer.rate_shape, retailer.rate / retailer.rate_shape) + 1e-4
    level = retailer.value * np.exp(retailer.between_spread * rng.standard_normal())
    tastes = rng.zipf(1.3, 12) % retailer.products
    rows: list[tuple[str, ...]] = []
    order = 0
    while day < retailer.days:
        order += 1
        rows += _order_rows(retailer, rng, (f"c{number:05d}", f"o{number}-{order}", day), level, tastes)
        if rng.random() < retailer.stop:
            break
        gap = rng.gamma(retailer.regular, 1.0 / (rate * demand[day] * retailer.regular))
        day += max(1, round(min(gap, 10_000)))
    return rows


def _order_rows(
    retailer: Retailer, rng: np.random.Generator, key: tuple[str, str, int], level: float, tastes: np.ndarray
) -> list[tuple[str, ...]]:
    customer, order, day = key
    at = retailer.start + timedelta(days=day)
    count = 1 + rng.poisson(retailer.lines - 1)
    total = level * np.exp(retailer.value_spread * rng.standard_normal())
    rows: list[tuple[str, ...]] = []
    for _ in range(count):
        favoured = rng.random() < 0.6
        product = int(rng.choice(tastes)) if favoured else int(rng.zipf(1.2) % retailer.products)
        amount = f"{total / count:.2f}"
        rows.append((customer, order, f"{at}T12:00:00Z", amount, f"P{product:04d}", f"cat{product % 7}", "1", "EUR"))
        if rng.random() < retailer.refunds:
            back = at + timedelta(days=int(rng.integers(2, 20)))
            rows.append((customer, f"r-{order}", f"{back}", f"-{amount}", f"P{product:04d}", "", "-1", ""))
    return rows
