"""What must hold in every brand's graph, each as a query that answers the rows that break it."""

from dataclasses import dataclass

from graph.driver import Graph

INVARIANTS = (
    "cached_roots",
    "aggregates",
    "performed_events",
    "event_owners",
    "event_spans",
    "order_sums",
    "placed_orders",
    "channel_tallies",
    "identifier_holders",
    "link_times",
    "told_apart",
    "lone_profiles",
    "merge_records",
    "open_reviews",
    "strength_inputs",
    "trait_owners",
    "brand_borders",
    "change_feed",
)
_ROWS = 20


@dataclass(frozen=True, slots=True)
class Violation:
    """One invariant that does not hold, with ids of up to `_ROWS` nodes that break it."""

    invariant: str
    ids: tuple[str, ...]


def broken_invariants(graph: Graph, brand: str) -> list[Violation]:
    """Every invariant that does not hold for the brand."""
    found = []
    for name in INVARIANTS:
        rows = graph.read(f"invariants/{name}", brand=brand, limit=_ROWS)
        if rows:
            found.append(Violation(name, tuple(str(row["id"]) for row in rows)))
    return found
