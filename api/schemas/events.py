"""Events in and their outcomes; the envelope itself is checked by `ingest/steps/validate.py`."""

from typing import Any

from api.schemas.base import Shape, example

EVENT_EXAMPLE = {
    "type": "purchase",
    "channel": "website",
    "source": "shop",
    "occurred_at": "2026-11-01T12:00:00Z",
    "message_id": "m-1",
    "identifiers": {"email": "a@example.com", "phone": ["+14155550101"]},
    "payload": {
        "order_id": "A-1",
        "total": "89.99",
        "currency": "USD",
        "items": [
            {"product_id": "P1", "name": "Shirt", "category": "Apparel", "quantity": 1, "price": "89.99"},
        ],
    },
}
RESULT_EXAMPLE: dict[str, Any] = {
    "event_id": "evt_8c7e0d6d2b9f4f0f9a51c0de5b1e7a11",
    "profile_id": "cus_5d41402abc4b2a76b9719d911017c592",
    "decision": "created",
    "merged_profile_ids": [],
    "merge_id": None,
    "review_id": None,
    "duplicate": False,
    "warnings": [],
}
EVENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type"],
    "additionalProperties": False,
    "properties": {
        "type": {
            "type": "string",
            "description": "A known type or your own snake_case name; `event_type` is taken too.",
        },
        "event_type": {"type": "string", "deprecated": True},
        "channel": {"type": "string"},
        "source": {"type": "string"},
        "occurred_at": {"type": "string", "format": "date-time", "description": "`timestamp` is taken too."},
        "timestamp": {"type": "string", "format": "date-time", "deprecated": True},
        "message_id": {
            "type": "string",
            "description": "Your idempotency key; the header Idempotency-Key says the same.",
        },
        "identifiers": {
            "type": "object",
            "additionalProperties": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        },
        "trust": {"type": "string", "enum": ["verified", "transaction", "declared", "imported"]},
        "payload": {"type": "object"},
    },
}
BATCH_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["events"],
    "additionalProperties": False,
    "properties": {"events": {"type": "array", "maxItems": 1000, "items": EVENT_SCHEMA}},
}


class EventOutcome(Shape):
    """What was decided about one event; `profile_id` is the live profile."""

    model_config = example(RESULT_EXAMPLE)

    event_id: str
    profile_id: str | None
    decision: str
    merged_profile_ids: list[str]
    merge_id: str | None
    review_id: str | None
    duplicate: bool
    warnings: list[str]


class BatchOutcome(Shape):
    """One entry for each event, in the order sent: its outcome, or `{"error": problem}`."""

    model_config = example({"accepted": 1, "rejected": 0, "results": [RESULT_EXAMPLE]})

    accepted: int
    rejected: int
    results: list[dict[str, Any]]


class StoredEvent(Shape):
    """An event as stored, with its decision."""

    model_config = example({
        **{name: RESULT_EXAMPLE[name] for name in ("event_id", "profile_id", "decision", "merged_profile_ids")},
        "type": "purchase",
        "channel": "website",
        "source": "shop",
        "occurred_at": "2026-11-01T12:00:00Z",
        "received_at": "2026-11-01T12:00:01Z",
        "identifiers": {"email": ["a@example.com"]},
        "payload": EVENT_EXAMPLE["payload"],
        "amount": "89.99",
        "currency": "USD",
        "warnings": [],
    })  # fmt: skip

    event_id: str
    type: str
    channel: str | None
    source: str | None
    occurred_at: str
    received_at: str
    decision: str
    profile_id: str | None
    identifiers: dict[str, list[str]]
    payload: dict[str, Any]
    amount: str | None
    currency: str | None
    warnings: list[str]


class WebhookOutcome(EventOutcome):
    """As a single event's outcome; `results` when the delivery holds several, `ignored` when it holds none."""

    model_config = example({**RESULT_EXAMPLE, "results": [RESULT_EXAMPLE]})

    results: list[dict[str, Any]] | None = None
    ignored: str | None = None
