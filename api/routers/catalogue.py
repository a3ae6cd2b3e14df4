"""What sources told beside events: products with their stock, and privacy requests that wait."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.openapi import answers
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.catalogue import PrivacyRequestList, ProductList
from core.paging import DEFAULT_LIMIT, MAX_LIMIT
from graph.repositories.catalogue import get_products, list_privacy_requests, list_products

router = APIRouter(prefix="/api", route_class=GuardedRoute)

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items of one page.")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.")]


@router.get(
    "/products",
    tags=["catalogue"],
    summary="Products with their stock",
    operation_id="list_products",
    responses=answers(ProductList, 401, 403, 422, 503),
)
@needs("read")
def read_products(
    caller: CallerDep,
    services: ServicesDep,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    q: Annotated[str | None, Query(max_length=200, description="Words of id, title, category or vendor.")] = None,
) -> Response:
    """Products as the brand's shops last told them, with variants and stock by location; deleted ones are left out."""
    return JsonAnswer(list_products(services.graph, caller.brand, limit, cursor, q))


@router.get(
    "/products/{product_id}",
    tags=["catalogue"],
    summary="One product, as every source tells it",
    operation_id="get_product",
    responses=answers(ProductList, 401, 403, 404, 503),
)
@needs("read")
def read_product(product_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """The product with its stock; several items where several sources use the same id."""
    return JsonAnswer({"items": get_products(services.graph, caller.brand, product_id), "next_cursor": None})


@router.get(
    "/privacy/requests",
    tags=["privacy"],
    summary="Privacy requests by due day",
    operation_id="list_privacy_requests",
    responses=answers(PrivacyRequestList, 401, 403, 422, 503),
)
@needs("admin")
def read_privacy_requests(
    caller: CallerDep, services: ServicesDep, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    """What shops asked for in somebody's name, the one that is due first before all others; they wait for a person."""
    return JsonAnswer(list_privacy_requests(services.graph, caller.brand, limit, cursor))
