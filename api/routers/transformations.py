"""Transformations over HTTP: versions of a brand's steps, a preview on one event, which version counts."""

import uuid
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.bodies import EVENT_LIMIT
from api.idempotency import CommandDep
from api.openapi import answers
from api.params import PageDep
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.event_shapes import (
    StepsActivation,
    StepsCommand,
    StepsPreview,
    StepsPreviewed,
    TransformationSetList,
    TransformationSetShape,
)
from core.clock import utc_now
from core.events import RawEvent
from core.transformations import steps_from_data, steps_to_data
from graph.repositories import transformations as repository
from ingest.steps import parse_event
from ingest.steps.conform import violations_of
from ingest.steps.transform import apply_steps

router = APIRouter(prefix="/api/transformations", tags=["events"], route_class=GuardedRoute)


@router.get(
    "", summary="Versions of the transformations", operation_id="list_transformations",
    responses=answers(TransformationSetList, 401, 403, 422, 503),
)  # fmt: skip
@needs("read")
def list_sets(page: PageDep, caller: CallerDep, services: ServicesDep) -> Response:
    """Newest first; none is active where events are taken as they come."""
    return JsonAnswer(repository.list_sets(services.graph, caller.brand, page))


@router.post(
    "", status_code=201, summary="A new version of the transformations", operation_id="create_transformations",
    responses=answers(TransformationSetShape, 400, 401, 403, 409, 422, 503, status=201, description="Stored."),
)  # fmt: skip
@needs("admin")
def post_set(body: StepsCommand, command: CommandDep) -> Response:
    """All steps in their order; it does nothing until it is activated."""
    graph, brand = command.services.graph, command.caller.brand
    steps = steps_from_data(body.steps)
    op = uuid.uuid4().hex

    def work() -> dict[str, Any]:
        version = repository.create_set(graph, brand, steps, note=body.note, by=command.actor, op=op)
        return {"version": version, "steps": steps_to_data(steps), "note": body.note, "is_active": False}

    return command.run(work, status=201)


@router.post(
    "/preview", summary="What steps make of an event", operation_id="preview_transformations",
    responses=answers(StepsPreviewed, 400, 401, 403, 413, 422, 503),
)  # fmt: skip
@needs("admin", body_limit=EVENT_LIMIT)
def post_preview(body: StepsPreview, caller: CallerDep, services: ServicesDep) -> Response:
    """The event before and after, and what its schema says then; writes nothing. Hashes are those of the brand."""
    settings = services.directory.settings(caller.brand)
    raw = parse_event(body.event, settings, utc_now())
    steps = settings.transformations if body.steps is None else steps_from_data(body.steps)
    wanted = [step for step in steps if step.concerns(raw.source, raw.type)]
    changed = apply_steps(raw, wanted, settings.hash_key)
    return JsonAnswer({
        "before": _shown(raw),
        "after": _shown(changed),
        "steps_applied": len(wanted),
        "warnings": changed.warnings,
        "violations": [asdict(violation) for violation in violations_of(changed, settings)],
    })  # fmt: skip


@router.post(
    "/{version}/activate", summary="Let a version count", operation_id="activate_transformations",
    responses=answers(TransformationSetShape, 400, 401, 403, 404, 409, 422, 503),
)  # fmt: skip
@needs("admin")
def post_activation(version: str, command: CommandDep, body: StepsActivation | None = None) -> Response:
    """`none` lets events be taken as they come. It counts here at once and within seconds everywhere."""
    graph, brand = command.services.graph, command.caller.brand
    reason = (body.reason if body else None) or ""

    def work() -> dict[str, Any]:
        repository.activate_set(graph, brand, version, by=command.actor, reason=reason)
        return {"version": version, "steps": repository.get_steps(graph, brand, version), "is_active": True}

    answer = command.run(work)
    command.services.directory.forget_settings(brand)
    return answer


def _shown(raw: RawEvent) -> dict[str, Any]:
    identifiers: dict[str, list[Any]] = {}
    for kind, value in raw.identifiers:
        identifiers.setdefault(kind, []).append(value)
    order = raw.order
    return {
        "payload": raw.payload,
        "traits": raw.traits,
        "identifiers": identifiers,
        "order": None if order is None else {"kind": order.kind, "order_id": order.order_id, "total": order.total},
    }
