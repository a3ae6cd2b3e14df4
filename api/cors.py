"""Pages of any origin may send events and read the answers: the headers that browsers ask for."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.problems import problem_answer
from api.routes import Handler, RawRoute
from core.errors import ConstIntelError

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Max-Age": "86400",
}
_ALLOWED_HEADERS = "Authorization, Content-Type, Content-Encoding, Idempotency-Key, X-API-Key, X-Retry-Count"


class PageRoute(RawRoute):
    """A raw route whose answers and problems pages of any origin may read."""

    def _guarded(self, handler: Handler) -> Handler:
        inner = super()._guarded(handler)

        async def serve(request: Request) -> Response:
            if not any(name == b"origin" for name, _ in request.scope["headers"]):
                return await inner(request)
            try:
                answer = await inner(request)
            except ConstIntelError as error:
                answer = problem_answer(error, request.scope["request_id"])
            return for_origin(request, answer)

        return serve


def preflight(*paths: str) -> list[Route]:
    """Routes that tell browsers that pages of any origin may send to `paths`."""
    return [Route(path, _allow, methods=["OPTIONS"], include_in_schema=False) for path in paths]


def for_origin(request: Request, answer: Response) -> Response:
    """The answer as a page of the request's origin may read it."""
    origin = request.headers.get("origin")
    if origin:
        # No cookie proves anybody here, so any page may read the answer; beacons insist on the credentials header.
        answer.headers["Access-Control-Allow-Origin"] = origin
        answer.headers["Access-Control-Allow-Credentials"] = "true"
        answer.headers["Access-Control-Expose-Headers"] = "Retry-After, X-Request-Id"
        answer.headers["Vary"] = "Origin"
    return answer


async def _allow(request: Request) -> Response:
    asked = request.headers.get("access-control-request-headers")
    headers = {**_PREFLIGHT, "Access-Control-Allow-Headers": asked or _ALLOWED_HEADERS}
    return for_origin(request, Response(status_code=200, headers=headers))
