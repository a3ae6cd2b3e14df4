"""What Neo4j Browser loads for analysts: style sheet and guide; open to anybody, tells nothing about any brand."""

from importlib import resources

from fastapi import APIRouter
from starlette.responses import Response

from api.auth import is_open
from api.routes import GuardedRoute
from core.errors import NotFoundError

router = APIRouter(prefix="/browser", tags=["browser"], route_class=GuardedRoute)

_TYPES = {"constintel.grass": "text/plain; charset=utf-8", "guide.html": "text/html; charset=utf-8"}
# Neo4j Browser fetches them from its own origin.
_HEADERS = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache"}


@router.get(
    "/{name}",
    summary="A file for Neo4j Browser",
    operation_id="get_browser_file",
    response_class=Response,
    responses={
        200: {"description": "The file.", "content": {kind: {"example": kind} for kind in ("text/plain", "text/html")}},
        404: {"description": "There is no such file."},
    },
)
@is_open()
def read_file(name: str) -> Response:
    """The style sheet (`:style URL`) or the guide (`:play URL`)."""
    if name not in _TYPES:
        raise NotFoundError("No such file.")
    text = resources.files("cypher").joinpath("browser", name).read_text(encoding="utf-8")
    return Response(text, media_type=_TYPES[name], headers=_HEADERS)
