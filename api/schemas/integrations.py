"""Integrations as they are shown and set: addresses, accounts, secrets, mappings, last deliveries, message states."""

from typing import Any

from pydantic import Field

from api.schemas.base import Command, Shape, example

_DELIVERY: dict[str, Any] = {
    "at": "2026-11-01T12:00:00Z",
    "status": 200,
    "outcome": "created",
    "milliseconds": 6.4,
    "topic": "orders/create",
    "field": None,
    "reason": None,
    "events": 1,
    "duplicates": 0,
    "rejected": 0,
    "event_ids": ["evt_8c7e0d6d2b9f4f0f9a51c0de5b1e7a11"],
}
_INTEGRATION: dict[str, Any] = {
    "source": "shopify",
    "webhook_path": "/api/integrations/shopify/webhook/<endpoint_id>",
    "webhook_url": "https://constintel.example/api/integrations/shopify/webhook/<endpoint_id>",
    "account": "first.example",
    "mapping": {},
    "created_at": "2026-10-01T12:00:00Z",
    "rotated_at": None,
    "old_secret_until": None,
    "old_addresses": [],
    "last_delivery": _DELIVERY,
}


class Integration(Shape):
    """A source: where it sends, whose account it is, what it last sent; secrets are not shown."""

    model_config = example(_INTEGRATION)

    source: str
    webhook_path: str
    webhook_url: str
    account: str | None
    mapping: dict[str, str]
    created_at: str | None
    rotated_at: str | None
    old_secret_until: str | None
    old_addresses: list[dict[str, Any]]
    last_delivery: dict[str, Any] | None


class IntegrationList(Shape):
    """All sources of the brand."""

    model_config = example({"items": [_INTEGRATION], "next_cursor": None})

    items: list[dict[str, Any]]
    next_cursor: str | None


class RotateSecretCommand(Command):
    """Another secret: the sender's own where it makes one (Stripe, Twilio, Zendesk, Shopify), else a fresh one."""

    model_config = example({"secret": None, "new_address": False, "overlap_hours": 24})

    secret: str | None = Field(default=None, min_length=8, max_length=255, pattern=r"^[\x21-\x7e]+$")
    new_address: bool = False
    overlap_hours: float = Field(default=24, ge=0, le=720, description="How long old secret and address still work.")


class RotatedSecret(Shape):
    """The secret and address that hold from now on; the secret is shown only here."""

    model_config = example({
        "source": "stripe",
        "secret": "<secret>",
        "webhook_path": "/api/integrations/stripe/webhook/<endpoint_id>",
        "webhook_url": "https://constintel.example/api/integrations/stripe/webhook/<endpoint_id>",
        "old_works_until": "2026-11-02T12:00:00Z",
    })  # fmt: skip

    source: str
    secret: str
    webhook_path: str
    webhook_url: str
    old_works_until: str


class AccountCommand(Command):
    """The shop domain, account sid or store that sends to the shared address; null takes it away."""

    model_config = example({"account": "first.example"})

    account: str | None = Field(max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")


class MappingCommand(Command):
    """Our name of a field to where the till's body holds it; an empty mapping takes it away."""

    model_config = example({"mapping": {"transaction_id": "bill.no", "items": "bill.rows", "items.price": "net"}})

    mapping: dict[str, str]


class DeliveryList(Shape):
    """The newest deliveries, at most 100 are kept for 30 days; no bodies."""

    model_config = example({"items": [_DELIVERY]})

    items: list[dict[str, Any]]


class MessageState(Shape):
    """How far a message came; `states` are all that were told, in their order on the way."""

    model_config = example({
        "message_id": "SM0123456789abcdef0123456789abcdef",
        "account": "AC0123456789abcdef0123456789abcdef",
        "channel": "whatsapp",
        "status": "read",
        "error_code": None,
        "states": [
            {"status": "read", "event_id": "evt_8c7e0d6d2b9f4f0f9a51c0de5b1e7a11", "at": "2026-11-01T12:00:00Z"},
        ],
    })  # fmt: skip

    message_id: str
    account: str
    channel: str
    status: str
    error_code: str | None
    states: list[dict[str, Any]]
