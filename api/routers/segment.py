"""The Segment-style tracking API: Segment's and RudderStack's client libraries work by changing their host."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.auth import needs
from api.cors import preflight
from api.openapi import answers, body_example
from api.routers.tracking import SECURITY, TrackingRoute, answer_of, body_of, take_messages, upload_of
from api.routes import Handler
from api.schemas.tracking import MESSAGE_SCHEMA, TRACK_EXAMPLE, Tracked
from core.errors import InvalidInputError
from ingest.sources.segment import NAME, parse_message
from ingest.sources.tracking import stated_object

router = APIRouter(tags=["tracking"])

BODY_LIMIT = 4 * 1024 * 1024
CALLS = ("track", "identify", "page", "screen", "group", "alias")
# What browser libraries call them.
SHORT = {"track": "t", "identify": "i", "page": "p", "screen": "s", "group": "g", "alias": "a", "batch": "b"}
_PROBLEMS = (400, 401, 403, 413, 422, 429, 503)


def _call(kind: str) -> Handler:
    @needs("ingest", body_limit=BODY_LIMIT)
    async def take(request: Request) -> Response:
        message = body_of(request)
        if not isinstance(message, dict):
            raise InvalidInputError("the body must be a JSON object")
        upload = upload_of(request, message.get("sentAt"))
        # The address says what it is; a dead letter has to know it without.
        named = {**message, "type": kind}
        return _answer(await take_messages(request, NAME, [named], lambda item: parse_message(item, kind, upload)))

    take.__doc__ = f"Take one {kind} message; it is answered 200 after its commit, or kept as a dead letter."
    return take


@needs("ingest", body_limit=BODY_LIMIT)
async def take_batch(request: Request) -> Response:
    """Take up to 2,500 messages in their order; one that does not fit becomes a dead letter, the rest is taken."""
    body = body_of(request)
    if not isinstance(body, dict):
        raise InvalidInputError("the body must be a JSON object")
    messages = body.get("batch")
    if not isinstance(messages, list):
        raise InvalidInputError("batch: must be a list", field="batch")
    upload = upload_of(request, body.get("sentAt"), stated_object(body, "context"))
    return _answer(await take_messages(request, NAME, messages, lambda item: parse_message(item, None, upload)))


def _answer(taken: dict[str, Any]) -> Response:
    return answer_of({"success": True}, taken)


def _add(kind: str, take: Handler, example: dict[str, Any], schema: dict[str, Any]) -> None:
    for path in (f"/v1/{kind}", f"/v1/{SHORT[kind]}"):
        is_short = path != f"/v1/{kind}"
        route = TrackingRoute(
            path,
            take,
            methods=["POST"],
            tags=["tracking"],
            summary=f"{kind.capitalize()} messages of tracking libraries",
            operation_id=f"v1_{kind}" + ("_short" if is_short else ""),
            responses=answers(Tracked, *_PROBLEMS, description="The messages are stored, or kept as dead letters."),
            openapi_extra={"security": SECURITY, **body_example(example, schema)},
            include_in_schema=not is_short,
        )
        router.routes.append(route)
        router.routes.extend(preflight(path))


for _kind in CALLS:
    _add(_kind, _call(_kind), TRACK_EXAMPLE, MESSAGE_SCHEMA)
_add(
    "batch",
    take_batch,
    {"batch": [TRACK_EXAMPLE]},
    {
        "type": "object",
        "required": ["batch"],
        "properties": {"batch": {"type": "array", "maxItems": 2500, "items": MESSAGE_SCHEMA}},
    },
)
