"""Webhooks in: address or account pick the secret, the signature proves the sender, then the walk of any event."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import authenticate, checks_signature, presented_key
from api.bodies import BATCH_LIMIT, DEFAULT_LIMIT, read_body
from api.delivery_log import refused, taken
from api.openapi import answers, body_example
from api.routers.events import as_result, settings_of
from api.routes import RawRoute
from api.schemas.events import WebhookOutcome
from api.wiring import Services, services_of
from core.clock import utc_now
from core.decisions import EventResult
from core.errors import ConstIntelError, NotFoundError, UnauthorizedError
from core.events import RawEvent
from graph.repositories.brands import EndpointRecord
from graph.repositories.dead_letters import event_letter, message_letter
from ingest.sources import SOURCES, Read, Source, Unread, WebhookRequest
from ingest.steps.conform import SchemaViolationError

router = APIRouter(prefix="/api/integrations", tags=["integrations"], route_class=RawRoute)

# Tills may prove themselves with an API key instead of a signature, and send many sales at once.
_POS = "pos"
_LIMITS = {_POS: BATCH_LIMIT}
_LONGEST_TOPIC = 100
_ANSWERS = answers(WebhookOutcome, 400, 401, 404, 413, 422, 429, 503, description="The delivery is stored and decided.")
_ORDER = {"id": 12345, "email": "a@example.com", "total_price": "89.99", "currency": "USD"}


@router.post(
    "/{source}/webhook/{endpoint_id}",
    summary="A delivery to a brand's own address",
    operation_id="take_webhook",
    responses=_ANSWERS,
    openapi_extra=body_example(_ORDER),
)
@checks_signature(body_limit=BATCH_LIMIT)
async def take_webhook(request: Request) -> Response:
    """Take a delivery of any source at the address that `brands create` printed or a change-over gave."""
    source = _source(request)
    services = services_of(request)
    endpoint_id = request.scope["path_params"]["endpoint_id"]
    endpoint = await services.directory.endpoint(source.name, endpoint_id)
    if source.name == _POS and presented_key(request) is not None:
        if await _brand_of_key(request) != endpoint.brand:
            raise NotFoundError("No such webhook address.")
        return await _take(request, services, await _delivery(request, source, services), endpoint.brand)
    delivery = await _delivery(request, source, services)
    return await _take(request, services, delivery, endpoint.brand, endpoint)


@router.post(
    "/{source}/webhook",
    summary="A delivery that names its shop or account",
    operation_id="take_account_webhook",
    responses=_ANSWERS,
    openapi_extra=body_example(_ORDER),
)
@checks_signature(body_limit=BATCH_LIMIT)
async def take_account_webhook(request: Request) -> Response:
    """As above; a shop domain or account that delivered before picks the secret. Tills send an API key."""
    return await _take_by_account(request)


@router.post(
    "/{source}",
    summary="A delivery that names its shop or account (short address)",
    operation_id="take_account_delivery",
    responses=_ANSWERS,
    openapi_extra=body_example(_ORDER),
)
@checks_signature(body_limit=BATCH_LIMIT)
async def take_account_delivery(request: Request) -> Response:
    """The same as `/{source}/webhook`."""
    return await _take_by_account(request)


async def _take_by_account(request: Request) -> Response:
    source = _source(request)
    services = services_of(request)
    if source.name == _POS and presented_key(request) is not None:
        brand = await _brand_of_key(request)
        return await _take(request, services, await _delivery(request, source, services), brand)
    delivery = await _delivery(request, source, services)
    account = _account(delivery)
    if not account:
        # Only what a source sends unsigned by design, such as a ping, passes without any secret.
        source.verify(delivery.request, [])
        return JsonAnswer(_nothing(delivery))
    return await _take(request, services, delivery, await _brand_of_account(services, delivery, account))


async def _brand_of_account(services: Services, delivery: "_Delivery", account: str) -> str:
    """The brand whose secret made the signature, among those that registered the account named."""
    source = delivery.source
    for endpoint in await services.directory.endpoints_of_account(source.name, account):
        try:
            source.verify(delivery.request, endpoint.secrets(delivery.request.now))
        except UnauthorizedError:
            continue
        return endpoint.brand
    raise _unknown_account()


def _account(delivery: "_Delivery") -> str:
    """The shop domain or account that an unproven delivery names, empty when it names none."""
    try:
        return delivery.source.account(delivery.request)
    except ConstIntelError as error:
        # Nobody learns what is wrong with a body before saying who it is from.
        raise _unknown_account() from error


def _unknown_account() -> UnauthorizedError:
    return UnauthorizedError("The account is not registered, or the signature is missing or does not fit.")


async def _brand_of_key(request: Request) -> str:
    caller = request.scope["caller"] = await authenticate(request, "ingest")
    return caller.brand


@dataclass(frozen=True, slots=True)
class _Delivery:
    source: Source
    request: WebhookRequest


async def _delivery(request: Request, source: Source, services: Services) -> _Delivery:
    """The delivery as received; its address is the public one, which is what senders sign."""
    body = await read_body(request, _LIMITS.get(source.name, DEFAULT_LIMIT))
    query = request.scope["query_string"].decode("latin-1")
    url = services.settings.public_url.rstrip("/") + request.scope["path"] + (f"?{query}" if query else "")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]}
    return _Delivery(source, WebhookRequest(headers, body, url, utc_now(), dict(request.query_params)))


async def _take(
    request: Request, services: Services, delivery: _Delivery, brand: str, endpoint: EndpointRecord | None = None
) -> Response:
    """Prove (where an `endpoint` is given), read, commit, answer; what became of it is noted for the brand."""
    started = time.perf_counter()
    is_proven = endpoint is None
    try:
        if endpoint is not None:
            await _prove(services, delivery, endpoint)
            is_proven = True
        outcomes, told_beside = await _store(services, delivery, brand)
        answer = _answer(delivery, outcomes, told_beside, request.scope["request_id"])
    except ConstIntelError as error:
        told = refused(error, _topic(delivery) if is_proven else "", time.perf_counter() - started)
        services.deliveries.add(brand, delivery.source.name, told)
        raise
    told = taken(outcomes, answer, _topic(delivery), time.perf_counter() - started)
    services.deliveries.add(brand, delivery.source.name, told)
    return JsonAnswer(answer)


async def _prove(services: Services, delivery: _Delivery, endpoint: EndpointRecord) -> None:
    """Check the signature, with the secret as it is now when another process changed it over."""
    request = delivery.request
    try:
        delivery.source.verify(request, endpoint.secrets(request.now))
    except UnauthorizedError:
        newer = await services.directory.newer_endpoint(endpoint)
        if newer is None:
            raise
        delivery.source.verify(request, newer.secrets(request.now))


def _topic(delivery: _Delivery) -> str:
    """What a proven delivery is about, empty when it cannot be read."""
    try:
        return delivery.source.topic(delivery.request)[:_LONGEST_TOPIC]
    except ConstIntelError:
        return ""


async def _store(
    services: Services, delivery: _Delivery, brand: str
) -> tuple[list[EventResult | ConstIntelError], str | None]:
    """Commit what a proven delivery holds: an outcome for each event, and what became of all it told beside events."""
    source = delivery.source
    settings = await settings_of(services, brand)
    reads = source.parse(delivery.request, settings)
    records = source.records(delivery.request, settings)
    instance = next((read.source_instance for read in reads if isinstance(read, RawEvent) and read.source_instance), "")
    if records and not instance:
        instance = source.account(delivery.request)
    if instance and source.name not in settings.main_instances:
        settings = await asyncio.to_thread(services.directory.remember_account, brand, source.name, instance)
        # Ids of customers carry their shop beyond the first one: read again knowing which one that is.
        reads, records = source.parse(delivery.request, settings), source.records(delivery.request, settings)
    told_beside = await services.ingest.records.store(brand, records, delivery.request.now) if records else None
    if not reads:
        return [], told_beside
    results = iter(await services.ingest.take(settings, [read for read in reads if isinstance(read, RawEvent)]))
    outcomes = [read.error if isinstance(read, Unread) else next(results) for read in reads]
    await _keep_refused(services, brand, source.name, list(zip(reads, outcomes, strict=True)))
    return outcomes, told_beside


async def _keep_refused(
    services: Services, brand: str, way: str, taken: Sequence[tuple[Read, EventResult | ConstIntelError]]
) -> None:
    """Keep what is refused of a delivery that is answered 200 all the same: its sender will not send it again.

    That is one of which anything was taken, or which a schema of the brand refuses (its sender would only repeat it,
    and then stop). Nothing is kept of a delivery that is refused as a whole.
    """
    failed = [(read, outcome) for read, outcome in taken if isinstance(outcome, ConstIntelError)]
    is_repeated = any(error.is_retryable for _, error in failed)
    if is_repeated or all(_refuses_all(outcome) for _, outcome in taken):
        return
    letters = []
    for read, error in failed:
        if isinstance(error, SchemaViolationError):
            letters.append(event_letter(error.event, error))
        elif "dead_letter_id" not in error.extensions:
            item = read.item if isinstance(read, Unread) else read.payload
            letters.append(message_letter(brand, way, item, error, utc_now()))
        else:
            continue
        error.extensions["dead_letter_id"] = letters[-1].id
    await services.ingest.keep_letters(letters)


def _refuses_all(outcome: EventResult | ConstIntelError) -> bool:
    """Whether a delivery is refused when this is what became of everything in it."""
    return isinstance(outcome, ConstIntelError) and not isinstance(outcome, SchemaViolationError)


def _answer(
    delivery: _Delivery,
    outcomes: Sequence[EventResult | ConstIntelError],
    told_beside: str | None,
    request_id: str,
) -> dict[str, Any]:
    """The first outcome's fields, all of them as `results` when there are several; raises when none was taken."""
    if not outcomes:
        # Without an event it told of a product, stock or a privacy request, or of nothing.
        return _nothing(delivery) if told_beside is None else _without_event(told_beside)
    accepted = [outcome for outcome in outcomes if isinstance(outcome, EventResult)]
    failed = [outcome for outcome in outcomes if isinstance(outcome, ConstIntelError)]
    # The sender repeats the whole delivery after a failure that passes; what is stored already stays as it is.
    for error in failed:
        if error.is_retryable or all(_refuses_all(outcome) for outcome in outcomes):
            raise error
    if not accepted:
        return {**_without_event("dead_letter"), "results": [as_result(outcome, request_id) for outcome in outcomes]}
    if len(outcomes) == 1:
        return asdict(accepted[0])
    return {**asdict(accepted[0]), "results": [as_result(outcome, request_id) for outcome in outcomes]}


def _without_event(decision: str) -> dict[str, Any]:
    """The answer to a delivery of which no event came."""
    return {**asdict(EventResult(event_id="", decision=decision)), "event_id": None, "results": []}


def _nothing(delivery: _Delivery) -> dict[str, Any]:
    """The answer to a delivery that holds no event: a ping, or a topic that is not read."""
    reason = delivery.source.ignored(delivery.request) or "there is nothing to read in it"
    return {**asdict(EventResult(event_id="", decision="ignored")), "event_id": None, "ignored": reason, "results": []}


def _source(request: Request) -> Source:
    source = SOURCES.get(request.scope["path_params"]["source"])
    if source is None:
        raise NotFoundError("No webhooks of this source are read.")
    return source
