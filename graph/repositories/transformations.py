"""Versions of a brand's transformations in the graph."""

import json
import secrets
from datetime import UTC, datetime
from typing import Any

from core.errors import NotFoundError
from core.paging import encode_cursor
from core.strict_json import parse_json, to_json
from core.transformations import Transformation, steps_to_data
from graph.driver import Graph
from graph.repositories.profiles import Page
from graph.values import to_time

VERSION_PREFIX = "t"
NONE = "none"
"""The version of a brand that takes events as they come."""


def create_set(graph: Graph, brand: str, steps: tuple[Transformation, ...], *, note: str, by: str, op: str) -> str:
    """Store a new version, not yet active; its name. `op` makes a second try the same."""
    rows = graph.write(
        "transformations/create_set",
        brand=brand, prefix=VERSION_PREFIX, steps=to_json(steps_to_data(steps)), note=note, by=by, at=datetime.now(UTC),
        op=op, hash_key=secrets.token_hex(32),
    )  # fmt: skip
    if not rows:
        raise NotFoundError("No such brand.")
    return str(rows[0]["version"])


def activate_set(graph: Graph, brand: str, version: str, *, by: str, reason: str) -> None:
    """Let a version count from now on, `none` for no steps at all; raises NotFoundError."""
    if version == NONE:
        graph.write("transformations/reset_set", brand=brand)
        return
    rows = graph.write(
        "transformations/activate_set", brand=brand, version=version, by=by, reason=reason, at=datetime.now(UTC)
    )
    if not rows:
        raise NotFoundError("No such version of the transformations.")


def get_steps(graph: Graph, brand: str, version: str) -> list[dict[str, Any]]:
    """The steps of a version as plain data; raises NotFoundError."""
    if version == NONE:
        return []
    rows = graph.read("transformations/get_set", brand=brand, version=version)
    if not rows:
        raise NotFoundError("No such version of the transformations.")
    steps: list[dict[str, Any]] = json.loads(rows[0]["steps"])
    return steps


def list_sets(graph: Graph, brand: str, page: Page) -> dict[str, Any]:
    """One page of versions, newest first: {items, next_cursor}."""
    rows = graph.read("transformations/list_sets", brand=brand, **page.params())
    cursor = None
    if len(rows) > page.size:
        last = rows[page.size - 1]
        at = to_time(last["created_at"])
        cursor = None if at is None else encode_cursor(at, last["id"])
    return {"items": [_shown(row) for row in rows[: page.size]], "next_cursor": cursor}


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": row["version"],
        "steps": parse_json(row["steps"].encode()),
        "note": row["note"],
        "created_at": to_time(row["created_at"]),
        "created_by": row["created_by"],
        "activated_at": to_time(row["activated_at"]),
        "is_active": row["is_active"],
    }
