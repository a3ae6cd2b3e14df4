"""Stores, visits, and who is in a store, as they are told and answered."""

from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.base import Command, Id, Shape, example
from api.schemas.profiles import PROFILE_ID

_LONGEST = 200
_MOST_LOCATIONS = 50
_VISIT_ID = "evt_1f0c2d4b6a8e9c0d1f2a3b4c5d6e7f80"

Text = Annotated[str, Field(min_length=1, max_length=_LONGEST)]
Time = Annotated[str, Field(max_length=64, description="RFC 3339 time; now without it.")]
Method = Literal["geofence", "qr_scan", "pos_lookup", "checkin", "wifi"]

STORE: dict[str, Any] = {
    "store_id": "STORE-001",
    "name": "Downtown Location",
    "address": "1 Main Street",
    "city": "Springfield",
    "country": "US",
    "timezone": "America/Chicago",
    "location_ids": ["STORE-001", "905684977"],
    "status": "open",
    "created_at": "2026-10-01T08:00:00Z",
    "updated_at": "2026-11-01T12:00:00Z",
}
VISIT: dict[str, Any] = {
    "visit_id": _VISIT_ID,
    "store_id": "STORE-001",
    "store_name": "Downtown Location",
    "status": "active",
    "method": "checkin",
    "check_in_at": "2026-11-01T12:00:00Z",
    "check_out_at": None,
    "minutes": 12,
    "event_ids": [_VISIT_ID],
    "profile_id": PROFILE_ID,
}


class StoreCommand(Command):
    """What a brand says of a store; fields that are left out stay as they are."""

    model_config = Command.model_config | example({"name": "Downtown Location", "location_ids": ["905684977"]})

    name: Text | None = None
    address: Text | None = None
    city: Text | None = None
    country: Text | None = None
    timezone: Text | None = None
    location_ids: Annotated[list[Id], Field(max_length=_MOST_LOCATIONS)] | None = Field(
        None, description="Ids under which shops count the stock of this store; its own id without any."
    )
    status: Literal["open", "closed"] | None = None


class CheckInCommand(Command):
    """Somebody comes into a store: a customer picked from a list, or whoever the identifiers lead to."""

    model_config = Command.model_config | example(
        {"store_id": "STORE-001", "method": "checkin", "identifiers": {"phone": "+14155550101"}}
    )

    store_id: Id
    store_name: Text | None = None
    method: Method = "checkin"
    profile_id: Id | None = None
    identifiers: dict[str, Any] | None = None
    at: Time | None = None


class CheckOutCommand(Command):
    """Somebody leaves a store."""

    model_config = Command.model_config | example({"at": "2026-11-01T12:45:00Z"})

    at: Time | None = None


class Store(Shape):
    """A store."""

    model_config = example(STORE)

    store_id: str
    name: str | None
    location_ids: list[str]
    status: str


class StoreList(Shape):
    """A page of stores."""

    model_config = example({"items": [STORE], "next_cursor": None})

    items: list[dict[str, Any]]
    next_cursor: str | None


class StoreVisit(Shape):
    """A visit with the open intents that the customer brought along; `profile_id` is the live profile of now."""

    model_config = example({**VISIT, "intents": [{"product_id": "PROD-002", "score": 85}]})

    visit_id: str
    store_id: str
    status: str
    method: str
    check_in_at: str
    check_out_at: str | None
    minutes: int | None
    profile_id: str | None


class VisitList(Shape):
    """A page of visits."""

    model_config = example({"items": [VISIT], "next_cursor": None})

    items: list[dict[str, Any]]
    next_cursor: str | None


ALERT: dict[str, Any] = {
    "id": "alr_5b1d4c2a8e6f7b9d0c1a2b3e9a3c0f7e",
    "kind": "product_intent",
    "store_id": "STORE-001",
    "visit_id": _VISIT_ID,
    "score": 85,
    "reason": "3 in this store",
    "state": "pending",
    "channel": None,
    "product_id": "PROD-002",
    "profile_id": PROFILE_ID,
    "at": "2026-11-01T12:00:02Z",
    "delivered_at": None,
    "viewed_at": None,
    "dismissed_at": None,
}


class AlertCommand(Command):
    """Where an alert was shown; senders for SMS and WhatsApp do not exist yet."""

    model_config = Command.model_config | example({"channel": "store_app"})

    channel: Literal["store_app", "pos_screen"] | None = None


class StoreAlert(Shape):
    """An alert for staff about a customer who is in the store."""

    model_config = example(ALERT)

    id: str
    kind: str
    store_id: str
    state: str
    reason: str
    product_id: str | None
    profile_id: str | None


class AlertList(Shape):
    """A page of alerts."""

    model_config = example({"items": [{**ALERT, "product_name": "Premium Sneakers"}], "next_cursor": None})

    items: list[dict[str, Any]]
    next_cursor: str | None


class StoreDashboard(Shape):
    """The page of a store."""

    model_config = example({
        "store": STORE,
        "as_of": "2026-11-01T12:12:00Z",
        "here": [{
            "visit": VISIT, "profile_id": PROFILE_ID, "name": "Ada Lovelace", "lifetime_value": "215.49",
            "currency": "USD", "total_orders": 2, "segment": None, "churn_probability": None, "stage": "retention",
            "wants": [{
                "product_id": "PROD-002", "name": "Premium Sneakers", "score": 85, "high": True, "available_here": 3,
            }],
            "say": {"action": "remind_cart", "reason": "Premium Sneakers is in the cart (intent 85)"},
        }],
        "alerts": [ALERT],
        "today": {"since": "2026-11-01T00:00:00Z", "visitors": 1, "is_capped": False, "newest": [VISIT]},
    })  # fmt: skip

    store: dict[str, Any]
    here: list[dict[str, Any]]
    alerts: list[dict[str, Any]]
    today: dict[str, Any]
