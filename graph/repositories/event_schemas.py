"""Versions of the schemas of a brand's event types in the graph."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.errors import ConflictError, NotFoundError
from core.strict_json import parse_json
from graph.driver import Graph
from graph.values import to_time

MAX_SCHEMAS = 1_000
_LAST_VERSION = 2**31


@dataclass(frozen=True, slots=True)
class NewSchema:
    """A schema about to be stored; `text` is its checked JSON, `op` makes a second try the same."""

    type: str
    mode: str
    text: str
    note: str
    by: str
    op: str


def create_schema(graph: Graph, brand: str, new: NewSchema) -> int:
    """Store a new version, not yet active; its number. Raises ConflictError when the brand has too many."""
    rows = graph.write(
        "event_schemas/create_schema",
        brand=brand, type=new.type, schema=new.text, mode=new.mode, note=new.note, by=new.by, at=datetime.now(UTC),
        op=new.op, most=MAX_SCHEMAS,
    )  # fmt: skip
    if not rows:
        raise NotFoundError("No such brand.")
    if rows[0]["is_full"]:
        raise ConflictError(f"A brand has at most {MAX_SCHEMAS} schemas.")
    return int(rows[0]["version"])


def activate_schema(graph: Graph, brand: str, name: tuple[str, int], *, by: str, mode: str | None = None) -> None:
    """Let the version `name` (type, number) count from now on, in `mode` if given; raises NotFoundError."""
    rows = graph.write(
        "event_schemas/activate_schema",
        brand=brand, type=name[0], version=name[1], mode=mode, by=by, at=datetime.now(UTC),
    )  # fmt: skip
    if not rows:
        raise NotFoundError("No such schema.")


def deactivate_schema(graph: Graph, brand: str, event_type: str) -> None:
    """Let no schema count for a type; raises NotFoundError when none did."""
    if not graph.write("event_schemas/deactivate_schema", brand=brand, type=event_type)[0]["stopped"]:
        raise NotFoundError("No schema counts for this type.")


def get_schema(graph: Graph, brand: str, event_type: str, version: int) -> dict[str, Any]:
    """One version with its schema; raises NotFoundError."""
    rows = graph.read("event_schemas/get_schema", brand=brand, type=event_type, version=version)
    if not rows:
        raise NotFoundError("No such schema.")
    return _shown(rows[0]["schema"])


def list_schemas(
    graph: Graph, brand: str, after: tuple[str, int], limit: int, *, event_type: str | None, is_active: bool | None
) -> list[dict[str, Any]]:
    """Schemas in order of type, newest version first, after (type, version)."""
    rows = graph.read(
        "event_schemas/list_schemas",
        brand=brand, type=event_type, is_active=is_active, limit=limit,
        after_type=after[0], before_version=after[1] or _LAST_VERSION,
    )  # fmt: skip
    return [_shown(row["schema"]) for row in rows]


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": row["type"],
        "version": row["version"],
        "mode": row["mode"],
        "is_active": row["is_active"],
        "schema": parse_json(row["schema"].encode()),
        "note": row["note"],
        "created_at": to_time(row["created_at"]),
        "created_by": row["created_by"],
        "activated_at": to_time(row.get("activated_at")),
    }
