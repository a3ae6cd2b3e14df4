"""Training: the shelf of a brand: what is bought together, popular products by category and overall."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ml.features.customers import Customer, Moment
from ml.models.recommend import fit_together
from ml.orders.baskets import DECAY, RECENT_DAYS, Baskets
from ml.serving.products import Shelf

_SHOWN = 20
_DIGITS = 6


def build_shelf(customers: Sequence[Customer], moment: Moment) -> Shelf:
    """From what was bought before the moment; empty where orders name no products."""
    names, categories = _names(customers, moment)
    if not names:
        return Shelf()
    baskets = _baskets(customers, moment, names)
    together = fit_together(baskets)
    label = [names[int(place)] for place in together.products]
    near = {}
    for row, name in enumerate(label):
        columns, values = together.near[row].indices, together.near[row].data
        order = np.lexsort((columns, -values))
        if len(order):
            near[name] = tuple((label[int(columns[at])], round(float(values[at]), _DIGITS)) for at in order)
    share = {names[int(place)]: int(baskets.recent_buyers[place]) / max(len(customers), 1) for place in baskets.popular}
    ranked = [(name, round(part, _DIGITS)) for name, part in share.items() if part > 0]
    by_category: dict[str, list[tuple[str, float]]] = {}
    for name, part in ranked:
        shelf = by_category.setdefault(categories.get(name, ""), [])
        if len(shelf) < _SHOWN:
            shelf.append((name, part))
    by_category.pop("", None)
    shown = {other for row in near.values() for other, _ in row} | {name for name, _ in ranked}
    return Shelf(
        near,
        {name: tuple(shelf) for name, shelf in by_category.items()},
        tuple(ranked[:_SHOWN]),
        {name: categories[name] for name in sorted(shown) if categories.get(name)},
    )


def _names(customers: Sequence[Customer], moment: Moment) -> tuple[list[str], dict[str, str]]:
    """Product ids in binary order, and of each its category of most orders."""
    counts: dict[str, Counter[str]] = {}
    for customer in customers:
        for sale in customer.sales:
            if sale.at < moment.ms:
                for product, category in sale.products:
                    counts.setdefault(product, Counter())[category] += 1
    usual = {name: min(found, key=lambda kind: (-found[kind], kind)) for name, found in counts.items()}
    return sorted(counts), usual


def _baskets(customers: Sequence[Customer], moment: Moment, names: list[str]) -> Baskets:
    place = {name: number for number, name in enumerate(names)}
    rows: list[tuple[int, int, float, int, int]] = []
    for number, customer in enumerate(customers):
        days: dict[int, set[int]] = {}
        for sale in customer.sales:
            if sale.at < moment.ms and sale.products:
                bought = {place[product] for product, _ in sale.products}
                days.setdefault(moment.day_of(sale.at), set()).update(bought)
        habits: dict[int, tuple[float, int, int]] = {}
        for later, day in enumerate(sorted(days, reverse=True)):
            for one in days[day]:
                weight, times, last = habits.get(one, (0.0, 0, day))
                habits[one] = (weight + DECAY**later, times + 1, last)
        rows += [(number, one, *habits[one]) for one in sorted(habits)]
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    product, last_day = table[:, 1].astype(np.int64), table[:, 4].astype(np.int64)
    recent = product[last_day >= moment.day - RECENT_DAYS]
    return Baskets(
        len(customers),
        len(names),
        moment.day,
        customer=table[:, 0].astype(np.int64),
        product=product,
        weight=table[:, 2],
        times=table[:, 3].astype(np.int64),
        last_day=last_day,
        recent_buyers=np.bincount(recent, minlength=len(names)).astype(np.int64),
        buyers=np.bincount(product, minlength=len(names)).astype(np.int64),
        category=np.full(len(names), -1, dtype=np.int64),
    )
