"""Schemas of event types: hostile ones are refused when they are made, and violations name fields, never values."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInputError
from core.event_schemas import MAX_BYTES, MAX_VALUES, check_schema, find_violations
from core.schema_limits import MAX_PATTERN_TEXT, check_pattern
from core.strict_json import canonical_json, parse_json

ORDER: dict[str, Any] = {
    "type": "object",
    "required": ["order_id", "total"],
    "properties": {
        "order_id": {"type": "string", "pattern": r"^[A-Z]-\d+$"},
        "total": {"type": "number", "minimum": 0, "multipleOf": Decimal("0.01")},
        "status": {"enum": ["paid", "open"]},
        "items": {"type": "array", "items": {"$ref": "#/$defs/item"}, "uniqueItems": True},
    },
    "additionalProperties": False,
    "$defs": {"item": {"type": "object", "required": ["sku"], "properties": {"quantity": {"type": "integer"}}}},
}


def found(payload: dict[str, Any], schema: dict[str, Any] | None = None) -> set[tuple[str, str]]:
    text = check_schema(schema or ORDER)
    return {(violation.field, violation.reason) for violation in find_violations(text, payload)}


def test_a_payload_that_fits_has_no_violation() -> None:
    items = [{"sku": "a", "quantity": Decimal("2.0")}, {"sku": "b", "quantity": 1}]
    assert found({"order_id": "A-1", "total": Decimal("89.99"), "status": "paid", "items": items}) == set()


def test_violations_name_the_field_and_what_is_asked_for_and_no_value() -> None:
    secret = "secret@example.com"
    payload = {
        "order_id": secret, "total": Decimal("1.001"), "status": secret, secret: 1,
        "items": [{"quantity": secret}, {"quantity": secret}],
    }  # fmt: skip
    violations = found(payload)
    assert ("payload.order_id", "does not match the pattern of the schema") in violations
    assert ("payload.total", "must be a multiple of 0.01") in violations
    assert ("payload.status", "is none of the values that the schema allows") in violations
    assert ("payload", "has a field that the schema does not know") in violations
    assert ("payload.items[0].sku", "missing") in violations
    assert ("payload.items[1].quantity", "must be of type integer") in violations
    assert ("payload.items", "has an item twice") in violations
    assert secret not in str(violations)
    assert found({}) == {("payload.order_id", "missing"), ("payload.total", "missing")}


def test_names_that_could_be_data_are_not_told() -> None:
    schema = {"additionalProperties": {"type": "integer"}}
    assert found({"a@example.com": "x"}, schema) == {("payload.(unreadable name)", "must be of type integer")}


DEEP: dict[str, Any] = {}
for _ in range(80):
    DEEP = {"not": DEEP}


@pytest.mark.parametrize(
    "schema",
    [
        [],
        True,
        {"$ref": "https://evil.example/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "other.json#/x"},
        {"$ref": "#/$defs/nowhere", "$defs": {}},
        {"$ref": "#"},
        {"properties": {"a": {"$ref": "#"}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
        {"$id": "https://evil.example/"},
        {"$dynamicRef": "#x"},
        {"$schema": "http://json-schema.org/draft-07/schema#"},
        {"unevaluatedProperties": False},
        {"type": "shoe"},
        {"minimum": "low"},
        {"properties": {"a": 5}},
        {"properties": []},
        {"allOf": {}},
        {"pattern": "(a+)+$"},
        {"patternProperties": {"^(a|a)*$": {}}},
        {"properties": {"a": {"anyOf": [{"pattern": "(.*)x(.*)y(.*)z"}]}}},
        {"allOf": [{}] * 3000},
        {"enum": ["x" * MAX_BYTES]},
        DEEP,
        {"$defs": {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(20)} | {"a20": {}},
         "$ref": "#/$defs/a0"},
    ],
)  # fmt: skip
def test_a_hostile_or_broken_schema_is_refused(schema: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_schema(schema)
    assert caught.value.field == "schema"


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[^@\s]+@[^@\s]+\.[a-z]{2,10}$", r"^\+?[0-9]{6,15}$", r"^[A-Z]{2,4}-\d+$", "^(paid|open)$", "abc", "^.*$",
        r"^\d{4}-\d{2}-\d{2}$", "^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$", "(?i)^sku", "colou?r", "^$",
    ],
)  # fmt: skip
def test_usual_patterns_are_taken(pattern: str) -> None:
    check_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$", "^(a|a)*$", "^(a|ab)*$", "a*a*b", "^a*a*a*b", "^" + "a?" * 30 + "a" * 30, r"(a)\1", "(?=a)b",
        "x{1,400}y{1,400}z{1,400}", "(?>a+)b",
        "^(a?){30}$", "^((a*)b){3}$",
    ],
)  # fmt: skip
def test_patterns_that_could_take_long_are_refused(pattern: str) -> None:
    with pytest.raises(InvalidInputError):
        check_pattern(pattern)


@settings(deadline=None)
@given(st.text("ab?*+{}()|[]^$.\\d1,2", max_size=12))
def test_whatever_pattern_is_taken_ends_soon_on_hostile_texts(pattern: str) -> None:
    try:
        check_pattern(pattern)
    except InvalidInputError:
        return
    text = check_schema({"properties": {"a": {"pattern": pattern}}})
    # A pattern that could take long would not come back here.
    for letters in ("a" * MAX_PATTERN_TEXT, "ab" * (MAX_PATTERN_TEXT // 2), "a" * (MAX_PATTERN_TEXT - 1) + "!"):
        assert len(find_violations(text, {"a": letters})) <= 1


def test_a_text_too_long_for_a_pattern_does_not_fit_and_takes_no_time() -> None:
    assert found({"a": "a" * 100_000}, {"properties": {"a": {"pattern": "^a*$"}}}) != set()


def test_a_payload_with_too_many_values_is_not_checked_value_by_value() -> None:
    payload: dict[str, Any] = {"items": [{}] * (MAX_VALUES + 1)}
    assert found(payload, {"properties": {"items": {"uniqueItems": True}}}) == {
        ("payload", f"has more than {MAX_VALUES} values, too many to be checked")
    }


def test_numbers_are_exact() -> None:
    schema = parse_json(canonical_json({"properties": {"a": {"multipleOf": Decimal("0.1")}, "b": {"type": "integer"}}}))
    assert found({"a": Decimal("0.3"), "b": Decimal("1E+2")}, schema) == set()
    assert found({"a": Decimal("0.31"), "b": True}, schema) == {
        ("payload.a", "must be a multiple of 0.1"), ("payload.b", "must be of type integer"),
    }  # fmt: skip
