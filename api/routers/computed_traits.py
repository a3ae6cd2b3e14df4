"""Computed traits over HTTP: definitions with their backfill, and a preview on one profile."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.idempotency import CommandDep
from api.openapi import answers
from api.params import PageDep
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.computed_traits import (
    ComputedTrait,
    ComputedTraitDeleted,
    ComputedTraitPage,
    TraitCommand,
    TraitPreview,
    TraitPreviewed,
    TraitShape,
)
from core.clock import utc_now
from core.errors import NotFoundError
from core.trait_definitions import TraitDefinition, definition_from_data
from graph.driver import Graph
from graph.repositories import trait_definitions as repository
from graph.repositories.model_runs import RunKind, start_run
from graph.repositories.trait_definitions import READY, Change
from insight.computed_traits.refresh import values_of
from insight.computed_traits.show import shown_value

router = APIRouter(prefix="/api/traits/computed", tags=["features"], route_class=GuardedRoute)


@router.post(
    "", status_code=201, summary="Define a computed trait", operation_id="create_computed_trait",
    responses=answers(ComputedTrait, 400, 401, 403, 409, 422, 503, status=201, description="It is being computed."),
)  # fmt: skip
@needs("admin")
def post_trait(body: TraitCommand, command: CommandDep) -> Response:
    """All profiles get its value by a run that begins now; changed profiles get theirs within seconds from now on."""
    definition = definition_from_data(body.as_data(body.name))
    graph, brand = command.services.graph, command.caller.brand
    return command.run(lambda: _put(graph, brand, definition, command.actor, must_be_new=True), status=201)


@router.get(
    "", summary="Computed traits", operation_id="list_computed_traits",
    responses=answers(ComputedTraitPage, 401, 403, 422, 503),
)  # fmt: skip
@needs("read")
def list_traits(page: PageDep, caller: CallerDep, services: ServicesDep) -> Response:
    """By name, each with how far it is computed."""
    return JsonAnswer(repository.list_definitions(services.graph, caller.brand, page))


@router.post(
    "/preview", summary="Try a computed trait on a profile", operation_id="preview_computed_trait",
    responses=answers(TraitPreviewed, 400, 401, 403, 404, 422, 503),
)  # fmt: skip
@needs("read")
def post_preview(body: TraitPreview, caller: CallerDep, services: ServicesDep) -> Response:
    """What the definition would say of one customer now; stores nothing."""
    definition = definition_from_data(body.as_data("preview"))
    found = values_of(services.graph, caller.brand, definition, body.profile_id, utc_now())
    if not found:
        raise NotFoundError("No such profile.")
    type_ = definition.type.value
    value = shown_value(found["value"], type_, found["currency"])
    return JsonAnswer({**found, "value": value, "type": type_})


@router.get(
    "/{trait_name}", summary="One computed trait", operation_id="get_computed_trait",
    responses=answers(ComputedTrait, 401, 403, 404, 503),
)  # fmt: skip
@needs("read")
def get_trait(trait_name: str, caller: CallerDep, services: ServicesDep) -> Response:
    """Its definition and how far it is computed."""
    return JsonAnswer(repository.get_definition(services.graph, caller.brand, trait_name))


@router.put(
    "/{trait_name}", summary="Define or replace a computed trait", operation_id="put_computed_trait",
    responses=answers(ComputedTrait, 400, 401, 403, 409, 422, 503),
)  # fmt: skip
@needs("admin")
def put_trait(trait_name: str, body: TraitShape, caller: CallerDep, services: ServicesDep) -> Response:
    """An equal definition changes nothing, but a backfill that was stopped goes on; a changed one is computed anew."""
    definition = definition_from_data(body.as_data(trait_name))
    return JsonAnswer(_put(services.graph, caller.brand, definition, f"key:{caller.key_id}"))


@router.delete(
    "/{trait_name}", summary="Take a computed trait away", operation_id="delete_computed_trait",
    responses=answers(ComputedTraitDeleted, 401, 403, 404, 503),
)  # fmt: skip
@needs("admin")
def delete_trait(trait_name: str, caller: CallerDep, services: ServicesDep) -> Response:
    """It is shown to nobody from now on; a run that computes it stops doing so and takes its values away."""
    now = utc_now()
    repository.delete_definition(services.graph, caller.brand, trait_name, now)
    start_run(services.graph, caller.brand, RunKind.TRAITS, {}, by=f"key:{caller.key_id}", now=now)
    return JsonAnswer({"deleted": True})


def _put(
    graph: Graph, brand: str, definition: TraitDefinition, actor: str, *, must_be_new: bool = False
) -> dict[str, Any]:
    """Store the definition and let its backfill wait; a run that is under way takes the change up by itself."""
    now = utc_now()
    repository.put_definition(graph, brand, definition, Change(actor, now), must_be_new=must_be_new)
    stored = repository.get_definition(graph, brand, definition.name)
    if stored["state"] == READY:
        return stored
    start_run(graph, brand, RunKind.TRAITS, {}, by=actor, now=now)
    return repository.get_definition(graph, brand, definition.name)
