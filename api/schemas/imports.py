"""Profiles from elsewhere: what `POST /api/profiles/import` takes."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from api.schemas.base import Command, Id, Shape, example
from api.schemas.profiles import PROFILE_ID
from core.clock import parse_time
from core.errors import InvalidInputError
from core.identifiers import TIERS
from core.normal_forms.normalise import as_text
from ingest.stewardship import ImportedOrder, ImportedProfile

MAX_PROFILES = 1000
MAX_ORDERS = 1000

Amount = Annotated[Any, Field(description="Decimal string or number.")]


class OrderIn(Command):
    """A past order."""

    order_id: Id
    total: Amount = None
    currency: str | None = None
    at: str | None = None
    items: Annotated[list[dict[str, Any]], Field(default_factory=list)]

    def to_order(self, field: str) -> ImportedOrder:
        """The order for `ingest/stewardship`; raises InvalidInputError for an unusable time or amount."""
        at = None if self.at is None else parse_time(self.at)
        if self.at is not None and at is None:
            raise InvalidInputError("must be an RFC 3339 time", field=f"{field}.at")
        if isinstance(self.total, bool) or not isinstance(self.total, (str, int, Decimal, type(None))):
            raise InvalidInputError("must be a decimal string or a number", field=f"{field}.total")
        return ImportedOrder(self.order_id, self.total, self.currency, at, tuple(self.items))


class ProfileIn(Command):
    """One profile; `external_id` names it with its source and makes repeats harmless."""

    external_id: Id
    identifiers: Annotated[dict[str, Any], Field(default_factory=dict)]
    traits: Annotated[dict[str, Any], Field(default_factory=dict)]
    orders: Annotated[list[OrderIn], Field(max_length=MAX_ORDERS, default_factory=list)]

    def to_profile(self, field: str) -> ImportedProfile:
        """The profile for `ingest/stewardship`; raises InvalidInputError naming the field that does not fit."""
        orders = tuple(order.to_order(f"{field}.orders[{place}]") for place, order in enumerate(self.orders))
        return ImportedProfile(self.external_id, tuple(self._pairs(f"{field}.identifiers")), self.traits, orders)

    def _pairs(self, field: str) -> list[tuple[str, Any]]:
        pairs: list[tuple[str, Any]] = []
        for kind, stated in self.identifiers.items():
            if kind not in TIERS:
                raise InvalidInputError("names an unknown identifier type", field=field)
            for place, value in enumerate(stated if isinstance(stated, list) else [stated]):
                path = f"{field}.{kind}[{place}]" if isinstance(stated, list) else f"{field}.{kind}"
                pairs.append((kind, as_text(kind, value, path)))
        return pairs


class ImportCommand(Command):
    """Profiles to store; with `resolve` they are matched like any event, without each stays a profile of its own."""

    model_config = example({
        "profiles": [{
            "external_id": "crm:1",
            "identifiers": {"email": "a@example.com"},
            "traits": {"first_name": "Ada"},
            "orders": [{"order_id": "A-1", "total": "89.99", "currency": "USD", "at": "2026-10-01T08:00:00Z"}],
        }],
        "resolve": False,
    })  # fmt: skip

    profiles: Annotated[list[ProfileIn], Field(min_length=1, max_length=MAX_PROFILES)]
    resolve: bool = False

    def to_profiles(self) -> list[ImportedProfile]:
        """The profiles for `ingest/stewardship`, in the order sent."""
        return [profile.to_profile(f"profiles[{place}]") for place, profile in enumerate(self.profiles)]


class ImportOutcome(Shape):
    """The imported profiles' ids, in the order sent."""

    model_config = example({"profile_ids": [PROFILE_ID]})

    profile_ids: list[str]
