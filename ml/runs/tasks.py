"""Celery tasks of the runs: thin; one beat tick hands runs that wait to the workers, another starts what is due."""

from collections.abc import Callable
from datetime import timedelta

import structlog
from celery import current_app, shared_task
from celery.exceptions import SoftTimeLimitExceeded

from core.clock import Clock, utc_now
from core.errors import UnavailableError
from graph.driver import Graph
from graph.process import process_graph
from graph.repositories.model_runs import (
    FAILED,
    MAX_ATTEMPTS,
    RunClaim,
    RunKind,
    due_runs,
    finish_run,
    mark_sent,
    stale_brands,
    start_run,
)
from graph.repositories.trait_definitions import pending_brands
from ml.runs.carry_out import carry_out_run
from ml.serving.active import process_models

log = structlog.get_logger(__name__)

RUN_TASK = "ml.carry_out_run"
# A message that no worker took for so long is sent again.
_RESEND = timedelta(seconds=60)
# Within the time after which the broker gives a message to a second worker.
_SOFT_SECONDS = 3_000
_HARD_SECONDS = 3_300
_AT_ONCE = 4
# A pass over a brand's computed traits that broke is tried again after this.
_TRAITS_AGAIN = timedelta(minutes=10)
REFRESH_AFTER = timedelta(hours=23)
TRAIN_AFTER = timedelta(days=7)
_SCHEDULED_BY = "schedule"

Send = Callable[[str, str], None]
"""Wakes the workers with a brand and the id of a run."""


@shared_task(name=RUN_TASK, ignore_result=True, soft_time_limit=_SOFT_SECONDS, time_limit=_HARD_SECONDS)
def carry_out_run_task(brand: str, run_id: str) -> None:
    """Carry out one run; nothing when another worker has it or it has ended."""
    try:
        carry_out_run(process_graph(), process_models(), brand, run_id)
    except UnavailableError as error:
        # The run waits in the graph; the next tick that finds Neo4j sends it again.
        log.warning("model_run_waits", run_id=run_id, reason=type(error).__name__)
    except SoftTimeLimitExceeded:
        log.error("model_run_took_too_long", run_id=run_id)


@shared_task(name="ml.sweep_runs", ignore_result=True)
def sweep_runs_task() -> None:
    """Hand runs that wait to the workers, and give up on one that keeps killing them."""
    try:
        sweep_runs(process_graph(), _send)
    except UnavailableError as error:
        log.warning("model_run_sweep_waits", reason=type(error).__name__)


@shared_task(name="ml.schedule_runs", ignore_result=True)
def schedule_runs_task() -> None:
    """Start the nightly refresh and the weekly training of brands for which they are due."""
    try:
        schedule_runs(process_graph())
    except UnavailableError as error:
        log.warning("model_run_schedule_waits", reason=type(error).__name__)


def _send(brand: str, run_id: str) -> None:
    current_app.send_task(RUN_TASK, args=[brand, run_id], ignore_result=True)


def sweep_runs(graph: Graph, send: Send, clock: Clock = utc_now) -> list[str]:
    """Send what waits and what a dead worker left behind; ids of the runs sent. A run sent twice is harmless."""
    sent = []
    for run in due_runs(graph, now=clock(), resend=_RESEND, limit=_AT_ONCE):
        if run.attempts >= MAX_ATTEMPTS:
            ended = RunClaim(run.brand, run.id, "")
            finish_run(graph, ended, FAILED, now=clock(), error=f"{MAX_ATTEMPTS} workers died of it.")
            log.error("model_run_given_up", run_id=run.id)
            continue
        send(run.brand, run.id)
        mark_sent(graph, run.brand, run.id, now=clock())
        sent.append(run.id)
    return sent


def schedule_runs(graph: Graph, clock: Clock = utc_now) -> list[str]:
    """Start what is due: all profiles once in about a day, because recency moves without events; models once a week.

    Computed traits whose definitions were changed get their pass here when nobody else has started it.
    """
    now, started = clock(), []
    for kind, age, settings in (
        (RunKind.TRAIN, TRAIN_AFTER, {}),
        (RunKind.SCORE, REFRESH_AFTER, {"with_features": True}),
    ):
        for brand in stale_brands(graph, kind, now - age):
            started.append(start_run(graph, brand, kind, settings, by=_SCHEDULED_BY, now=now)["id"])
    for brand in pending_brands(graph, now - _TRAITS_AGAIN):
        started.append(start_run(graph, brand, RunKind.TRAITS, {}, by=_SCHEDULED_BY, now=now)["id"])
    return started
