"""What is written back to a CRM: which words of a profile go into which of its fields, and for a plain REST CRM how."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ingest.crm.specs import PERSON, REST, SALESFORCE, ObjectSpec
from ingest.steps.fields import refuse

PROFILE_WORDS = frozenset({"churn_probability", "lifetime_value", "profile_id", "segment", "total_orders"})
TRAIT = "traits."
ID_PLACE = "{id}"
_HELP = f"must be traits.NAME or one of {', '.join(sorted(PROFILE_WORDS))}"
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]{0,79}")
_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*(\.[A-Za-z0-9_][A-Za-z0-9_\-]*){0,9}")
_METHODS = ("PATCH", "PUT", "POST")


@dataclass(frozen=True, slots=True)
class PushSpec:
    """Word of the profile → field of the CRM's `object`; the rest is for a plain REST CRM only."""

    object: str
    fields: Mapping[str, str]
    path: str = ""
    method: str = "PATCH"
    body: str = ""
    """Where in the body the fields stand; empty when they are the body."""

    @property
    def traits(self) -> tuple[str, ...]:
        """Names of the traits that are pushed."""
        return tuple(word.removeprefix(TRAIT) for word in self.fields if word.startswith(TRAIT))


def read_push(kind: str, stated: Mapping[str, Any] | None, specs: list[ObjectSpec]) -> PushSpec | None:
    """The push as sent, None without one; raises InvalidInputError naming the field."""
    if not stated:
        return None
    persons = [spec.name for spec in specs if spec.about == PERSON]
    name = stated.get("object") or (persons[0] if persons else "")
    if name not in persons:
        raise refuse("push.object", "must be an object about persons that this connection reads")
    fields = stated["fields"]
    pattern = _PATH if kind == REST else _FIELD
    for word, field in fields.items():
        if word not in PROFILE_WORDS and not (word.startswith(TRAIT) and len(word) > len(TRAIT)):
            raise refuse("push.fields", _HELP)
        if not pattern.fullmatch(field):
            raise refuse("push.fields", "holds a name that is no field of the CRM")
    if len(set(fields.values())) < len(fields):
        raise refuse("push.fields", "two words go into one field")
    if kind != REST:
        return PushSpec(name, dict(fields))
    plan = stated.get("rest")
    if not plan:
        raise refuse("push.rest", "missing: say which path is written")
    return PushSpec(name, dict(fields), _path(plan["path"]), _method(plan), _body(plan))


def push_as_dict(spec: PushSpec, kind: str) -> dict[str, Any]:
    """The spec as it is stored and shown; `read_push` reads it again."""
    shown: dict[str, Any] = {"object": spec.object, "fields": dict(spec.fields)}
    if kind == REST:
        shown["rest"] = {"path": spec.path, "method": spec.method, "body": spec.body}
    return shown


def id_prefix(kind: str, name: str) -> str:
    """What the ids of an object's records begin with, where a CRM says of which object they are."""
    return {"Contact": "003", "Lead": "00Q"}.get(name, "") if kind == SALESFORCE else ""


def _path(path: str) -> str:
    if not path.startswith("/") or path.startswith("//") or ".." in path or "?" in path or path.count(ID_PLACE) != 1:
        raise refuse("push.rest.path", f"must begin with a slash, hold {ID_PLACE} once and have no query")
    return path


def _method(plan: Mapping[str, Any]) -> str:
    method: str = plan.get("method") or "PATCH"
    if method not in _METHODS:
        raise refuse("push.rest.method", f"must be one of {', '.join(_METHODS)}")
    return method


def _body(plan: Mapping[str, Any]) -> str:
    body: str = plan.get("body") or ""
    if body and not _PATH.fullmatch(body):
        raise refuse("push.rest.body", "must be names with dots between them")
    return body
