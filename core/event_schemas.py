"""JSON Schemas of a brand's event types: checked when they are made, compiled once, and the checking of a payload."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend

from core.errors import InvalidInputError, MalformedBodyError
from core.schema_limits import FIELD, MAX_PATTERN_TEXT, check_limits
from core.strict_json import canonical_json, parse_json, to_json

MAX_BYTES = 64 * 1024
MAX_VIOLATIONS = 10
MAX_VALUES = 10_000
"""More values than this in one payload are not checked: the time for that would have no bound."""
_COMPILED = 512
_MOST_STEPS = 8
_LONGEST_STEP = 64


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing in a payload that its schema does not allow; names the field, never its value."""

    field: str
    reason: str


def check_schema(schema: Any) -> str:
    """The JSON text of a schema that may be stored; raises InvalidInputError naming what is wrong with it."""
    text = to_json(schema)
    if len(text.encode()) > MAX_BYTES:
        raise InvalidInputError(f"{FIELD}: over {MAX_BYTES // 1024} kB", field=FIELD)
    check_limits(schema)
    try:
        Draft202012Validator.check_schema(schema)
    except (SchemaError, RecursionError) as error:
        path = "/".join(str(step) for step in getattr(error, "absolute_path", ()))
        raise InvalidInputError(f"{FIELD}: not a JSON Schema of draft 2020-12 at /{path}", field=FIELD) from error
    return text


def find_violations(schema_text: str, payload: dict[str, Any]) -> list[Violation]:
    """The first ten things in `payload` that the schema does not allow."""
    if _has_too_many_values(payload):
        return [Violation("payload", f"has more than {MAX_VALUES} values, too many to be checked")]
    validator = _compile(schema_text)
    return [_violation(error) for error in islice(validator.iter_errors(payload), MAX_VIOLATIONS)]


@lru_cache(maxsize=_COMPILED)
def _compile(text: str) -> Any:
    # Numbers of schemas are exact too: a step of 0.01 divides 89.99.
    try:
        return _Validator(parse_json(text.encode()))
    except MalformedBodyError as error:  # stored by ourselves
        raise InvalidInputError(f"{FIELD}: the stored schema cannot be read", field=FIELD) from error


def _has_too_many_values(payload: dict[str, Any]) -> bool:
    waiting: list[Any] = [payload]
    count = 0
    while waiting and count <= MAX_VALUES:
        value = waiting.pop()
        count += 1
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return bool(waiting)


def _is_integer(_: Any, instance: Any) -> bool:
    if isinstance(instance, bool):
        return False
    return isinstance(instance, int) or (isinstance(instance, Decimal) and instance == instance.to_integral_value())


def _check_unique(_: Any, wanted: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    """The library compares all pairs where items are objects: a minute for a list of some thousands."""
    if wanted and isinstance(instance, list) and len({canonical_json(item) for item in instance}) < len(instance):
        yield ValidationError("not unique")


def _check_pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and len(instance) > MAX_PATTERN_TEXT:
        yield ValidationError("too long for a pattern")
        return
    yield from Draft202012Validator.VALIDATORS["pattern"](validator, pattern, instance, schema) or ()


_Validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {"uniqueItems": _check_unique, "pattern": _check_pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)


def _violation(error: ValidationError) -> Violation:
    path = "payload"
    for step in islice(error.absolute_path, _MOST_STEPS):
        path += f"[{step}]" if isinstance(step, int) else f".{_safe(str(step))}"
    keyword, wanted = str(error.validator), error.validator_value
    if keyword == "required" and isinstance(error.instance, dict) and isinstance(wanted, list):
        # The library gives one error for each missing name, with the name in its text only.
        missing = next((name for name in wanted if name not in error.instance and repr(name) in error.message), None)
        if missing is not None:
            return Violation(f"{path}.{_safe(missing)}", "missing")
    return Violation(path, _reason(keyword, wanted))


def _reason(keyword: str, wanted: Any) -> str:
    """What the schema asks for, in words; limits are the brand's own and may be told."""
    if keyword == "type":
        return f"must be of type {' or '.join(wanted) if isinstance(wanted, list) else wanted}"
    if keyword in _BOUNDS:
        return f"{_BOUNDS[keyword]} {wanted}"
    return _WORDS.get(keyword, "does not fit the schema")


def _safe(name: str) -> str:
    """A field's name if it is a plain word; anything else could be somebody's data."""
    plain = name.replace("_", "").replace("-", "").replace("$", "")
    return name if plain.isalnum() and plain.isascii() and len(name) <= _LONGEST_STEP else "(unreadable name)"


_BOUNDS = {
    "minimum": "must be at least",
    "maximum": "must be at most",
    "exclusiveMinimum": "must be over",
    "exclusiveMaximum": "must be under",
    "multipleOf": "must be a multiple of",
    "minLength": "its length must be at least",
    "maxLength": "its length must be at most",
    "minItems": "its number of items must be at least",
    "maxItems": "its number of items must be at most",
    "minProperties": "its number of fields must be at least",
    "maxProperties": "its number of fields must be at most",
}
_WORDS = {
    "enum": "is none of the values that the schema allows",
    "const": "is not the value that the schema asks for",
    "pattern": "does not match the pattern of the schema",
    "additionalProperties": "has a field that the schema does not know",
    "uniqueItems": "has an item twice",
    "not": "is what the schema excludes",
    "dependentRequired": "lacks a field that another one asks for",
}
