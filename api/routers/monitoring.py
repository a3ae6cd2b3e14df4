"""Health for people and load balancers; open to anybody, tells nothing about any brand."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import is_open
from api.openapi import answers
from api.routes import GuardedRoute
from api.schemas.monitoring import Health
from api.wiring import services_of

router = APIRouter(prefix="/api/monitoring", tags=["monitoring"], route_class=GuardedRoute)


@router.get("/health", summary="How the service is", operation_id="get_health", responses=answers(Health))
@is_open()
async def read_health(request: Request) -> Response:
    """Always 200 while the process lives; `degraded` names what is away."""
    return JsonAnswer(await services_of(request).health.report())


@router.get(
    "/health/ready",
    summary="Whether events can be accepted",
    operation_id="get_readiness",
    responses={**answers(Health), 503: {"description": "Events cannot be accepted now; `checks` says why."}},
)
@is_open()
async def read_readiness(request: Request) -> Response:
    """200 only when events can be accepted, else 503."""
    is_ready, checks = await services_of(request).health.readiness()
    body = {"status": "ok" if is_ready else "unavailable", "checks": checks}
    return JsonAnswer(body, 200 if is_ready else 503, None if is_ready else {"Retry-After": "2"})
