"""Step normalise: from what a source told (RawEvent) to what the commit takes (IncomingEvent)."""

from datetime import datetime

from core.brand import BrandSettings
from core.clock import MAX_CLOCK_AHEAD, format_time
from core.errors import InvalidInputError, TooLargeError
from core.events import IncomingEvent, RawEvent
from core.normal_forms import normalise_all
from core.strict_json import to_json
from ingest.steps.conform import SchemaViolationError, as_warnings, rejects, violations_of
from ingest.steps.identify_event import content_digest, event_id, fingerprint
from ingest.steps.orders import order_fact
from ingest.steps.signals import read_signal
from ingest.steps.transform import transformed
from ingest.steps.visits import read_visit

MAX_EVENT_BYTES = 1024 * 1024
MAX_IDENTIFIERS = 100
AHEAD = "occurred_at: more than 24 hours ahead, counted as received now"


def to_incoming(raw: RawEvent, settings: BrandSettings, received_at: datetime) -> IncomingEvent:
    """Normalise `raw` for its brand; `received_at` stands in for a missing time and for one over 24 hours ahead.

    Raises TooLargeError for a payload over 1 MB, InvalidInputError for more than 100 identifiers, SchemaViolationError
    for an event that the brand's schema of its type refuses.
    """
    if len(raw.identifiers) > MAX_IDENTIFIERS:
        raise InvalidInputError(f"identifiers: more than {MAX_IDENTIFIERS} values", field="identifiers")
    identifiers, left_out = normalise_all(raw.identifiers, settings)
    digest = content_digest(raw, identifiers)
    identity = event_id(raw, settings.id, digest)
    if settings.transformations:
        raw = transformed(raw, settings)
        identifiers, left_out = normalise_all(raw.identifiers, settings)
    warnings = [*raw.warnings, *left_out]
    violations = violations_of(raw, settings) if settings.event_schemas else []
    warnings += as_warnings(violations)
    occurred_at = raw.occurred_at or received_at
    payload = raw.payload
    if occurred_at - received_at > MAX_CLOCK_AHEAD:
        warnings.append(AHEAD)
        payload = {"stated_at": format_time(occurred_at), **payload}
        occurred_at = received_at
    order = order_fact(raw, identity, settings, warnings)
    signal, products = read_signal(raw.type, raw.payload)
    event = IncomingEvent(
        id=identity,
        brand=settings.id,
        type=raw.type,
        channel=raw.channel,
        source=raw.source,
        occurred_at=occurred_at,
        received_at=received_at,
        payload=_payload_text(payload),
        identifiers=identifiers,
        trust=raw.trust,
        fingerprint=fingerprint(digest),
        order=order,
        traits=to_json(raw.traits) if raw.traits else "",
        warnings=tuple(dict.fromkeys(warnings)),
        signal=signal,
        products=products,
        visit=read_visit(raw.type, raw.payload, occurred_at),
        persona_id=raw.persona_id,
        is_alias=raw.is_alias,
    )
    if violations and rejects(raw.type, settings):
        raise SchemaViolationError(violations, event)
    return event


def _payload_text(payload: dict[str, object]) -> str:
    text = to_json(payload)
    # Characters first: they are counted already, and no text of few characters is over the limit in bytes.
    if len(text) * 4 > MAX_EVENT_BYTES and len(text.encode()) > MAX_EVENT_BYTES:
        raise TooLargeError("payload: the event is over 1 MB", field="payload")
    return text
