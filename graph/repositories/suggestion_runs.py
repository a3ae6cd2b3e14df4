"""Runs of the suggestions: who asked, which worker holds it, how far it has come; the graph is their only truth.

A brand has one run that waits or runs, an installation computes one at a time (the slot). Whoever holds a lease renews
it; a run whose lease ran out is anybody's.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.errors import ConflictError, NotFoundError
from core.paging import decode_cursor, encode_cursor
from graph.driver import Graph
from graph.repositories.profiles import Page
from graph.transactions import Transaction, in_transaction
from graph.values import LAST_ID, LATEST, parse_json, to_time, to_time_text

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
MAX_ATTEMPTS = 3
_BUDGET_SECONDS = 10.0


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


def start_run(graph: Graph, brand: str, settings: Mapping[str, Any], *, by: str, now: datetime) -> dict[str, Any]:
    """Let a run wait for a worker; the one that waits or runs already is answered instead of a second one."""
    id_ = f"sug_{uuid.uuid4().hex}"
    stated = {name: settings[name] for name in ("min_match_weight", "auto_merge_weight", "max_proposals")}
    [row] = graph.write("suggestions/create_run", brand=brand, id=id_, by=by, now=now, settings=stated)
    return {**run_item(row["run"]), "is_new": row["run"]["id"] == id_}


def claim_run(graph: Graph, brand: str, run_id: str, *, now: datetime, lease: timedelta) -> dict[str, Any] | None:
    """Take a run for this worker: its stored properties, None while somebody alive has it or the slot."""
    token = uuid.uuid4().hex

    def work(tx: Transaction) -> dict[str, Any] | None:
        tx.run("suggestions/lock_slot")
        rows = tx.run("suggestions/claim_run", brand=brand, id=run_id, token=token, now=now, until=now + lease)
        return rows[0][0] if rows else None

    return in_transaction(graph, work, budget_seconds=_BUDGET_SECONDS)


def renew_run(graph: Graph, claim: RunClaim, progress: Mapping[str, Any], *, until: datetime) -> bool:
    """Say that the worker lives and how far it is; False when the run is no longer its own or was stopped."""
    rows = graph.write(
        "suggestions/renew_run",
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
    facts: Mapping[str, str] | None = None,
) -> bool:
    """End the run in `state` (QUEUED: another worker may go on); False when it is no longer this worker's.

    A claim with an empty token ends it whoever held it.
    """

    def work(tx: Transaction) -> bool:
        tx.run("suggestions/lock_slot")
        rows = tx.run(
            "suggestions/finish_run",
            brand=claim.brand, id=claim.run_id, token=claim.token or None, state=state, error=error, now=now,
            facts=dict(facts or {}),
        )  # fmt: skip
        return bool(rows)

    return in_transaction(graph, work, budget_seconds=_BUDGET_SECONDS)


def cancel_run(graph: Graph, brand: str, run_id: str, *, by: str, now: datetime) -> dict[str, Any]:
    """Stop a run; raises NotFoundError, ConflictError when it has ended."""
    rows = graph.write("suggestions/cancel_run", brand=brand, id=run_id, by=by, now=now)
    if rows:
        return run_item(rows[0]["run"])
    if find_run(graph, brand, run_id)["cancelled_by"] != by:
        raise ConflictError("The job has ended.")
    return find_run(graph, brand, run_id)


def is_cancelled(graph: Graph, claim: RunClaim) -> bool:
    """Whether somebody stopped the run."""
    rows = graph.read("suggestions/get_run", brand=claim.brand, id=claim.run_id)
    return bool(rows) and rows[0]["run"].get("cancelled_by") is not None


def find_run(graph: Graph, brand: str, run_id: str) -> dict[str, Any]:
    """One run; raises NotFoundError when it is unknown or of another brand."""
    rows = graph.read("suggestions/get_run", brand=brand, id=run_id)
    if not rows:
        raise NotFoundError("No such job.")
    return run_item(rows[0]["run"])


def list_runs(graph: Graph, brand: str, page: Page) -> dict[str, Any]:
    """One page of runs, newest first: {items, next_cursor}."""
    before = decode_cursor(page.cursor) or (LATEST, LAST_ID)
    rows = graph.read(
        "suggestions/list_runs", brand=brand, before_at=before[0], before_id=before[1], limit=page.size + 1
    )
    found = [row["run"] for row in rows]
    cursor = None
    if len(found) > page.size:
        last = found[page.size - 1]
        at = to_time(last["created_at"])
        cursor = None if at is None else encode_cursor(at, last["id"])
    return {"items": [run_item(run) for run in found[: page.size]], "next_cursor": cursor}


def due_runs(graph: Graph, *, now: datetime, resend: timedelta, limit: int = 1) -> list[DueRun]:
    """Runs to hand to the workers now: nobody has them and the slot is free."""
    rows = graph.read("suggestions/list_due_runs", now=now, sent_before=now - resend, limit=limit)
    return [DueRun(**row) for row in rows]


def mark_sent(graph: Graph, brand: str, run_id: str, *, now: datetime) -> None:
    """Remember that the workers were told of this run."""
    graph.write("suggestions/mark_sent", brand=brand, id=run_id, now=now)


def run_item(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored run as it is answered."""
    counts = ("profiles_total", "profiles_read", "pairs", "known", "proposed", "merged")
    settings = ("min_match_weight", "auto_merge_weight", "max_proposals")
    return {
        "id": stored["id"],
        "state": stored["state"],
        "stage": stored["stage"],
        "progress": {name: stored.get(name) or 0 for name in counts},
        "settings": {name: stored.get(name) for name in settings},
        "attempts": stored["attempts"],
        "error": stored.get("error"),
        "created_at": to_time_text(stored["created_at"]),
        "created_by": stored["created_by"],
        "started_at": to_time_text(stored.get("started_at")),
        "finished_at": to_time_text(stored.get("finished_at")),
        "cancelled_by": stored.get("cancelled_by"),
        "pairs_by_rule": parse_json(stored.get("by_rule"), {}),
        "crowded_keys": parse_json(stored.get("crowded"), {}),
        "model": parse_json(stored.get("model"), None),
    }
