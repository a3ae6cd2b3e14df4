"""Feature inputs out of the graph and feature sets into it; `ml/features/store.py` is the only user."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from graph.driver import Graph


def read_inputs(graph: Graph, brand: str, profile_ids: Sequence[str], as_of: datetime) -> list[dict[str, Any]]:
    """One row for each live profile that answers for `profile_ids`: profile, orders, sales, channels."""
    return graph.read("features/read_inputs", brand=brand, ids=list(profile_ids), as_of=as_of)


def store_features(graph: Graph, brand: str, rows: list[dict[str, Any]]) -> list[str]:
    """Attach rows {id, version, properties}; ids stored (left out: absorbed meanwhile, or newer ones there already)."""
    ordered = sorted(rows, key=lambda row: str(row["id"]))
    return [row["id"] for row in graph.write("features/store_features", brand=brand, rows=ordered)]


def remove_stale(graph: Graph, brand: str, profile_ids: Sequence[str]) -> int:
    """Take the feature sets of personas absorbed into `profile_ids` away; how many."""
    rows = graph.write("features/remove_stale", brand=brand, ids=sorted(profile_ids))
    return int(rows[0]["removed"]) if rows else 0


def find_features(graph: Graph, brand: str, profile_id: str) -> dict[str, Any] | None:
    """Row {profile_id, version, currency, features} of the live profile; None for an unknown profile."""
    rows = graph.read("features/get_features", brand=brand, id=profile_id)
    return rows[0] if rows else None
