"""Schemas of event types and transformations: versions, tests and previews."""

from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.base import Command, Reason, Shape, example
from api.schemas.events import EVENT_EXAMPLE

PURCHASE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["order_id", "total"],
    "properties": {
        "order_id": {"type": "string", "pattern": "^[A-Z]+-[0-9]+$"},
        "total": {"type": ["string", "number"]},
        "currency": {"enum": ["USD", "EUR"]},
    },
}
SCHEMA_EXAMPLE: dict[str, Any] = {
    "type": "purchase", "version": 1, "mode": "reject", "is_active": True, "schema": PURCHASE_SCHEMA, "note": "",
    "created_at": "2026-11-01T12:00:00Z", "created_by": "key:abc", "activated_at": "2026-11-01T12:00:00Z",
}  # fmt: skip
STEPS_EXAMPLE: list[dict[str, Any]] = [
    {"op": "rename", "field": "payload.betrag", "to": "payload.total", "source": "shop"},
    {"op": "map", "field": "payload.status", "values": {"bezahlt": "paid"}, "type": "purchase"},
    {"op": "rename", "field": "payload.items[].sku", "to": "payload.items[].product_id"},
    {"op": "hash", "field": "traits.tax_number"},
    {"op": "drop", "field": "identifiers.card_last4"},
]
SET_EXAMPLE: dict[str, Any] = {
    "version": "t1", "steps": STEPS_EXAMPLE, "note": "the shop's own names", "is_active": True,
    "created_at": "2026-11-01T12:00:00Z", "created_by": "key:abc", "activated_at": "2026-11-01T12:00:00Z",
}  # fmt: skip

EventType = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,99}$")]
Mode = Annotated[
    Literal["warn", "reject"], Field(description="`reject` refuses what does not fit, `warn` only says so.")
]
Note = Annotated[str, Field(max_length=1000)]
Steps = Annotated[
    list[dict[str, Any]],
    Field(
        description="Done in this order. `op` is rename (`to`), map (`values`, `default`), drop or hash; `field` is a "
        "path below payload or traits, `name[]` stands for each item of a list; drop takes identifiers.TYPE too. "
        "`source` and `type` choose the events."
    ),
]


class SchemaCommand(Command):
    """A new version of the schema of a type's payload, in JSON Schema draft 2020-12; `format` is a remark only."""

    model_config = example({"type": "purchase", "schema": PURCHASE_SCHEMA, "mode": "reject", "activate": True})

    type: EventType
    schema_: Annotated[dict[str, Any], Field(alias="schema")]
    mode: Mode = "warn"
    note: Note = ""
    activate: bool = False


class SchemaActivation(Command):
    """In which mode the version is to count; without it in its own."""

    model_config = example({"mode": "reject"})

    mode: Mode | None = None


class SchemaTest(Command):
    """A payload, and the schema that it is held against: one in the body, a stored version, else the active one."""

    model_config = example({"type": "purchase", "payload": {"order_id": "A-1", "total": "89.99"}})

    type: EventType
    payload: dict[str, Any]
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    version: Annotated[int | None, Field(ge=1, le=1_000_000)] = None


class DeactivateCommand(Command):
    """Nothing needs to be said."""

    model_config = example({})


class EventSchemaShape(Shape):
    """One version of an event type's schema."""

    model_config = example(SCHEMA_EXAMPLE)

    type: str
    version: int
    mode: str
    is_active: bool


class EventSchemaList(Shape):
    """Schemas in order of type, newest version first."""

    model_config = example({"items": [SCHEMA_EXAMPLE], "next_cursor": None})

    items: list[dict[str, Any]]
    next_cursor: str | None


class SchemaTested(Shape):
    """What does not fit; a field is named, its value never."""

    model_config = example({"valid": False, "violations": [{"field": "payload.total", "reason": "missing"}]})

    valid: bool
    violations: list[dict[str, str]]


class TypeReleased(Shape):
    """The type has no schema any more."""

    model_config = example({"type": "purchase", "is_active": False})

    type: str
    is_active: bool


class StepsCommand(Command):
    """A new version of the brand's transformations: all of its steps."""

    model_config = example({"steps": STEPS_EXAMPLE, "note": "the shop's own names"})

    steps: Steps
    note: Note = ""


class StepsPreview(Command):
    """An event as it would be sent to `POST /api/events`, and steps to try; without them those that count now."""

    model_config = example({"event": EVENT_EXAMPLE, "steps": STEPS_EXAMPLE})

    event: dict[str, Any]
    steps: Annotated[list[dict[str, Any]] | None, Field(description="As in a new version.")] = None


class StepsActivation(Command):
    """Why this version is to count."""

    model_config = example({"reason": "previewed, looks right"})

    reason: Reason = None


class TransformationSetShape(Shape):
    """One version of a brand's transformations."""

    model_config = example(SET_EXAMPLE)

    version: str
    steps: list[dict[str, Any]]
    is_active: bool


class TransformationSetList(Shape):
    """Versions, newest first."""

    model_config = example({"items": [SET_EXAMPLE], "next_cursor": None})

    items: list[dict[str, Any]]
    next_cursor: str | None


class StepsPreviewed(Shape):
    """The event before and after the steps, and what the schema of its type would say of it then."""

    model_config = example({
        "before": {"payload": {"betrag": "10.00"}, "traits": {}, "identifiers": {"email": ["a@example.com"]}},
        "after": {"payload": {"total": "10.00"}, "traits": {}, "identifiers": {"email": ["a@example.com"]}},
        "warnings": [], "violations": [],
    })  # fmt: skip

    before: dict[str, Any]
    after: dict[str, Any]
    warnings: list[str]
    violations: list[dict[str, str]]
