"""Bulk decisions about reviews in the graph; `ingest/stewardship/bulk_reviews.py` carries them out."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from core.clock import EARLIEST
from core.errors import InvalidInputError, NotFoundError
from core.paging import decode_cursor, encode_cursor
from graph.driver import Graph
from graph.repositories.profiles import Page
from graph.values import to_time_text


@dataclass(frozen=True, slots=True)
class BulkDecision:
    """What is decided about which reviews, why, by whom; `left_out` counts those that changed since they were shown."""

    decision: str
    review_ids: tuple[str, ...]
    by: str
    reason: str = ""
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """What happened to one review of a bulk decision; `outcome` is stored first, so that it can be counted."""

    outcome: str
    review_id: str
    status: str | None = None
    merge_id: str | None = None
    survivor_id: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimedBatch:
    """A bulk decision that `holder` carries out; `position` of its reviews are done."""

    id: str
    brand: str
    holder: str
    bulk: BulkDecision
    position: int


def create_batch(graph: Graph, brand: str, batch_id: str, bulk: BulkDecision, *, now: datetime) -> None:
    """Keep it; an id that exists is the same request again."""
    graph.write(
        "reviews/create_batch",
        brand=brand, id=batch_id, decision=bulk.decision, reason=bulk.reason, by=bulk.by,
        review_ids=list(bulk.review_ids), left_out=bulk.left_out, now=now,
    )  # fmt: skip


def claim_batch(
    graph: Graph, brand: str, batch_id: str, *, holder: str, now: datetime, lease_until: datetime
) -> ClaimedBatch | None:
    """The batch to carry out, None when it is done, unknown or somebody else's until their lease ends."""
    rows = graph.write("reviews/claim_batch", brand=brand, id=batch_id, holder=holder, now=now, lease_until=lease_until)
    if not rows:
        return None
    row = rows[0]
    bulk = BulkDecision(row["decision"], tuple(row["review_ids"]), row["by"], row["reason"])
    return ClaimedBatch(batch_id, brand, holder, bulk, row["position"])


def record_outcomes(
    graph: Graph,
    batch: ClaimedBatch,
    position: int,
    outcomes: Sequence[BulkOutcome],
    *,
    times: tuple[datetime, datetime],
) -> bool:
    """Keep what became of the reviews from `position` on, at `times` (now, end of the lease); whether to go on."""
    now, lease_until = times
    rows = graph.write(
        "reviews/record_outcomes",
        brand=batch.brand, id=batch.id, holder=batch.holder, position=position,
        outcomes=[json.dumps(asdict(one), separators=(",", ":")) for one in outcomes], now=now, lease_until=lease_until,
    )  # fmt: skip
    return bool(rows) and not rows[0]["done"]


def release_batch(graph: Graph, batch: ClaimedBatch, *, now: datetime) -> None:
    """Let somebody else go on with it at once."""
    graph.write("reviews/release_batch", brand=batch.brand, id=batch.id, holder=batch.holder, now=now)


def get_batch(graph: Graph, brand: str, batch_id: str, page: Page) -> dict[str, Any]:
    """A batch with its progress and one page of results in the order named; raises NotFoundError."""
    start = _start(page.cursor)
    rows = graph.read("reviews/get_batch", brand=brand, id=batch_id, start=start, end=start + page.size)
    if not rows:
        raise NotFoundError("No such bulk decision.")
    row = rows[0]
    end = start + page.size
    return {
        "id": row["id"],
        "state": row["state"],
        "decision": row["decision"],
        "reason": row["reason"] or None,
        "decided_by": row["by"],
        "total": row["total"],
        "done": row["done"],
        "left_out": row["left_out"],
        "outcomes": dict(sorted(Counter(row["outcomes"]).items())),
        "created_at": to_time_text(row["created_at"]),
        "finished_at": to_time_text(row["finished_at"]),
        "results": [json.loads(text) for text in row["results"]],
        "next_cursor": encode_cursor(EARLIEST, str(end)) if end < row["total"] else None,
    }


def _start(cursor: str | None) -> int:
    found = decode_cursor(cursor)
    if found is None:
        return 0
    if not found[1].isascii() or not found[1].isdecimal():
        raise InvalidInputError("cursor is not one that this service gave out.", field="cursor")
    return int(found[1])


def list_waiting_batches(graph: Graph, now: datetime, limit: int) -> list[tuple[str, str]]:
    """(id, brand) of batches that nobody is carrying out."""
    rows = graph.read("reviews/list_waiting_batches", now=now, limit=limit)
    return [(row["id"], row["brand"]) for row in rows]


def forget_batches(graph: Graph, before: datetime, limit: int) -> int:
    """Remove batches that were finished before then; how many."""
    [row] = graph.write("reviews/forget_batches", before=before, limit=limit)
    return int(row["removed"])
