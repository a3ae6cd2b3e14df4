"""Predictions over HTTP: score profiles now, how likely the next order is, what to do next; from `ml/serving`."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.openapi import answers
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.predictions import (
    NextAction,
    PredictionSettings,
    Propensity,
    ScoreCommand,
    ScoredProfiles,
    SettingsCommand,
)
from core.clock import utc_now
from ml.serving.answers import next_action, score_now, set_bought_once, settings_view
from ml.serving.propensity import propensity

router = APIRouter(prefix="/api/predictions", tags=["predictions"], route_class=GuardedRoute)
ProfileId = Annotated[str, Query(min_length=1, max_length=200, description="The profile; an absorbed id is taken too.")]


@router.post(
    "/score",
    summary="Features and predictions of profiles, computed now",
    operation_id="score_profiles",
    responses=answers(ScoredProfiles, 400, 401, 403, 422, 503),
)
@needs("read")
def post_score(body: ScoreCommand, caller: CallerDep, services: ServicesDep) -> Response:
    """Compute, keep and answer features and predictions of up to 200 profiles; unknown ids are in `not_found`."""
    return JsonAnswer(score_now(services.graph, services.models, caller.brand, body.profile_ids, utc_now()))


@router.get(
    "/settings",
    summary="What recommendations keep to",
    operation_id="get_prediction_settings",
    responses=answers(PredictionSettings, 401, 403, 503),
)
@needs("read")
def read_settings(caller: CallerDep, services: ServicesDep) -> Response:
    """What the brand says is bought once for ever."""
    return JsonAnswer(settings_view(services.graph, caller.brand))


@router.put(
    "/settings",
    summary="Say what is bought once for ever",
    operation_id="put_prediction_settings",
    responses=answers(PredictionSettings, 400, 401, 403, 422, 503),
)
@needs("admin")
def put_settings(body: SettingsCommand, caller: CallerDep, services: ServicesDep) -> Response:
    """Such products, and others of such categories, are not recommended to who has one; from the next scoring on."""
    return JsonAnswer(set_bought_once(services.graph, caller.brand, body.bought_once.model_dump(), utc_now()))


@router.get(
    "/propensity",
    summary="How likely an order, an opened message and a click are",
    operation_id="get_propensity",
    responses=answers(Propensity, 401, 403, 404, 422, 503),
)
@needs("read")
def read_propensity(profile_id: ProfileId, caller: CallerDep, services: ServicesDep) -> Response:
    """Probability of an order, and of opening and clicking where messages are known of, within 7 and 30 days."""
    return JsonAnswer(propensity(services.graph, services.models, caller.brand, profile_id, utc_now()))


@router.get(
    "/next-action",
    summary="What to do next for a customer",
    operation_id="get_next_action",
    responses=answers(NextAction, 401, 403, 404, 422, 503),
)
@needs("read")
def read_next_action(profile_id: ProfileId, caller: CallerDep, services: ServicesDep) -> Response:
    """From stage, open intents, consent and predictions, with the product that fits best."""
    return JsonAnswer(next_action(services.graph, caller.brand, profile_id))
