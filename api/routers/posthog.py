"""PostHog's capture API: its client libraries work by changing their host, with the write key as `api_key`."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.auth import needs
from api.bodies import BATCH_LIMIT
from api.cors import preflight
from api.openapi import answers, body_example
from api.routers.tracking import SECURITY, TrackingRoute, answer_of, body_of, take_messages, upload_of
from api.schemas.tracking import CAPTURE_EXAMPLE, Captured
from core.errors import InvalidInputError
from ingest.sources.posthog import NAME, historical, parse_item

router = APIRouter(tags=["tracking"])

# Libraries differ in the address and in the slash at its end; each takes one event, a list, or a batch.
PATHS = ("/batch/", "/capture/", "/batch", "/capture", "/e/", "/i/v0/e/")
_SHOWN = ("/batch/", "/capture/")


@needs("ingest", body_limit=BATCH_LIMIT)
async def take_captured(request: Request) -> Response:
    """Take captured events in their order; one that does not fit becomes a dead letter, the rest is taken."""
    body = body_of(request)
    upload = upload_of(request, body.get("sent_at") if isinstance(body, dict) else None)
    if isinstance(body, dict) and body.get("historical_migration") is True:
        upload = historical(upload)
    taken = await take_messages(request, NAME, _items(body), lambda item: parse_item(item, upload))
    return answer_of({"status": 1}, taken)


def _items(body: Any) -> list[Any]:
    if isinstance(body, list):
        return body
    if not isinstance(body, dict):
        raise InvalidInputError("the body must be a JSON object or a list")
    if "batch" not in body:
        return [body]
    items = body["batch"]
    if not isinstance(items, list):
        raise InvalidInputError("batch: must be a list", field="batch")
    return items


for _path in PATHS:
    _name = _path.strip("/")
    router.routes.append(
        TrackingRoute(
            _path,
            take_captured,
            methods=["POST"],
            tags=["tracking"],
            summary="Captured events of tracking libraries",
            operation_id=f"posthog_{_name}",
            responses=answers(
                Captured,
                400,
                401,
                403,
                413,
                422,
                429,
                503,
                description="The events are stored, or kept as dead letters.",
            ),
            openapi_extra={
                "security": SECURITY,
                **body_example(
                    {"api_key": "wk_…", **({"batch": [CAPTURE_EXAMPLE]} if _name == "batch" else CAPTURE_EXAMPLE)}
                ),
            },
            include_in_schema=_path in _SHOWN,
        )
    )
    router.routes.extend(preflight(_path))
