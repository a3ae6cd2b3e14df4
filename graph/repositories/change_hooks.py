"""Webhooks of the change feed in the graph: what a brand set up, how far each has come, who serves it now."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.errors import NotFoundError
from graph.driver import Graph
from graph.repositories.secrets import need_secret, seal_secret
from graph.transactions import Transaction, in_transaction
from graph.values import parse_json, to_time

_BUDGET_SECONDS = 8.0
MAX_ATTEMPTS_KEPT = 20
_SECRETS = ("secret", "old_secret")


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook as stored; no `kinds` means all of them."""

    id: str
    brand: str
    url: str
    secret: str
    cursor: int
    created_at: datetime
    next_at: datetime
    kinds: frozenset[str] = frozenset()
    is_active: bool = True
    old_secret: str | None = None
    old_secret_until: datetime | None = None
    pending_to: int | None = None
    """Last entry of the message that is being delivered: a second try sends the same one."""
    generation: int = 0
    """Grows with each redelivery by hand: its messages are new ones."""
    failures: int = 0
    failing_since: datetime | None = None
    last_delivered_at: datetime | None = None
    disabled_at: datetime | None = None
    disabled_reason: str | None = None
    attempts: tuple[dict[str, Any], ...] = ()
    """The last ones, newest first."""
    newest: int = 0
    """The newest entry of the brand's feed when this was read."""

    def secrets(self, now: datetime) -> tuple[str, ...]:
        """The secrets that sign now: the current one, and while they overlap the one before."""
        if self.old_secret is not None and self.old_secret_until is not None and now < self.old_secret_until:
            return (self.secret, self.old_secret)
        return (self.secret,)


def create_hook(graph: Graph, hook: Hook, most: int) -> bool:
    """Store a new webhook; False when the brand has `most` already. Harmless when repeated."""
    properties = {
        "url": hook.url, "secret": _sealed(graph, hook.brand, hook.id, hook.secret), "cursor": hook.cursor,
        "created_at": hook.created_at,
        "next_at": hook.next_at, "kinds": sorted(hook.kinds), "is_active": hook.is_active,
    }  # fmt: skip
    return bool(graph.write("changes/create_hook", brand=hook.brand, id=hook.id, most=most, hook=properties))


def list_hooks(graph: Graph, brand: str) -> list[Hook]:
    """The brand's webhooks, oldest first."""
    return [_hook(graph, row["hook"], row["newest"]) for row in graph.read("changes/list_hooks", brand=brand)]


def get_hook(graph: Graph, brand: str, hook_id: str) -> Hook:
    """One webhook of the brand; raises NotFoundError."""
    rows = graph.read("changes/get_hook", brand=brand, id=hook_id)
    if not rows:
        raise NotFoundError("No such webhook.")
    return _hook(graph, rows[0]["hook"], rows[0]["newest"])


def update_hook(graph: Graph, brand: str, hook_id: str, values: Mapping[str, Any], *, release: bool = False) -> None:
    """Change properties (None takes one away); `release` ends the claim of a worker under way. Raises NotFoundError."""
    sealed = {
        name: _sealed(graph, brand, hook_id, values[name]) for name in _SECRETS if values.get(name) is not None
    }  # fmt: skip
    stored = _stored({**values, **sealed})
    if not graph.write("changes/update_hook", brand=brand, id=hook_id, set=stored, release=release):
        raise NotFoundError("No such webhook.")


def delete_hook(graph: Graph, brand: str, hook_id: str) -> bool:
    """Take it away; False when there was none."""
    return bool(graph.write("changes/delete_hook", brand=brand, id=hook_id)[0]["deleted"])


def due_hooks(graph: Graph, now: datetime, limit: int) -> list[tuple[str, str]]:
    """(brand, id) of webhooks that have something to get and that nobody serves."""
    rows = graph.read("changes/list_due_hooks", now=now, limit=limit)
    return [(row["brand"], row["id"]) for row in rows]


@dataclass(frozen=True, slots=True)
class HookClaim:
    """A worker's claim on one webhook."""

    brand: str
    hook_id: str
    token: str


def lease_hook(graph: Graph, claim: HookClaim, *, now: datetime, until: datetime) -> Hook | None:
    """Claim a due webhook until that time; None when it is not due, gone, or somebody else's."""

    def work(tx: Transaction) -> Hook | None:
        tx.run("changes/lock_hook", brand=claim.brand, id=claim.hook_id)
        rows = tx.run(
            "changes/lease_hook", brand=claim.brand, id=claim.hook_id, now=now, until=until, token=claim.token
        )
        return _hook(graph, rows[0][0], 0) if rows else None

    return in_transaction(graph, work, budget_seconds=_BUDGET_SECONDS)


def record_delivery(graph: Graph, claim: HookClaim, values: Mapping[str, Any]) -> bool:
    """Write what came out; False when the claim was lost to somebody else or a command."""
    rows = graph.write(
        "changes/record_delivery", brand=claim.brand, id=claim.hook_id, token=claim.token, set=_stored(values)
    )
    return bool(rows)


def _stored(values: Mapping[str, Any]) -> dict[str, Any]:
    stored = dict(values)
    if "attempts" in stored:
        stored["attempts"] = json.dumps(list(stored["attempts"])[:MAX_ATTEMPTS_KEPT])
    if "kinds" in stored:
        stored["kinds"] = sorted(stored["kinds"])
    return stored


def _sealed(graph: Graph, brand: str, hook_id: str, secret: str) -> str:
    return seal_secret(graph, secret, _about(brand, hook_id))


def _about(brand: str, hook_id: str) -> str:
    return f"hook|{brand}|{hook_id}"


def _hook(graph: Graph, row: Mapping[str, Any], newest: int) -> Hook:
    times = ("created_at", "next_at", "old_secret_until", "failing_since", "last_delivered_at", "disabled_at")
    known = {name: value for name, value in row.items() if name in Hook.__dataclass_fields__}
    known.update({name: to_time(row.get(name)) for name in times})
    for name in _SECRETS:
        if row.get(name) is not None:
            known[name] = need_secret(graph, row[name], _about(row["brand"], row["id"]))
    known["kinds"] = frozenset(row.get("kinds") or ())
    known["attempts"] = tuple(parse_json(row.get("attempts"), []))
    return Hook(**known, newest=newest)
