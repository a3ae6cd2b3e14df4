"""Models over HTTP: versions with their evidence, training and scoring runs, activation, rollback, drift."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.idempotency import CommandDep
from api.openapi import answers
from api.params import PageDep
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.models import (
    ActivateCommand,
    Activated,
    BatchCommand,
    ModelDrift,
    ModelMetrics,
    ModelRun,
    ModelRunPage,
    ModelVersion,
    ModelVersionPage,
    RollbackCommand,
    TrainCommand,
)
from core.clock import utc_now
from graph.repositories.model_runs import RunKind, cancel_run, find_run, list_runs, start_run
from graph.repositories.models import Change, find_active, find_version, list_versions, version_item
from graph.values import parse_json
from ml.serving.change import activate, roll_back

router = APIRouter(prefix="/api/models", tags=["models"], route_class=GuardedRoute)


@router.get(
    "",
    summary="Versions of the models, newest first",
    operation_id="list_models",
    responses=answers(ModelVersionPage, 401, 403, 422, 503),
)
@needs("read")
def read_models(caller: CallerDep, services: ServicesDep, page: PageDep) -> Response:
    """Each training run is a version; `active` marks the one that scores profiles."""
    return JsonAnswer(list_versions(services.graph, caller.brand, page))


@router.post(
    "/train",
    status_code=202,
    summary="Train on the brand's own history",
    operation_id="train_models",
    responses=answers(ModelRun, 400, 401, 403, 409, 422, 503, status=202, description="A worker will take it."),
)
@needs("admin")
def post_train(body: TrainCommand, command: CommandDep) -> Response:
    """Start a run; while one waits or runs, that one is answered (`is_new` is false)."""
    graph, brand = command.services.graph, command.caller.brand

    def work() -> dict[str, Any]:
        horizon = body.horizon_days or (find_active(graph, brand) or {}).get("horizon_days")
        return start_run(graph, brand, RunKind.TRAIN, {"horizon_days": horizon}, by=command.actor, now=utc_now())

    return command.run(work, status=202)


@router.post(
    "/score",
    status_code=202,
    summary="Score all profiles",
    operation_id="score_all_profiles",
    responses=answers(ModelRun, 400, 401, 403, 409, 422, 503, status=202, description="A worker will take it."),
)
@needs("admin")
def post_score_all(body: BatchCommand, command: CommandDep) -> Response:
    """Start a run over all live profiles with the active version; it also looks for drift."""
    graph, brand = command.services.graph, command.caller.brand
    settings = {"with_features": body.with_features}
    return command.run(
        lambda: start_run(graph, brand, RunKind.SCORE, settings, by=command.actor, now=utc_now()), status=202
    )


@router.post(
    "/rollback",
    summary="Let the version before score again",
    operation_id="roll_back_models",
    responses=answers(Activated, 400, 401, 403, 409, 422, 503),
)
@needs("admin")
def post_rollback(body: RollbackCommand, command: CommandDep) -> Response:
    """One call: the version that the active one replaced takes over; day one when there was none."""
    services, brand = command.services, command.caller.brand
    return command.run(
        lambda: roll_back(services.graph, brand, Change(command.actor, body.reason or "rolled back", utc_now()))
    )


@router.get(
    "/runs",
    summary="Training and scoring runs, newest first",
    operation_id="list_model_runs",
    responses=answers(ModelRunPage, 401, 403, 422, 503),
)
@needs("read")
def read_runs(caller: CallerDep, services: ServicesDep, page: PageDep) -> Response:
    """One page of runs."""
    return JsonAnswer(list_runs(services.graph, caller.brand, page))


@router.get(
    "/runs/{model_run_id}",
    summary="How far a run is",
    operation_id="get_model_run",
    responses=answers(ModelRun, 401, 403, 404, 503),
)
@needs("read")
def read_run(model_run_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """Stage and progress while it runs; at the end what came of it, for a training with the reason of its verdict."""
    return JsonAnswer(find_run(services.graph, caller.brand, model_run_id))


@router.post(
    "/runs/{model_run_id}/cancel",
    summary="Stop a run",
    operation_id="cancel_model_run",
    responses=answers(ModelRun, 401, 403, 404, 409, 503),
)
@needs("admin")
def post_cancel(model_run_id: str, command: CommandDep) -> Response:
    """One that waits ends at once, one that runs at its next sign of life; what it stored stays."""
    graph, brand = command.services.graph, command.caller.brand
    return command.run(lambda: cancel_run(graph, brand, model_run_id, by=command.actor, now=utc_now()))


@router.get(
    "/{model_id}",
    summary="One version",
    operation_id="get_model",
    responses=answers(ModelVersion, 401, 403, 404, 503),
)
@needs("read")
def read_model(model_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """Metrics, data window, features, parameters, code version and the digests of its files."""
    return JsonAnswer(version_item(find_version(services.graph, caller.brand, model_id)))


@router.get(
    "/{model_id}/metrics",
    summary="How good a version is, and why it was chosen",
    operation_id="get_model_metrics",
    responses=answers(ModelMetrics, 401, 403, 404, 503),
)
@needs("read")
def read_metrics(model_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """Backtests by target and candidate, and realised churn and spend of the segments."""
    found = version_item(find_version(services.graph, caller.brand, model_id))
    return JsonAnswer({name: found[name] for name in ("id", "metrics", "choices", "segments")})


@router.get(
    "/{model_id}/drift",
    summary="Whether a version still fits",
    operation_id="get_model_drift",
    responses=answers(ModelDrift, 401, 403, 404, 503),
)
@needs("read")
def read_drift(model_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """Shifts of features and scores since training, and predictions against what came once their days have passed."""
    stored = find_version(services.graph, caller.brand, model_id)
    return JsonAnswer({"id": stored["id"], "drift": parse_json(stored.get("drift"), None)})


@router.post(
    "/{model_id}/activate",
    summary="Let a version score",
    operation_id="activate_model",
    responses=answers(Activated, 400, 401, 403, 404, 409, 422, 503),
)
@needs("admin")
def post_activate(model_id: str, body: ActivateCommand, command: CommandDep) -> Response:
    """Takes over at once for every profile scored from now on; its files are checked first."""
    services, brand = command.services, command.caller.brand
    return command.run(
        lambda: activate(
            services.graph,
            services.settings.data_dir,
            brand,
            model_id,
            Change(command.actor, body.reason or "by hand", utc_now()),
        )
    )
