"""The outermost layer of the app: request ids, the access log, unexpected errors, the express lane of hot routes."""

import itertools
import re
import secrets
import time
from collections.abc import Mapping

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access_log import AccessLog
from api.problems import internal_problem, problem_answer
from api.routes import RawRoute
from core.clock import format_time, utc_now
from core.errors import ConstIntelError

log = structlog.get_logger(__name__)

_SANE_ID = re.compile(rb"(?=[0-9._-]*[A-Za-z])[A-Za-z0-9][A-Za-z0-9._-]{7,127}")
_ALWAYS = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"})
# A counter behind a random start: asking the system for random bytes waits behind the writer threads each time.
_process_id = secrets.token_hex(8)
_numbers = itertools.count()


class RequestDoor:
    """Pure ASGI middleware; `express` maps a path to the route that takes its POSTs past FastAPI's layers.

    Those layers cost a fifth of everything that is done for an event in this process (92 against 71 µs measured); what
    they do (guard, problems) the express lane does too.
    """

    def __init__(self, app: ASGIApp, express: Mapping[str, RawRoute], access_log: AccessLog) -> None:
        self._app = app
        self._express = express
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; every answer carries its request id, every error is a problem document."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _request_id(scope)
        scope["request_id"] = request_id
        extra = [(b"x-request-id", request_id.encode()), *_ALWAYS]
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = message["headers"]
                # What may be kept says so itself.
                is_kept = any(name == b"cache-control" for name, _ in own)
                message["headers"] = [*own, *(extra[:-1] if is_kept else extra)]
            await send(message)

        try:
            route = self._express.get(scope["path"]) if scope["method"] == "POST" else None
            if route is not None:
                await _serve_express(route, scope, receive, send_with_id)
            else:
                structlog.contextvars.bind_contextvars(request_id=request_id)
                await self._app(scope, receive, send_with_id)
        except ClientDisconnect:
            status = 499
        except Exception as error:  # the edge of the process: whatever it is, the caller gets a problem
            log.error("request_failed", request_id=request_id, route=_route(scope), exc_info=error)
            if status:
                raise
            await internal_problem(request_id)(scope, receive, send_with_id)
        finally:
            self._write_line(scope, request_id, status, time.perf_counter() - started)

    def _write_line(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        """One line per request, counted; every value is our own or checked."""
        services = getattr(scope["app"].state, "services", None)
        if services is not None:
            services.ingest.meters.served(_method(scope), _route(scope), status, seconds)
        line: dict[str, object] = {
            "event": "request",
            "method": scope["method"],
            "route": _route(scope),
            "status": status,
            "milliseconds": round(seconds * 1000, 1),
            "request_id": request_id,
            "timestamp": format_time(utc_now()),
        }
        caller = scope.get("caller")
        if caller is not None:
            line["brand"] = caller.brand
        self._access_log.add(line)


async def _serve_express(route: RawRoute, scope: Scope, receive: Receive, send: Send) -> None:
    scope["route"] = route
    try:
        answer = await route.serve(Request(scope, receive, send))
    except ConstIntelError as error:
        answer = problem_answer(error, scope["request_id"])
    await answer(scope, receive, send)


def _request_id(scope: Scope) -> str:
    """The caller's own id when it looks like one, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _SANE_ID.fullmatch(value):
            return str(value, "ascii")
    return f"{_process_id}{next(_numbers):08x}"


def _method(scope: Scope) -> str:
    """The method when it is a known one: anybody can make others up, and each would be a line of time for ever."""
    return scope["method"] if scope["method"] in _METHODS else "other"


def _route(scope: Scope) -> str:
    """The template of the matched route: a path may hold what nobody should read in a log."""
    return str(scope["route"].path) if "route" in scope else "(none)"
