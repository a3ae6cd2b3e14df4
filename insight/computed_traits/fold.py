"""Computed traits as pure folds over rows in any order: value, and when it will change though nothing happens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Protocol

from core.money import minor_digits
from core.trait_definitions import Condition, FieldKind, TraitDefinition, TraitFunction, TraitType, to_number
from insight.computed_traits.rows import Row, Value

DAY = 86_400_000_000
"""Microseconds: days are spans of 24 hours back from the moment of the computation."""
Rank = tuple[int, str]
# Sums of a million amounts of thirty digits stay exact.
_EXACT = Context(prec=80)
_AVERAGE_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Computed:
    """A trait's value (None: nothing to say) and the microsecond from which on it is another one by itself."""

    value: Value | int | None
    due: int | None = None


class _Counter(Protocol):
    def add(self, rank: Rank, values: Sequence[Value]) -> None: ...
    def result(self) -> Value | int | None: ...


class TraitFold:
    """One trait of one profile as of `now` (microseconds); rows may come in any order."""

    def __init__(self, definition: TraitDefinition, now: int, currency: str) -> None:
        self._definition = definition
        self._now = now
        self._since = None if definition.days is None else now - definition.days * DAY
        self._counter = _make(definition, now, currency)
        self._oldest: int | None = None
        self._latest: int | None = None

    def add(self, row: Row) -> None:
        """Take a row in where it fits the window and all conditions."""
        rank = row.rank
        if self._since is not None and rank[0] < self._since:
            return
        path = self._definition.path
        if not all(holds(condition, row.values(condition.path)) for condition in self._definition.where):
            return
        values = row.values(path) if path else ()
        if path and not values:
            return
        self._counter.add(rank, values)
        self._oldest = rank[0] if self._oldest is None else min(self._oldest, rank[0])
        self._latest = rank[0] if self._latest is None else max(self._latest, rank[0])

    def result(self) -> Computed:
        """The value and when it ages."""
        due = []
        if self._definition.days is not None and self._oldest is not None:
            due.append(self._oldest + self._definition.days * DAY + 1)
        if self._definition.function is TraitFunction.DAYS_SINCE and self._latest is not None:
            due.append(self._latest + (max(0, self._now - self._latest) // DAY + 1) * DAY)
        return Computed(self._counter.result(), min(due, default=None))


def holds(condition: Condition, values: Sequence[Value]) -> bool:
    """Whether one of the values fits; `ne` and `not_in`: whether none is equal, so they hold where there is none."""
    op, wanted = condition.op, condition.values
    if op == "exists":
        return bool(values) is wanted[0]
    if op in {"eq", "in"}:
        return any(_equal(value, one) for value in values for one in wanted)
    if op in {"ne", "not_in"}:
        return not any(_equal(value, one) for value in values for one in wanted)
    return any(_compares(value, op, wanted[0], condition.kind) for value in values)


def _equal(value: Value, wanted: Value) -> bool:
    """Texts, numbers and truth values equal only their own kind: 1 is neither true nor the text "1"."""
    return isinstance(value, bool) == isinstance(wanted, bool) and value == wanted


def _compares(value: Value, op: str, wanted: Value, kind: FieldKind) -> bool:
    left = value if kind is FieldKind.TIME else to_number(value)
    return left is not None and _ORDER[op](left, wanted)


_ORDER: dict[str, Callable[..., bool]] = {
    "gt": lambda left, right: left > right,
    "gte": lambda left, right: left >= right,
    "lt": lambda left, right: left < right,
    "lte": lambda left, right: left <= right,
}


class _Count:
    def __init__(self) -> None:
        self._count = 0

    def add(self, _: Rank, __: Sequence[Value]) -> None:
        self._count += 1

    def result(self) -> int:
        return self._count


class _DaysSince:
    def __init__(self, now: int) -> None:
        self._now = now
        self._latest: int | None = None

    def add(self, rank: Rank, _: Sequence[Value]) -> None:
        self._latest = rank[0] if self._latest is None else max(self._latest, rank[0])

    def result(self) -> int | None:
        return None if self._latest is None else max(0, self._now - self._latest) // DAY


class _Numbers:
    """Sum, mean, least or most of all numbers; a row may bring several."""

    def __init__(self, function: TraitFunction, digits: int | None) -> None:
        self._function, self._digits = function, digits
        self._sum, self._count = Decimal(0), 0
        self._least: Decimal | None = None
        self._most: Decimal | None = None

    def add(self, _: Rank, values: Sequence[Value]) -> None:
        for value in values:
            number = to_number(value)
            if number is None:
                continue
            self._count += 1
            self._sum = _EXACT.add(self._sum, number)
            self._least = number if self._least is None else min(self._least, number)
            self._most = number if self._most is None else max(self._most, number)

    def result(self) -> Decimal | None:
        if self._function is TraitFunction.SUM:
            return self._sum
        if self._function is TraitFunction.MIN:
            return self._least
        if self._function is TraitFunction.MAX:
            return self._most
        if not self._count:
            return None
        digits = _AVERAGE_DIGITS if self._digits is None else self._digits
        mean = _EXACT.divide(self._sum, Decimal(self._count))
        return mean.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP, context=_EXACT)


class _End:
    """The first value of the earliest or latest row."""

    def __init__(self, *, is_last: bool) -> None:
        self._is_last = is_last
        self._held: tuple[Rank, Value] | None = None

    def add(self, rank: Rank, values: Sequence[Value]) -> None:
        if self._held is None or (rank > self._held[0]) is self._is_last:
            self._held = (rank, values[0])

    def result(self) -> Value | None:
        return None if self._held is None else self._held[1]


class _Distinct:
    """How many rows brought each value; of equals the least by its kind and text."""

    def __init__(self, *, is_count: bool) -> None:
        self._is_count = is_count
        self._rows: dict[tuple[str, str], int] = {}
        self._values: dict[tuple[str, str], Value] = {}

    def add(self, _: Rank, values: Sequence[Value]) -> None:
        for key, value in {_key(value): value for value in values}.items():
            self._rows[key] = self._rows.get(key, 0) + 1
            self._values.setdefault(key, value)

    def result(self) -> Value | int | None:
        if self._is_count:
            return len(self._rows)
        best = min(self._rows, key=lambda key: (-self._rows[key], key), default=None)
        return None if best is None else self._values[best]


def _key(value: Value) -> tuple[str, str]:
    """Equal values have equal keys: 1.0 and 1 are one number, true and 1 are two values."""
    if isinstance(value, bool):
        return ("boolean", str(value))
    if isinstance(value, Decimal):
        return ("number", format(value.normalize(_EXACT), "f") if value else "0")
    return ("text", str(value))


def _make(definition: TraitDefinition, now: int, currency: str) -> _Counter:
    function = definition.function
    if function is TraitFunction.COUNT:
        return _Count()
    if function is TraitFunction.DAYS_SINCE:
        return _DaysSince(now)
    if function in {TraitFunction.FIRST, TraitFunction.LAST}:
        return _End(is_last=function is TraitFunction.LAST)
    if function in {TraitFunction.MOST_FREQUENT, TraitFunction.UNIQUE_COUNT}:
        return _Distinct(is_count=function is TraitFunction.UNIQUE_COUNT)
    return _Numbers(function, minor_digits(currency) if definition.type is TraitType.MONEY else None)
