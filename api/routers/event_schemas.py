"""Schemas of event types over HTTP: versions, which one counts and how strictly, a test without an event."""

import base64
import binascii
import json
import uuid
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.idempotency import CommandDep
from api.openapi import answers
from api.params import PageDep
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.event_shapes import (
    DeactivateCommand,
    EventSchemaList,
    EventSchemaShape,
    SchemaActivation,
    SchemaCommand,
    SchemaTest,
    SchemaTested,
    TypeReleased,
)
from core.errors import InvalidInputError, NotFoundError
from core.event_schemas import check_schema, find_violations
from core.strict_json import to_json
from graph.repositories import event_schemas as repository
from graph.repositories.event_schemas import NewSchema

router = APIRouter(prefix="/api/event-schemas", tags=["events"], route_class=GuardedRoute)

_LONGEST_NUMBER = 9


@router.post(
    "", status_code=201, summary="A new version of a schema", operation_id="create_event_schema",
    responses=answers(EventSchemaShape, 400, 401, 403, 409, 413, 422, 503, status=201, description="Stored."),
)  # fmt: skip
@needs("admin")
def post_schema(body: SchemaCommand, command: CommandDep) -> Response:
    """Checked now: references lead inside, patterns cannot take long. It counts when it is activated."""
    graph, brand = command.services.graph, command.caller.brand
    new = NewSchema(body.type, body.mode, check_schema(body.schema_), body.note, command.actor, uuid.uuid4().hex)

    def work() -> dict[str, Any]:
        version = repository.create_schema(graph, brand, new)
        if body.activate:
            repository.activate_schema(graph, brand, (body.type, version), by=command.actor)
        return repository.get_schema(graph, brand, body.type, version)

    answer = command.run(work, status=201)
    command.services.directory.forget_settings(brand)
    return answer


@router.get(
    "", summary="Schemas of event types", operation_id="list_event_schemas",
    responses=answers(EventSchemaList, 401, 403, 422, 503),
)  # fmt: skip
@needs("read")
def list_schemas(
    page: PageDep,
    caller: CallerDep,
    services: ServicesDep,
    event_type: Annotated[str | None, Query(alias="type", max_length=100, description="Of this type only.")] = None,
    active: Annotated[bool | None, Query(description="Only those that count, or only the others.")] = None,
) -> Response:
    """In order of type, newest version first."""
    found = repository.list_schemas(
        services.graph, caller.brand, _decode(page.cursor), page.size + 1, event_type=event_type, is_active=active
    )
    items = found[: page.size]
    cursor = _encode(items[-1]["type"], items[-1]["version"]) if len(found) > page.size else None
    return JsonAnswer({"items": items, "next_cursor": cursor})


@router.post(
    "/test", summary="Hold a payload against a schema", operation_id="check_event_schema",
    responses=answers(SchemaTested, 400, 401, 403, 404, 413, 422, 503),
)  # fmt: skip
@needs("admin")
def post_test(body: SchemaTest, caller: CallerDep, services: ServicesDep) -> Response:
    """With the schema in the body, the stored `version`, or the one that counts; writes nothing."""
    if body.schema_ is not None:
        text = check_schema(body.schema_)
    elif body.version is not None:
        text = to_json(repository.get_schema(services.graph, caller.brand, body.type, body.version)["schema"])
    else:
        active = services.directory.settings(caller.brand).event_schemas.get(body.type)
        if active is None:
            raise NotFoundError("No schema counts for this type.")
        text = active.text
    violations = [asdict(violation) for violation in find_violations(text, body.payload)]
    return JsonAnswer({"valid": not violations, "violations": violations})


@router.get(
    "/{event_type}/{version}", summary="One version of a schema", operation_id="get_event_schema",
    responses=answers(EventSchemaShape, 401, 403, 404, 422, 503),
)  # fmt: skip
@needs("read")
def get_schema(event_type: str, version: str, caller: CallerDep, services: ServicesDep) -> Response:
    """With the schema itself."""
    return JsonAnswer(repository.get_schema(services.graph, caller.brand, event_type, _number(version)))


@router.post(
    "/{event_type}/{version}/activate", summary="Let a version count", operation_id="activate_event_schema",
    responses=answers(EventSchemaShape, 400, 401, 403, 404, 409, 422, 503),
)  # fmt: skip
@needs("admin")
def post_activation(
    event_type: str, version: str, command: CommandDep, body: SchemaActivation | None = None
) -> Response:
    """From now on here and within seconds everywhere: `reject` answers 422 naming the field, `warn` adds warnings."""
    graph, brand = command.services.graph, command.caller.brand
    mode = body.mode if body is not None else None
    number = _number(version)

    def work() -> dict[str, Any]:
        repository.activate_schema(graph, brand, (event_type, number), by=command.actor, mode=mode)
        return repository.get_schema(graph, brand, event_type, number)

    answer = command.run(work)
    command.services.directory.forget_settings(brand)
    return answer


@router.post(
    "/{event_type}/deactivate", summary="Let no schema count for a type", operation_id="deactivate_event_schema",
    responses=answers(TypeReleased, 400, 401, 403, 404, 409, 422, 503),
)  # fmt: skip
@needs("admin")
def post_deactivation(event_type: str, command: CommandDep, body: DeactivateCommand | None = None) -> Response:
    """Events of the type are taken as they come; all versions stay."""
    graph, brand = command.services.graph, command.caller.brand

    def work() -> dict[str, Any]:
        repository.deactivate_schema(graph, brand, event_type)
        return {"type": event_type, "is_active": False}

    answer = command.run(work)
    command.services.directory.forget_settings(brand)
    return answer


def _number(version: str) -> int:
    """The number of a version in an address; raises NotFoundError for what is none."""
    if not (version.isascii() and version.isdigit() and len(version) <= _LONGEST_NUMBER):
        raise NotFoundError("No such schema.")
    return int(version)


def _encode(event_type: str, version: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([event_type, version]).encode()).decode().rstrip("=")


def _decode(cursor: str | None) -> tuple[str, int]:
    """Type and version of the last schema given out; raises InvalidInputError for a made-up cursor."""
    if not cursor:
        return "", 0
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise InvalidInputError("cursor is not one that this service gave out.", field="cursor") from error
    match parts:
        case [str(event_type), int(version)] if 0 < version < 2**31:
            return event_type, version
    raise InvalidInputError("cursor is not one that this service gave out.", field="cursor")
