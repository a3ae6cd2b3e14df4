"""The streams over HTTP: what there is, and the entries of the caller's own brand."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.openapi import answers
from api.params import PageDep
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.monitoring import StreamList, StreamPage
from core.errors import UnavailableError
from core.paging import check_limit
from ingest.streams import StreamQuery, StreamReader

router = APIRouter(prefix="/api/streams", tags=["streams"], route_class=GuardedRoute)


@router.get("/info", summary="The streams", operation_id="list_streams", responses=answers(StreamList, 401, 403, 503))
@needs("read")
async def read_streams(services: ServicesDep) -> Response:
    """Each stream of the installation: what it holds, how long it is, its oldest and newest entry."""
    items = await _reader(services).info()
    return JsonAnswer({"items": items, "max_entries": services.settings.stream_max_entries})


@router.get(
    "/{name}",
    summary="Entries of a stream",
    operation_id="read_stream",
    responses=answers(StreamPage, 401, 403, 404, 422, 503),
)
@needs("read")
async def read_stream(
    name: str,
    caller: CallerDep,
    services: ServicesDep,
    page: PageDep,
    order: Annotated[
        Literal["newest", "oldest"], Query(description="Newest first, or oldest first to follow the stream.")
    ] = "newest",
) -> Response:
    """The caller's entries of `events.raw`, `events.normalized` or `merge_requests`, page by page."""
    query = StreamQuery(caller.brand, check_limit(page.limit), page.cursor, is_newest_first=order == "newest")
    return JsonAnswer(await _reader(services).page(name, query))


def _reader(services: ServicesDep) -> StreamReader:
    if services.redis is None:
        raise UnavailableError("Redis is not configured.")
    return StreamReader(services.redis)
