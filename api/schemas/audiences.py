"""Building blocks of audiences: the grid of recency, frequency and money, profiles like others."""

from typing import Annotated, Any

from pydantic import Field

from api.schemas.base import Command, Id, Shape, example
from api.schemas.profiles import PROFILE_ID

MOST_SEEDS, MOST_ALIKE = 200, 500
_DEFAULT_ALIKE = 50


class RfmGrid(Shape):
    """Customers in each cell that has some; scores are 1 (worst) to 5 (best), `scale` says where each begins."""

    model_config = example({
        "customers": 2310,
        "cells": [{"recency": 5, "frequency": 5, "monetary": 5, "customers": 120}],
        "scale": {
            "by": "quintiles", "recency_days": [21.0, 58.0, 117.0, 214.0], "order_days": [1.0, 2.0, 3.0, 6.0],
            "money": [41.5, 96.0, 180.25, 402.0],
        },
        "model_version": "2026-11-01.4be1c2",
        "confidence": "medium",
    })  # fmt: skip

    customers: int
    cells: list[dict[str, int]]
    scale: dict[str, Any]
    model_version: str
    confidence: str


class RfmMembers(Shape):
    """Customers of some cells, in order of cell and id; `at` is when each was scored."""

    model_config = example({
        "items": [{
            "profile_id": PROFILE_ID, "recency": 5, "frequency": 5, "monetary": 5, "segment": "champion",
            "churn_probability": 0.0812, "expected": "310.40", "currency": "USD", "at": "2026-11-01T02:00:00Z",
        }],
        "next_cursor": None,
    })  # fmt: skip

    items: list[dict[str, Any]]
    next_cursor: str | None


class LookalikeQuestion(Command):
    """Profiles that others are compared with."""

    model_config = example({"profile_ids": [PROFILE_ID], "limit": 100, "min_similarity": 0.5})

    profile_ids: Annotated[list[Id], Field(min_length=1, max_length=MOST_SEEDS)]
    limit: Annotated[int, Field(ge=1, le=MOST_ALIKE)] = _DEFAULT_ALIKE
    min_similarity: Annotated[float, Field(ge=0.0, le=1.0, strict=False)] = 0.0


class Lookalikes(Shape):
    """The likest first; `is_complete` is false where the brand has more profiles than were looked at."""

    model_config = example({
        "items": [{
            "profile_id": PROFILE_ID, "similarity": 0.8123, "segment": "champion", "churn_probability": 0.0812,
            "reasons": ["orders: 9 (usually 2)", "spend: 812.50 (usually 96.00)"],
        }],
        "not_found": [],
        "without_orders": [],
        "looked_at": 2309,
        "is_complete": True,
    })  # fmt: skip

    items: list[dict[str, Any]]
    not_found: list[str]
    without_orders: list[str]
    looked_at: int
    is_complete: bool
