"""An independent answer to computed traits: plain lists and fractions over raw rows; shares no code with `insight`.

A row is a dict of its time (`at`), its id (`id`) and its fields; `payload` holds the decoded payload of an event.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

Row = dict[str, Any]


def expected(definition: dict[str, Any], rows: Sequence[Row], now: datetime) -> Any:
    """The stored value of the trait: money in minor units, times as times, None for none."""
    window: Any = definition.get("window")
    field: Any = definition.get("field")
    kept = sorted(
        (
            row
            for row in rows
            if (window is None or row["at"] >= now - timedelta(days=window["days"]))
            and all(_fits(condition, look(row, condition["field"])) for condition in definition.get("where") or ())
            and (field is None or look(row, field))
        ),
        key=lambda row: (row["at"], row["id"]),
    )
    function = definition["function"]
    if function == "count":
        return len(kept)
    if function == "days_since":
        return max(0, (now - kept[-1]["at"]).days) if kept else None
    if function in {"first", "last"}:
        return look(kept[0 if function == "first" else -1], field)[0] if kept else None
    if function in {"unique_count", "most_frequent"}:
        return _distinct(function, [look(row, field) for row in kept])
    numbers = [number for row in kept for value in look(row, field) if (number := _number(value)) is not None]
    return _numeric(function, numbers, is_money=field == "total")


def look(row: Row, field: str) -> list[Any]:
    """The values of a field: a list that is empty where there is nothing."""
    if field in {"occurred_at", "placed_at"}:
        return [row["at"]]
    if field == "total":
        return [row["minor"]] if row["currency"] == "USD" else []
    if not field.startswith("payload."):
        found = row.get(field)
        return list(found) if isinstance(found, (list, tuple)) else [found] if found is not None else []
    places: list[Any] = [row["payload"]]
    for name in field.split(".")[1:]:
        held = [place.get(name.removesuffix("[]")) for place in places if isinstance(place, dict)]
        places = [one for many in held if isinstance(many, list) for one in many] if name.endswith("[]") else held
    return [place for place in places if isinstance(place, (str, int, float))]


def _distinct(function: str, rows: list[list[Any]]) -> Any:
    counts: Counter[Any] = Counter()
    for values in rows:
        counts.update({(_kind(value), value) for value in values})
    if function == "unique_count":
        return len(counts)
    best = min(counts.items(), key=lambda item: (-item[1], item[0][0], str(item[0][1])), default=None)
    return None if best is None else best[0][1]


def _kind(value: Any) -> str:
    return "boolean" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"


def _number(value: Any) -> Fraction | None:
    if isinstance(value, bool):
        return None
    try:
        return Fraction(str(value))
    except ValueError:
        return None


def _numeric(function: str, numbers: list[Fraction], *, is_money: bool) -> Any:
    if function == "sum":
        found = sum(numbers, Fraction(0))
    elif not numbers:
        return None
    elif function == "avg":
        unit = 1 if is_money else 10**6
        found = Fraction((2 * sum(numbers, Fraction(0)) * unit / len(numbers) + 1) // 2, unit)
    else:
        found = min(numbers) if function == "min" else max(numbers)
    return found.numerator if found.denominator == 1 else float(found)


def _fits(condition: dict[str, Any], values: list[Any]) -> bool:
    op: str = condition["op"]
    wanted: Any = condition.get("value")
    if op == "exists":
        return bool(values) == wanted
    if op in {"eq", "ne", "in", "not_in"}:
        any_of = wanted if isinstance(wanted, list) else [wanted]
        is_there = any(_kind(value) == _kind(one) and value == one for value in values for one in any_of)
        return is_there if op in {"eq", "in"} else not is_there
    if condition["field"] in {"occurred_at", "placed_at"}:
        return any(_ordered(op, value, datetime.fromisoformat(wanted)) for value in values)
    limit = Fraction(str(wanted)) * (100 if condition["field"] == "total" else 1)
    return any(_ordered(op, number, limit) for value in values if (number := _number(value)) is not None)


def _ordered(op: str, left: Any, right: Any) -> bool:
    return bool({"gt": left > right, "gte": left >= right, "lt": left < right, "lte": left <= right}[op])
