"""Suggestions as a steward reads them: the stored comparison with the values of today beside it.

A proposal keeps levels and weights only: what a customer gave stands in one place, and is gone when the customer is.
"""

from typing import Any

from graph.driver import Graph
from graph.repositories.profiles import Page
from graph.repositories.reviews_read import PENDING
from graph.repositories.suggestions import (
    ComparedProfile,
    Side,
    SuggestionFilter,
    list_suggestions,
    read_profiles,
)
from ml.suggestions.records import TRAIT_NAMES, Record, make_record


def record_of(profile: ComparedProfile) -> Record:
    """The record that the model compares."""
    return make_record(profile.id, profile.traits, emails=profile.emails, phones=profile.phones)


def page_of_suggestions(graph: Graph, brand: str, page: Page, where: SuggestionFilter) -> dict[str, Any]:
    """One page with the values of both sides in each row of the comparison; None where a side says nothing (now)."""
    found = list_suggestions(graph, brand, page, where)
    sides = {side for item in found["items"] for side in _sides(item)}
    profiles = read_profiles(graph, brand, TRAIT_NAMES, sides)
    shown = {side: record_of(profile).shown for side, profile in profiles.items()}
    for item in found["items"]:
        left, right = (shown.get(side, {}) for side in _sides(item))
        item["comparison"] = [
            {
                "field": row["field"], "left": left.get(row["field"]), "right": right.get(row["field"]),
                "level": row["level"], "weight": row["weight"],
            }
            for row in item["comparison"]
        ]  # fmt: skip
    return found


def _sides(item: dict[str, Any]) -> list[Side]:
    """What waits is about live profiles; what was settled, about the personas it was made of."""
    return [(item[side], item["status"] == PENDING) for side in ("left_id", "right_id")]
