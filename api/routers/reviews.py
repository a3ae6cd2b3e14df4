"""The review queue: merges that wait for a person; the decisions are in `stewardship.py`."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.openapi import answers
from api.params import PageDep
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.reviews import Review, ReviewPage
from graph.repositories.reviews_read import get_review, list_reviews

router = APIRouter(prefix="/api/reviews", tags=["reviews"], route_class=GuardedRoute)


@router.get(
    "", summary="Reviews, newest first", operation_id="list_reviews", responses=answers(ReviewPage, 401, 403, 422, 503)
)
@needs("read")
def read_reviews(
    caller: CallerDep,
    services: ServicesDep,
    page: PageDep,
    status: Annotated[str | None, Query(description="pending, approved, rejected or merged; all without it.")] = None,
) -> Response:
    """One page of the queue."""
    return JsonAnswer(list_reviews(services.graph, caller.brand, page, status))


@router.get(
    "/{review_id}", summary="One review", operation_id="get_review", responses=answers(Review, 401, 403, 404, 503)
)
@needs("read")
def read_review(review_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """The review with its profiles and reasons."""
    return JsonAnswer(get_review(services.graph, caller.brand, review_id))
