"""Segments over HTTP: the grid of recency, frequency and money, and profiles like others; from `ml/audiences`."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.openapi import answers
from api.params import PageDep
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.audiences import LookalikeQuestion, Lookalikes, RfmGrid, RfmMembers
from ml.audiences.lookalike import find_lookalikes
from ml.audiences.rfm import BEST, rfm_grid, rfm_members

router = APIRouter(prefix="/api/segments", tags=["segments"], route_class=GuardedRoute)
Score = Annotated[int, Query(ge=1, le=BEST, description="1 (worst) to 5 (best).")]


@router.get(
    "/rfm",
    summary="The grid of recency, frequency and money",
    operation_id="get_rfm_grid",
    responses=answers(RfmGrid, 401, 403, 503),
)
@needs("read")
def read_rfm(caller: CallerDep, services: ServicesDep) -> Response:
    """How many customers each of the 125 cells has, by their latest scoring; only cells with customers are listed."""
    model = services.models.of(services.graph, caller.brand)
    return JsonAnswer(rfm_grid(services.graph, caller.brand, model))


@router.get(
    "/rfm/members",
    summary="Customers in a cell of the grid",
    operation_id="list_rfm_members",
    responses=answers(RfmMembers, 401, 403, 422, 503),
)
@needs("read")
def read_rfm_members(
    recency: Score,
    frequency: Score,
    caller: CallerDep,
    services: ServicesDep,
    page: PageDep,
    monetary: Annotated[int | None, Query(ge=1, le=BEST, description="Any without it.")] = None,
) -> Response:
    """Customers with these scores, with what is foretold of them."""
    scores = recency, frequency, monetary
    return JsonAnswer(rfm_members(services.graph, caller.brand, scores, page.limit, page.cursor))


@router.post(
    "/lookalike",
    summary="Profiles like given ones",
    operation_id="find_lookalikes",
    responses=answers(Lookalikes, 400, 401, 403, 422, 503),
)
@needs("read")
def post_lookalike(body: LookalikeQuestion, caller: CallerDep, services: ServicesDep) -> Response:
    """Compare what is known of the orders and visits of up to 200 profiles with others; nothing is stored."""
    found = find_lookalikes(services.graph, caller.brand, body.profile_ids, body.limit, body.min_similarity)
    return JsonAnswer(found)
