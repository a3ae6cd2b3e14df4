"""Suggestions over HTTP: likely pairs with their comparison, the jobs that find them, the settings.

They are approved and rejected like every other review (`/api/reviews/{id}/…`).
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import JsonAnswer
from api.auth import needs
from api.idempotency import CommandDep
from api.openapi import answers
from api.params import PageDep
from api.routes import CallerDep, GuardedRoute, ServicesDep
from api.schemas.suggestions import (
    SuggestionJob,
    SuggestionJobPage,
    SuggestionPage,
    SuggestionSettingsCommand,
    SuggestionSettingsShape,
)
from core.clock import utc_now
from core.errors import InvalidInputError
from graph.repositories.suggestion_runs import cancel_run, find_run, list_runs, start_run
from graph.repositories.suggestions import LEAST_WEIGHT, MOST_WEIGHT, SuggestionFilter
from ml.suggestions.blocking import BY_NAME, describe_rules
from ml.suggestions.listing import page_of_suggestions
from ml.suggestions.settings import SuggestionSettings, read_settings, save_settings, settings_from

router = APIRouter(prefix="/api/suggestions", tags=["suggestions"], route_class=GuardedRoute)
ALL = "all"


@router.get(
    "",
    summary="Likely same persons, the likeliest first",
    operation_id="list_suggestions",
    responses=answers(SuggestionPage, 401, 403, 422, 503),
)
@needs("read")
def read_suggestions(  # noqa: PLR0913, PLR0917 (each filter of a list is a parameter)
    caller: CallerDep,
    services: ServicesDep,
    page: PageDep,
    status: Annotated[str, Query(description="pending, approved, rejected, merged or all.")] = "pending",
    profile_id: Annotated[str | None, Query(description="Only those about this profile.")] = None,
    blocking_rule: Annotated[str | None, Query(description="Only pairs that this rule brought together.")] = None,
    min_weight: Annotated[
        float | None, Query(ge=LEAST_WEIGHT, le=MOST_WEIGHT, description="Only from this match weight on.")
    ] = None,
) -> Response:
    """Pairs with match weight, probability and a comparison of each field; decide them as reviews of the same id."""
    if blocking_rule is not None and blocking_rule not in BY_NAME:
        raise InvalidInputError(f"blocking_rule must be one of: {', '.join(BY_NAME)}.", field="blocking_rule")
    where = SuggestionFilter(None if status == ALL else status, profile_id, blocking_rule, min_weight)
    found = page_of_suggestions(services.graph, caller.brand, page, where)
    return JsonAnswer({**found, "blocking_rules": describe_rules()})


@router.get(
    "/settings",
    summary="What holds for suggestions",
    operation_id="get_suggestion_settings",
    responses=answers(SuggestionSettingsShape, 401, 403, 503),
)
@needs("read")
def read_suggestion_settings(caller: CallerDep, services: ServicesDep) -> Response:
    """From which weight on a pair is proposed or merged, how many, how often, and the blocking rules."""
    return JsonAnswer(_shown(read_settings(services.graph, caller.brand)))


@router.patch(
    "/settings",
    summary="Change what holds for suggestions",
    operation_id="patch_suggestion_settings",
    responses=answers(SuggestionSettingsShape, 400, 401, 403, 422, 503),
)
@needs("admin")
def patch_suggestion_settings(body: SuggestionSettingsCommand, caller: CallerDep, services: ServicesDep) -> Response:
    """Change what is named; nothing merges by itself until `auto_merge_weight` is set."""
    stated = {name: getattr(body, name) for name in body.model_fields_set}
    settings = settings_from(stated, read_settings(services.graph, caller.brand))
    save_settings(services.graph, caller.brand, settings)
    return JsonAnswer(_shown(settings))


def _shown(settings: SuggestionSettings) -> dict[str, Any]:
    return {**settings.as_dict(), "blocking_rules": describe_rules()}


@router.post(
    "/run",
    status_code=202,
    summary="Look for likely same persons now",
    operation_id="run_suggestions",
    responses=answers(SuggestionJob, 401, 403, 409, 422, 503, status=202, description="A worker will take it."),
)
@needs("admin")
def post_run(command: CommandDep) -> Response:
    """Start a job; while one waits or runs, that one is answered (`is_new` is false)."""
    graph, brand = command.services.graph, command.caller.brand

    def work() -> dict[str, Any]:
        settings = read_settings(graph, brand).as_dict()
        return start_run(graph, brand, settings, by=command.actor, now=utc_now())

    return command.run(work, status=202)


@router.get(
    "/jobs",
    summary="Jobs, newest first",
    operation_id="list_suggestion_jobs",
    responses=answers(SuggestionJobPage, 401, 403, 422, 503),
)
@needs("read")
def read_jobs(caller: CallerDep, services: ServicesDep, page: PageDep) -> Response:
    """One page of the runs of the suggestions."""
    return JsonAnswer(list_runs(services.graph, caller.brand, page))


@router.get(
    "/jobs/{job_id}",
    summary="How far a job is",
    operation_id="get_suggestion_job",
    responses=answers(SuggestionJob, 401, 403, 404, 503),
)
@needs("read")
def read_job(job_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """Stage and counters while it runs; at the end the model's numbers and the pairs of each blocking rule too."""
    return JsonAnswer(find_run(services.graph, caller.brand, job_id))


@router.post(
    "/jobs/{job_id}/cancel",
    summary="Stop a job",
    operation_id="cancel_suggestion_job",
    responses=answers(SuggestionJob, 401, 403, 404, 409, 503),
)
@needs("admin")
def post_cancel(job_id: str, command: CommandDep) -> Response:
    """One that waits ends at once, one that runs within seconds; what it proposed stays."""
    graph, brand = command.services.graph, command.caller.brand
    return command.run(lambda: cancel_run(graph, brand, job_id, by=command.actor, now=utc_now()))
