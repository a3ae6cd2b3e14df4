"""Reads the links of a profile to identifiers with their history."""

from typing import Any

from core.errors import NotFoundError
from graph.driver import Graph
from graph.repositories.profiles import get_profile
from graph.values import to_time_text


def list_links(graph: Graph, brand: str, profile_id: str) -> list[dict[str, Any]]:
    """Every link of the live profile, ended ones included, newest first; raises NotFoundError."""
    rows = graph.read("profiles/list_links", brand=brand, id=profile_id)
    if not rows and not get_profile(graph, brand, profile_id):
        raise NotFoundError("No such profile.")
    return [{**row, "since": to_time_text(row["since"]), "until": to_time_text(row["until"])} for row in rows]
