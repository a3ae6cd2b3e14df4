"""The route classes of all routers: guard first, then the strictly parsed body, then the endpoint."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from api.auth import authenticate, guard_of
from api.bodies import ParsedRequest, read_body
from api.wiring import Services, services_of
from brands.directory import Caller
from core.strict_json import parse_json

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"api_key": []}]


class GuardedRoute(APIRoute):
    """A route that checks its guard before a byte of the body is read, and parses the body with our own parser."""

    def get_route_handler(self) -> Handler:
        """FastAPI's handler behind the guard and the strict parser."""
        guard = guard_of(self.endpoint)
        if guard.scope is not None:
            self.openapi_extra = {"security": _SECURITY, **(self.openapi_extra or {})}
        return self._guarded(self._inner())

    def _inner(self) -> Handler:
        limit = guard_of(self.endpoint).body_limit
        handler = super().get_route_handler()
        if self.body_field is None:
            return handler

        async def parse_and_handle(request: Request) -> Response:
            body = await read_body(request, limit)
            value = parse_json(body) if body else None
            return await handler(ParsedRequest(request.scope, request.receive, body, value))

        return parse_and_handle

    def _guarded(self, handler: Handler) -> Handler:
        scope = guard_of(self.endpoint).scope
        if scope is None:
            return handler

        async def guard_and_handle(request: Request) -> Response:
            request.scope["caller"] = await authenticate(request, scope)
            return await handler(request)

        return guard_and_handle


class RawRoute(GuardedRoute):
    """A guarded route whose endpoint is `async (request) -> Response` and reads its body itself.

    FastAPI's dependency solving costs more than the parsing of an event; `serve` is the whole handler.
    """

    serve: Handler

    def _inner(self) -> Handler:
        return self.endpoint

    def get_route_handler(self) -> Handler:
        """The guard and the endpoint, nothing else."""
        self.serve = super().get_route_handler()
        return self.serve


def caller_of(request: Request) -> Caller:
    """The caller that the guard of this route let in."""
    caller = request.scope["caller"]
    assert isinstance(caller, Caller)  # noqa: S101 (set by the guard)
    return caller


CallerDep = Annotated[Caller, Depends(caller_of)]
ServicesDep = Annotated[Services, Depends(services_of)]
