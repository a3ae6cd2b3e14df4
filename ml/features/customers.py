"""Features, first step: stored orders and facts of profiles as the history that features and models read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

import msgspec
import numpy as np

from core.clock import EARLIEST
from core.money import minor_digits
from graph.repositories.predictions import CustomerRow
from graph.values import parse_json
from insight.statistics import STORE_CHANNEL
from ml.orders.history import UNITS, History
from resolver.orders import REFUND, REFUNDED
from resolver.tallies import read_channels

_DAY_MS = 86_400_000
_DAY = timedelta(days=1)


class Sale(NamedTuple):
    """A counted order; times in milliseconds since 1970, money in ten-thousandths of the brand's currency.

    `refunded_at` is when the last of `refund` was given back. `products` are (product id, category or '').
    """

    at: int
    gross: float
    refund: float = 0.0
    refunded_at: int = 0
    items: float = 0.0
    products: tuple[tuple[str, str], ...] = ()
    categories: tuple[str, ...] = ()
    is_store: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What a live profile is now, beside its orders; times in milliseconds since 1970."""

    strength: int = 0
    identifier_types: tuple[str, ...] = ()
    cluster_size: int = 1
    merges: int = 0
    first_event_at: int | None = None
    last_event_at: int | None = None
    events_by_channel: Mapping[str, int] = field(default_factory=dict)
    wants: tuple[tuple[int, int], ...] = ()
    """Of each open intent the full score and the time of its last signal."""
    seen: tuple[int, ...] = ()
    """Times of the newest signs of presence in stores."""


NO_FACTS = Facts()


@dataclass(frozen=True, slots=True)
class Customer:
    """A live profile with its counted orders, in the order of their times, and those given back in full."""

    id: str
    version: int
    currency: str
    sales: tuple[Sale, ...]
    returned: tuple[Sale, ...] = ()
    facts: Facts = NO_FACTS


def customer_of(row: CustomerRow) -> Customer:
    """A stored row as a customer; orders in another currency count, their money does not."""
    currency = row.currency or "USD"
    sales: list[Sale] = []
    returned: list[Sale] = []
    unit = UNITS / 10 ** minor_digits(currency)
    for stored in row.orders:
        (sales if stored[6] else returned).append(_sale(stored, currency, unit))
    return Customer(
        row.id,
        row.version,
        currency,
        tuple(sorted(sales, key=_in_order)),
        tuple(sorted(returned, key=_in_order)),
        _facts(row),
    )


def _in_order(sale: Sale) -> tuple[int, float]:
    return sale.at, sale.gross


def _facts(row: CustomerRow) -> Facts:
    return Facts(
        strength=row.strength or 0,
        identifier_types=tuple(sorted(row.identifier_types or ())),
        cluster_size=row.personas,
        merges=row.merges or 0,
        first_event_at=row.first_seen,
        last_event_at=row.last_seen,
        wants=tuple((int(full), int(at)) for full, at in row.wants),
        seen=tuple(row.seen),
        events_by_channel=read_channels(entry for stored in row.channels for entry in stored or ()),
    )


def _sale(stored: Sequence[Any], currency: str, unit: float) -> Sale:
    at, counted, refunded, stated, lines, facts, _, channel = stored
    if stated != currency:
        unit = 0.0
    items, products, categories = _lines(lines) if lines else (1.0, (), ())
    back = max(refunded or 0, 0)
    return Sale(
        int(at),
        ((counted or 0) + back) * unit,
        back * unit,
        _refunded_at(facts, at) if back else 0,
        items,
        products,
        categories,
        channel == STORE_CHANNEL,
    )


def _lines(text: str) -> tuple[float, tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Pieces, products with their categories, and categories of an order; lines that nobody can read say nothing."""
    try:
        lines = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return 1.0, (), ()
    pieces = 0.0
    products: dict[str, str] = {}
    categories: dict[str, None] = {}
    for line in lines if isinstance(lines, list) else ():
        if not isinstance(line, dict):
            continue
        pieces += _quantity(line.get("quantity", 1))
        product, category = _name(line.get("product_id")), _name(line.get("category"))
        if category:
            categories[category] = None
        if product:
            products[product] = category
    return pieces or 1.0, tuple(sorted(products.items())), tuple(categories)


def _name(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _refunded_at(facts: str | None, placed_at: int) -> int:
    """When the last refund was told; the order's own time when nothing says."""
    stored = parse_json(facts, [])
    times = [int(fact["at"]) // 1_000 for fact in stored if fact.get("kind") in {REFUND, REFUNDED}]
    return max([placed_at, *times])


def _quantity(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0 else 1.0


@dataclass(frozen=True)
class Moment:
    """The moment of a prediction, and the day number that stands for it: everything is counted in days back from it.

    A moment inside a day counts as its end, so that at midnight days are those of the calendar.
    """

    at: datetime

    @cached_property
    def ms(self) -> int:
        """Milliseconds since 1970."""
        return (self.at - EARLIEST) // timedelta(milliseconds=1)

    @cached_property
    def day(self) -> int:
        """The day number; features know the days before it."""
        return -((EARLIEST - self.at) // _DAY)

    def day_of(self, at: int) -> int:
        """The day of a time before the moment: one day back up to 24 hours before it, two up to 48, and so on."""
        return self.day - max(1, -((at - self.ms) // _DAY_MS))


def history_of(customers: Sequence[Customer], moment: Moment) -> History:
    """What these customers did before the moment; nothing at or after it has any influence."""
    rows: dict[tuple[int, int], list[float]] = {}
    now, day_of = moment.ms, moment.day_of
    for place, customer in enumerate(customers):
        for sale in customer.sales:
            if sale.at >= now:
                continue
            row = rows.setdefault((place, day_of(sale.at)), [0.0] * 4)
            row[0] += 1.0
            row[1] += sale.gross
            row[3] += sale.items
            if sale.refund and sale.refunded_at < now:
                rows.setdefault((place, day_of(sale.refunded_at)), [0.0] * 4)[2] += sale.refund
    ordered = sorted(rows)
    keys = np.array(ordered, dtype=np.int64).reshape(-1, 2)
    table = np.array([rows[key] for key in ordered], dtype=np.float64).reshape(-1, 4)
    orders, gross, refund, items = table.T
    return History(len(customers), keys[:, 0], keys[:, 1], orders, gross, refund, items)
