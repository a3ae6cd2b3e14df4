"""Events in and single events back: the first stop of the walk of one event; read `ingest/pipeline.py` next."""

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.bodies import BATCH_LIMIT, EVENT_LIMIT, read_body
from api.cors import PageRoute, preflight
from api.openapi import answers, body_example
from api.problems import problem_document
from api.routes import CallerDep, GuardedRoute, ServicesDep, caller_of
from api.schemas.events import (
    BATCH_SCHEMA,
    EVENT_EXAMPLE,
    EVENT_SCHEMA,
    BatchOutcome,
    EventOutcome,
    StoredEvent,
)
from api.wiring import Services, services_of
from brands.directory import Caller
from core.brand import BrandSettings
from core.clock import utc_now
from core.errors import ConstIntelError, InvalidInputError, NotFoundError, UnavailableError
from core.events import RawEvent
from core.strict_json import parse_json, parse_json_object
from graph.repositories.events_read import get_event, queued_event
from ingest.steps import parse_event
from ingest.steps.fields import safe_name

if TYPE_CHECKING:
    from core.decisions import EventResult

router = APIRouter(prefix="/api/events", tags=["events"], route_class=GuardedRoute)
raw_router = APIRouter(prefix="/api/events", tags=["events"], route_class=PageRoute)

MAX_BATCH = 1000
_DECLARED = "declared"
_WAY = "api"
_KEY_HEADER = b"idempotency-key"


@raw_router.post(
    "",
    summary="Send one event",
    operation_id="send_event",
    responses=answers(EventOutcome, 400, 401, 403, 413, 422, 429, 503, description="The event is stored and decided."),
    openapi_extra=body_example(EVENT_EXAMPLE, EVENT_SCHEMA),
)
@needs("ingest", body_limit=EVENT_LIMIT)
async def send_event(request: Request) -> Response:
    """Take one event; the answer comes after its commit, and a repeat gets the first answer."""
    services, caller = services_of(request), caller_of(request)
    settings = await settings_of(services, caller.brand)
    body = parse_json_object(await read_body(request, EVENT_LIMIT))
    _apply_key_header(request, body)
    try:
        raw = _parse(body, settings, caller)
    except InvalidInputError:
        services.ingest.meters.refused(_WAY)
        raise
    [outcome] = await services.ingest.take(settings, [raw])
    if isinstance(outcome, ConstIntelError):
        raise outcome
    return JsonAnswer(outcome)


@raw_router.post(
    "/batch",
    summary="Send up to 1,000 events",
    operation_id="send_events",
    responses=answers(
        BatchOutcome, 400, 401, 403, 413, 422, 429, 503, description="One result for each event, in order."
    ),
    openapi_extra=body_example({"events": [EVENT_EXAMPLE]}, BATCH_SCHEMA),
)
@needs("ingest", body_limit=BATCH_LIMIT)
async def send_events(request: Request) -> Response:
    """Take events in the order sent; one that does not fit is refused alone."""
    services, caller = services_of(request), caller_of(request)
    settings = await settings_of(services, caller.brand)
    items = _batch_items(parse_json(await read_body(request, BATCH_LIMIT)))
    _apply_key_to_items(request, items)
    results: list[RawEvent | EventResult | ConstIntelError] = [_parse_item(item, settings, caller) for item in items]
    places = [place for place, result in enumerate(results) if isinstance(result, RawEvent)]
    if len(places) < len(items):
        services.ingest.meters.refused(_WAY, len(items) - len(places))
    outcomes = await services.ingest.take(settings, [raw for raw in results if isinstance(raw, RawEvent)])
    for place, outcome in zip(places, outcomes, strict=True):
        results[place] = outcome
    rejected = sum(isinstance(result, ConstIntelError) for result in results)
    request_id = request.scope["request_id"]
    return JsonAnswer({
        "accepted": len(results) - rejected,
        "rejected": rejected,
        "results": [as_result(result, request_id) for result in results],
    })  # fmt: skip


@router.get(
    "/{event_id}",
    summary="A stored event with its decision",
    operation_id="get_event",
    responses=answers(StoredEvent, 401, 403, 404, 503),
)
@needs("read")
async def read_event(event_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """The event as stored; its `profile_id` is the live profile of now. One that waits for Neo4j is `queued`."""
    waiting = await services.ingest.find_queued(caller.brand, event_id)
    if waiting is not None and services.ingest.watch.is_away:
        return JsonAnswer(queued_event(waiting))
    try:
        return JsonAnswer(await run_in_threadpool(get_event, services.graph, caller.brand, event_id))
    except (NotFoundError, UnavailableError):
        if waiting is None:
            raise
        return JsonAnswer(queued_event(waiting))


router.routes[:0] = [*raw_router.routes, *preflight("/api/events", "/api/events/batch")]


async def settings_of(services: Services, brand: str) -> BrandSettings:
    """The brand's settings, from memory when they are fresh."""
    directory = services.directory
    settings = directory.peek_settings(brand)
    return settings if settings is not None else await directory.fetch_settings(brand)


def as_result(result: object, request_id: str) -> object:
    """One entry of a list of results: the outcome, or the problem under `error`."""
    return {"error": problem_document(result, request_id)} if isinstance(result, ConstIntelError) else result


def _parse(item: Any, settings: BrandSettings, caller: Caller) -> RawEvent:
    raw = parse_event(item, settings, utc_now())
    if caller.is_write_key:
        # A write key is public: what comes with it was typed by somebody, whatever it says of itself.
        raw.trust = _DECLARED
    return raw


def _parse_item(item: Any, settings: BrandSettings, caller: Caller) -> RawEvent | ConstIntelError:
    try:
        return _parse(item, settings, caller)
    except InvalidInputError as error:
        return error


def _batch_items(body: Any) -> list[Any]:
    if not isinstance(body, dict):
        raise InvalidInputError("the body must be a JSON object")
    unknown = sorted(body.keys() - {"events"})
    if unknown:
        raise InvalidInputError("unknown field; a batch holds `events` alone", field=safe_name(unknown[0]))
    items = body.get("events")
    if not isinstance(items, list):
        raise InvalidInputError("events: must be a list", field="events")
    if not items:
        raise InvalidInputError("events: must not be empty", field="events")
    if len(items) > MAX_BATCH:
        raise InvalidInputError(f"events: at most {MAX_BATCH}", field="events")
    return items


def _apply_key_header(request: Request, body: dict[str, Any]) -> None:
    """The header is the event's own key: the same as `message_id`, and both must agree."""
    key = _key_header(request)
    if key is not None and body.setdefault("message_id", key) != key:
        raise InvalidInputError("Idempotency-Key differs from message_id", field="Idempotency-Key")


def _apply_key_to_items(request: Request, items: list[Any]) -> None:
    """The header of a batch is the key of each event without one of its own, told apart by its place."""
    key = _key_header(request)
    if key is not None:
        for place, item in enumerate(items):
            if isinstance(item, dict):
                item.setdefault("message_id", f"{key}:{place}")


def _key_header(request: Request) -> str | None:
    found = [value for name, value in request.scope["headers"] if name == _KEY_HEADER]
    return found[-1].decode("latin-1").strip() if found else None
