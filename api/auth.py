"""Who may call what: every route states its guard, and a route without one cannot be registered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from starlette.requests import Request

from api.bodies import DEFAULT_LIMIT
from api.wiring import services_of
from brands.api_keys import Scope
from brands.directory import Caller
from core.errors import ForbiddenError, UnauthorizedError

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Guard:
    """What a route asks of its callers: a key with `scope`, a signature that the route checks itself, or nothing."""

    kind: Literal["key", "signature", "open"]
    scope: Scope | None = None
    body_limit: int = DEFAULT_LIMIT


def needs(scope: Scope, *, body_limit: int = DEFAULT_LIMIT) -> Callable[[F], F]:
    """Mark an endpoint: callers need a key with `scope`; its body is at most `body_limit` bytes."""
    return _mark(Guard("key", scope, body_limit))


def checks_signature(*, body_limit: int = DEFAULT_LIMIT) -> Callable[[F], F]:
    """Mark an endpoint that proves its caller itself, by the signature over the raw body."""
    return _mark(Guard("signature", None, body_limit))


def is_open() -> Callable[[F], F]:
    """Mark an endpoint that anybody may call: it must tell nothing about any brand."""
    return _mark(Guard("open"))


def guard_of(endpoint: Callable[..., Any]) -> Guard:
    """The guard of an endpoint; raises TypeError when it has none: forgetting it must not open a door."""
    guard = getattr(endpoint, "__guard__", None)
    if not isinstance(guard, Guard):
        raise TypeError(f"{endpoint.__qualname__} states no guard: use needs, checks_signature or is_open")
    return guard


async def authenticate(request: Request, scope: Scope) -> Caller:
    """The caller behind the request's key; raises UnauthorizedError, or ForbiddenError when the key lacks `scope`."""
    text = presented_key(request)
    if text is None:
        raise UnauthorizedError("Send an API key as Authorization: Bearer KEY or as X-API-Key: KEY.")
    return await authenticate_key(request, text, scope)


async def authenticate_key(request: Request, text: str, scope: Scope) -> Caller:
    """The caller behind a key found anywhere; raises UnauthorizedError, or ForbiddenError when it lacks `scope`."""
    directory = services_of(request).directory
    caller = directory.peek_caller(text)
    if caller is None:
        caller = await directory.caller(text)
    if scope not in caller.scopes:
        raise ForbiddenError(f"This key does not have the scope {scope}.")
    return caller


def presented_key(request: Request) -> str | None:
    """The key text of the request, None without one; raises UnauthorizedError when two differ."""
    bearer: str | None = None
    plain: str | None = None
    for name, value in request.scope["headers"]:
        if name == b"authorization":
            kind, _, rest = value.decode("latin-1").partition(" ")
            if kind.lower() != "bearer":
                raise UnauthorizedError("Only Authorization: Bearer is taken here.")
            bearer = rest.strip()
        elif name == b"x-api-key":
            plain = value.decode("latin-1").strip()
    if bearer is not None and plain is not None and bearer != plain:
        raise UnauthorizedError("Authorization and X-API-Key hold different keys.")
    return bearer if bearer is not None else plain


def _mark(guard: Guard) -> Callable[[F], F]:
    def decorate(endpoint: F) -> F:
        endpoint.__guard__ = guard  # type: ignore[attr-defined]  # read back by guard_of
        return endpoint

    return decorate
