"""Audiences: the grid of recency, frequency and money scores (1 to 5): customers in each cell, and who they are."""

from typing import Any

from core.errors import InvalidInputError
from core.money import to_decimal_string
from core.paging import check_limit, decode_key_cursor, encode_key_cursor
from graph.driver import Graph
from graph.repositories import audiences as repository
from graph.values import to_time_text
from ml.models.segments import RECENCY_STEPS, RfmScale
from ml.serving.model import ServingModel

BEST = 5
_CELL = 3


def rfm_grid(graph: Graph, brand: str, model: ServingModel) -> dict[str, Any]:
    """Cells that have customers, best first, as of their latest scoring, and where the scores begin."""
    counts = repository.count_cells(graph, brand)
    cells = [{**_scores(cell), "customers": counts[cell]} for cell in sorted(counts, reverse=True)]
    return {
        "customers": sum(counts.values()),
        "cells": cells,
        "scale": scale_in_words(model.bundle.scale),
        "model_version": model.version,
        "confidence": model.confidence,
    }


def scale_in_words(scale: RfmScale) -> dict[str, Any]:
    """How scores are given: by the brand's own quintiles, or by fixed steps while it has too few customers.

    `recency_days`: below the first number the score is 5, below the second 4, and so on; of order days and money,
    from the last number on it is 5.
    """
    if scale.percentiles is None:
        return {"by": "steps", "recency_days": list(RECENCY_STEPS), "order_days": [2.0, 3.0, 4.0, 5.0], "money": None}
    edges = {
        name: [round(values[place], 2) for place in (19, 39, 59, 79)] for name, values in scale.percentiles.items()
    }
    return {
        "by": "quintiles",
        "recency_days": [-edge for edge in reversed(edges["recency"])],
        "order_days": edges["frequency"],
        "money": edges["money"],
    }


def rfm_members(
    graph: Graph, brand: str, scores: tuple[int, int, int | None], limit: int | None, cursor: str | None
) -> dict[str, Any]:
    """A page of the customers with these scores of recency, frequency and money (None: any): {items, next_cursor}."""
    size = check_limit(limit)
    recency, frequency, money = scores
    first, last = (f"{recency}{frequency}{money or edge}" for edge in (1, BEST))
    after = decode_key_cursor(cursor)
    after_id = ""
    if after is not None:
        cell, _, after_id = after.partition("|")
        if not (len(cell) == _CELL and first <= cell <= last):
            raise InvalidInputError("cursor: belongs to another list.", field="cursor")
        first = cell
    rows = repository.list_members(graph, brand, (first, last), after_id, size + 1)
    items = [_member(row) for row in rows[:size]]
    last_shown = rows[size - 1] if len(rows) > size else None
    cursor = None if last_shown is None else encode_key_cursor(f"{last_shown['rfm_cell']}|{last_shown['id']}")
    return {"items": items, "next_cursor": cursor}


def _scores(cell: str) -> dict[str, int]:
    return dict(zip(("recency", "frequency", "monetary"), map(int, cell), strict=True))


def _member(stored: dict[str, Any]) -> dict[str, Any]:
    return {
        "profile_id": stored["id"],
        **_scores(stored["rfm_cell"]),
        "segment": stored["segment"],
        "churn_probability": stored["churn_probability"],
        "expected": to_decimal_string(stored["expected_minor"], stored["currency"]),
        "currency": stored["currency"],
        "at": to_time_text(stored["at"]),
    }
