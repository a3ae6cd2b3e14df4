"""Stored intents of a brand, for lists over many profiles; kept fresh by a task, never the truth of one profile."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from graph.driver import Graph


def replace_intents(graph: Graph, brand: str, rows: Sequence[dict[str, Any]]) -> set[str]:
    """Store stage and intents of live profiles in place of the old ones; ids that were still live."""
    ordered = sorted(rows, key=lambda row: str(row["id"]))
    found = graph.write("intents/replace_intents", brand=brand, rows=ordered)
    return set(found[0]["ids"]) if found else set()


def list_intents(
    graph: Graph, brand: str, product: str | None, since: datetime, before: tuple[datetime, str], limit: int
) -> list[dict[str, Any]]:
    """Newest stored intents with a signal since `since`, after the cursor `before` (last signal, key)."""
    return graph.read(
        "intents/list_intents",
        brand=brand, product=product, since=since, before_at=before[0], before_key=before[1], limit=limit,
    )  # fmt: skip
