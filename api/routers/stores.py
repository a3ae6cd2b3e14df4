"""Stores and visits: checking in and out as events, who was where and when."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.idempotency import CommandDep
from api.openapi import answers
from api.params import PageDep, read_moment
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.base import MAX_ID
from api.schemas.stores import CheckInCommand, CheckOutCommand, Store, StoreCommand, StoreList, StoreVisit, VisitList
from core.clock import utc_now
from core.errors import ConflictError, InvalidInputError
from core.paging import DEFAULT_LIMIT, MAX_LIMIT
from graph.repositories.stores import get_store, keep_stores, list_stores, put_store
from ingest.steps.fields import read_text
from ingest.store_events import CheckIn, CheckOut, check_in_event, check_out_event, stored
from insight.store_dashboard import read_timezone
from insight.store_visits import FoundVisit, VisitFilter, describe_visit, find_visit, identifiers_of, list_visits

router = APIRouter(prefix="/api/store", tags=["stores"], route_class=GuardedRoute)

StoreId = Annotated[str, Path(min_length=1, max_length=MAX_ID)]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items of one page.")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.")]
Moment = Annotated[str | None, Query(description="RFC 3339 time of the check-in.")]


async def read_filter(
    store_id: Annotated[str | None, Query(max_length=MAX_ID, description="One store; all without it.")] = None,
    status: Annotated[str | None, Query(description="active, completed or abandoned.")] = None,
    from_: Annotated[str | None, Query(alias="from", description="RFC 3339 time of the check-in.")] = None,
    to: Moment = None,
) -> VisitFilter:
    """What a list of visits is limited to."""
    return VisitFilter(store_id or None, status, read_moment(from_, "from"), read_moment(to, "to"))


VisitFilterDep = Annotated[VisitFilter, Depends(read_filter)]


@router.get(
    "/stores",
    summary="Stores",
    operation_id="list_stores",
    responses=answers(StoreList, 401, 403, 422, 503),
)
@needs("read")
def read_stores(
    caller: CallerDep, services: ServicesDep, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    """Every store that an event named or that was described."""
    return JsonAnswer(list_stores(services.graph, caller.brand, limit, cursor))


@router.get(
    "/stores/{store_id}",
    summary="One store",
    operation_id="get_store",
    responses=answers(Store, 401, 403, 404, 503),
)
@needs("read")
def read_store(store_id: StoreId, caller: CallerDep, services: ServicesDep) -> Response:
    """The store as it is described."""
    return JsonAnswer(get_store(services.graph, caller.brand, store_id))


@router.put(
    "/stores/{store_id}",
    summary="Describe a store",
    operation_id="put_store",
    responses=answers(Store, 400, 401, 403, 422, 503),
)
@needs("admin")
def put_one_store(store_id: StoreId, body: StoreCommand, caller: CallerDep, services: ServicesDep) -> Response:
    """Describe a store, making it when it is new; what is left out stays."""
    key = read_text(store_id, "store_id", longest=MAX_ID)
    if key is None:
        raise InvalidInputError("store_id: must not be empty", field="store_id")
    read_timezone(body.timezone)
    told = {name: value for name, value in body.model_dump().items() if value is not None}
    return JsonAnswer(put_store(services.graph, caller.brand, key, told, utc_now()))


@router.get(
    "/visits",
    summary="Visits, newest first",
    operation_id="list_visits",
    responses=answers(VisitList, 401, 403, 422, 503),
)
@needs("read")
def read_visits(caller: CallerDep, services: ServicesDep, page: PageDep, where: VisitFilterDep) -> Response:
    """Visits by check-in, folded when asked for; a page with a rare status may hold fewer items and still go on."""
    return JsonAnswer(list_visits(services.graph, caller.brand, page, where))


@router.get(
    "/visits/{visit_id}",
    summary="One visit",
    operation_id="get_visit",
    responses=answers(StoreVisit, 401, 403, 404, 503),
)
@needs("read")
def read_visit(visit_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """The visit, by the id of any of its events, with the open intents that the customer brought along."""
    now = utc_now()
    found = find_visit(services.graph, caller.brand, visit_id, now)
    return JsonAnswer(describe_visit(services.graph, caller.brand, found, now))


@router.post(
    "/visits",
    summary="Check somebody in",
    operation_id="check_in",
    status_code=201,
    responses=answers(
        StoreVisit, 400, 401, 403, 404, 409, 422, 503, status=201, description="The visit that this is part of."
    ),
)
@needs("ingest")
def post_check_in(body: CheckInCommand, command: CommandDep) -> Response:
    """Send a `store_visit` event; where the customer is in this store already, it is another sign of the same visit."""
    services, brand = command.services, command.caller.brand
    if (body.profile_id is None) == (body.identifiers is None):
        raise InvalidInputError("identifiers: give either identifiers or profile_id", field="identifiers")
    store_id = read_text(body.store_id, "store_id", longest=MAX_ID)
    if store_id is None:
        raise InvalidInputError("store_id: must not be empty", field="store_id")
    now = utc_now()
    at = _moment(body.at, now)

    def work() -> dict[str, Any]:
        identifiers = body.identifiers or identifiers_of(services.graph, brand, body.profile_id or "")
        wanted = CheckIn(store_id, body.method, identifiers, at, body.store_name, command.key)
        settings = services.directory.settings(brand)
        event = check_in_event(wanted, settings, now)
        [outcome] = command.wait_for(services.ingest.take(settings, [event], may_queue=False))
        result = stored(outcome)
        if result.profile_id is None:
            raise ConflictError("Stored as an event, but these identifiers lead to nobody (shared or blocked).")
        keep_stores(services.graph, brand, [(store_id, body.store_name or "")], now)
        found = find_visit(services.graph, brand, result.event_id, now)
        return describe_visit(services.graph, brand, found, now) | {"warnings": list(result.warnings)}

    return command.run(work, status=201)


@router.post(
    "/visits/{visit_id}/check-out",
    summary="Check somebody out",
    operation_id="check_out",
    responses=answers(StoreVisit, 400, 401, 403, 404, 409, 422, 503),
)
@needs("ingest")
def post_check_out(visit_id: str, command: CommandDep, body: CheckOutCommand | None = None) -> Response:
    """End a visit; without a check-in 404, before it 422, twelve hours after it 409. A repeat changes nothing."""
    services, brand = command.services, command.caller.brand
    now = utc_now()
    at = _moment(body.at if body else None, now)
    if at > now:
        raise InvalidInputError("at: must not lie ahead", field="at")

    def work() -> dict[str, Any]:
        found = find_visit(services.graph, brand, visit_id, now)
        if not found.is_checked_out(now):
            settings = services.directory.settings(brand)
            [outcome] = command.wait_for(
                services.ingest.take(settings, [check_out_event(_leaving(found), at)], may_queue=False)
            )
            stored(outcome)
            found = find_visit(services.graph, brand, visit_id, now)
        return describe_visit(services.graph, brand, found, now)

    return command.run(work)


def _leaving(found: FoundVisit) -> CheckOut:
    visit = found.visit
    return CheckOut(visit.id, visit.store_id, visit.method, visit.check_in_at, found.identifiers, visit.name or None)


def _moment(text: str | None, now: datetime) -> datetime:
    return read_moment(text, "at") or now
