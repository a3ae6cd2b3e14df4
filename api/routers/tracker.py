"""The browser tracker: one small script that pages of any origin load, kept by browsers for an hour."""

import gzip
from hashlib import blake2b
from importlib import resources

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.auth import is_open
from api.routes import GuardedRoute

router = APIRouter(tags=["tracking"], route_class=GuardedRoute)

SCRIPT = resources.files("api").joinpath("static", "tracker.js").read_bytes()
_PACKED = gzip.compress(SCRIPT, 9, mtime=0)
_ETAG = f'"{blake2b(SCRIPT, digest_size=12).hexdigest()}"'
_HEADERS = {
    "Cache-Control": "public, max-age=3600, stale-while-revalidate=86400",
    "ETag": _ETAG,
    "Vary": "Accept-Encoding",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@router.get(
    "/tracker.js",
    summary="The browser tracker",
    operation_id="get_tracker",
    response_class=Response,
    responses={
        200: {
            "description": "The script; its first lines say how to use it.",
            "content": {"text/javascript": {"example": "!function(){…}()"}},
        },
        304: {"description": "It is the one that the browser has."},
    },
)
@is_open()
async def get_tracker(request: Request) -> Response:
    """Visitor's id in a first-party cookie, page and product views, cart; honours Do Not Track and consent."""
    known = request.headers.get("if-none-match", "")
    if any(tag.strip().removeprefix("W/") in {_ETAG, "*"} for tag in known.split(",")):
        return Response(status_code=304, headers=_HEADERS)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(_PACKED, headers={**_HEADERS, "Content-Encoding": "gzip"}, media_type="text/javascript")
    return Response(SCRIPT, headers=_HEADERS, media_type="text/javascript")


router.routes.append(Route("/tracker.js", get_tracker, methods=["HEAD"], include_in_schema=False))
