"""Product intents: who wants what over a whole brand, and a short way to tell of interest."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.openapi import answers
from api.params import PageDep
from api.routers.events import settings_of
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.base import MAX_ID
from api.schemas.events import EventOutcome
from api.schemas.journey import IntentList, TrackIntent
from core.clock import utc_now
from core.errors import ConstIntelError
from ingest.steps import parse_event
from insight.intent_lists import IntentFilter, list_product_intents
from insight.intents import HIGH_INTENT

router = APIRouter(prefix="/api/intent", tags=["customer360"], route_class=GuardedRoute)

_TYPES = {
    "view": "product_view", "search": "search", "wishlist": "wishlist_add", "cart": "cart_add", "scan": "qr_scan",
}  # fmt: skip


@router.get(
    "/product-intents",
    summary="Who wants what",
    operation_id="list_product_intents",
    responses=answers(IntentList, 401, 403, 422, 503),
)
@needs("read")
async def read_product_intents(
    caller: CallerDep,
    services: ServicesDep,
    page: PageDep,
    product_id: Annotated[str | None, Query(max_length=MAX_ID, description="One product; all without it.")] = None,
    store_id: Annotated[
        str | None, Query(max_length=MAX_ID, description="Customers last seen in this store; all without it.")
    ] = None,
    min_score: Annotated[int, Query(ge=0, le=100, description="From this score of now upwards.")] = HIGH_INTENT,
) -> Response:
    """Active intents, newest signal first; kept by a task some seconds behind the events, decayed to now."""
    where = IntentFilter(product_id or None, min_score, store_id or None)
    return JsonAnswer(await run_in_threadpool(list_product_intents, services.graph, caller.brand, where, page))


@router.post(
    "/track",
    summary="Tell of interest in a product",
    operation_id="track_intent",
    responses=answers(EventOutcome, 400, 401, 403, 422, 503, description="The event is stored and decided."),
)
@needs("ingest")
async def track_intent(command: TrackIntent, caller: CallerDep, services: ServicesDep) -> Response:
    """The same as sending the event itself: it goes through the same door and answers as `POST /api/events`."""
    settings = await settings_of(services, caller.brand)
    body = command.model_dump(exclude={"kind", "product_id"}, exclude_none=True)
    body |= {"type": _TYPES[command.kind], "payload": {"product_id": command.product_id}}
    raw = parse_event(body, settings, utc_now())
    if caller.is_write_key:
        raw.trust = "declared"
    [outcome] = await services.ingest.take(settings, [raw])
    if isinstance(outcome, ConstIntelError):
        raise outcome
    return JsonAnswer(outcome)
