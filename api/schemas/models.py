"""Versions of a brand's models, the runs that train them and score profiles, and what is watched of them."""

from typing import Annotated, Any

from pydantic import Field

from api.schemas.base import Command, Reason, Shape, example

_MODEL_ID = "mdl_2f1d8a0c6b7e4c1f9d3a5b6c7d8e9f01"
_RUN_ID = "run_2f1d8a0c6b7e4c1f9d3a5b6c7d8e9f01"
_AT = "2026-11-01T12:00:00Z"
_METRICS = {"churn": {"roc_auc": 0.769, "brier": 0.159, "ece": 0.02, "accuracy": 0.74}, "spend": {"gini": 0.72}}
_MODEL: dict[str, Any] = {
    "id": _MODEL_ID,
    "type": "predictions",
    "version": "2026-11-01.4be1c2",
    "active": True,
    "grade": "basic",
    "confidence": "medium",
    "horizon_days": 90,
    "samples": 2310,
    "data_from": "2025-01-04T00:00:00Z",
    "data_to": "2026-11-01T00:00:00Z",
    "code_version": "0.1.0",
    "metrics": _METRICS,
    "files": {"model.json": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
    "has_alert": False,
    "created_at": _AT,
    "activation_reason": "better than day one on the same held-out windows (losses: churn +9.1%, …)",
}
_RUN: dict[str, Any] = {
    "id": _RUN_ID,
    "kind": "train",
    "state": "running",
    "stage": "backtest: 2 of 3 windows judged",
    "progress": {"done": 2310, "total": 0},
    "attempts": 1,
    "error": None,
    "model_id": None,
    "result": None,
    "created_at": _AT,
}
_DRIFT: dict[str, Any] = {
    "at": _AT,
    "shifts": {"recency_days": {"psi": 0.02, "alert_above": 0.1, "customers": 2310}},
    "realised": {"predicted": 0.71, "actual": 0.7, "brier": 0.16, "customers": 2000, "is_off": False},
    "alerts": [],
}


class TrainCommand(Command):
    """What to train for; without `horizon_days` the days are those of the active version, else 90."""

    model_config = example({"horizon_days": 90})

    horizon_days: Annotated[int | None, Field(ge=7, le=365)] = None


class BatchCommand(Command):
    """What to refresh for all profiles."""

    model_config = example({"with_features": False})

    with_features: bool = False


class ActivateCommand(Command):
    """Why the version is to score from now on."""

    model_config = example({"reason": "checked by the data team"})

    reason: Reason = None


class RollbackCommand(ActivateCommand):
    """Why the version before is to score again."""

    model_config = example({"reason": "churn of new customers looks wrong"})


class ModelVersion(Shape):
    """A version; `metrics` are means over windows that it had not seen."""

    model_config = example(_MODEL)

    id: str
    type: str
    version: str
    active: bool
    created_at: str


class ModelVersionPage(Shape):
    """One page of versions, newest first."""

    model_config = example({"items": [_MODEL], "next_cursor": None})

    items: list[ModelVersion]
    next_cursor: str | None


class ModelMetrics(Shape):
    """Metrics by target, the evidence behind each choice, and what became of the segments."""

    model_config = example({"id": _MODEL_ID, "metrics": _METRICS, "choices": {}, "segments": []})

    id: str
    metrics: dict[str, Any] | None
    choices: dict[str, Any] | None
    segments: list[dict[str, Any]] | None


class ModelDrift(Shape):
    """The latest report of a scoring run: shifts, realised against predicted, alerts; null before the first one."""

    model_config = example({"id": _MODEL_ID, "drift": _DRIFT})

    id: str
    drift: dict[str, Any] | None


class Activated(Shape):
    """The version that scores from now on (null: day one) and the one before."""

    model_config = example({"active": _MODEL_ID, "previous": None})

    active: str | None
    previous: str | None


class ModelRun(Shape):
    """A run; `state` is queued, running, done, failed or cancelled."""

    model_config = example(_RUN)

    id: str
    kind: str
    state: str
    stage: str
    progress: dict[str, int]
    attempts: int
    error: str | None
    model_id: str | None
    result: dict[str, Any] | None
    created_at: str


class ModelRunPage(Shape):
    """One page of runs, newest first."""

    model_config = example({"items": [_RUN], "next_cursor": None})

    items: list[ModelRun]
    next_cursor: str | None
