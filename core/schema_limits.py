"""What a brand's JSON Schema may contain: everything that is checked in bounded time, and nothing that reaches out."""

import re
from collections.abc import Iterator
from re import _constants as codes  # the parser's own names: no public module has them
from re import _parser as parser
from typing import Any

from core.errors import InvalidInputError

FIELD = "schema"
MAX_DEPTH = 32
MAX_PARTS = 2_000
MAX_EXPANDED = 500
"""Parts that one event may be checked against, references followed."""
MAX_PATTERN = 500
MAX_PATTERN_TEXT = 500
"""Longer texts do not match any pattern."""
_MAX_STEPS = 50_000_000
_DIALECTS = frozenset({"https://json-schema.org/draft/2020-12/schema", "https://json-schema.org/draft/2020-12/schema#"})
# These reach out of the document, or are checked in time that grows beyond the size of an event.
_REFUSED = (
    "$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef", "$vocabulary", "unevaluatedItems",
    "unevaluatedProperties",
)  # fmt: skip
# Keywords whose values are schemas, lists of them, or named ones; whatever else holds objects holds data.
_ONE = ("additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties")

Path = tuple[str, ...]


def check_limits(schema: Any) -> None:
    """Raise InvalidInputError when a schema is too large or deep, refers outside itself or in a circle, or is slow."""
    if not isinstance(schema, dict):
        raise _refuse("must be a JSON object")
    parts = dict(_parts(schema, ()))
    for part in parts.values():
        _check_part(part)
    known: dict[Path, int] = {}
    if _expanded((), parts, known, ()) > MAX_EXPANDED:
        raise _refuse("its references make it too large")


def _parts(schema: Any, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """All schemas in a schema that are objects, by their paths; a list of work, so that depth costs no stack."""
    waiting = [(path, schema)]
    count = 0
    while waiting:
        place, part = waiting.pop()
        if isinstance(part, bool):
            continue
        if not isinstance(part, dict):
            raise _refuse("holds something that is no schema where one has to be")
        count += 1
        if count > MAX_PARTS or len(place) > 2 * MAX_DEPTH:
            raise _refuse(f"has more than {MAX_PARTS} parts or {MAX_DEPTH} levels")
        yield place, part
        waiting += _children(part, place)


def _children(part: dict[str, Any], path: Path) -> list[tuple[Path, Any]]:
    found = [((*path, name), part[name]) for name in _ONE if name in part]
    for name in _LISTS:
        if isinstance(part.get(name), list):
            found += [((*path, name, str(place)), child) for place, child in enumerate(part[name])]
    for name in _NAMED:
        if isinstance(part.get(name), dict):
            found += [((*path, name, key), child) for key, child in part[name].items()]
    return found


def _check_part(part: dict[str, Any]) -> None:
    for name in _REFUSED:
        if name in part:
            raise _refuse(f"{name} is not taken")
    if part.get("$schema", next(iter(_DIALECTS))) not in _DIALECTS:
        raise _refuse("$schema must be draft 2020-12")
    if "pattern" in part:
        check_pattern(part["pattern"])
    for pattern in part.get("patternProperties") or ():
        check_pattern(pattern)


def _expanded(path: Path, parts: dict[Path, dict[str, Any]], known: dict[Path, int], above: tuple[Path, ...]) -> int:
    """How many parts an instance may be checked against from `path` on; a circle of references is refused."""
    if path in known:
        return known[path]
    if path in above:
        raise _refuse("refers to itself")
    part = parts.get(path)
    if part is None:
        return 1
    size = 1
    inside = (*above, path)
    if len(inside) > 2 * MAX_DEPTH:
        raise _refuse(f"has more than {MAX_DEPTH} levels")
    if "$ref" in part:
        size += _expanded(_target(part["$ref"], parts), parts, known, inside)
    for child, _ in _children(part, path):
        if child[len(path)] not in {"$defs", "definitions"}:
            size += _expanded(child, parts, known, inside)
    known[path] = min(size, MAX_EXPANDED + 1)
    return known[path]


def _target(reference: Any, parts: dict[Path, dict[str, Any]]) -> Path:
    """The path that a reference means; raises InvalidInputError for one that leads anywhere but inside."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        raise _refuse("$ref may only lead inside the schema: #/$defs/…")
    pointer = reference[1:]
    if "%" in pointer or (pointer and not pointer.startswith("/")):
        raise _refuse("$ref may only lead inside the schema: #/$defs/…")
    path = tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    if path not in parts:
        raise _refuse("$ref leads to nothing")
    return path


def check_pattern(pattern: Any) -> None:
    """Raise InvalidInputError when a pattern is none, or could take long on some text.

    Taken are characters, classes, anchors, groups and alternatives; repeats without an end of a single character only;
    the product of all choices, by the length of a text for each repeat without an end, is bounded.
    """
    if not isinstance(pattern, str) or len(pattern) > MAX_PATTERN:
        raise _refuse(f"a pattern is a text of at most {MAX_PATTERN} characters")
    try:
        tree = parser.parse(pattern)
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise _refuse("a pattern is not a regular expression") from error
    choices, endless = _cost(tree)
    is_anchored = bool(tree) and tree[0] in [(codes.AT, codes.AT_BEGINNING), (codes.AT, codes.AT_BEGINNING_STRING)]
    if choices * MAX_PATTERN_TEXT ** (endless + (not is_anchored)) > _MAX_STEPS:
        raise _refuse("a pattern could take too long: begin it with ^ and repeat less")


def _cost(tree: Any) -> tuple[int, int]:
    """How many ways through a pattern there are, and how many repeats without an end."""
    choices, endless = 1, 0
    for code, value in tree:
        if code in {codes.LITERAL, codes.NOT_LITERAL, codes.ANY, codes.IN, codes.AT}:
            continue
        if code is codes.SUBPATTERN:
            more, ends = _cost(value[3])
        elif code is codes.BRANCH:
            branches = [_cost(branch) for branch in value[1]]
            more, ends = sum(count for count, _ in branches), max(count for _, count in branches)
        elif code in {codes.MAX_REPEAT, codes.MIN_REPEAT}:
            more, ends = _cost_of_repeat(*value)
        else:
            raise _refuse("a pattern has a back reference, a look around or another part that is not taken")
        choices, endless = min(choices * more, _MAX_STEPS + 1), endless + ends
    return choices, endless


def _cost_of_repeat(least: int, most: int, body: Any) -> tuple[int, int]:
    inner, endless = _cost(body)
    is_single = len(body) == 1 and body[0][0] in {codes.LITERAL, codes.NOT_LITERAL, codes.ANY, codes.IN}
    if most is codes.MAXREPEAT or most > MAX_PATTERN_TEXT:
        if not is_single:
            raise _refuse("a pattern repeats a group without an end")
        return 1, 1
    if endless and most > 1:
        raise _refuse("a pattern repeats a repeat without an end")
    # Each turn may go each way.
    ways: int = inner ** min(most, 64) if inner > 1 else 1
    return min((most - least + 1) * ways, _MAX_STEPS + 1), endless


def _refuse(reason: str) -> InvalidInputError:
    return InvalidInputError(f"{FIELD}: {reason}", field=FIELD)
