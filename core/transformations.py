"""A brand's transformations: steps that rename, map, drop or hash fields of an event before anything looks at them."""

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import InvalidInputError
from core.identifiers import TIERS
from core.strict_json import canonical_json

RENAME, MAP, DROP, HASH = "rename", "map", "drop", "hash"
OPS = (RENAME, MAP, DROP, HASH)
GROUPS = ("payload", "traits")
IDENTIFIERS = "identifiers"
MAX_STEPS = 200
MAX_LEVELS = 6
MAX_VALUES = 1_000
_LONGEST_NAME = 100
_LONGEST_SELECTOR = 100
_EACH = "[]"
_HASH_CHARACTERS = 32
_MISSING = object()
# Where senders put traits besides where we read them: a step for a trait means it wherever it stands.
_HOMES_OF_TRAITS = (
    ("traits",), ("context", "traits"), ("_message", "traits"), ("_message", "context", "traits"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Transformation:
    """One step; `source` and `type` say for which events, empty for all; paths as (group, names…).

    A name that ends in `[]` stands for each item of a list.
    """

    op: str
    path: tuple[str, ...]
    to: tuple[str, ...] = ()
    values: dict[str, Any] = field(default_factory=dict, hash=False)
    default: Any = _MISSING
    source: str = ""
    type: str = ""

    def concerns(self, source: str, event_type: str) -> bool:
        """Whether the step is for events of this source and type."""
        return self.source in {"", source} and self.type in {"", event_type}


def steps_from_data(data: Any) -> tuple[Transformation, ...]:
    """Steps out of plain data; raises InvalidInputError naming the step and member that does not fit."""
    if not isinstance(data, list) or len(data) > MAX_STEPS:
        raise _refuse("steps", f"must be a list of at most {MAX_STEPS} steps")
    return tuple(_step(item, f"steps[{place}]") for place, item in enumerate(data))


def steps_to_data(steps: tuple[Transformation, ...]) -> list[dict[str, Any]]:
    """Steps as plain data, as they are written in a request."""
    return [
        {
            "op": step.op,
            "field": ".".join(step.path),
            **({"to": ".".join(step.to)} if step.to else {}),
            **({"values": step.values} if step.op == MAP else {}),
            **({"default": step.default} if step.default is not _MISSING else {}),
            **({"source": step.source} if step.source else {}),
            **({"type": step.type} if step.type else {}),
        }
        for step in steps
    ]


def transform(step: Transformation, payload: dict[str, Any], traits: dict[str, Any], key: str) -> None:
    """Do one step on a payload and traits, in place; `key` makes hashes the brand's own."""
    if step.path[0] == "payload":
        _do(step, payload, key)
    elif step.path[0] == "traits":
        _do(step, traits, key)
        for home in _HOMES_OF_TRAITS:
            inner: Any = payload
            for name in home:
                inner = inner.get(name) if isinstance(inner, dict) else None
            if isinstance(inner, dict):
                _do(step, inner, key)


def hashed(value: Any, key: str) -> str:
    """What stands for a value: equal values of one brand have the same, and nobody can tell them without the key."""
    text = value.encode() if isinstance(value, str) else canonical_json(value)
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()[:_HASH_CHARACTERS]


def _do(step: Transformation, root: dict[str, Any], key: str) -> None:
    if step.op == RENAME:
        _rename(step.path[1:], step.to[1:], root)
        return
    change: Callable[[Any], Any]
    if step.op == DROP:
        change = _drop
    elif step.op == HASH:
        change = lambda value: hashed(value, key) if value is not None else value  # noqa: E731 (one of three)
    else:
        change = lambda value: _mapped(step, value)  # noqa: E731 (one of three)
    for holder, name in list(_places(step.path[1:], root)):
        value = change(holder[name])
        if value is _MISSING:
            del holder[name]
        else:
            holder[name] = value


def _drop(_: Any) -> Any:
    return _MISSING


def _mapped(step: Transformation, value: Any) -> Any:
    if isinstance(value, (dict, list)):
        return value
    name = {True: "true", False: "false", None: "null"}.get(value) if isinstance(value, bool) or value is None else None
    found = step.values.get(name if name is not None else str(value), step.default)
    return value if found is _MISSING else found


def _places(path: tuple[str, ...], root: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Every object and name in it that a path leads to."""
    name, rest = path[0], path[1:]
    if not isinstance(root, dict):
        return
    if name.endswith(_EACH):
        items = root.get(name.removesuffix(_EACH))
        if rest and isinstance(items, list):
            for item in items:
                yield from _places(rest, item)
    elif rest:
        yield from _places(rest, root.get(name))
    elif name in root:
        yield root, name


def _rename(path: tuple[str, ...], to: tuple[str, ...], root: Any) -> None:
    """Move what is at `path` to `to`; inside each item where both begin with the same list."""
    if not isinstance(root, dict):
        return
    if path[0].endswith(_EACH):
        items = root.get(path[0].removesuffix(_EACH))
        for item in items if isinstance(items, list) else ():
            _rename(path[1:], to[1:], item)
        return
    if len(path) > 1 and path[0] == to[0] and len(to) > 1:
        _rename(path[1:], to[1:], root.get(path[0]))
        return
    for holder, name in list(_places(path, root)):
        value = holder[name]
        target: Any = root
        for step in to[:-1]:
            target = target.setdefault(step, {})
            if not isinstance(target, dict):
                # Something else stands there: nothing is lost for it.
                return
        del holder[name]
        target[to[-1]] = value


def _step(item: Any, at: str) -> Transformation:
    if not isinstance(item, dict):
        raise _refuse(at, "must be an object")
    op = item.get("op")
    if op not in OPS:
        raise _refuse(f"{at}.op", f"must be one of {', '.join(OPS)}")
    known = {"op", "field", "source", "type"} | {RENAME: {"to"}, MAP: {"values", "default"}}.get(op, set())
    unknown = item.keys() - known
    if unknown:
        raise _refuse(at, f"a step {op} has the members {', '.join(sorted(known))} only")
    path = _path(item.get("field"), f"{at}.field", op)
    return Transformation(
        op=op,
        path=path,
        to=_target(item.get("to"), f"{at}.to", path) if op == RENAME else (),
        values=_values(item.get("values"), f"{at}.values") if op == MAP else {},
        default=_scalar(item["default"], f"{at}.default") if "default" in item else _MISSING,
        source=_selector(item, "source", at),
        type=_selector(item, "type", at),
    )


def _path(value: Any, at: str, op: str) -> tuple[str, ...]:
    if not isinstance(value, str):
        raise _refuse(at, "must be a path such as payload.total or traits.city")
    group, *names = value.split(".")
    if op == DROP and group == IDENTIFIERS and len(names) == 1 and names[0] in TIERS:
        return group, *names
    if group not in GROUPS or not names or len(names) > MAX_LEVELS:
        raise _refuse(at, "must begin with payload. or traits., or be identifiers.TYPE of a step drop")
    if any(not name.removesuffix(_EACH) or len(name) > _LONGEST_NAME for name in names) or names[-1].endswith(_EACH):
        raise _refuse(at, "must have a name between all full stops and at its end")
    return group, *names


def _target(value: Any, at: str, path: tuple[str, ...]) -> tuple[str, ...]:
    to = _path(value, at, RENAME)
    if to[0] != path[0]:
        raise _refuse(at, "must be in the same group")
    lists = max((place for place, name in enumerate(path) if name.endswith(_EACH)), default=-1)
    if to[: lists + 1] != path[: lists + 1] or any(name.endswith(_EACH) for name in to[lists + 1 :]):
        raise _refuse(at, "must be in the same list")
    if to == path or to[: len(path)] == path:
        raise _refuse(at, "must be another field")
    return to


def _values(value: Any, at: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not value or len(value) > MAX_VALUES:
        raise _refuse(at, f"must be an object of 1 to {MAX_VALUES} values and what they become")
    return {name: _scalar(new, at) for name, new in value.items()}


def _scalar(value: Any, at: str) -> Any:
    if isinstance(value, (dict, list)):
        raise _refuse(at, "must be text, a number, true, false or null")
    return value


def _selector(item: Mapping[str, Any], name: str, at: str) -> str:
    value = item.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST_SELECTOR:
        raise _refuse(f"{at}.{name}", "must be text")
    return value


def _refuse(name: str, reason: str) -> InvalidInputError:
    return InvalidInputError(f"{name}: {reason}", field=name)
