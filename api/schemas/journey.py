"""A customer's journey in full, and product intents over many customers."""

from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.base import MAX_ID, Command, Shape, example
from api.schemas.profiles import PROFILE_ID

_CREDITS = {
    "by_channel": {"email": "45.00", "website": "44.99"},
    "by_touchpoint": ["45.00", "44.99"],
    "unattributed": "0.00",
}


class CustomerJourney(Shape):
    """Stages with what moved the customer there, and the newest conversions with the credits of their touchpoints."""

    model_config = example({
        "profile_id": PROFILE_ID, "answered_for": None, "stage": "purchase", "since": "2026-11-01T12:00:00Z",
        "at_risk": False, "score": 61,
        "stages": [{
            "stage": "purchase", "entered_at": "2026-11-01T12:00:00Z", "by": "demo|shop|A-1", "why": "first order",
        }],
        "next_action": {"action": "follow_up", "reason": "first order made, no second one yet"},
        "next_milestone": "the second order, a delivery, or a visit to a store",
        "window_days": 30, "data_driven_since": None,
        "conversions": [{
            "order_id": "A-1", "at": "2026-11-01T12:00:00Z", "amount": "89.99", "currency": "USD",
            "touchpoints": [
                {"event_id": "evt_1", "channel": "email", "type": "email_click", "at": "2026-10-30T08:00:00Z"},
                {"event_id": "evt_2", "channel": "website", "type": "product_view", "at": "2026-11-01T11:40:00Z"},
            ],
            "credits": {"linear": _CREDITS},
        }],
    })  # fmt: skip

    profile_id: str
    answered_for: str | None
    stage: str | None
    since: str | None
    at_risk: bool
    score: int
    stages: list[dict[str, Any]]
    next_action: dict[str, str]
    next_milestone: str | None
    window_days: int
    data_driven_since: str | None
    conversions: list[dict[str, Any]]


class IntentList(Shape):
    """Who wants what, newest signal first."""

    model_config = example({
        "items": [{
            "profile_id": PROFILE_ID, "product_id": "PROD-002", "product_name": "Premium Sneakers", "score": 85,
            "status": "active", "signals": {"cart": 1}, "first_at": "2026-11-01T12:00:00Z",
            "last_at": "2026-11-01T12:00:00Z",
            "expires_at": "2026-12-01T12:00:00Z",
        }],
        "next_cursor": None,
    })  # fmt: skip

    items: list[dict[str, Any]]
    next_cursor: str | None


class TrackIntent(Command):
    """A sign of interest, told in the fewest words; it becomes an ordinary event."""

    model_config = Command.model_config | example({
        "kind": "cart", "product_id": "PROD-002", "identifiers": {"email": "a@example.com"}, "channel": "website",
    })  # fmt: skip

    kind: Literal["view", "search", "wishlist", "cart", "scan"]
    product_id: Annotated[str, Field(min_length=1, max_length=MAX_ID)]
    identifiers: dict[str, Any]
    channel: str | None = None
    occurred_at: str | None = None
    message_id: str | None = None
