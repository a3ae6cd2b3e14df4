"""Definitions of computed traits: what may be said, what is refused by which name, how they are stored."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import InvalidInputError
from core.trait_definitions import (
    FIELDS,
    OPS,
    TraitFunction,
    definition_from_data,
    definition_to_data,
    kind_of,
    to_number,
)

GOOD: dict[str, Any] = {"name": "visits", "function": "count"}
ON = {"field": "type", "op": "eq", "value": "page_view"}

BAD: list[tuple[dict[str, Any], str]] = [
    ({"name": None}, "name"),
    ({"name": ""}, "name"),
    ({"name": "Visits"}, "name"),
    ({"name": "v-1"}, "name"),
    ({"name": "a|1|money"}, "name"),
    ({"name": "a" * 64}, "name"),
    ({"name": "visits\n"}, "name"),
    ({"function": "median"}, "function"),
    ({"function": None}, "function"),
    ({"function": ["count"]}, "function"),
    ({"from": "people"}, "from"),
    ({"from": None}, "from"),
    ({"from": []}, "from"),
    ({"unknown": 1}, "body"),
    ({"function": "sum"}, "field"),
    ({"function": "sum", "field": "total"}, "field"),
    ({"function": "sum", "field": "channel"}, "field"),
    ({"function": "avg", "field": "occurred_at"}, "field"),
    ({"function": "first"}, "field"),
    ({"function": "most_frequent", "field": "occurred_at"}, "field"),
    ({"function": "unique_count", "from": "orders", "field": "total"}, "field"),
    ({"function": "days_since", "field": "type"}, "field"),
    ({"field": "payload"}, "field"),
    ({"field": "payload."}, "field"),
    ({"field": "payload.a..b"}, "field"),
    ({"field": "payload.[]"}, "field"),
    ({"field": "payload.a[][]"}, "field"),
    ({"field": "payload." + ".".join("abcdefg")}, "field"),
    ({"field": "payload." + "a" * 101}, "field"),
    ({"field": "payload.a", "from": "orders"}, "field"),
    ({"field": "type.x"}, "field"),
    ({"field": 1}, "field"),
    ({"where": {}}, "where"),
    ({"where": [ON] * 21}, "where"),
    ({"where": ["type = x"]}, "where[0]"),
    ({"where": [{**ON, "not": True}]}, "where[0]"),
    ({"where": [ON, {**ON, "field": "nothing"}]}, "where[1].field"),
    ({"where": [{**ON, "op": "like"}]}, "where[0].op"),
    ({"where": [{**ON, "op": "gt"}]}, "where[0].op"),
    ({"where": [{**ON, "op": ["eq"]}]}, "where[0].op"),
    ({"where": [{**ON, "op": "exists"}]}, "where[0].op"),
    ({"where": [{**ON, "value": 1}]}, "where[0].value"),
    ({"where": [{**ON, "value": "x" * 201}]}, "where[0].value"),
    ({"where": [{"field": "type", "op": "eq"}]}, "where[0].value"),
    ({"where": [{**ON, "op": "in"}]}, "where[0].value"),
    ({"where": [{**ON, "op": "in", "value": []}]}, "where[0].value"),
    ({"where": [{**ON, "op": "in", "value": ["x", 1]}]}, "where[0].value"),
    ({"where": [{**ON, "op": "in", "value": ["x"] * 101}]}, "where[0].value"),
    ({"where": [{"field": "occurred_at", "op": "eq", "value": "2026-01-01"}]}, "where[0].op"),
    ({"where": [{"field": "occurred_at", "op": "gt", "value": "yesterday"}]}, "where[0].value"),
    ({"where": [{"field": "payload.a", "op": "gt", "value": "many"}]}, "where[0].value"),
    ({"where": [{"field": "payload.a", "op": "gt", "value": True}]}, "where[0].value"),
    ({"where": [{"field": "payload.a", "op": "eq", "value": None}]}, "where[0].value"),
    ({"where": [{"field": "payload.a", "op": "eq", "value": {}}]}, "where[0].value"),
    ({"where": [{"field": "payload.a", "op": "eq", "value": Decimal("1e300")}]}, "where[0].value"),
    ({"where": [{"field": "payload.a", "op": "exists", "value": 1}]}, "where[0].value"),
    ({"from": "orders", "where": [{"field": "total", "op": "gte", "value": "ten"}]}, "where[0].value"),
    ({"from": "orders", "where": [{"field": "total", "op": "in", "value": ["10"]}]}, "where[0].op"),
    ({"window": 30}, "window"),
    ({"window": "30d"}, "window"),
    ({"window": {}}, "window"),
    ({"window": {"days": 1, "hours": 1}}, "window"),
    ({"window": {"days": 0}}, "window.days"),
    ({"window": {"days": 3651}}, "window.days"),
    ({"window": {"days": 1.5}}, "window.days"),
    ({"window": {"days": True}}, "window.days"),
    ({"window": {"days": "7"}}, "window.days"),
    ({"description": 1}, "description"),
    ({"description": "x" * 501}, "description"),
]


@pytest.mark.parametrize(("change", "field"), BAD)
def test_what_is_wrong_is_refused_by_its_name(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        definition_from_data({**GOOD, **change})
    assert refused.value.field == field


def _values(kind: str, op: str) -> st.SearchStrategy[Any]:
    if op == "exists":
        return st.booleans()
    one: st.SearchStrategy[Any]
    if kind == "time":
        one = st.sampled_from(["2026-01-01", "2026-10-20T00:00:00+02:00", "2026-10-20T00:00:00.000001Z"])
    elif kind == "money" or op in {"gt", "gte", "lt", "lte"}:
        one = st.sampled_from(["12.50", 3, 0.1, Decimal("99.999"), -5])
    elif kind == "text":
        one = st.text(max_size=200)
    else:
        one = st.one_of(st.text(max_size=20), st.booleans(), st.integers(-(10**15), 10**15), st.just(0.25))
    return st.lists(one, min_size=1, max_size=3) if op in {"in", "not_in"} else one


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    source = draw(st.sampled_from(sorted(FIELDS)))
    fields = [*FIELDS[source], *(["payload.a", "payload.items[].b.c"] if source == "events" else [])]
    where = []
    for _ in range(draw(st.integers(0, 3))):
        field = draw(st.sampled_from(fields))
        kind = kind_of(source, tuple(field.split(".")))
        assert kind is not None
        op = draw(st.sampled_from(OPS[kind]))
        where.append({"field": field, "op": op, "value": draw(_values(kind, op))})
    function = draw(st.sampled_from(TraitFunction))
    needs_none = function in {TraitFunction.COUNT, TraitFunction.DAYS_SINCE}
    numeric = function in {TraitFunction.SUM, TraitFunction.AVG, TraitFunction.MIN, TraitFunction.MAX}
    counted = function in {TraitFunction.MOST_FREQUENT, TraitFunction.UNIQUE_COUNT}
    over: str | None = None
    if numeric:
        over = "total" if source == "orders" else "payload.a"
    elif not needs_none:
        over = "channel" if counted else draw(st.sampled_from(fields))
    window = draw(st.sampled_from([None, "all", {"days": 1}, {"days": 3650}]))
    return {"name": "a", "function": function.value, "from": source, "field": over, "where": where, "window": window}


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(definitions())
def test_a_definition_survives_being_stored_as_json(data: dict[str, Any]) -> None:
    definition = definition_from_data(data)
    plain = definition_to_data(definition)
    again = definition_from_data(json.loads(json.dumps(plain)))
    assert again == definition
    assert definition_to_data(again) == plain


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, Decimal(1)), (0.1, Decimal("0.1")), (" 12.50 ", Decimal("12.50")), ("-3", Decimal(-3)), (0, Decimal(0)),
        (True, None), (None, None), ("", None), ("12,50", None), ("NaN", None), ("1e400", None), ("-Infinity", None),
        (10**40, None), ([1], None), (float("inf"), None), ("1e-400", None),
    ],
)  # fmt: skip
def test_numbers_are_exact_and_everything_else_is_none(value: Any, number: Decimal | None) -> None:
    assert to_number(value) == number
