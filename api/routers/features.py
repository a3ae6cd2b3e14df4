"""Features of a profile, as the Celery task stored them, from `ml/features`."""

from dataclasses import asdict

from fastapi import APIRouter
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.openapi import answers
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.features import FeatureCatalogue, Features
from ml.features.definitions import FEATURES
from ml.features.store import get_features

router = APIRouter(prefix="/api/features", tags=["features"], route_class=GuardedRoute)


@router.get(
    "",
    summary="What features there are, and what each means",
    operation_id="list_features",
    responses=answers(FeatureCatalogue, 401, 403),
)
@needs("read")
def read_catalogue(caller: CallerDep) -> Response:
    """The catalogue: name, type, unit, the span of time looked at, and one sentence, in the order of feature sets."""
    return JsonAnswer({"items": [asdict(feature) for feature in FEATURES]})


@router.get(
    "/{profile_id}",
    summary="The computed features of a profile",
    operation_id="get_features",
    responses=answers(Features, 401, 403, 404, 503),
)
@needs("read")
def read_features(profile_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """Features of the live profile with their age; `is_current` tells whether they know its latest change."""
    return JsonAnswer(get_features(services.graph, caller.brand, profile_id))
