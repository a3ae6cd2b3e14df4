"""Reading a brand back from the graph for comparisons: live profiles by what they hold, independent of ids."""

from dataclasses import dataclass

from graph.driver import Graph


@dataclass(frozen=True)
class Live:
    """One live profile as a test compares it."""

    id: str
    identifiers: frozenset[str]
    event_count: int
    total_orders: int
    ltv_minor: int
    strength: int
    performed: int
    """Events really attached to its personas, counted by relationship."""


def live_profiles(graph: Graph, brand: str) -> list[Live]:
    """All live profiles of a brand, counted anew from the graph."""
    rows = graph.read("invariants/live_profiles", brand=brand)
    return [
        Live(
            row["id"],
            frozenset(row["identifiers"]),
            row["event_count"],
            row["total_orders"],
            row["ltv_minor"],
            row["strength"],
            row["performed"],
        )
        for row in rows
    ]


def by_identifier(graph: Graph, brand: str, identifier: str) -> Live:
    """The one live profile that holds `type:value`."""
    [found] = [live for live in live_profiles(graph, brand) if identifier in live.identifiers]
    return found
