"""Deliveries for the source tests: fixture bodies, signed the way the real senders sign."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.brand import BrandSettings
from core.catalogue import Record
from core.events import IncomingEvent, RawEvent
from ingest.sources import SOURCES, WebhookRequest
from ingest.steps import to_incoming

FIXTURES = Path(__file__).parents[2] / "fixtures" / "webhooks"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
BRAND = BrandSettings(id="demo")
SECRET = "a secret of the sender"
URL = "https://constintel.example/api/integrations/twilio/webhook/abc"


def fixture(name: str) -> dict[str, Any]:
    """A JSON fixture as an object that a test may change."""
    body: dict[str, Any] = json.loads((FIXTURES / name).read_text())
    return body


def delivery(headers: dict[str, str], body: bytes | dict[str, Any] | list[Any], url: str = URL) -> WebhookRequest:
    """A request as the door hands it over: header names in lower case."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return WebhookRequest({name.lower(): value for name, value in headers.items()}, raw, url, NOW)


def read(source: str, request: WebhookRequest, settings: BrandSettings = BRAND) -> list[RawEvent]:
    """What the source reads out of a delivery; fails on what could not be read."""
    events = []
    for found in SOURCES[source].parse(request, settings):
        if not isinstance(found, RawEvent):
            raise found.error
        events.append(found)
    return events


def records(source: str, request: WebhookRequest, settings: BrandSettings = BRAND) -> list[Record]:
    """What the source reads beside events."""
    return SOURCES[source].records(request, settings)


def incoming(event: RawEvent, settings: BrandSettings = BRAND) -> IncomingEvent:
    """The event as the commit takes it."""
    return to_incoming(event, settings, NOW)


def identifiers(event: RawEvent, settings: BrandSettings = BRAND) -> set[tuple[str, str]]:
    """(type, normal form) of all identifiers of an event."""
    return {(found.type, found.value) for found in incoming(event, settings).identifiers}
