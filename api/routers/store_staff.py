"""What staff sees: the page of a store, and alerts with their way from pending to viewed or dismissed."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.idempotency import Command, CommandDep
from api.openapi import answers
from api.params import PageDep
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.base import MAX_ID
from api.schemas.stores import AlertCommand, AlertList, StoreAlert, StoreDashboard
from core.clock import utc_now
from insight.store_alerts import DELIVERED, DISMISSED, VIEWED, AlertFilter, list_alerts, move_alert
from insight.store_dashboard import get_dashboard

router = APIRouter(prefix="/api/store", tags=["stores"], route_class=GuardedRoute)

_MOVED = answers(StoreAlert, 400, 401, 403, 404, 409, 422, 503)
MOST_HERE = 50


@router.get(
    "/dashboard",
    summary="The page of a store",
    operation_id="get_store_dashboard",
    responses=answers(StoreDashboard, 401, 403, 404, 422, 503),
)
@needs("read")
def read_dashboard(
    caller: CallerDep,
    services: ServicesDep,
    store_id: Annotated[str, Query(min_length=1, max_length=MAX_ID, description="The store.")],
    limit: Annotated[int, Query(ge=1, le=MOST_HERE, description="Customers who are here, newest first.")] = 20,
) -> Response:
    """Who is here, what they want, what to say, open alerts, and who came today (in the store's time zone)."""
    return JsonAnswer(get_dashboard(services.graph, caller.brand, store_id, utc_now(), limit))


@router.get(
    "/alerts",
    summary="Alerts for staff, newest first",
    operation_id="list_store_alerts",
    responses=answers(AlertList, 401, 403, 422, 503),
)
@needs("read")
def read_alerts(
    caller: CallerDep,
    services: ServicesDep,
    page: PageDep,
    store_id: Annotated[str | None, Query(max_length=MAX_ID, description="One store; all without it.")] = None,
    state: Annotated[str | None, Query(description="pending, delivered, viewed or dismissed.")] = None,
    kind: Annotated[str | None, Query(description="product_intent, high_value_customer or churn_risk.")] = None,
) -> Response:
    """Raised some seconds after a check-in or a till sale; a page with a rare state may be short and still go on."""
    where = AlertFilter(store_id or None, state, kind)
    return JsonAnswer(list_alerts(services.graph, caller.brand, page, where))


@router.post(
    "/alerts/{alert_id}/delivered",
    summary="An alert was shown",
    operation_id="deliver_store_alert",
    responses=_MOVED,
)
@needs("ingest")
def post_delivered(alert_id: str, command: CommandDep, body: AlertCommand | None = None) -> Response:
    """A screen shows it: pending becomes delivered; a repeat changes nothing."""
    return _move(command, alert_id, DELIVERED, body)


@router.post(
    "/alerts/{alert_id}/viewed",
    summary="An alert was read",
    operation_id="view_store_alert",
    responses=_MOVED,
)
@needs("ingest")
def post_viewed(alert_id: str, command: CommandDep, body: AlertCommand | None = None) -> Response:
    """Somebody read it; a dismissed one refuses."""
    return _move(command, alert_id, VIEWED, body)


@router.post(
    "/alerts/{alert_id}/dismissed",
    summary="An alert was put away",
    operation_id="dismiss_store_alert",
    responses=_MOVED,
)
@needs("ingest")
def post_dismissed(alert_id: str, command: CommandDep, body: AlertCommand | None = None) -> Response:
    """Somebody put it away for good."""
    return _move(command, alert_id, DISMISSED, body)


def _move(command: Command, alert_id: str, state: str, body: AlertCommand | None) -> Response:
    wanted: dict[str, Any] = {
        "state": state, "at": utc_now(), "by": command.actor, "channel": body.channel if body else None,
    }  # fmt: skip
    return command.run(lambda: move_alert(command.services.graph, command.caller.brand, alert_id, wanted))
