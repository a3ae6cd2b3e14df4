"""Why two identifiers are one person, or are not, from `insight`."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.openapi import answers
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.why import Why
from insight.why import explain

router = APIRouter(prefix="/api/customer360", tags=["customer360"], route_class=GuardedRoute)

Side = Annotated[str, Query(description="`type:value` in any spelling, or a profile or persona id.")]


@router.get(
    "/{profile_id}/why",
    summary="Why two identifiers are one person, or are not",
    operation_id="explain_why",
    responses=answers(Why, 401, 403, 404, 422, 503),
)
@needs("read")
def read_why(profile_id: str, a: Side, b: Side, caller: CallerDep, services: ServicesDep) -> Response:
    """The shortest chain of evidence, its weakest link and what would fall apart without it; else what blocks them."""
    settings = services.directory.settings(caller.brand)
    return JsonAnswer(explain(services.graph, settings, profile_id, a, b))
