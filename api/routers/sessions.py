"""A customer's sessions over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.openapi import answers
from api.params import PageDep, read_moment
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.base import MAX_ID
from api.schemas.sessions import SessionList
from insight.sessions import SessionFilter, list_sessions

router = APIRouter(prefix="/api/sessions", tags=["customer360"], route_class=GuardedRoute)

Moment = Annotated[str | None, Query(description="RFC 3339 time.")]


@router.get(
    "", summary="A customer's visits, newest first", operation_id="list_sessions",
    responses=answers(SessionList, 401, 403, 404, 422, 503),
)  # fmt: skip
@needs("read")
def read_sessions(  # noqa: PLR0913, PLR0917 (each parameter of the query is one)
    profile_id: Annotated[str, Query(max_length=MAX_ID, description="An absorbed id means the survivor.")],
    page: PageDep,
    caller: CallerDep,
    services: ServicesDep,
    from_: Annotated[str | None, Query(alias="from", description="Begun at or after this RFC 3339 time.")] = None,
    to: Annotated[str | None, Query(description="Begun before this RFC 3339 time.")] = None,
    channel: Annotated[
        str | None, Query(description="One or several, separated by commas; website and mobile_app without it.")
    ] = None,
) -> Response:
    """Events up to thirty minutes apart are one session, by the time they happened: late events correct it."""
    where = SessionFilter(
        read_moment(from_, "from"),
        read_moment(to, "to"),
        tuple(name for part in (channel or "").split(",") if (name := part.strip())),
    )
    return JsonAnswer(list_sessions(services.graph, caller.brand, profile_id, page, where))
