"""Traits over HTTP: every value that was kept, and the strategies that choose one."""

from fastapi import APIRouter
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.openapi import answers
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.traits import Strategies, StrategiesCommand, TraitList
from graph.repositories.traits import (
    list_traits,
    read_strategies,
    save_strategies,
    strategies_from,
    strategies_to_dict,
)

router = APIRouter(prefix="/api", tags=["identity"], route_class=GuardedRoute)


@router.get(
    "/profiles/{profile_id}/traits",
    summary="Every kept trait value",
    operation_id="list_traits",
    responses=answers(TraitList, 401, 403, 404, 503),
)
@needs("read")
def read_traits(profile_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """All values that any source gave, with times and counts, and the chosen one."""
    return JsonAnswer({"items": list_traits(services.graph, caller.brand, profile_id)})


@router.get(
    "/identity/traits/strategies",
    summary="How trait values are chosen",
    operation_id="get_trait_strategies",
    responses=answers(Strategies, 401, 403, 503),
)
@needs("read")
def read_trait_strategies(caller: CallerDep, services: ServicesDep) -> Response:
    """The strategy of each trait; without one the latest value counts."""
    return JsonAnswer({"strategies": strategies_to_dict(read_strategies(services.graph, caller.brand))})


@router.put(
    "/identity/traits/strategies",
    summary="Choose trait values otherwise",
    operation_id="put_trait_strategies",
    responses=answers(Strategies, 400, 401, 403, 422, 503),
)
@needs("admin")
def put_trait_strategies(body: StrategiesCommand, caller: CallerDep, services: ServicesDep) -> Response:
    """Replace the strategies; no value is lost by it."""
    strategies = strategies_from(body.strategies)
    save_strategies(services.graph, caller.brand, strategies)
    return JsonAnswer({"strategies": strategies_to_dict(strategies)})
