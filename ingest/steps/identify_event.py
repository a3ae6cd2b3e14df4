"""Step identify: gives an event its id, so that the same event is the same id however often and by whom it is sent."""

from hashlib import blake2b
from uuid import uuid4

from core.clock import format_time
from core.events import RawEvent
from core.identifiers import Identifier
from core.strict_json import canonical_json

_ID_BYTES = 16
_FINGERPRINT_CHARACTERS = 16


def content_digest(raw: RawEvent, identifiers: tuple[Identifier, ...]) -> str:
    """Digest of source, type, stated time, identifiers and payload; order of names and identifiers is no content."""
    content = [
        raw.source,
        raw.type,
        format_time(raw.occurred_at) if raw.occurred_at else None,
        sorted((found.type, found.value) for found in identifiers),
        raw.payload,
    ]
    return blake2b(canonical_json(content), digest_size=_ID_BYTES).hexdigest()


def fingerprint(digest: str) -> str:
    """The part of a content digest that is kept with the event, to tell a repeat from a different event."""
    return digest[:_FINGERPRINT_CHARACTERS]


def event_id(raw: RawEvent, brand: str, digest: str) -> str:
    """The event's id: from its idempotency key within (brand, way, source instance), else from its content.

    Without a key and without a time two equal events are two events: the id is random.
    """
    if raw.idempotency_key is not None:
        name = canonical_json(["key", brand, raw.way, raw.source_instance, raw.idempotency_key])
    elif raw.occurred_at is not None:
        name = canonical_json(["content", brand, digest])
    else:
        return f"evt_{uuid4().hex}"
    return f"evt_{blake2b(name, digest_size=_ID_BYTES).hexdigest()}"
