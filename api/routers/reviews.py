"""The review queue: lists, groups, age, previews; deciding is in `stewardship.py` and `bulk_reviews.py`."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.openapi import answers
from api.params import PageDep
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.reviews import (
    Review,
    ReviewGroupPage,
    ReviewPage,
    ReviewPreview,
    ReviewSettings,
    ReviewSettingsCommand,
    ReviewSummary,
)
from core.brand import BrandSettings
from core.errors import InvalidInputError
from graph.repositories.review_settings import save_overdue_hours
from graph.repositories.reviews_read import (
    NEWEST,
    PENDING,
    Ageing,
    ReviewFilter,
    count_waiting,
    evidence,
    get_review,
    list_reviews,
)
from insight.review_groups import list_groups
from insight.review_preview import preview_review

router = APIRouter(prefix="/api/reviews", tags=["reviews"], route_class=GuardedRoute)

_MAX_HOURS = 24 * 365 * 50
_Hours = Annotated[float | None, Query(ge=0, le=_MAX_HOURS, description="Hours since the review was opened.")]


async def read_filter(
    status: Annotated[str | None, Query(description="pending, approved, rejected or merged; all without it.")] = None,
    kind: Annotated[str | None, Query(description="rules or suggestion.")] = None,
    profile_id: Annotated[str | None, Query(description="Proposes this profile or one that it absorbed.")] = None,
    identifier: Annotated[str | None, Query(description="Evidence as type:value, in any spelling.")] = None,
    rule: Annotated[str | None, Query(description="What it waits for, such as threshold or unique_id.")] = None,
    sort: Annotated[str, Query(description="newest or oldest first.")] = NEWEST,
) -> ReviewFilter:
    """What a page of reviews is limited to, besides age."""
    return ReviewFilter(status, kind, identifier, rule, profile_id, sort=sort)


async def read_age(
    overdue: Annotated[bool | None, Query(description="Pending ones that wait too long, or those that do not.")] = None,
    min_age_hours: _Hours = None,
    max_age_hours: _Hours = None,
) -> tuple[bool | None, float | None, float | None]:
    """How old the reviews of a page are."""
    return overdue, min_age_hours, max_age_hours


Age = tuple[bool | None, float | None, float | None]


@router.get("", summary="Reviews", operation_id="list_reviews", responses=answers(ReviewPage, 401, 403, 422, 503))
@needs("read")
def read_reviews(
    caller: CallerDep,
    services: ServicesDep,
    page: PageDep,
    where: Annotated[ReviewFilter, Depends(read_filter)],
    age: Annotated[Age, Depends(read_age)],
) -> Response:
    """One page of the queue, newest first unless asked otherwise; filters narrow each other."""
    brand = services.directory.settings(caller.brand)
    ageing = _ageing(brand)
    where = _of_age(where, age, ageing)
    if where.identifier is not None:
        found = evidence(where.identifier, brand)
        if found is None:
            where.check()
            return JsonAnswer({"items": [], "next_cursor": None})
        where = replace(where, identifier=found)
    return JsonAnswer(list_reviews(services.graph, caller.brand, page, where=where, ageing=ageing))


@router.get(
    "/groups",
    summary="Pending reviews by shared cause",
    operation_id="list_review_groups",
    responses=answers(ReviewGroupPage, 401, 403, 422, 503),
)
@needs("read")
def read_groups(caller: CallerDep, services: ServicesDep, page: PageDep) -> Response:
    """Groups of reviews that share identifiers and a rule, largest first; a bulk decision takes them as they are."""
    ageing = _ageing(services.directory.settings(caller.brand))
    return JsonAnswer(list_groups(services.graph, caller.brand, page, ageing))


@router.get(
    "/summary",
    summary="Length and age of the queue",
    operation_id="get_review_summary",
    responses=answers(ReviewSummary, 401, 403, 503),
)
@needs("read")
def read_summary(caller: CallerDep, services: ServicesDep) -> Response:
    """How many reviews wait, how many too long, for how long the oldest does, and why."""
    ageing = _ageing(services.directory.settings(caller.brand))
    return JsonAnswer(count_waiting(services.graph, caller.brand, ageing))


@router.get(
    "/settings",
    summary="When a review is overdue",
    operation_id="get_review_settings",
    responses=answers(ReviewSettings, 401, 403, 503),
)
@needs("read")
def read_settings(caller: CallerDep, services: ServicesDep) -> Response:
    """The brand's settings of the queue."""
    return JsonAnswer({"overdue_hours": services.directory.settings(caller.brand).review_overdue_hours})


@router.put(
    "/settings",
    summary="Set when a review is overdue",
    operation_id="put_review_settings",
    responses=answers(ReviewSettings, 400, 401, 403, 422, 503),
)
@needs("admin")
def put_settings(body: ReviewSettingsCommand, caller: CallerDep, services: ServicesDep) -> Response:
    """Nothing is decided by it: overdue reviews are shown and counted as such."""
    save_overdue_hours(services.graph, caller.brand, body.overdue_hours)
    services.directory.forget_settings(caller.brand)
    return JsonAnswer({"overdue_hours": body.overdue_hours})


@router.get(
    "/{review_id}", summary="One review", operation_id="get_review", responses=answers(Review, 401, 403, 404, 503)
)
@needs("read")
def read_review(review_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """The review with its profiles and reasons."""
    ageing = _ageing(services.directory.settings(caller.brand))
    return JsonAnswer(get_review(services.graph, caller.brand, review_id, ageing))


@router.get(
    "/{review_id}/preview",
    summary="What approval would do",
    operation_id="preview_review",
    responses=answers(ReviewPreview, 401, 403, 404, 409, 422, 503),
)
@needs("read")
def read_preview(
    review_id: str,
    caller: CallerDep,
    services: ServicesDep,
    profile_ids: Annotated[
        list[str] | None,
        Query(description="Only these become one, as in a split; repeated, or separated by commas."),
    ] = None,
) -> Response:
    """Every profile as it is, the one they would become, what would move, end and break; writes nothing."""
    chosen = [one for text in profile_ids or () for one in text.split(",") if one]
    if profile_ids is not None and not chosen:
        raise InvalidInputError("Name at least two profiles to merge.", field="profile_ids")
    brand = services.directory.settings(caller.brand)
    return JsonAnswer(preview_review(services.graph, brand, review_id, chosen))


def _ageing(brand: BrandSettings) -> Ageing:
    return Ageing(brand.review_overdue_hours)


def _of_age(where: ReviewFilter, age: Age, ageing: Ageing) -> ReviewFilter:
    """The filter with the bounds that the ages asked for mean."""
    overdue, youngest, oldest = age
    opened_by = [] if youngest is None else [ageing.moment - timedelta(hours=youngest)]
    opened_since = [] if oldest is None else [ageing.moment - timedelta(hours=oldest)]
    if overdue is not None:
        if where.status not in (None, PENDING):
            raise InvalidInputError("Only pending reviews can be overdue.", field="overdue")
        where = replace(where, status=PENDING)
        if overdue:
            opened_by.append(ageing.overdue_since)
        else:
            opened_since.append(ageing.overdue_since + _RESOLUTION)
    return replace(where, opened_by=min(opened_by, default=None), opened_since=max(opened_since, default=None))


_RESOLUTION = timedelta(microseconds=1)
