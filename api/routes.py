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

# A single event is smaller; browsers and webhooks send those.
_SMALL_BYTES = 32 * 1024
_SMALL_DIGITS = 5

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
        guard = guard_of(self.endpoint)
        scope = guard.scope
        if guard.kind == "signature":

            async def admit_and_handle(request: Request) -> Response:
                check_room(request)
                return await handler(request)

            return admit_and_handle
        if scope is None:
            return handler
        takes_events = scope == "ingest"

        async def guard_and_handle(request: Request) -> Response:
            if takes_events:
                check_room(request)
            request.scope["caller"] = await authenticate(request, scope)
            return await handler(request)

        return guard_and_handle


def check_room(request: Request) -> None:
    """Refuse events before a byte of their body is read when too much waits already; large ones earlier."""
    size = next((value for name, value in request.scope["headers"] if name == b"content-length"), b"")
    is_small = size.isdigit() and len(size) <= _SMALL_DIGITS and int(size) <= _SMALL_BYTES
    services_of(request).ingest.check_room(is_bulk=not is_small)


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


# FastAPI sends every plain function among the dependencies to a thread and back, which costs more than all of them do:
# dependencies are coroutines, and none of them waits.
async def _caller(request: Request) -> Caller:
    return caller_of(request)


async def _services(request: Request) -> Services:
    return services_of(request)


CallerDep = Annotated[Caller, Depends(_caller)]
ServicesDep = Annotated[Services, Depends(_services)]
