"""Training, first step: a brand's orders out of the graph, of a fixed share of its customers when there are many."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from core.clock import EARLIEST, from_micros
from graph.driver import Graph
from graph.repositories.predictions import CustomerRow, page_customers
from ml.features.customers import Customer, customer_of

_PAGE = 2_000
MOST_GATHERED = 60_000
_BITS = 64


def customer_pages(
    graph: Graph, brand: str, seen_before: datetime | None, after: tuple[datetime, str] | None = None
) -> Iterator[list[CustomerRow]]:
    """All live profiles with their orders and their signs of presence before a moment, oldest first, page by page."""
    position = after or (EARLIEST, "")
    while rows := page_customers(graph, brand, position, _PAGE, seen_before):
        yield rows
        last = rows[-1]
        position = (from_micros(last.created_at), last.id)


@dataclass(slots=True)
class Gathered:
    """Customers to learn from; `seen` live profiles were looked at, `unreadable` of them left out."""

    customers: list[Customer] = field(default_factory=list)
    seen: int = 0
    unreadable: int = 0


def gather_customers(graph: Graph, brand: str, tell: Callable[[int], None], most: int = MOST_GATHERED) -> Gathered:
    """Customers with an order, at most `most`, drawn by the digest of their ids: the same ones every time."""
    found = Gathered()
    limit = 1 << _BITS
    for rows in customer_pages(graph, brand, seen_before=None):
        for row in rows:
            found.seen += 1
            if row.orders and _draw(row.id) < limit:
                try:
                    found.customers.append(customer_of(row))
                except (ArithmeticError, KeyError, TypeError, ValueError, AttributeError):
                    # An order that cannot be read says nothing to learn from; scoring its customer reports it.
                    found.unreadable += 1
        while len(found.customers) > most:
            limit //= 2
            found.customers = [one for one in found.customers if _draw(one.id) < limit]
        tell(found.seen)
    found.customers.sort(key=lambda one: one.id)
    return found


def _draw(profile_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(profile_id.encode(), digest_size=_BITS // 8).digest())
