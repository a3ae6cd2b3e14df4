"""Imports of CSV files in the graph: their record is the truth about how far they are, whoever works on them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from core.errors import NotFoundError
from core.paging import encode_cursor
from graph.driver import Graph
from graph.repositories.profiles import Page
from graph.values import to_time

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: `position` is the number of the last row that is settled (the header is row 1)."""

    position: int = 1
    rows: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    bytes_read: int = 0
    rejected_bytes: int = 0
    warnings: dict[str, int] = field(default_factory=dict)
    problems: tuple[dict[str, Any], ...] = ()
    """The first rejected rows: row and reason."""


@dataclass(frozen=True, slots=True)
class CsvImport:
    """One import; `checkpoint_at` is when `progress` was written, by the clock of who works on it."""

    id: str
    brand: str
    name: str
    digest: str
    size: int
    options: dict[str, Any]
    created_by: str
    state: str
    created_at: datetime
    progress: Progress = Progress()
    started_at: datetime | None = None
    checkpoint_at: datetime | None = None
    finished_at: datetime | None = None
    is_cancel_requested: bool = False
    error: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in {DONE, FAILED, CANCELLED}


@dataclass(frozen=True, slots=True)
class Lease:
    """Who works on an import, and until when nobody else does."""

    owner: str
    until: datetime


def create_import(graph: Graph, new: CsvImport, lease: Lease | None = None) -> CsvImport:
    """Store a new import, with `lease` for its first worker; one of the same file and options under way is answered."""
    held = {} if lease is None else {"lease_owner": lease.owner, "lease_until": lease.until}
    rows = graph.write(
        "csv_imports/create_import",
        brand=new.brand, id=new.id, digest=new.digest, at=new.created_at,
        options=json.dumps(new.options, sort_keys=True),
        properties={"name": new.name, "size": new.size, "created_by": new.created_by, **held},
    )  # fmt: skip
    if not rows or rows[0]["import"] is None:
        raise NotFoundError("No such brand.")
    return _import(rows[0]["import"])


def get_import(graph: Graph, brand: str, import_id: str) -> CsvImport:
    """The import of a brand; raises NotFoundError."""
    rows = graph.read("csv_imports/get_import", brand=brand, id=import_id)
    if not rows:
        raise NotFoundError("No such import.")
    return _import(rows[0]["import"])


def list_imports(graph: Graph, brand: str, page: Page) -> tuple[list[CsvImport], str | None]:
    """One page, newest first, and the cursor of the next."""
    rows = graph.read("csv_imports/list_imports", brand=brand, **page.params())
    found = [_import(row["import"]) for row in rows[: page.size]]
    has_more = len(rows) > page.size
    return found, encode_cursor(found[-1].created_at, found[-1].id) if has_more else None


def claim_import(graph: Graph, brand: str, import_id: str, lease: Lease, at: datetime) -> CsvImport | None:
    """Take the import for work; None when it is over or somebody is at it."""
    rows = graph.write(
        "csv_imports/claim_import", brand=brand, id=import_id, owner=lease.owner, at=at, until=lease.until
    )
    return _import(rows[0]["import"]) if rows else None


def save_progress(graph: Graph, job: CsvImport, lease: Lease, values: Mapping[str, Any], at: datetime) -> bool | None:
    """Write `values` and renew the lease; whether the end was asked for, None when the import is not ours any more."""
    rows = graph.write(
        "csv_imports/save_progress",
        brand=job.brand, id=job.id, owner=lease.owner, values=dict(values), at=at, until=lease.until,
    )  # fmt: skip
    return bool(rows[0]["is_cancelled"]) if rows else None


def cancel_import(graph: Graph, brand: str, import_id: str, at: datetime) -> CsvImport:
    """Ask for its end; raises NotFoundError."""
    rows = graph.write("csv_imports/cancel_import", brand=brand, id=import_id, at=at)
    if not rows:
        raise NotFoundError("No such import.")
    return _import(rows[0]["import"])


def find_due(graph: Graph, at: datetime) -> tuple[str, str] | None:
    """Brand and id of the import that waits longest, None when there is none or one is worked on already."""
    rows = graph.read("csv_imports/list_due", at=at)
    return (rows[0]["brand"], rows[0]["id"]) if rows else None


def find_received(graph: Graph, brand: str, event_ids: Sequence[str]) -> dict[str, datetime]:
    """When those of the events came that are stored."""
    rows = graph.read("csv_imports/find_received", brand=brand, ids=list(event_ids))
    return {row["id"]: row["received_at"].to_native() for row in rows}


def progress_values(progress: Progress) -> dict[str, Any]:
    """The progress as properties of the record."""
    return {
        "position": progress.position,
        "rows": progress.rows,
        "accepted": progress.accepted,
        "rejected": progress.rejected,
        "duplicates": progress.duplicates,
        "bytes_read": progress.bytes_read,
        "rejected_bytes": progress.rejected_bytes,
        "warnings": json.dumps(progress.warnings),
        "problems": json.dumps(progress.problems),
    }


def _import(row: dict[str, Any]) -> CsvImport:
    base = Progress()
    names = ("position", "rows", "accepted", "rejected", "duplicates", "bytes_read", "rejected_bytes")
    return CsvImport(
        id=row["id"],
        brand=row["brand"],
        name=row["name"],
        digest=row["digest"],
        size=row["size"],
        options=json.loads(row["options"]),
        created_by=row["created_by"],
        state=row["state"],
        created_at=row["created_at"].to_native(),
        progress=replace(
            base,
            **{name: row.get(name, getattr(base, name)) for name in names},
            warnings=json.loads(row.get("warnings") or "{}"),
            problems=tuple(json.loads(row.get("problems") or "[]")),
        ),
        started_at=to_time(row.get("started_at")),
        checkpoint_at=to_time(row.get("checkpoint_at")),
        finished_at=to_time(row.get("finished_at")),
        is_cancel_requested=bool(row.get("cancel_requested")),
        error=row.get("error"),
    )
