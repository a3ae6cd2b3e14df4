"""Computed traits: definitions, their state, and what one would be for a profile."""

from typing import Annotated, Any

from pydantic import Field

from api.schemas.base import Command, Id, Shape, example
from api.schemas.profiles import PROFILE_ID

_AT = "2026-11-01T12:00:00Z"
_SPEND: dict[str, Any] = {
    "name": "shoe_spend_90d",
    "description": "Money spent on shoes lately",
    "function": "sum",
    "from": "orders",
    "field": "total",
    "where": [{"field": "category", "op": "eq", "value": "Footwear"}],
    "window": {"days": 90},
}
_UNNAMED = {name: value for name, value in _SPEND.items() if name != "name"}
_VIEWED: dict[str, Any] = {
    "name": "favourite_category",
    "function": "most_frequent",
    "from": "events",
    "field": "payload.category",
    "where": [
        {"field": "type", "op": "in", "value": ["product_view", "cart_add"]},
        {"field": "payload.price", "op": "gte", "value": 20},
    ],
    "window": {"days": 30},
}
_DEFINED: dict[str, Any] = {
    **_SPEND, "type": "money", "version": 3, "state": "computing",
    "backfill": {
        "run_id": "run_2f1d8a0c6b7e4c1f9d3a5b6c7d8e9f01", "state": "running",
        "progress": {"done": 1500, "total": 20000},
    },
    "created_at": _AT, "created_by": "key:abc", "updated_at": _AT, "updated_by": "key:abc",
}  # fmt: skip

_FUNCTION = Field(
    description="count, sum, avg, min, max, first, last, most_frequent, unique_count or days_since. first and last go "
    "by event time; of equally frequent values the least one; days_since are whole days of 24 hours since the latest."
)
_FROM = Field(
    alias="from",
    description="`events`: every event. `orders`: each order once, at the time it was placed, with its money less "
    "refunds; cancelled and fully refunded orders do not count.",
)
_FIELD = Field(
    description="Of events: type, channel, source, product_id, occurred_at, payload.NAME (`items[].sku` looks into a "
    "list). Of orders: total, channel, status, currency, order_id, product_id, category, placed_at. Sums of total are "
    "exact and in the brand's currency; orders in others add no money."
)
_WHERE = Field(
    description="Conditions `{field, op, value}` that all have to hold. op: eq, ne, in, not_in; gt, gte, lt, lte for "
    "times, total and payload numbers; exists for payload fields. ne and not_in hold where the field is missing."
)
_WINDOW = Field(description='`{"days": N}`: the last N times 24 hours by event time; `"all"` or nothing: always.')


class TraitShape(Command):
    """A definition without its name; it is checked in full before anything is stored."""

    model_config = example(_UNNAMED)

    function: Annotated[str, _FUNCTION]
    description: str | None = None
    from_: Annotated[str, _FROM] = "events"
    field: Annotated[str | None, _FIELD] = None
    where: Annotated[list[Any] | None, _WHERE] = None
    window: Annotated[Any, _WINDOW] = None

    def as_data(self, name: str) -> dict[str, Any]:
        """The definition as plain data under that name."""
        return {**self.model_dump(by_alias=True, exclude={"name", "profile_id"}), "name": name}


class TraitCommand(TraitShape):
    """A computed trait: one function over a customer's events or orders."""

    model_config = example(_VIEWED)

    name: Annotated[str, Field(description="Small letters, digits and _, at most 63.")]


class TraitPreview(TraitShape):
    """A definition to try on one profile."""

    model_config = example({**_UNNAMED, "profile_id": PROFILE_ID})

    profile_id: Id


class TraitPreviewed(Shape):
    """What the trait would be for the profile now; null where there is nothing to say."""

    model_config = example({"profile_id": PROFILE_ID, "value": "89.99", "type": "money", "currency": "USD"})

    profile_id: str
    value: Any
    type: str


class ComputedTrait(Shape):
    """A definition; `state` is `computing` until every profile has its value, `backfill` says how far that is."""

    model_config = example(_DEFINED)

    name: str
    description: str
    function: str
    from_: Annotated[str, Field(alias="from")]
    field: str | None
    where: list[dict[str, Any]]
    window: dict[str, Any] | None
    type: str
    version: int
    state: str
    backfill: dict[str, Any] | None


class ComputedTraitPage(Shape):
    """One page of definitions by name."""

    model_config = example({"items": [_DEFINED], "next_cursor": None})

    items: list[ComputedTrait]
    next_cursor: str | None


class ComputedTraitDeleted(Shape):
    """The definition is gone."""

    model_config = example({"deleted": True})

    deleted: bool
