"""Inventory: levels and movements of stock, demand beside stock, trends; every read is bounded and says how far."""

import uuid
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
from api.schemas.inventory import (
    DemandList,
    LevelCommand,
    Movement,
    MovementCommand,
    MovementList,
    ProductInsights,
    RecommendationList,
    TrendList,
)
from core.clock import utc_now
from graph.repositories.stock import Change, change_stock, list_movements
from ingest.steps.fields import read_text
from insight.demand import MOST_DAYS, get_product_insights, list_demand, list_recommendations, list_trending

router = APIRouter(prefix="/api/inventory", tags=["inventory"], route_class=GuardedRoute)

MOST_ITEMS = 100
_DEFAULT_ITEMS = 20

Store = Annotated[str | None, Query(max_length=MAX_ID, description="One store; all without it.")]
Limit = Annotated[int, Query(ge=1, le=MOST_ITEMS, description="Items of the answer.")]
Days = Annotated[int, Query(ge=1, le=MOST_DAYS, description="Length of the window, today included (UTC).")]


@router.put(
    "/levels",
    summary="Set how much is there",
    operation_id="put_stock_level",
    responses=answers(Movement, 400, 401, 403, 422, 503),
)
@needs("ingest")
def put_level(body: LevelCommand, command: CommandDep) -> Response:
    """The level of a product at a location from now on; what a shop tells later stands above it."""
    return _change(command, body, body.available, 0, command.key or uuid.uuid4().hex)


@router.post(
    "/movements",
    summary="Move stock",
    operation_id="move_stock",
    status_code=201,
    responses=answers(Movement, 400, 401, 403, 409, 422, 503, status=201, description="The movement and its level."),
)
@needs("ingest")
def post_movement(body: MovementCommand, command: CommandDep) -> Response:
    """Add to a level or take from it; stock never falls below nothing (422). Till sales move nothing."""
    key = body.movement_id or command.key or uuid.uuid4().hex
    return _change(command, body, None, body.delta, key, status=201)


@router.get(
    "/movements",
    summary="Movements, newest first",
    operation_id="list_stock_movements",
    responses=answers(MovementList, 401, 403, 422, 503),
)
@needs("read")
def read_movements(caller: CallerDep, services: ServicesDep, page: PageDep) -> Response:
    """Every change of stock that was told here, with who made it."""
    return JsonAnswer(list_movements(services.graph, caller.brand, page))


@router.get(
    "/demand-signals",
    summary="What is wanted where",
    operation_id="list_demand_signals",
    responses=answers(DemandList, 401, 403, 422, 503),
)
@needs("read")
def read_demand_signals(
    caller: CallerDep, services: ServicesDep, store_id: Store = None, limit: Limit = _DEFAULT_ITEMS
) -> Response:
    """The newest 2,000 open intents by product, at the store each customer was last seen in, beside the stock there."""
    items = list_demand(services.graph, caller.brand, store_id or None, limit, utc_now())
    return JsonAnswer({"items": items, "next_cursor": None})


@router.get(
    "/store-recommendations",
    summary="What to move where",
    operation_id="list_store_recommendations",
    responses=answers(RecommendationList, 401, 403, 422, 503),
)
@needs("read")
def read_recommendations(
    caller: CallerDep, services: ServicesDep, store_id: Store = None, limit: Limit = _DEFAULT_ITEMS
) -> Response:
    """Moves between stores and what to order, for the 200 most wanted products; only where stock is counted."""
    items = list_recommendations(services.graph, caller.brand, store_id or None, limit, utc_now())
    return JsonAnswer({"items": items, "next_cursor": None})


@router.get(
    "/trending",
    summary="Trending products",
    operation_id="list_trending_products",
    responses=answers(TrendList, 401, 403, 422, 503),
)
@needs("read")
def read_trending(caller: CallerDep, services: ServicesDep, days: Days = 7, limit: Limit = _DEFAULT_ITEMS) -> Response:
    """Of the 200 hottest products of the window (views, carts times 3, purchases times 5), most gained first."""
    items = list_trending(services.graph, caller.brand, days, limit, utc_now())
    return JsonAnswer({"items": items, "next_cursor": None})


@router.get(
    "/product-insights/{product_id}",
    summary="All about one product",
    operation_id="get_product_insights",
    responses=answers(ProductInsights, 401, 403, 404, 422, 503),
)
@needs("read")
def read_product_insights(
    product_id: str, caller: CallerDep, services: ServicesDep, days: Days = MOST_DAYS
) -> Response:
    """Views, carts and purchases by day, demand and stock by store, and what to move."""
    return JsonAnswer(get_product_insights(services.graph, caller.brand, product_id, days, utc_now()))


def _change(
    command: Command, body: LevelCommand | MovementCommand, available: int | None, delta: int, key: str,
    *, status: int = 200,
) -> Response:  # fmt: skip
    words: dict[str, Any] = {
        name: read_text(getattr(body, name), name, longest=MAX_ID)
        for name in ("product_id", "location_id", "sku", "title", "reason")
    }
    change = Change(id=key, by=command.actor, available=available, delta=delta, **words)
    graph, brand = command.services.graph, command.caller.brand
    return command.run(lambda: change_stock(graph, brand, change, utc_now()), status=status)
