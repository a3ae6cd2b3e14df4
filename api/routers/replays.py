"""Bulk replay of what came in, through the same door: a no-op for what is already there."""

from fastapi import APIRouter
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.openapi import answers
from api.params import read_moment
from api.routers.events import settings_of
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.replays import ReplayCommand, ReplayOutcome
from graph.repositories.event_replay import ReplayFilter
from ingest.replay import ReplayPage, replay_page

router = APIRouter(prefix="/api/events", tags=["events"], route_class=GuardedRoute)


@router.post(
    "/replay",
    summary="Replay stored events",
    operation_id="replay_events",
    responses=answers(ReplayOutcome, 400, 401, 403, 422, 503),
)
@needs("admin")
async def post_replay(body: ReplayCommand, caller: CallerDep, services: ServicesDep) -> Response:
    """Send a page of the brand's stored events through the door again; repeat with `next_cursor` until it is null."""
    wanted = ReplayFilter(body.type, read_moment(body.since, "since"), read_moment(body.until, "until"))
    settings = await settings_of(services, caller.brand)
    page = ReplayPage(body.cursor, body.limit, wanted)
    return JsonAnswer(await replay_page(services.ingest, services.graph, settings, page))
