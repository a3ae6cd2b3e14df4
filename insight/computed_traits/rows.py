"""Events and orders as computed traits read them: a time, an id that makes it a rank, and values by field."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from core.clock import from_micros
from core.money import minor_digits
from core.trait_definitions import to_number
from resolver.orders import line_categories, line_products

Value = str | bool | Decimal | datetime
LONGEST_TEXT = 500
"""Longer texts of a payload are no values: nobody compares or counts essays."""
_EACH = "[]"
_decoder = json.JSONDecoder(parse_float=Decimal)


class Row(Protocol):
    """An event or an order."""

    @property
    def rank(self) -> tuple[int, str]:
        """Its time in microseconds, made total by its id."""

    def values(self, path: tuple[str, ...]) -> list[Value]:
        """The values at a path, each once; none where there is nothing."""


@dataclass(slots=True)
class EventRow:
    """An event; its payload is parsed when a field of it is asked for."""

    rank: tuple[int, str]
    facts: dict[str, str | None]
    products: list[str] = field(default_factory=list)
    payload_text: str | None = None
    _payload: Any = None

    def values(self, path: tuple[str, ...]) -> list[Value]:
        """The values at a path, each once; none where there is nothing."""
        name = path[0]
        if name == "payload":
            if self._payload is None:
                self._payload = _parse(self.payload_text)
            return _distinct(_walk(self._payload, path[1:]))
        if name == "occurred_at":
            return [from_micros(self.rank[0])]
        if name == "product_id":
            return list(self.products)
        value = self.facts.get(name)
        return [] if value is None else [value]


@dataclass(slots=True)
class OrderRow:
    """A counted order; `minor` is its money less refunds in `currency`, `brand_currency` the one that counts."""

    rank: tuple[int, str]
    minor: int
    currency: str
    brand_currency: str
    facts: dict[str, str | None]
    lines: str = ""

    def values(self, path: tuple[str, ...]) -> list[Value]:
        """The values at a path, each once; money only of orders in the brand's currency."""
        name = path[0]
        if name == "total":
            is_ours = self.currency == self.brand_currency
            return [Decimal(self.minor).scaleb(-minor_digits(self.currency))] if is_ours else []
        if name == "currency":
            return [self.currency]
        if name == "placed_at":
            return [from_micros(self.rank[0])]
        if name == "product_id":
            return list(line_products(self.lines))
        if name == "category":
            return list(line_categories(self.lines))
        value = self.facts.get(name)
        return [] if value is None else [value]


def _parse(text: str | None) -> Any:
    try:
        return _decoder.decode(text or "{}")
    except (ValueError, ArithmeticError, RecursionError):
        # What a sender wrote cannot be read any more: it has no values, its event still counts.
        return {}


def _walk(value: Any, path: tuple[str, ...]) -> Iterator[Value]:
    """Texts, numbers and truth values that a path leads to."""
    if not path:
        if isinstance(value, bool) or (isinstance(value, str) and len(value) <= LONGEST_TEXT):
            yield value
        elif isinstance(value, (int, Decimal)) and (number := to_number(value)) is not None:
            yield number
        return
    if not isinstance(value, dict):
        return
    name, rest = path[0], path[1:]
    if not name.endswith(_EACH):
        yield from _walk(value.get(name), rest)
        return
    items = value.get(name.removesuffix(_EACH))
    for item in items if isinstance(items, list) else ():
        yield from _walk(item, rest)


def _distinct(values: Iterator[Value]) -> list[Value]:
    """All values in their order. Numbers may repeat: two lines of the same price are two prices."""
    seen: set[tuple[bool, Value]] = set()
    found = []
    for value in values:
        if isinstance(value, (str, bool)):
            if (isinstance(value, bool), value) in seen:
                continue
            seen.add((isinstance(value, bool), value))
        found.append(value)
    return found
