"""A brand's computed traits: what is counted over which events or orders, checked before anything is stored."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from core.clock import format_time, parse_time
from core.errors import InvalidInputError

EVENTS, ORDERS = "events", "orders"
MAX_DAYS = 3650
MAX_CONDITIONS = 20
MAX_VALUES = 100
_MAX_LEVELS = 6
_LONGEST_NAME = 100
_LONGEST_TEXT = 200
_LONGEST_DESCRIPTION = 500
_LARGEST_EXPONENT = 15
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_PAYLOAD = "payload"
_EACH = "[]"


class TraitFunction(StrEnum):
    """What is made of the events or orders of a customer."""

    COUNT = "count"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    FIRST = "first"
    LAST = "last"
    MOST_FREQUENT = "most_frequent"
    UNIQUE_COUNT = "unique_count"
    DAYS_SINCE = "days_since"


class FieldKind(StrEnum):
    """What stands in a field; `any` is whatever a payload holds."""

    TEXT = "text"
    TIME = "time"
    MONEY = "money"
    ANY = "any"


class TraitType(StrEnum):
    """What a trait's value is; `any` is the text, number or truth value that a payload held."""

    INTEGER = "integer"
    NUMBER = "number"
    MONEY = "money"
    TEXT = "text"
    TIME = "time"
    ANY = "any"


FIELDS: dict[str, dict[str, FieldKind]] = {
    EVENTS: {
        "type": FieldKind.TEXT, "channel": FieldKind.TEXT, "source": FieldKind.TEXT, "product_id": FieldKind.TEXT,
        "occurred_at": FieldKind.TIME,
    },
    ORDERS: {
        "total": FieldKind.MONEY, "channel": FieldKind.TEXT, "status": FieldKind.TEXT, "currency": FieldKind.TEXT,
        "order_id": FieldKind.TEXT, "product_id": FieldKind.TEXT, "category": FieldKind.TEXT,
        "placed_at": FieldKind.TIME,
    },
}  # fmt: skip
_EQUALITY = ("eq", "ne", "in", "not_in")
_ORDER = ("gt", "gte", "lt", "lte")
OPS: dict[FieldKind, tuple[str, ...]] = {
    FieldKind.TEXT: _EQUALITY,
    FieldKind.TIME: _ORDER,
    FieldKind.MONEY: ("eq", "ne", *_ORDER),
    FieldKind.ANY: (*_EQUALITY, *_ORDER, "exists"),
}
_NUMERIC = frozenset({TraitFunction.SUM, TraitFunction.AVG, TraitFunction.MIN, TraitFunction.MAX})
_COUNTED = frozenset({TraitFunction.MOST_FREQUENT, TraitFunction.UNIQUE_COUNT})
_INTEGERS = frozenset({TraitFunction.COUNT, TraitFunction.UNIQUE_COUNT, TraitFunction.DAYS_SINCE})

Scalar = str | bool | Decimal | datetime


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; `values` holds the one value, those of a list, or the truth value of `exists`."""

    path: tuple[str, ...]
    kind: FieldKind
    op: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class TraitDefinition:
    """A computed trait: `function` over `path` of the events or orders that fit all conditions, in the last `days`.

    Without `days` all of them count; `path` is empty where the function needs no field.
    """

    name: str
    function: TraitFunction
    source: str = EVENTS
    path: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()
    days: int | None = None
    description: str = ""

    @property
    def type(self) -> TraitType:
        """What its value is."""
        kind = kind_of(self.source, self.path)
        if kind is None or self.function in _INTEGERS:
            return TraitType.INTEGER
        if kind is FieldKind.ANY:
            return TraitType.NUMBER if self.function in _NUMERIC else TraitType.ANY
        return TraitType(kind)

    @property
    def paths(self) -> list[tuple[str, ...]]:
        """Every field that it reads."""
        return [*([self.path] if self.path else []), *(condition.path for condition in self.where)]

    def values_of(self, name: str) -> tuple[str, ...] | None:
        """The only values that a text field may have for this trait, None when it says nothing about the field."""
        for condition in self.where:
            if condition.path == (name,) and condition.op in {"eq", "in"}:
                return tuple(str(value) for value in condition.values)
        return None


def kind_of(source: str, path: tuple[str, ...]) -> FieldKind | None:
    """What stands at a path of events or orders; None where there is no such field."""
    if source == EVENTS and len(path) > 1 and path[0] == _PAYLOAD:
        return FieldKind.ANY
    return FIELDS[source].get(path[0]) if len(path) == 1 else None


def definition_from_data(data: Mapping[str, Any]) -> TraitDefinition:
    """A definition out of plain data; raises InvalidInputError naming the member that does not fit."""
    name = data.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _refuse("name", "must be small letters, digits and _, at most 63, and begin with a letter")
    function = data.get("function")
    if function not in tuple(TraitFunction):
        raise _refuse("function", f"must be one of {', '.join(TraitFunction)}")
    source = data.get("from", EVENTS)
    if not isinstance(source, str) or source not in FIELDS:
        raise _refuse("from", f"must be one of {', '.join(FIELDS)}")
    unknown = data.keys() - {"name", "description", "function", "from", "field", "where", "window"}
    if unknown:
        raise _refuse("body", "has a member that no definition has")
    return TraitDefinition(
        name=name,
        function=TraitFunction(function),
        source=source,
        path=_field(data.get("field"), TraitFunction(function), source),
        where=_conditions(data.get("where"), source),
        days=_days(data.get("window")),
        description=_description(data.get("description")),
    )


def definition_to_data(definition: TraitDefinition) -> dict[str, Any]:
    """A definition as plain data, as it is written in a request and stored."""
    return {
        "name": definition.name,
        "description": definition.description,
        "function": definition.function.value,
        "from": definition.source,
        "field": ".".join(definition.path) or None,
        "where": [_condition_to_data(condition) for condition in definition.where],
        "window": None if definition.days is None else {"days": definition.days},
    }


def _condition_to_data(condition: Condition) -> dict[str, Any]:
    values = [_plain(value, condition.kind) for value in condition.values]
    is_list = condition.op in {"in", "not_in"}
    return {"field": ".".join(condition.path), "op": condition.op, "value": values if is_list else values[0]}


def _plain(value: Scalar, kind: FieldKind) -> Any:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, Decimal):
        if kind is FieldKind.MONEY:
            return format(value, "f")
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _field(value: Any, function: TraitFunction, source: str) -> tuple[str, ...]:
    if value is None and function in {TraitFunction.COUNT, TraitFunction.DAYS_SINCE}:
        return ()
    if function is TraitFunction.DAYS_SINCE:
        raise _refuse("field", "days_since counts from the latest event or order and takes no field")
    path = _path(value, "field", source)
    kind = kind_of(source, path)
    if function in _NUMERIC and kind not in {FieldKind.MONEY, FieldKind.ANY}:
        raise _refuse("field", f"{function} needs a number: total of orders, or a path such as payload.quantity")
    if function in _COUNTED and kind not in {FieldKind.TEXT, FieldKind.ANY}:
        raise _refuse("field", f"{function} counts different values and takes no money and no time")
    return path


def _path(value: Any, at: str, source: str) -> tuple[str, ...]:
    known = ", ".join(FIELDS[source])
    if not isinstance(value, str):
        raise _refuse(at, f"must be a field of {source}: {known}{_or_payload(source)}")
    path = tuple(value.split("."))
    if kind_of(source, path) is None:
        raise _refuse(at, f"must be a field of {source}: {known}{_or_payload(source)}")
    if path[0] == _PAYLOAD:
        names = path[1:]
        if len(names) > _MAX_LEVELS or any(
            not name.removesuffix(_EACH) or len(name) > _LONGEST_NAME or _EACH in name.removesuffix(_EACH)
            for name in names
        ):
            raise _refuse(at, f"must have 1 to {_MAX_LEVELS} names with full stops between them; name[] is a list")
    return path


def _or_payload(source: str) -> str:
    return ", or a path such as payload.category" if source == EVENTS else ""


def _conditions(value: Any, source: str) -> tuple[Condition, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_CONDITIONS:
        raise _refuse("where", f"must be a list of at most {MAX_CONDITIONS} conditions, which all have to hold")
    return tuple(_condition(item, f"where[{place}]", source) for place, item in enumerate(value))


def _condition(item: Any, at: str, source: str) -> Condition:
    if not isinstance(item, dict) or item.keys() - {"field", "op", "value"}:
        raise _refuse(at, "must be an object with field, op and value")
    path = _path(item.get("field"), f"{at}.field", source)
    kind = kind_of(source, path) or FieldKind.ANY
    op = item.get("op")
    if op not in OPS[kind]:
        raise _refuse(f"{at}.op", f"must be one of {', '.join(OPS[kind])}")
    where = f"{at}.value"
    value = item.get("value", True) if op == "exists" else item.get("value")
    if op == "exists":
        if not isinstance(value, bool):
            raise _refuse(where, "must be true or false")
        return Condition(path, kind, op, (value,))
    if op in {"in", "not_in"}:
        if not isinstance(value, list) or not 1 <= len(value) <= MAX_VALUES:
            raise _refuse(where, f"must be a list of 1 to {MAX_VALUES} values")
        return Condition(path, kind, op, tuple(_scalar(one, kind, op, where) for one in value))
    return Condition(path, kind, op, (_scalar(value, kind, op, where),))


def _scalar(value: Any, kind: FieldKind, op: str, at: str) -> Scalar:
    if kind is FieldKind.TIME:
        moment = parse_time(value) if isinstance(value, str) else None
        if moment is None:
            raise _refuse(at, "must be an RFC 3339 time")
        return moment
    if kind is FieldKind.MONEY or (kind is FieldKind.ANY and op in _ORDER):
        number = to_number(value)
        if number is None:
            raise _refuse(at, "must be a number")
        return number
    if isinstance(value, str) and len(value) <= _LONGEST_TEXT:
        return value
    if kind is FieldKind.ANY and isinstance(value, bool):
        return value
    if kind is FieldKind.ANY and (number := None if isinstance(value, str) else to_number(value)) is not None:
        return number
    what = "text" if kind is FieldKind.TEXT else "text, a number, true or false"
    raise _refuse(at, f"must be {what} of at most {_LONGEST_TEXT} characters")


def to_number(value: Any) -> Decimal | None:
    """A number, or text that is a decimal number, exactly; None for anything else and for what is out of range."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        number = Decimal(str(value).strip()) if isinstance(value, (str, float)) else Decimal(value)
    except InvalidOperation:
        return None
    if not number.is_finite() or (number and abs(number.adjusted()) > _LARGEST_EXPONENT):
        return None
    return number


def _days(value: Any) -> int | None:
    if value is None or value == "all":
        return None
    if not isinstance(value, dict) or value.keys() != {"days"}:
        raise _refuse("window", 'must be {"days": N} or "all"')
    days = value["days"]
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= MAX_DAYS:
        raise _refuse("window.days", f"must be a whole number from 1 to {MAX_DAYS}")
    return days


def _description(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST_DESCRIPTION:
        raise _refuse("description", f"must be text of at most {_LONGEST_DESCRIPTION} characters")
    return value


def _refuse(name: str, reason: str) -> InvalidInputError:
    return InvalidInputError(f"{name}: {reason}", field=name)
