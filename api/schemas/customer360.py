"""The customer seen whole, its timeline and its identity graph."""

from typing import Any

from api.schemas.base import Shape, example
from api.schemas.profiles import PROFILE_ID

_OVERVIEW = {
    "id": PROFILE_ID, "name": "Ada Lovelace", "strength": 75, "lifetime_value": "89.99", "currency": "USD",
    "total_orders": 1, "average_order_value": "89.99", "first_seen": "2026-10-01T08:00:00Z",
    "last_seen": "2026-11-01T12:00:00Z",
}  # fmt: skip


class Customer360(Shape):
    """Everything about one customer; sections can be chosen with `include`."""

    model_config = example({
        "id": PROFILE_ID,
        "brand": "demo",
        "answered_for": None,
        "version": 7,
        "overview": _OVERVIEW,
        "identifiers": [{
            "type": "email", "value": "a@example.com", "tier": 1, "trust": "transaction",
            "first_seen": "2026-10-01T08:00:00Z", "last_seen": "2026-11-01T12:00:00Z", "count": 3, "sources": ["shop"],
            "flags": [],
        }],
        "predictions": None,
        "merges": {"count": 0, "last": None},
        "consent": {"marketing": {"email": {
            "status": "granted", "at": "2026-10-01T08:00:00Z", "source": "shop",
            "event_id": "evt_8c7e0d6d2b9f4f0f9a51c0de5b1e7a11",
        }}},
        "computed_traits": {
            "spend_90d": {
                "value": "89.99", "type": "money", "currency": "USD", "computed_at": "2026-11-01T12:00:02Z",
                "is_current": True,
            },
            "favourite_category": {
                "value": "Footwear", "type": "text", "computed_at": "2026-11-01T12:00:02Z", "is_current": True,
            },
        },
    })  # fmt: skip

    id: str
    brand: str
    answered_for: str | None
    version: int
    as_of: str | None = None
    recomputing: bool = False
    overview: dict[str, Any] | None = None
    identifiers: list[dict[str, Any]] | None = None
    predictions: dict[str, Any] | None = None
    statistics: dict[str, Any] | None = None
    intents: list[dict[str, Any]] | None = None
    visits: list[dict[str, Any]] | None = None
    campaigns: list[dict[str, Any]] | None = None
    journey: dict[str, Any] | None = None
    merges: dict[str, Any] | None = None
    consent: dict[str, Any] | None = None
    computed_traits: dict[str, Any] | None = None


class Timeline(Shape):
    """Events, merges and unmerges of the customer, newest first."""

    model_config = example({
        "items": [{
            "event_id": "evt_8c7e0d6d2b9f4f0f9a51c0de5b1e7a11", "type": "purchase", "channel": "website",
            "occurred_at": "2026-11-01T12:00:00Z", "summary": "Bought Shirt on the website for 89.99 USD",
            "amount": "89.99", "identifiers": ["email:a@example.com"],
        }],
        "next_cursor": None,
    })  # fmt: skip

    items: list[dict[str, Any]]
    next_cursor: str | None


class IdentityGraph(Shape):
    """Nodes and edges of the identity cluster, ready to draw."""

    model_config = example({
        "nodes": [{"id": PROFILE_ID, "label": "Customer", "type": "profile", "caption": "Ada Lovelace", "flags": []}],
        "edges": [{
            "id": f"{PROFILE_ID}>HAS_IDENTIFIER>email:a@example.com", "source": PROFILE_ID,
            "target": "email:a@example.com", "type": "HAS_IDENTIFIER", "rule": "shop", "trust": "transaction",
            "since": "2026-10-01T08:00:00Z", "state": "live",
        }],
        "truncated": False,
    })  # fmt: skip

    nodes: list[dict[str, Any]]
    edges: list[dict[str, Any]]
    truncated: bool
