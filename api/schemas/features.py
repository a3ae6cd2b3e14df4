"""Computed features of a profile."""

from typing import Any

from api.schemas.base import Shape, example
from api.schemas.profiles import PROFILE_ID


class Features(Shape):
    """The stored features; null while none were computed."""

    model_config = example({
        "profile_id": PROFILE_ID,
        "answered_for": None,
        "as_of": "2026-11-01T12:00:02Z",
        "version": 7,
        "is_current": True,
        "currency": "USD",
        "features": {"recency_days": 3.0, "frequency": 2, "monetary": "215.49", "category_affinity": {"Apparel": 1}},
    })  # fmt: skip

    profile_id: str
    answered_for: str | None
    as_of: str | None
    version: int
    is_current: bool
    currency: str
    features: dict[str, Any] | None


class FeatureCatalogue(Shape):
    """Every feature; money is shown as a decimal string, maps as objects. Sums are 0 for who has no orders."""

    model_config = example({
        "items": [{
            "name": "recency_days", "type": "number", "unit": "days", "window": "the customer's orders before as_of",
            "sentence": "Days since the last counted order; days begun count.", "is_sum": False,
        }],
    })  # fmt: skip

    items: list[dict[str, Any]]
