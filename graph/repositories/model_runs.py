"""Runs that train a brand's models, score all its profiles or compute their traits; the graph is their only truth.

A brand has one run of a kind that waits or runs. Whoever holds a lease renews it; one whose lease ran out is free.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from core.errors import ConflictError, NotFoundError
from core.paging import encode_cursor
from graph.driver import Graph
from graph.repositories.profiles import Page
from graph.values import parse_json, to_time, to_time_text

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
MAX_ATTEMPTS = 3


class RunKind(StrEnum):
    """What a run does."""

    TRAIN = "train"
    SCORE = "score"
    TRAITS = "traits"


@dataclass(frozen=True, slots=True)
class RunClaim:
    """A run in the hands of one worker."""

    brand: str
    run_id: str
    token: str


@dataclass(frozen=True, slots=True)
class DueRun:
    """A run that no living worker holds."""

    brand: str
    id: str
    attempts: int


def start_run(
    graph: Graph, brand: str, kind: RunKind, settings: Mapping[str, Any], *, by: str, now: datetime
) -> dict[str, Any]:
    """Let a run wait for a worker; one of the kind that waits or runs already is answered instead of a second one."""
    id_ = f"run_{uuid.uuid4().hex}"
    [row] = graph.write(
        "model_runs/create_run",
        brand=brand, id=id_, kind=kind.value, waiting=f"{brand}|{kind.value}", by=by, now=now, settings=dict(settings),
    )  # fmt: skip
    return {**run_item(row["run"]), "is_new": row["run"]["id"] == id_}


def claim_run(graph: Graph, brand: str, run_id: str, *, now: datetime, lease: timedelta) -> dict[str, Any] | None:
    """Take a run for this worker: its stored properties, None while somebody alive has it."""
    token = uuid.uuid4().hex
    rows = graph.write("model_runs/claim_run", brand=brand, id=run_id, token=token, now=now, until=now + lease)
    return rows[0]["run"] if rows else None


def renew_run(graph: Graph, claim: RunClaim, progress: Mapping[str, Any], *, until: datetime) -> bool:
    """Say that the worker lives and how far it is; False when the run is no longer its own or was stopped."""
    rows = graph.write(
        "model_runs/renew_run",
        brand=claim.brand, id=claim.run_id, token=claim.token, until=until, progress=dict(progress),
    )  # fmt: skip
    return bool(rows)


def finish_run(
    graph: Graph,
    claim: RunClaim,
    state: str,
    *,
    now: datetime,
    error: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> bool:
    """End the run in `state` (QUEUED: another worker may go on); an empty token ends it whoever held it."""
    rows = graph.write(
        "model_runs/finish_run",
        brand=claim.brand, id=claim.run_id, token=claim.token or None, state=state, error=error, now=now,
        facts=dict(facts or {}),
    )  # fmt: skip
    return bool(rows)


def cancel_run(graph: Graph, brand: str, run_id: str, *, by: str, now: datetime) -> dict[str, Any]:
    """Stop a run; raises NotFoundError, ConflictError when it has ended."""
    rows = graph.write("model_runs/cancel_run", brand=brand, id=run_id, by=by, now=now)
    if rows:
        return run_item(rows[0]["run"])
    found = find_run(graph, brand, run_id)
    if found["cancelled_by"] != by:
        raise ConflictError("The job has ended.")
    return found


def is_cancelled(graph: Graph, claim: RunClaim) -> bool:
    """Whether somebody stopped the run."""
    rows = graph.read("model_runs/get_run", brand=claim.brand, id=claim.run_id)
    return bool(rows) and rows[0]["run"].get("cancelled_by") is not None


def find_run(graph: Graph, brand: str, run_id: str) -> dict[str, Any]:
    """One run; raises NotFoundError when it is unknown or of another brand."""
    rows = graph.read("model_runs/get_run", brand=brand, id=run_id)
    if not rows:
        raise NotFoundError("No such job.")
    return run_item(rows[0]["run"])


def list_runs(graph: Graph, brand: str, page: Page) -> dict[str, Any]:
    """One page of runs, newest first: {items, next_cursor}."""
    found = [row["run"] for row in graph.read("model_runs/list_runs", brand=brand, **page.params())]
    cursor = None
    if len(found) > page.size:
        last = found[page.size - 1]
        at = to_time(last["created_at"])
        cursor = None if at is None else encode_cursor(at, last["id"])
    return {"items": [run_item(run) for run in found[: page.size]], "next_cursor": cursor}


def due_runs(graph: Graph, *, now: datetime, resend: timedelta, limit: int = 1) -> list[DueRun]:
    """Runs to hand to the workers now: nobody has them."""
    rows = graph.read("model_runs/list_due", now=now, sent_before=now - resend, limit=limit)
    return [DueRun(**row) for row in rows]


def mark_sent(graph: Graph, brand: str, run_id: str, *, now: datetime) -> None:
    """Remember that the workers were told of this run."""
    graph.write("model_runs/mark_sent", brand=brand, id=run_id, now=now)


def stale_brands(graph: Graph, kind: RunKind, before: datetime) -> list[str]:
    """Active brands that began no run of the kind since then."""
    return [row["brand"] for row in graph.read("model_runs/list_stale_brands", kind=kind.value, before=before)]


def run_item(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored run as it is answered."""
    return {
        "id": stored["id"],
        "kind": stored["kind"],
        "state": stored["state"],
        "stage": stored["stage"],
        "progress": {"done": stored.get("done") or 0, "total": stored.get("total") or 0},
        "horizon_days": stored.get("horizon_days"),
        "with_features": stored.get("with_features"),
        "attempts": stored["attempts"],
        "error": stored.get("error"),
        "model_id": stored.get("model_id"),
        "result": parse_json(stored.get("result"), None),
        "created_at": to_time_text(stored["created_at"]),
        "created_by": stored["created_by"],
        "started_at": to_time_text(stored.get("started_at")),
        "finished_at": to_time_text(stored.get("finished_at")),
        "cancelled_by": stored.get("cancelled_by"),
    }
