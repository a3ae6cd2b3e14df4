"""What customers did, by customer and day: the one form of history that features, labels and models read."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

Block = TypeVar("Block")
Done = TypeVar("Done")

DAY_SECONDS = 86_400
BLOCK_ROWS = 200_000
"""Rows that are worked on at once: their columns stay in the processor's cache."""
_THREADS = 2
UNITS = 10_000.0
"""Money is kept in ten-thousandths, as whole numbers: sums are exact, so their order cannot matter."""


@dataclass(frozen=True)
class History:
    """One row for each customer and day with any line, sorted by both; days count from 1970 in UTC.

    `customer` are positions in the list of customers. `orders` counts orders begun that day; `gross` is money of lines
    of 0 and more, `refund` of negative lines (as a positive number), both in ten-thousandths; `items` are quantities.
    """

    customers: int
    customer: Ints
    day: Ints
    orders: Floats
    gross: Floats
    refund: Floats
    items: Floats

    @cached_property
    def offsets(self) -> Ints:
        """Where each customer's rows begin, and the end of the last one's; length `customers` + 1."""
        return np.searchsorted(self.customer, np.arange(self.customers + 1)).astype(np.int64)

    @cached_property
    def first_day(self) -> Ints:
        """Day of each customer's first order; the largest number for one without."""
        found = np.full(self.customers, np.iinfo(np.int64).max)
        ordered = self.orders > 0
        np.minimum.at(found, self.customer[ordered], self.day[ordered])
        return found

    def blocks(self, rows: int) -> Iterator[tuple["History", int]]:
        """Parts of about so many rows, each with whole customers, numbered from 0, and the position of the first one.

        Its columns are views. A history without rows is one part.
        """
        cuts = customer_cuts(self.customer, rows)
        firsts = [0, *self.customer[cuts[1:-1]].tolist(), self.customers]
        for (row, last), (first, after) in zip(pairwise(cuts), pairwise(firsts), strict=True):
            inside = slice(row, last)
            measures = (getattr(self, name)[inside] for name in _MEASURES)
            yield History(after - first, self.customer[inside] - first, *measures), first

    def before(self, day: int) -> "History":
        """The same history as it was known at the start of that day."""
        inside = self.day < day
        return self if inside.all() else self.keep(inside)

    def of(self, chosen: Ints) -> "History":
        """The rows of these customers, given as ascending positions; they are numbered anew from 0."""
        place = np.full(self.customers, -1, dtype=np.int64)
        place[chosen] = np.arange(len(chosen))
        kept = self.keep(place[self.customer] >= 0)
        return History(len(chosen), place[kept.customer], *(getattr(kept, name) for name in _MEASURES))

    def keep(self, rows: Bools) -> "History":
        """Only these rows, all customers."""
        return History(self.customers, self.customer[rows], *(getattr(self, name)[rows] for name in _MEASURES))


def customer_cuts(customer: NDArray[Any], rows: int) -> list[int]:
    """Where to cut rows that are sorted by customer into blocks of about `rows` with whole customers; ends included."""
    # Whoever stands at a cut begins the next block.
    return [*np.unique([0, *np.searchsorted(customer, customer[rows::rows]).tolist()]).tolist(), len(customer)]


def each_block(work: Callable[[Block], Done], blocks: Sequence[Block]) -> list[Done]:
    """What the work makes of each block, in order; several at once, for NumPy lets other threads run."""
    if len(blocks) == 1:
        return [work(blocks[0])]
    with ThreadPoolExecutor(_THREADS, "blocks") as pool:
        return list(pool.map(work, blocks))


_MEASURES = ("day", "orders", "gross", "refund", "items")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a customer did in a span of days: orders, and money less refunds, in currency."""

    orders: Floats
    spend: Floats


def outcome(history: History, start: int, end: int) -> Outcome:
    """Orders and net spend of every customer on the days `start` (included) to `end` (excluded)."""
    rows = (history.day >= start) & (history.day < end)
    who = history.customer[rows]
    orders: Floats = np.bincount(who, history.orders[rows], history.customers).astype(np.float64)
    net: Floats = np.bincount(who, history.gross[rows] - history.refund[rows], history.customers).astype(np.float64)
    return Outcome(orders, net / UNITS)
