"""A run from its claim to its end: the lease, the work of its kind, what is written when it ends, breaks or is lost."""

from datetime import datetime, timedelta
from typing import Any

import structlog

from core.clock import Clock, utc_now
from core.errors import UnavailableError
from graph.driver import Graph
from graph.repositories.model_runs import (
    CANCELLED,
    DONE,
    FAILED,
    QUEUED,
    RunClaim,
    RunKind,
    claim_run,
    finish_run,
    is_cancelled,
    start_run,
)
from graph.values import parse_json
from ml.runs.batch import score_all
from ml.runs.heart import Heart, Progress, RunLostError
from ml.runs.traits import compute_all_traits
from ml.serving.active import ActiveModels

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)


def carry_out_run(
    graph: Graph, models: ActiveModels, brand: str, run_id: str, *, clock: Clock = utc_now, lease: timedelta = LEASE
) -> str | None:
    """Carry out a run that waits, or one whose worker died; its state at the end, None when somebody else has it.

    Raises whatever broke it, after writing that into the run; while Neo4j is away the run waits for another worker.
    """
    stored = claim_run(graph, brand, run_id, now=clock(), lease=lease)
    if stored is None:
        return None
    claim = RunClaim(brand, run_id, stored["lease_token"])
    try:
        with Heart(graph, claim, Progress(), lease) as heart:
            facts = _work(graph, models, claim, stored, heart, clock())
    except RunLostError:
        state = CANCELLED if is_cancelled(graph, claim) else None
        if state is not None:
            finish_run(graph, claim, state, now=clock())
        return state
    except UnavailableError:
        finish_run(graph, claim, QUEUED, now=clock())
        raise
    except Exception as error:
        # Whatever broke it breaks it again: the run says so, and the worker's log has the rest.
        finish_run(graph, claim, FAILED, now=clock(), error=f"The run broke: {type(error).__name__}.")
        raise
    finish_run(graph, claim, DONE, now=clock(), facts=facts)
    if stored["kind"] == RunKind.TRAIN and parse_json(facts["result"], {}).get("activated"):
        start_run(graph, brand, RunKind.SCORE, {}, by=claim.run_id, now=clock())
    log.info("model_run_done", brand=brand, run_id=run_id, kind=stored["kind"])
    return DONE


def _work(
    graph: Graph, models: ActiveModels, claim: RunClaim, stored: dict[str, Any], heart: Heart, now: datetime
) -> dict[str, Any]:
    if stored["kind"] == RunKind.SCORE:
        return score_all(graph, claim.brand, models, stored, heart, now)
    if stored["kind"] == RunKind.TRAITS:
        return compute_all_traits(graph, claim.brand, stored, heart, now)
    from ml.runs.train import TrainOrder, train_brand  # noqa: PLC0415 (scipy and the fits load with it)

    return train_brand(TrainOrder(graph, models.data_dir, claim, stored.get("horizon_days") or 0, now), heart)
