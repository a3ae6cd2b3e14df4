"""What products are called, by their ids: a catalogue's title, else the name that the latest event gave."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from graph.driver import Graph


def keep_names(graph: Graph, brand: str, names: Mapping[str, tuple[str, datetime]]) -> None:
    """Store names by product id with the time of the event that gave them; safe to repeat in any order."""
    rows = sorted([f"{brand}|{product}", product, name, at] for product, (name, at) in names.items())
    if rows:
        graph.write("catalogue/keep_names", brand=brand, rows=rows)


def read_names(graph: Graph, brand: str, product_ids: Iterable[str]) -> dict[str, str]:
    """Names by product id; products that nobody named are left out."""
    wanted = sorted(set(product_ids))
    if not wanted:
        return {}
    rows = graph.read("catalogue/read_names", brand=brand, product_ids=wanted)
    return {row["product_id"]: row["name"] for row in rows if row["name"]}
