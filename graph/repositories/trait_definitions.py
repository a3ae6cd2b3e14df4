"""Definitions of computed traits: one set for each brand, whose version counts on with every change."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.errors import ConflictError, NotFoundError
from core.paging import decode_key_cursor, encode_key_cursor
from core.trait_definitions import TraitDefinition, definition_from_data, definition_to_data
from graph.driver import Graph
from graph.repositories.model_runs import RunKind, run_item
from graph.repositories.profiles import Page
from graph.values import parse_json, to_time_text

MAX_DEFINITIONS = 100
COMPUTING, READY = "computing", "ready"
_STORED = ("name", "function", "from", "field", "where", "window")


@dataclass(frozen=True, slots=True)
class TraitSet:
    """All definitions of a brand. Values of a set at least as new as `needed` are those of these definitions."""

    brand: str
    version: int = 0
    needed: int = 0
    definitions: tuple[TraitDefinition, ...] = ()
    forgotten: tuple[str, ...] = ()
    """Deleted names whose values may still be at profiles."""
    is_ready: bool = True
    """Whether every profile was passed over since the last change."""


@dataclass(frozen=True, slots=True)
class Change:
    """Who changes a definition, and when."""

    by: str
    at: datetime


def find_set(graph: Graph, brand: str) -> TraitSet:
    """The brand's definitions; an empty set when it has none."""
    rows = graph.read("computed_traits/get_set", brand=brand)
    if not rows:
        return TraitSet(brand)
    row = rows[0]
    return TraitSet(
        brand=brand,
        version=row["version"],
        needed=max((version for _, version in row["definitions"]), default=0),
        definitions=tuple(definition_from_data(json.loads(text)) for text, _ in row["definitions"]),
        forgotten=tuple(row["forgotten"]),
        is_ready=row["ready_version"] == row["version"],
    )


def put_definition(
    graph: Graph, brand: str, definition: TraitDefinition, change: Change, *, must_be_new: bool = False
) -> bool:
    """Create or replace a definition; False when an equal one was there. Raises ConflictError.

    With `must_be_new` another definition of the same name is a conflict.
    """
    data = definition_to_data(definition)
    [row] = graph.write(
        "computed_traits/put_definition",
        brand=brand, key=_key(brand, definition.name), name=definition.name, type=definition.type.value,
        definition=json.dumps({name: data[name] for name in _STORED}, sort_keys=True),
        description=definition.description, must_be_new=must_be_new, most=MAX_DEFINITIONS, by=change.by, now=change.at,
    )  # fmt: skip
    if row["outcome"] == "taken":
        raise ConflictError("There is another computed trait of this name.", field="name")
    if row["outcome"] == "full":
        raise ConflictError(f"A brand has at most {MAX_DEFINITIONS} computed traits.")
    return str(row["outcome"]) != "same"


def delete_definition(graph: Graph, brand: str, name: str, now: datetime) -> None:
    """Take a definition away; raises NotFoundError."""
    if not graph.write("computed_traits/delete_definition", brand=brand, key=_key(brand, name), name=name, now=now):
        raise _unknown()


def get_definition(graph: Graph, brand: str, name: str) -> dict[str, Any]:
    """One definition as it is answered; raises NotFoundError."""
    rows = graph.read(
        "computed_traits/get_definition", brand=brand, key=_key(brand, name), waiting=f"{brand}|{RunKind.TRAITS}"
    )
    if not rows:
        raise _unknown()
    return _item(rows[0])


def list_definitions(graph: Graph, brand: str, page: Page) -> dict[str, Any]:
    """One page of definitions by name: {items, next_cursor}."""
    rows = graph.read(
        "computed_traits/list_definitions",
        brand=brand, after=decode_key_cursor(page.cursor) or "", limit=page.size + 1,
        waiting=f"{brand}|{RunKind.TRAITS}",
    )  # fmt: skip
    items = [_item(row) for row in rows[: page.size]]
    return {"items": items, "next_cursor": encode_key_cursor(items[-1]["name"]) if len(rows) > page.size else None}


def finish_pass(graph: Graph, brand: str, version: int) -> bool:
    """Note that all profiles were passed over; False when the definitions were changed meanwhile."""
    return bool(graph.write("computed_traits/finish_pass", brand=brand, version=version))


def pending_brands(graph: Graph, failed_since: datetime) -> list[str]:
    """Brands whose profiles need a pass; left out are those whose pass failed since then or was stopped by a person."""
    rows = graph.read("computed_traits/list_pending", kind=RunKind.TRAITS.value, failed_since=failed_since)
    return [row["brand"] for row in rows]


def _key(brand: str, name: str) -> str:
    return f"{brand}|{name}"


def _unknown() -> NotFoundError:
    return NotFoundError("No such computed trait.")


def _item(row: Mapping[str, Any]) -> dict[str, Any]:
    stored = row["definition"]
    data = parse_json(stored["definition"], {})
    definition = definition_from_data(data)
    is_ready = stored["version"] <= row["ready_version"]
    run = None if is_ready or row["run"] is None else run_item(row["run"])
    return {
        **definition_to_data(definition),
        "description": stored["description"],
        "type": definition.type.value,
        "version": stored["version"],
        "state": READY if is_ready else COMPUTING,
        "backfill": run and {"run_id": run["id"], "state": run["state"], "progress": run["progress"]},
        "created_at": to_time_text(stored["created_at"]),
        "created_by": stored["created_by"],
        "updated_at": to_time_text(stored["updated_at"]),
        "updated_by": stored["updated_by"],
    }
