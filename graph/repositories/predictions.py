"""What predictions are made from out of the graph, and predictions into it; `ml/serving/store.py` is the only user."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from graph.driver import Graph


def read_customers(graph: Graph, brand: str, profile_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Row {id, version, currency, personas, orders} for each live profile that answers for `profile_ids`."""
    return graph.read("predictions/read_customers", brand=brand, ids=sorted(set(profile_ids)))


def page_customers(graph: Graph, brand: str, after: tuple[datetime, str], limit: int) -> list[dict[str, Any]]:
    """The next live profiles after (created_at, id), oldest first: rows as in `read_customers`, with created_at."""
    return graph.read("predictions/page_customers", brand=brand, after_at=after[0], after_id=after[1], limit=limit)


def store_predictions(
    graph: Graph, brand: str, model: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Attach rows {id, version, at, segment, churn, properties}; ids stored (not: absorbed, or newer ones there)."""
    ordered = sorted((dict(row) for row in rows), key=lambda row: str(row["id"]))
    found = graph.write("predictions/store_predictions", brand=brand, model=dict(model), rows=ordered)
    return [row["id"] for row in found]


def remove_predictions(graph: Graph, brand: str, ids: Sequence[str], roots: Sequence[str]) -> int:
    """Take predictions of `ids` and of the personas absorbed into `roots` away; how many."""
    rows = graph.write("predictions/remove_predictions", brand=brand, ids=sorted(ids), roots=sorted(roots))
    return int(rows[0]["removed"]) if rows else 0
