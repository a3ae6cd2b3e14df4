"""The customer seen whole: 360, timeline and identity graph, from `insight`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.openapi import answers
from api.params import PageDep, read_moment
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.customer360 import Customer360, IdentityGraph, Timeline
from api.schemas.journey import CustomerJourney
from api.wiring import Services
from brands.directory import Caller
from core.errors import NotFoundError
from graph.past import find_past_holder
from graph.repositories.profiles import find_profile_id, read_identifier
from insight.customer_journey import MOST_CONVERSIONS, MOST_WINDOW_DAYS, JourneyQuestion, get_journey
from insight.identity_graph import get_identity_graph
from insight.past360 import get_past360
from insight.profile360 import etag, get_profile360, parse_include
from insight.timeline import TimelineFilter, list_timeline

router = APIRouter(prefix="/api/customer360", tags=["customer360"], route_class=GuardedRoute)

Include = Annotated[str | None, Query(description="Sections, separated by commas; all without it.")]
IfNoneMatch = Annotated[str | None, Header(description="The ETag of an answer you have.")]
Names = Annotated[str | None, Query(description="One or several, separated by commas.")]
Moment = Annotated[str | None, Query(description="RFC 3339 time.")]
At = Annotated[str | None, Query(description="RFC 3339 time: the answer is as of then, by event time; now without it.")]


async def read_filter(
    channel: Names = None,
    type: Names = None,
    from_: Annotated[str | None, Query(alias="from", description="RFC 3339 time.")] = None,
    to: Moment = None,
) -> TimelineFilter:
    """What a timeline is limited to."""
    return TimelineFilter(_names(channel), _names(type), read_moment(from_, "from"), read_moment(to, "to"))


TimelineFilterDep = Annotated[TimelineFilter, Depends(read_filter)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a 360 is wanted: its sections, and as of when (None: now)."""

    sections: frozenset[str]
    at: datetime | None


async def read_asked(include: Include = None, at: At = None) -> Asked:
    """Sections and moment of a 360."""
    return Asked(parse_include(include), read_moment(at, "at"))


AskedDep = Annotated[Asked, Depends(read_asked)]


@router.get(
    "/lookup",
    summary="The 360 of whoever holds an identifier",
    operation_id="lookup_customer360",
    responses=answers(Customer360, 401, 403, 404, 422, 503),
)
@needs("read")
def lookup_customer360(
    type: Annotated[str, Query(description="Identifier type, such as email.")],
    value: Annotated[str, Query(description="The identifier in any spelling.")],
    caller: CallerDep,
    services: ServicesDep,
    asked: AskedDep,
) -> Response:
    """As by id, found by an identifier; with `at` by who held it then."""
    settings = services.directory.settings(caller.brand)
    if asked.at is None:
        profile_id = find_profile_id(services.graph, settings, type, value)
    else:
        identifier = read_identifier(settings, type, value)
        profile_id = identifier and find_past_holder(services.graph, settings, identifier, asked.at)
    if profile_id is None:
        raise NotFoundError("No profile has this identifier." if asked.at is None else "No profile had it then.")
    return answer_360(services, caller, profile_id, asked)


@router.get(
    "/{profile_id}",
    summary="Everything about one customer",
    operation_id="get_customer360",
    responses=answers(Customer360, 401, 403, 404, 422, 503),
)
@needs("read")
def read_customer360(
    profile_id: str,
    caller: CallerDep,
    services: ServicesDep,
    asked: AskedDep,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Overview, identifiers, statistics, merges and more in one call; an absorbed id answers with the survivor."""
    return answer_360(services, caller, profile_id, asked, if_none_match)


@router.get(
    "/{profile_id}/timeline",
    summary="What the customer did, newest first",
    operation_id="list_timeline",
    responses=answers(Timeline, 401, 403, 404, 422, 503),
)
@needs("read")
def read_timeline(
    profile_id: str, caller: CallerDep, services: ServicesDep, page: PageDep, where: TimelineFilterDep
) -> Response:
    """Events, merges and unmerges of the whole cluster, one page at a time."""
    return JsonAnswer(list_timeline(services.graph, caller.brand, profile_id, page, where))


@router.get(
    "/{profile_id}/journey",
    summary="Stages, touchpoints and credits",
    operation_id="get_journey",
    responses=answers(CustomerJourney, 401, 403, 404, 422, 503),
)
@needs("read")
def read_journey(
    profile_id: str,
    caller: CallerDep,
    services: ServicesDep,
    window_days: Annotated[int, Query(ge=1, le=MOST_WINDOW_DAYS, description="Days before each conversion.")] = 30,
    conversions: Annotated[int, Query(ge=0, le=MOST_CONVERSIONS, description="How many of the newest.")] = 10,
    model: Annotated[str | None, Query(description="One of the six models; all without it.")] = None,
) -> Response:
    """Every stage entered with what moved the customer there; every conversion split over its touchpoints."""
    question = JourneyQuestion(window_days, conversions, model)
    return JsonAnswer(get_journey(services.graph, caller.brand, profile_id, question))


@router.get(
    "/{profile_id}/graph",
    summary="The identity graph, ready to draw",
    operation_id="get_identity_graph",
    responses=answers(IdentityGraph, 401, 403, 404, 503),
)
@needs("read")
def read_graph(profile_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """Personas, identifiers, merges, refusals and open reviews of the cluster."""
    return JsonAnswer(get_identity_graph(services.graph, caller.brand, profile_id))


def answer_360(
    services: Services, caller: Caller, profile_id: str, asked: Asked, if_none_match: str | None = None
) -> Response:
    """The 360 with its ETag, 304 when the caller has this version; one of the past has none: late events change it."""
    if asked.at is not None:
        settings = services.directory.settings(caller.brand)
        return JsonAnswer(get_past360(services.graph, settings, profile_id, asked.at, asked.sections))
    profile = get_profile360(services.graph, caller.brand, profile_id, asked.sections)
    return answer_with_etag(profile, if_none_match)


def answer_with_etag(profile: dict[str, object], if_none_match: str | None) -> Response:
    """A profile or 360 with its ETag; 304 when the caller has this version."""
    tag = etag(profile)
    if if_none_match is not None and tag in {part.strip() for part in if_none_match.split(",")}:
        return Response(status_code=304, headers={"ETag": tag})
    return JsonAnswer(profile, 200, {"ETag": tag})


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())
