"""CRM connections and their syncs in the graph: a connection holds secrets and cursors, a sync how far it is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from core.errors import NotFoundError, UnavailableError
from core.paging import encode_cursor
from core.sealing import BrokenSealError
from graph.driver import Graph
from graph.repositories.csv_imports import CANCELLED, DONE, FAILED, Lease
from graph.repositories.profiles import Page
from graph.repositories.secrets import open_secret, seal_secret
from graph.values import to_time

_DUE_AT_ONCE = 20
_TRIES = 5
_COUNTS = ("read", "accepted", "duplicates", "rejected", "skipped")


@dataclass(frozen=True, slots=True)
class CrmConnection:
    """How a CRM is reached and read; `cursors` says how far each object was read. Secrets are shown to nobody."""

    brand: str
    name: str
    kind: str
    base_url: str
    options: dict[str, Any]
    secrets: dict[str, Any] | None = field(repr=False)
    """None where they were sealed with a key that this installation has not: they have to be sent again."""
    cursors: dict[str, Any] = field(default_factory=dict)
    interval_minutes: int | None = None
    next_at: datetime | None = None
    stored_secrets: str = field(default="", repr=False)
    revision: int = 0
    """Grows when what a sync goes by changes: address, credentials, what is read and how."""
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SyncCounts:
    """Records of one sync: all that were read, and what became of them."""

    read: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    skipped: int = 0
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Of each object: how many were read, how many there are if the CRM says so, and whether it is done."""
    warnings: dict[str, int] = field(default_factory=dict)
    problems: tuple[dict[str, Any], ...] = ()
    """The first refused records: object, id and reason."""
    push: dict[str, Any] = field(default_factory=dict)
    """Of what was written back: how many records were told, had it already, were refused, and how far it is."""
    failures: int = 0
    """How often in a row the CRM could not be asked."""

    def values(self) -> dict[str, Any]:
        """As properties of the record."""
        plain = {name: getattr(self, name) for name in (*_COUNTS, "failures")}
        texts = {name: json.dumps(getattr(self, name)) for name in ("objects", "warnings", "problems", "push")}
        return {**plain, **texts}


@dataclass(frozen=True, slots=True)
class CrmSync:
    """One sync; `checkpoint_at` is when its counts were written, by the clock of who works on it."""

    id: str
    brand: str
    connection: str
    kind: str
    state: str
    is_full: bool
    created_by: str
    created_at: datetime
    counts: SyncCounts = SyncCounts()
    started_at: datetime | None = None
    checkpoint_at: datetime | None = None
    finished_at: datetime | None = None
    lease_until: datetime | None = None
    waits_for: str | None = None
    is_cancel_requested: bool = False
    error: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in {DONE, FAILED, CANCELLED}


@dataclass(frozen=True, slots=True)
class NewSync:
    """The wish for a sync."""

    id: str
    connection: str
    created_by: str
    at: datetime
    is_full: bool = False


def set_connection(graph: Graph, new: CrmConnection, *, keeps_secrets: bool, at: datetime) -> CrmConnection:
    """Create or change a connection; raises NotFoundError without its brand."""
    values = {
        "brand": new.brand, "key": _key(new.brand, new.name), "name": new.name, "kind": new.kind,
        "base_url": new.base_url, "options": json.dumps(new.options, sort_keys=True),
        "secrets": None if keeps_secrets else _sealed(graph, new), "interval_minutes": new.interval_minutes,
        "next_at": new.next_at, "at": at,
    }  # fmt: skip
    for _ in range(_TRIES):
        rows = graph.write("crm/set_connection", **values)
        if not rows:
            raise NotFoundError("No such brand.")
        # One that was taken away while this waited for its lock reads as nothing, and nothing is stored: make it anew.
        if rows[0]["connection"]:
            return _connection(graph, rows[0]["connection"])
    raise UnavailableError("Others change the same connection; try again shortly.")


def get_connection(graph: Graph, brand: str, name: str) -> CrmConnection:
    """One connection; raises NotFoundError."""
    rows = graph.read("crm/get_connection", brand=brand, key=_key(brand, name))
    if not rows:
        raise NotFoundError("No such connection.")
    return _connection(graph, rows[0]["connection"])


def list_connections(graph: Graph, brand: str) -> list[CrmConnection]:
    """All connections of a brand by name."""
    return [_connection(graph, row["connection"]) for row in graph.read("crm/list_connections", brand=brand)]


def delete_connection(graph: Graph, brand: str, name: str) -> None:
    """Forget a connection with its secrets; raises NotFoundError."""
    if not graph.write("crm/delete_connection", brand=brand, key=_key(brand, name)):
        raise NotFoundError("No such connection.")


def keep_secrets(graph: Graph, connection: CrmConnection, secrets: dict[str, Any]) -> CrmConnection:
    """Store secrets that the CRM changed over; others that were set meanwhile stay."""
    changed = replace(connection, secrets=secrets)
    sealed = _sealed(graph, changed)
    graph.write(
        "crm/keep_secrets",
        brand=connection.brand, key=_key(connection.brand, connection.name), old=connection.stored_secrets,
        secrets=sealed,
    )  # fmt: skip
    return replace(changed, stored_secrets=sealed)


def create_sync(graph: Graph, brand: str, new: NewSync) -> CrmSync:
    """Store a new sync; one of the connection that waits or runs is answered instead. Raises NotFoundError."""
    rows = graph.write(
        "crm/create_sync",
        brand=brand, key=_key(brand, new.connection), id=new.id, is_full=new.is_full, created_by=new.created_by,
        at=new.at,
    )  # fmt: skip
    if not rows:
        raise NotFoundError("No such connection.")
    return _sync(rows[0]["sync"])


def get_sync(graph: Graph, brand: str, sync_id: str) -> CrmSync:
    """One sync; raises NotFoundError."""
    rows = graph.read("crm/get_sync", brand=brand, id=sync_id)
    if not rows:
        raise NotFoundError("No such sync.")
    return _sync(rows[0]["sync"])


def list_syncs(graph: Graph, brand: str, page: Page, connection: str | None) -> tuple[list[CrmSync], str | None]:
    """One page, newest first, and the cursor of the next."""
    rows = graph.read("crm/list_syncs", brand=brand, connection=connection, **page.params())
    found = [_sync(row["sync"]) for row in rows[: page.size]]
    has_more = len(rows) > page.size
    return found, encode_cursor(found[-1].created_at, found[-1].id) if has_more else None


def claim_sync(
    graph: Graph, brand: str, sync_id: str, lease: Lease, at: datetime
) -> tuple[CrmSync, CrmConnection | None] | None:
    """Take a sync for work, with its connection if that still is there; None when it is over or somebody is at it."""
    rows = graph.write("crm/claim_sync", brand=brand, id=sync_id, owner=lease.owner, at=at, until=lease.until)
    if not rows:
        return None
    stored = rows[0]["connection"]
    return _sync(rows[0]["sync"]), _connection(graph, stored) if stored is not None else None


@dataclass(frozen=True, slots=True)
class Step:
    """What a step of work changes; `cursors` only together with the counts of the records before them.

    `revision` is that of the connection which the sync goes by.
    """

    values: Mapping[str, Any]
    cursors: dict[str, Any] | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Saved:
    """What happened meanwhile: whether the end was asked for, and what became of the connection."""

    is_cancelled: bool
    is_removed: bool
    is_changed: bool


def save_sync(graph: Graph, job: CrmSync, lease: Lease, step: Step, at: datetime) -> Saved | None:
    """Write a step and renew the lease; None when the sync is not ours any more."""
    rows = graph.write(
        "crm/save_sync",
        brand=job.brand, id=job.id, owner=lease.owner, values=dict(step.values),
        cursors=None if step.cursors is None else json.dumps(step.cursors, sort_keys=True), at=at, until=lease.until,
        revision=step.revision,
    )  # fmt: skip
    return Saved(**rows[0]) if rows else None


def cancel_sync(graph: Graph, brand: str, sync_id: str, at: datetime) -> CrmSync:
    """Ask for its end; raises NotFoundError."""
    rows = graph.write("crm/cancel_sync", brand=brand, id=sync_id, at=at)
    if not rows:
        raise NotFoundError("No such sync.")
    return _sync(rows[0]["sync"])


def find_due_sync(graph: Graph, at: datetime) -> tuple[str, str] | None:
    """Brand and id of the sync that waits longest, None when there is none or one is worked on already."""
    rows = graph.read("crm/list_due", at=at)
    return (rows[0]["brand"], rows[0]["id"]) if rows else None


def list_scheduled(graph: Graph, at: datetime) -> list[tuple[str, str]]:
    """Brand and name of connections whose next sync is due, some at a time."""
    rows = graph.read("crm/list_scheduled", at=at, limit=_DUE_AT_ONCE)
    return [(row["brand"], row["name"]) for row in rows]


def _key(brand: str, name: str) -> str:
    return f"{brand}|{name}"


def _sealed(graph: Graph, connection: CrmConnection) -> str:
    text = json.dumps(connection.secrets or {}, sort_keys=True)
    return seal_secret(graph, text, _about(connection.brand, connection.name))


def _about(brand: str, name: str) -> str:
    return f"crm|{_key(brand, name)}"


def _opened(graph: Graph, row: dict[str, Any]) -> dict[str, Any] | None:
    try:
        text = open_secret(graph, row.get("secrets") or "{}", _about(row["brand"], row["name"]))
    except BrokenSealError:
        return None
    opened: dict[str, Any] = json.loads(text)
    return opened


def _connection(graph: Graph, row: dict[str, Any]) -> CrmConnection:
    return CrmConnection(
        brand=row["brand"],
        name=row["name"],
        kind=row["kind"],
        base_url=row["base_url"],
        options=json.loads(row["options"]),
        secrets=_opened(graph, row),
        stored_secrets=row.get("secrets") or "",
        cursors=json.loads(row.get("cursors") or "{}"),
        interval_minutes=row.get("interval_minutes"),
        next_at=to_time(row.get("next_at")),
        revision=row.get("revision") or 0,
        created_at=to_time(row.get("created_at")),
        updated_at=to_time(row.get("updated_at")),
    )


def _sync(row: dict[str, Any]) -> CrmSync:
    return CrmSync(
        id=row["id"],
        brand=row["brand"],
        connection=row["connection"],
        kind=row["kind"],
        state=row["state"],
        is_full=bool(row.get("is_full")),
        created_by=row["created_by"],
        created_at=row["created_at"].to_native(),
        counts=SyncCounts(
            **{name: row.get(name) or 0 for name in (*_COUNTS, "failures")},
            objects=json.loads(row.get("objects") or "{}"),
            warnings=json.loads(row.get("warnings") or "{}"),
            problems=tuple(json.loads(row.get("problems") or "[]")),
            push=json.loads(row.get("push") or "{}"),
        ),
        started_at=to_time(row.get("started_at")),
        checkpoint_at=to_time(row.get("checkpoint_at")),
        finished_at=to_time(row.get("finished_at")),
        lease_until=to_time(row.get("lease_until")),
        waits_for=row.get("waits_for"),
        is_cancel_requested=bool(row.get("cancel_requested")),
        error=row.get("error"),
    )
