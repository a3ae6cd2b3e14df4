"""Stock, demand and trends, as they are told and answered."""

from typing import Annotated, Any

from pydantic import Field

from api.schemas.base import Command, Id, Shape, example

_MOST = 10**9
_STORE: dict[str, Any] = {
    "store_id": "STORE-001", "open_intents": 4, "high_intents": 2, "available": 1, "missing": 3,
}  # fmt: skip
_DEMAND: dict[str, Any] = {
    "product_id": "PROD-002", "title": "Premium Sneakers", "open_intents": 5, "high_intents": 2, "score": 260,
    "available": 9, "stores": [_STORE], "without_store": 1,
}  # fmt: skip
_STEP: dict[str, Any] = {
    "product_id": "PROD-002", "title": "Premium Sneakers", "action": "move", "from_store": "STORE-002",
    "to_store": "STORE-001", "quantity": 3,
    "reason": "4 customer(s) of this store want it, 1 in stock; STORE-002 has 8 and 0 who want it",
}  # fmt: skip
_COUNTS = {"views": 40, "carts": 9, "purchases": 3}
_TREND: dict[str, Any] = {
    "product_id": "PROD-002", "title": "Premium Sneakers", "score": 82, "score_before": 31, "gain": 51,
    "window": _COUNTS, "before": {"views": 20, "carts": 2, "purchases": 1},
}  # fmt: skip
_MOVEMENT: dict[str, Any] = {
    "id": "mov_5b1d4c2a8e6f7b9d0c1a2b3e9a3c0f7e", "product_id": "PROD-002", "sku": None, "location_id": "STORE-001",
    "before": 3, "delta": -2, "reason": "sold", "by": "key:ab12cd34ef56", "available": 1,
    "at": "2026-11-01T12:00:00Z",
}  # fmt: skip

Text = Annotated[str, Field(min_length=1, max_length=200)]


class LevelCommand(Command):
    """How much of a product is at a location now; `sku` where a product is stocked in several kinds."""

    model_config = Command.model_config | example(
        {"product_id": "PROD-002", "location_id": "STORE-001", "available": 3, "title": "Premium Sneakers"}
    )

    product_id: Id
    location_id: Id
    available: Annotated[int, Field(ge=0, le=_MOST)]
    sku: Text | None = None
    title: Text | None = Field(None, description="For a product that no shop told of yet.")
    reason: Text | None = None


class MovementCommand(Command):
    """So many more (or fewer) of a product at a location; `movement_id` makes a repeat the same movement."""

    model_config = Command.model_config | example(
        {"product_id": "PROD-002", "location_id": "STORE-001", "delta": -2, "reason": "sold", "movement_id": "w-17"}
    )

    product_id: Id
    location_id: Id
    delta: Annotated[int, Field(ge=-_MOST, le=_MOST)]
    sku: Text | None = None
    title: Text | None = None
    reason: Text | None = None
    movement_id: Id | None = None


class Movement(Shape):
    """A movement of stock; `available` is the level after it."""

    model_config = example(_MOVEMENT)

    id: str
    product_id: str
    location_id: str
    delta: int
    available: int


class MovementList(Shape):
    """A page of movements."""

    model_config = example({"items": [_MOVEMENT], "next_cursor": None})

    items: list[dict[str, Any]]
    next_cursor: str | None


class DemandList(Shape):
    """What is wanted, beside its stock by store."""

    model_config = example({"items": [_DEMAND], "next_cursor": None})

    items: list[dict[str, Any]]
    next_cursor: str | None


class RecommendationList(Shape):
    """What to move from where to where, and what to order."""

    model_config = example({"items": [_STEP], "next_cursor": None})

    items: list[dict[str, Any]]
    next_cursor: str | None


class TrendList(Shape):
    """Products of a window beside the window before, most gained first."""

    model_config = example({"items": [_TREND], "next_cursor": None})

    items: list[dict[str, Any]]
    next_cursor: str | None


class ProductInsights(Shape):
    """All about one product."""

    model_config = example({
        **_TREND,
        "category": "Footwear",
        "days": [{"day": "2026-11-01", **_COUNTS}],
        "carts_per_view": 0.225,
        "purchases_per_cart": 0.3333,
        "demand": _DEMAND,
        "recommendations": [_STEP],
    })  # fmt: skip

    product_id: str
    demand: dict[str, Any]
