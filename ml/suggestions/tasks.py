"""Celery tasks of the suggestions: thin; a beat tick hands runs that wait to the workers, one of them carries it out.

The libraries of the model are imported inside the task: a worker that only relays never pays for them.
"""

from collections.abc import Callable
from datetime import timedelta

import structlog
from celery import current_app, shared_task
from celery.exceptions import SoftTimeLimitExceeded

from core.clock import Clock, utc_now
from core.errors import NotFoundError, UnavailableError
from graph.driver import Graph
from graph.process import process_graph
from graph.repositories.suggestion_runs import (
    FAILED,
    MAX_ATTEMPTS,
    RunClaim,
    due_runs,
    finish_run,
    mark_sent,
    start_run,
)
from graph.repositories.suggestions import scheduled_brands
from ml.suggestions.settings import read_settings

log = structlog.get_logger(__name__)

RUN_TASK = "ml.run_suggestions"
SWEEP_TASK = "ml.sweep_suggestions"
SCHEDULE_TASK = "ml.schedule_suggestions"
# A message that no worker took for so long is sent again.
_RESEND = timedelta(seconds=60)
# Within the time after which the broker gives a message to a second worker.
_SOFT_SECONDS = 3_000
_HARD_SECONDS = 3_300
_SCHEDULED_BY = "schedule"

Send = Callable[[str, str], None]
"""Wakes the workers with a brand and the id of a run."""


@shared_task(name=RUN_TASK, ignore_result=True, soft_time_limit=_SOFT_SECONDS, time_limit=_HARD_SECONDS)
def run_suggestions_task(brand: str, run_id: str) -> None:
    """Carry out one run; nothing when another worker has it or it has ended."""
    from ml.suggestions.run import run_suggestions  # noqa: PLC0415 (Splink, DuckDB and pandas load with it)

    try:
        run_suggestions(process_graph(), brand, run_id)
    except UnavailableError as error:
        # The run waits in the graph; the next tick that finds Neo4j sends it again.
        log.warning("suggestions_wait", run_id=run_id, reason=type(error).__name__)
    except SoftTimeLimitExceeded:
        log.error("suggestions_took_too_long", run_id=run_id)


@shared_task(name=SWEEP_TASK, ignore_result=True)
def sweep_suggestions_task() -> None:
    """Hand the run that waits longest to the workers, and give up on one that keeps killing them."""
    try:
        sweep_runs(process_graph(), _send)
    except UnavailableError as error:
        log.warning("suggestions_sweep_waits", reason=type(error).__name__)


@shared_task(name=SCHEDULE_TASK, ignore_result=True)
def schedule_suggestions_task() -> None:
    """Begin the runs that brands want from time to time."""
    try:
        schedule_runs(process_graph())
    except UnavailableError as error:
        log.warning("suggestions_schedule_waits", reason=type(error).__name__)


def _send(brand: str, run_id: str) -> None:
    current_app.send_task(RUN_TASK, args=[brand, run_id], ignore_result=True)


def sweep_runs(graph: Graph, send: Send, clock: Clock = utc_now) -> list[str]:
    """Send what waits and what a dead worker left behind; ids of the runs sent. A run sent twice is harmless."""
    sent = []
    for run in due_runs(graph, now=clock(), resend=_RESEND):
        if run.attempts >= MAX_ATTEMPTS:
            ended = RunClaim(run.brand, run.id, "")
            finish_run(graph, ended, FAILED, now=clock(), error=f"{MAX_ATTEMPTS} workers died of it.")
            log.error("suggestions_given_up", run_id=run.id)
            continue
        send(run.brand, run.id)
        mark_sent(graph, run.brand, run.id, now=clock())
        sent.append(run.id)
    return sent


def schedule_runs(graph: Graph, clock: Clock = utc_now) -> list[str]:
    """Start the runs that are due by the brands' schedules; ids of the runs."""
    started = []
    for brand in scheduled_brands(graph, clock()):
        try:
            settings = read_settings(graph, brand)
        except NotFoundError:
            continue
        started.append(start_run(graph, brand, settings.as_dict(), by=_SCHEDULED_BY, now=clock())["id"])
    return started
