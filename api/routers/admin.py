"""Brands by HTTP: what `constintel brands create` does, for an admin key."""

from fastapi import APIRouter
from starlette.responses import Response

from api.auth import needs
from api.idempotency import CommandDep
from api.openapi import answers
from api.routes import GuardedRoute
from api.schemas.admin import CreateBrandCommand, CreatedBrand
from brands.onboarding import NewBrand, create_brand

router = APIRouter(prefix="/api/admin", tags=["admin"], route_class=GuardedRoute)


@router.post(
    "/brands",
    status_code=201,
    summary="Create a brand",
    operation_id="create_brand",
    responses=answers(CreatedBrand, 400, 401, 403, 409, 422, 503, status=201, description="The brand is there."),
)
@needs("platform")
def post_brand(body: CreateBrandCommand, command: CommandDep) -> Response:
    """Make a brand with its first keys and webhook addresses; its secrets are shown this once."""
    new = NewBrand(body.id, body.name, body.region, body.currency)
    return command.run(lambda: create_brand(command.services.graph, new).as_dict(), status=201, is_secret=True)
