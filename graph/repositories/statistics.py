"""Reads what a cluster's statistics are folded from: orders, their sales, events by channel; used by the 360."""

from dataclasses import dataclass
from typing import Any

from graph.driver import Graph


@dataclass(frozen=True, slots=True)
class StatisticsRows:
    """Stored orders and sale events of one cluster, and its number of events by channel."""

    orders: list[dict[str, Any]]
    sales: list[dict[str, Any]]
    events_by_channel: dict[str, int]


def read_statistics(graph: Graph, brand: str, root_id: str) -> StatisticsRows:
    """Everything of the live profile `root_id`; empty for an unknown one."""
    rows = graph.read("insight/read_statistics", brand=brand, root_id=root_id)
    if not rows:
        return StatisticsRows([], [], {})
    channels = {entry["channel"] or "other": entry["events"] for entry in rows[0]["channels"]}
    return StatisticsRows(rows[0]["orders"], rows[0]["sales"], channels)
