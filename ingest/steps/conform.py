"""Step conform: holds a payload against the schema that the brand made for its type."""

from core.brand import REJECT, BrandSettings
from core.errors import InvalidInputError
from core.event_schemas import Violation, find_violations
from core.events import IncomingEvent, RawEvent

# What tracking libraries send around an event is no part of it.
_AROUND = "_message"
_MOST_NAMED = 3


class SchemaViolationError(InvalidInputError):
    """The event does not fit the schema of its type; `event` is what it would have been."""

    code = "schema_violation"

    def __init__(self, violations: list[Violation], event: IncomingEvent) -> None:
        first = violations[0]
        others = [f"{violation.field}: {violation.reason}" for violation in violations[1:_MOST_NAMED]]
        super().__init__("; ".join([f"{first.field}: {first.reason}", *others]), field=first.field)
        self.event = event


def violations_of(raw: RawEvent, settings: BrandSettings) -> list[Violation]:
    """What in the event does not fit; empty when it fits or its type has no schema."""
    schema = settings.event_schemas.get(raw.type)
    if schema is None:
        return []
    payload = raw.payload
    if _AROUND in payload:
        payload = {name: value for name, value in payload.items() if name != _AROUND}
    return find_violations(schema.text, payload)


def rejects(event_type: str, settings: BrandSettings) -> bool:
    """Whether an event of this type that does not fit is refused."""
    schema = settings.event_schemas.get(event_type)
    return schema is not None and schema.mode == REJECT


def as_warnings(violations: list[Violation]) -> list[str]:
    """Violations as an event's warnings."""
    return [f"schema: {violation.field}: {violation.reason}" for violation in violations]
