"""Writes what a brand sets about its review queue; it is read with the brand's other settings."""

from core.errors import InvalidInputError, NotFoundError
from graph.driver import Graph

MAX_OVERDUE_HOURS = 24 * 365


def save_overdue_hours(graph: Graph, brand: str, hours: int) -> None:
    """Reviews that wait longer than this are overdue; raises InvalidInputError, NotFoundError for no such brand."""
    if not 1 <= hours <= MAX_OVERDUE_HOURS:
        raise InvalidInputError(f"Must be from 1 to {MAX_OVERDUE_HOURS}.", field="overdue_hours")
    if not graph.write("brands/set_review_settings", brand=brand, overdue_hours=hours):
        raise NotFoundError("No such brand.")
