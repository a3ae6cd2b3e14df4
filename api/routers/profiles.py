"""Unified profiles: list, look up, read; the steward's commands are in `stewardship.py`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.openapi import answers
from api.params import PageDep, read_moment
from api.routers.customer360 import AskedDep, IfNoneMatch, Moment, answer_360, answer_with_etag
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.customer360 import Customer360
from api.schemas.profiles import MergeHistory, Profile, ProfilePage
from graph.repositories.profiles import ProfileFilter, get_profile, list_merges, list_profiles, lookup_profile

router = APIRouter(prefix="/api/profiles", tags=["profiles"], route_class=GuardedRoute)


async def read_filter(
    min_strength: Annotated[int | None, Query(ge=0, le=100)] = None, seen_from: Moment = None, seen_to: Moment = None
) -> ProfileFilter:
    """What a page of profiles is limited to."""
    return ProfileFilter(min_strength, read_moment(seen_from, "seen_from"), read_moment(seen_to, "seen_to"))


@router.get(
    "",
    summary="Live profiles, newest first",
    operation_id="list_profiles",
    responses=answers(ProfilePage, 401, 403, 422, 503),
)
@needs("read")
def read_profiles(
    caller: CallerDep,
    services: ServicesDep,
    page: PageDep,
    where: Annotated[ProfileFilter, Depends(read_filter)],
    q: Annotated[str | None, Query(description="An identifier or its beginning, of any type.")] = None,
) -> Response:
    """One page of live profiles; absorbed ones are shown by their survivor."""
    settings = services.directory.settings(caller.brand)
    return JsonAnswer(list_profiles(services.graph, settings, page, where, q))


@router.get(
    "/lookup",
    summary="The profile that holds an identifier",
    operation_id="lookup_profile",
    responses=answers(Profile, 401, 403, 404, 422, 503),
)
@needs("read")
def read_lookup(
    type: Annotated[str, Query(description="Identifier type, such as email.")],
    value: Annotated[str, Query(description="The identifier in any spelling.")],
    caller: CallerDep,
    services: ServicesDep,
) -> Response:
    """The live profile, however the identifier is spelt."""
    settings = services.directory.settings(caller.brand)
    return JsonAnswer(lookup_profile(services.graph, settings, type, value))


@router.get(
    "/{profile_id}",
    summary="One profile",
    operation_id="get_profile",
    responses=answers(Profile, 401, 403, 404, 503),
)
@needs("read")
def read_profile(
    profile_id: str, caller: CallerDep, services: ServicesDep, if_none_match: IfNoneMatch = None
) -> Response:
    """The live profile that answers for this id."""
    return answer_with_etag(get_profile(services.graph, caller.brand, profile_id), if_none_match)


@router.get(
    "/{profile_id}/360",
    summary="Everything about one customer",
    operation_id="get_profile_360",
    responses=answers(Customer360, 401, 403, 404, 422, 503),
)
@needs("read")
def read_profile_360(
    profile_id: str,
    caller: CallerDep,
    services: ServicesDep,
    asked: AskedDep,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The same as `/api/customer360/{id}`."""
    return answer_360(services, caller, profile_id, asked, if_none_match)


@router.get(
    "/{profile_id}/merge-history",
    summary="Every merge of a profile",
    operation_id="list_merges",
    responses=answers(MergeHistory, 401, 403, 404, 503),
)
@needs("read")
def read_merge_history(profile_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """Newest first, with before and after, those taken back included."""
    return JsonAnswer({"items": list_merges(services.graph, caller.brand, profile_id)})
