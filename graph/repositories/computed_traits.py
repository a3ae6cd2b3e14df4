"""What computed traits are counted from, and their values at live profiles."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from graph.driver import Graph

VALUE = "v_"
"""Begins the property of a trait's value: `v_orders_30d`. Money is in minor units, times are times."""


def read_profiles(graph: Graph, brand: str, ids: Sequence[str]) -> list[dict[str, Any]]:
    """The live profiles that answer for `ids`: id, version, currency, personas."""
    return graph.read("computed_traits/read_profiles", brand=brand, ids=list(ids))


def page_profiles(graph: Graph, brand: str, after: tuple[datetime, str], limit: int) -> list[dict[str, Any]]:
    """One page of live profiles in the order of their creation: id, created_at, set_version (0 without values)."""
    at, id_ = after
    return graph.read("computed_traits/page_profiles", brand=brand, after_at=at, after_id=id_, limit=limit)


def stream_events(
    graph: Graph,
    brand: str,
    ids: Sequence[str],
    from_at: datetime,
    types: Sequence[str] | None,
    payload_types: Sequence[str] | None,
) -> Iterator[list[Any]]:
    """Events of the clusters of `ids` since then, in no order, as the query returns them; None: of all types."""
    return graph.stream(
        "computed_traits/read_events",
        brand=brand, ids=list(ids), from_at=from_at, types=types, payload_types=payload_types,
    )  # fmt: skip


def stream_orders(graph: Graph, brand: str, ids: Sequence[str], from_at: datetime) -> Iterator[list[Any]]:
    """Counted orders of the clusters of `ids` placed since then, in no order, as the query returns them."""
    return graph.stream("computed_traits/read_orders", brand=brand, ids=list(ids), from_at=from_at)


def store_values(graph: Graph, brand: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Attach values to profiles that still live; newer ones stay. Rows as in the query."""
    graph.write("computed_traits/store_values", brand=brand, rows=sorted(rows, key=lambda row: str(row["id"])))


def remove_absorbed(graph: Graph, brand: str, ids: Sequence[str]) -> None:
    """Take the values of personas away that were absorbed into one of the live profiles `ids`."""
    graph.write("computed_traits/remove_absorbed", brand=brand, ids=sorted(ids))


def forget_values(graph: Graph, brand: str, ids: Sequence[str], names: Sequence[str]) -> None:
    """Take the values of deleted traits away from profiles."""
    nothing = {f"{VALUE}{name}": None for name in names}
    graph.write("computed_traits/forget_values", brand=brand, ids=sorted(ids), nothing=nothing)


def remove_values(graph: Graph, brand: str, ids: Sequence[str], set_version: int, *, even_live: bool) -> None:
    """Take all values away from profiles that live no more, or from all of them; those of a newer set stay."""
    graph.write(
        "computed_traits/remove_values",
        brand=brand, ids=sorted(ids), set_version=set_version, even_live=even_live,
    )  # fmt: skip


def take_due(graph: Graph, now: datetime, again_at: datetime, limit: int) -> dict[str, list[str]]:
    """Brand → profiles whose values change by themselves by now; due again at `again_at` if nobody computes them."""
    found: dict[str, list[str]] = {}
    for row in graph.write("computed_traits/take_due", now=now, again_at=again_at, limit=limit):
        found.setdefault(row["brand"], []).append(row["id"])
    return found
