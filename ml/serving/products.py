"""Serving: products for one customer: own repeat purchases, what goes with them, popular in the category, popular."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Any

from ml.features.customers import Customer, Moment
from ml.models.recommend import RANKS
from ml.orders.baskets import DECAY

_DIGITS = 4
# Lowest score and width of each kind's band: kinds stay comparable by rank.
_OWN, _TOGETHER, _CATEGORY, _POPULAR = (0.5, 0.5), (0.2, 0.3), (0.1, 0.1), (0.0, 0.1)


@dataclass(frozen=True)
class Shelf:
    """What a brand's customers buy: product → what goes with it, strongest first; popular products, best first."""

    near: Mapping[str, tuple[tuple[str, float], ...]] = field(default_factory=dict)
    by_category: Mapping[str, tuple[tuple[str, float], ...]] = field(default_factory=dict)
    popular: tuple[tuple[str, float], ...] = ()
    category: Mapping[str, str] = field(default_factory=dict)
    """Product → its category, where it has one."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "near": dict(self.near),
            "by_category": dict(self.by_category),
            "popular": self.popular,
            "category": dict(self.category),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Shelf":
        """From what `as_dict` gave."""
        return cls(
            {name: _pairs(values) for name, values in stored["near"].items()},
            {name: _pairs(values) for name, values in stored["by_category"].items()},
            _pairs(stored["popular"]),
            dict(stored.get("category", {})),
        )


@dataclass(frozen=True, slots=True)
class BoughtOnce:
    """What a brand says is bought once for ever: product ids, and categories of which one product is enough."""

    products: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()


NOTHING_ONCE = BoughtOnce()


@dataclass(slots=True)
class _Habit:
    """How a customer bought one product."""

    weight: float
    times: int
    last_day: int
    category: str


def recommend_products(
    customer: Customer, shelf: Shelf, moment: Moment, once: BoughtOnce = NOTHING_ONCE
) -> list[dict[str, Any]]:
    """Up to ten products with score (0 to 1, falling) and reason; none for a customer of whom nothing is known.

    What is bought `once` and was bought is left out, with everything else of a category that is.
    """
    habits = _habits(customer, moment)
    found: dict[str, dict[str, Any]] = {}
    closed = {habit.category for habit in habits.values() if habit.category in once.categories}
    for product, score, reason in _candidates(habits, shelf, moment.day):
        if product in once.products and product in habits:
            continue
        if closed and (habits[product].category if product in habits else shelf.category.get(product)) in closed:
            continue
        if product not in found:
            found[product] = {"product_id": product, "score": round(score, _DIGITS), "reason": reason}
        if len(found) == RANKS:
            break
    return list(found.values())


def _candidates(habits: Mapping[str, _Habit], shelf: Shelf, today: int) -> Iterator[tuple[str, float, str]]:
    own = sorted(habits.items(), key=lambda item: (-item[1].weight, -item[1].last_day, item[0]))
    for product, habit in own:
        yield product, _score(_OWN, habit.weight), _own_reason(habit, today - habit.last_day)
    for other, (total, _, driver) in _together([product for product, _ in own], shelf):
        yield other, _score(_TOGETHER, total), f"often bought by people who buy {driver}"
    favourite = _favourite(habits.values())
    for product, share in shelf.by_category.get(favourite, ()):
        yield product, _score(_CATEGORY, share), f"popular in {favourite}"
    for product, share in shelf.popular:
        yield product, _score(_POPULAR, share), "popular with all customers"


def _together(own: Sequence[str], shelf: Shelf) -> list[tuple[str, list[Any]]]:
    """Products that go with the customer's own: [weight in all, most by one of them, that one]."""
    strength: dict[str, list[Any]] = {}
    for product in own:
        for other, weight in shelf.near.get(product, ()):
            entry = strength.get(other)
            if entry is None:
                strength[other] = [weight, weight, product]
                continue
            entry[0] += weight
            if weight > entry[1]:
                entry[1], entry[2] = weight, product
    # Some of them may be the customer's own, which stand before these already.
    return nsmallest(RANKS + len(own), strength.items(), key=lambda item: (-item[1][0], item[0]))


def _habits(customer: Customer, moment: Moment) -> dict[str, _Habit]:
    """Days of purchase of each product, each worth 0.9 of the customer's next later one."""
    days: dict[int, dict[str, str]] = {}
    for sale in customer.sales:
        if sale.at < moment.ms and sale.products:
            days.setdefault(moment.day_of(sale.at), {}).update(sale.products)
    found: dict[str, _Habit] = {}
    for later, day in enumerate(sorted(days, reverse=True)):
        for product, category in days[day].items():
            habit = found.setdefault(product, _Habit(0.0, 0, day, category))
            habit.weight += DECAY**later
            habit.times += 1
    return found


def _favourite(habits: Iterable[_Habit]) -> str:
    weights: dict[str, float] = {}
    for habit in habits:
        if habit.category:
            weights[habit.category] = weights.get(habit.category, 0.0) + habit.weight
    return min(weights, key=lambda name: (-weights[name], name), default="")


def _score(band: tuple[float, float], strength: float) -> float:
    low, wide = band
    return low + wide * strength / (1.0 + strength)


def _own_reason(habit: _Habit, ago: int) -> str:
    times = {1: "once", 2: "twice"}.get(habit.times, f"{habit.times} times")
    return f"bought {times}, last {ago} day{'' if ago == 1 else 's'} ago"


def _pairs(stored: Iterable[Any]) -> tuple[tuple[str, float], ...]:
    return tuple((str(name), float(value)) for name, value in stored)
