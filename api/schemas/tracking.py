"""Tracking calls and their answers; the messages are read by `ingest/sources/segment.py` and `posthog.py`."""

from typing import Any

from api.schemas.base import Shape, example

TRACK_EXAMPLE: dict[str, Any] = {
    "type": "track",
    "event": "Order Completed",
    "userId": "u-1",
    "anonymousId": "a-1",
    "messageId": "m-1",
    "timestamp": "2026-11-01T12:00:00Z",
    "properties": {
        "order_id": "A-1",
        "total": 89.99,
        "currency": "USD",
        "products": [{"product_id": "P1", "name": "Shirt", "category": "Apparel", "quantity": 1, "price": 89.99}],
    },
}
CAPTURE_EXAMPLE: dict[str, Any] = {
    "event": "Product Viewed",
    "distinct_id": "u-1",
    "uuid": "0193a5b0-0000-7000-8000-000000000001",
    "timestamp": "2026-11-01T12:00:00Z",
    "properties": {"product_id": "P1"},
}
MESSAGE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "userId": {"type": ["string", "integer", "null"]},
        "anonymousId": {"type": ["string", "integer", "null"]},
        "messageId": {"type": ["string", "null"], "description": "The idempotency key."},
        "event": {"type": "string", "description": "The name of a track call."},
        "properties": {"type": "object"},
        "traits": {"type": "object"},
        "context": {"type": "object"},
        "timestamp": {"type": "string", "format": "date-time"},
        "sentAt": {"type": "string", "format": "date-time"},
        "writeKey": {"type": "string", "description": "Where no header carries it."},
    },
}
_TAKEN: dict[str, Any] = {
    "accepted": 1,
    "rejected": 0,
    "results": [{"event_id": "evt_8c7e0d6d2b9f4f0f9a51c0de5b1e7a11", "duplicate": False, "warnings": []}],
}


class Tracked(Shape):
    """`results` has one entry for each message in its order; a refused one (`error`) is kept as a dead letter."""

    model_config = example({"success": True, **_TAKEN})

    success: bool
    accepted: int
    rejected: int
    results: list[dict[str, Any]]


class Captured(Shape):
    """`results` has one entry for each event in its order; a refused one (`error`) is kept as a dead letter."""

    model_config = example({"status": 1, **_TAKEN})

    status: int
    accepted: int
    rejected: int
    results: list[dict[str, Any]]
