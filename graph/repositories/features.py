"""Feature sets into the graph and out of it; `ml/features/store.py` is the only user."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from graph.driver import Graph


def store_features(graph: Graph, brand: str, rows: Sequence[dict[str, Any]], as_of: datetime) -> None:
    """Attach rows {id, version, properties}; profiles absorbed meanwhile and newer versions' sets are left alone."""
    ordered = sorted(rows, key=lambda row: str(row["id"]))
    graph.write("features/store_features", brand=brand, rows=ordered, as_of=as_of)


def remove_stale(graph: Graph, brand: str, profile_ids: Sequence[str]) -> int:
    """Take the feature sets of personas absorbed into `profile_ids` away; how many."""
    rows = graph.write("features/remove_stale", brand=brand, ids=sorted(profile_ids))
    return int(rows[0]["removed"]) if rows else 0


def find_features(graph: Graph, brand: str, profile_id: str) -> dict[str, Any] | None:
    """Row {profile_id, version, currency, features} of the live profile; None for an unknown profile."""
    rows = graph.read("features/get_features", brand=brand, id=profile_id)
    return rows[0] if rows else None
