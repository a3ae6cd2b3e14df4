"""Reads for building blocks of audiences: the grid of recency, frequency and money, and profiles to compare."""

from collections.abc import Sequence
from typing import Any

from graph.driver import Graph


def count_cells(graph: Graph, brand: str) -> dict[str, int]:
    """Customers by cell, e.g. '543'."""
    return {row["cell"]: row["customers"] for row in graph.read("audiences/count_cells", brand=brand)}


def list_members(graph: Graph, brand: str, cells: tuple[str, str], after_id: str, limit: int) -> list[dict[str, Any]]:
    """Stored predictions in cells `cells[0]` (after an id) to `cells[1]`, in order of cell and id."""
    first, last = cells
    rows = graph.read(
        "audiences/list_members", brand=brand, from_cell=first, to_cell=last, after_id=after_id, limit=limit
    )
    return [row["prediction"] for row in rows]


def read_seeds(graph: Graph, brand: str, profile_ids: Sequence[str]) -> list[list[Any]]:
    """Rows [asked id, live id, cell (None without an order), currency, compared columns…]."""
    [[rows]] = graph.read_lists("audiences/read_seeds", brand=brand, ids=sorted(set(profile_ids)))
    return list(rows)


def read_candidates(graph: Graph, brand: str, cells: Sequence[str], limit: int) -> list[list[Any]]:
    """Rows [id, segment, churn probability, compared columns…], those of the first cells first."""
    [[rows]] = graph.read_lists("audiences/read_candidates", brand=brand, cells=list(cells), limit=limit)
    return list(rows)
