"""The change feed over HTTP: pages by cursor, and a stream of server-sent events."""

import asyncio
import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api.answers import JsonAnswer
from api.auth import authenticate, needs
from api.change_stream import Listener
from api.openapi import answers
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.changes import CHANGE_EXAMPLE, ChangeList
from core.changes import parse_cursor, parse_kinds
from core.errors import InvalidInputError
from graph.driver import Graph
from graph.repositories.changes import Feed, check_cursor, read_changes, read_feed

router = APIRouter(prefix="/api/identity/changes", tags=["identity"], route_class=GuardedRoute)

MAX_LIMIT = 1_000
_STREAM_HEADERS = {"X-Accel-Buffering": "no"}


class EventStream(StreamingResponse):
    """An answer of server-sent events."""

    media_type = "text/event-stream"


_STREAM_ANSWERS: dict[int | str, dict[str, Any]] = {
    **{code: text for code, text in answers(ChangeList, 401, 403, 410, 422, 503).items() if code != 200},  # noqa: PLR2004
    200: {
        "description": "Entries as events: `id` is the cursor, `event` the kind, `data` the entry as JSON.",
        "content": {
            EventStream.media_type: {"example": f"id: 42\nevent: merged\ndata: {json.dumps(CHANGE_EXAMPLE)}\n\n"}
        },
    },
}


@dataclass(frozen=True, slots=True)
class Start:
    """Where reading begins, and what is read."""

    cursor: str | None
    kinds: frozenset[str]
    begin: str | None

    def place(self, graph: Graph, brand: str) -> tuple[Feed, int]:
        """How far the feed goes, and the number after which reading begins; raises for a cursor that is no good."""
        feed = read_feed(graph, brand)
        if self.cursor is not None:
            return feed, check_cursor(feed, parse_cursor(self.cursor))
        return feed, feed.newest if self.begin == "now" else feed.pruned


async def read_start(
    cursor: Annotated[
        str | None, Query(description="`next_cursor` of the answer before, or an entry's `cursor`.")
    ] = None,
    kind: Annotated[list[str] | None, Query(description="Only these kinds; may be given several times.")] = None,
    begin: Annotated[
        Literal["beginning", "now"] | None, Query(alias="from", description="Where to begin without a cursor.")
    ] = None,
    last_event_id: Annotated[str | None, Header(description="Cursor of the last event seen; wins.")] = None,
) -> Start:
    """The start that a request asks for; raises InvalidInputError for kinds that there are not."""
    if cursor is not None and begin is not None:
        raise InvalidInputError("Give a cursor or from, not both.", field="from")
    return Start(last_event_id or cursor, parse_kinds(kind or ()), begin)


StartDep = Annotated[Start, Depends(read_start)]


@router.get(
    "",
    summary="What happened to identities",
    operation_id="list_changes",
    responses=answers(ChangeList, 401, 403, 410, 422, 503),
)
@needs("read")
def list_changes(
    caller: CallerDep,
    services: ServicesDep,
    start: StartDep,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items of one page.")] = 100,
) -> Response:
    """Entries in order, oldest first; each says which old ids belong to which live profile.

    What was filed under a move's `old_id` belongs to `profile_id` since then, and to `live_id` now.
    """
    _, after = start.place(services.graph, caller.brand)
    page = read_changes(services.graph, caller.brand, after, limit, start.kinds)
    return JsonAnswer({"items": page.items, "next_cursor": str(page.cursor), "has_more": page.has_more})


@router.get(
    "/stream",
    summary="What happens to identities, as it happens",
    operation_id="stream_changes",
    response_class=EventStream,
    responses=_STREAM_ANSWERS,
)
@needs("read")
async def stream_changes(
    request: Request,
    caller: CallerDep,
    services: ServicesDep,
    start: StartDep,
    follow: Annotated[bool, Query(description="False ends the stream when everything there is was sent.")] = True,
) -> Response:
    """First everything after the cursor, then each entry as it is written; a comment now and then is a sign of life."""
    services.streams.check_room()
    feed, after = await asyncio.to_thread(start.place, services.graph, caller.brand)
    listener = Listener(caller.brand, after, feed.newest, start.kinds, follow, lambda: authenticate(request, "read"))
    return EventStream(services.streams.listen(listener), headers=_STREAM_HEADERS)
