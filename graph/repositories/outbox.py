"""Marks of the outbox: work that a commit owes; taken by `ingest/relay.py`, deleted when that work is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.clock import utc_now
from graph.changes import MARK_IDENTITY_CHANGED
from graph.commit_write import MARK_PROFILES_CHANGED
from graph.driver import Graph
from graph.values import to_time

PROFILES_CHANGED = MARK_PROFILES_CHANGED
# The same mark once its events are in the streams: what it still owes is the work on its profiles.
PROFILES_STREAMED = "profiles_streamed"
# Only the oldest marks are looked at, so that at most this many are ever under way.
_WINDOW = 10_000


@dataclass(frozen=True, slots=True)
class WaitingMark:
    """How much work a mark stands for, and since when it waits or is under way (microseconds since 1970)."""

    id: str
    profiles: int
    created_at: int
    taken_at: int | None = None
    tries: int = 1
    """How often it was taken, where it was."""


@dataclass(frozen=True, slots=True)
class TakenMark:
    """A mark that the relay has taken; its profile ids tell the size of a task."""

    id: str
    brand: str
    profile_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnstreamedMark:
    """A mark whose events are not in the streams yet."""

    id: str
    brand: str
    event_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangedProfiles:
    """What one mark asks for."""

    mark_id: str
    brand: str
    profile_ids: tuple[str, ...]


def list_unstreamed(graph: Graph, limit: int) -> list[UnstreamedMark]:
    """The oldest marks whose events are not in the streams yet, in the order of their commits."""
    rows = graph.read("outbox/list_unstreamed", kind=PROFILES_CHANGED, limit=limit)
    return [UnstreamedMark(row["id"], row["brand"], tuple(row["event_ids"] or ())) for row in rows]


def read_stream_events(graph: Graph, brand: str, event_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Stored events as the streams carry them, in the order of `event_ids`; those removed since are missing."""
    rows = {row["id"]: row for row in graph.read("outbox/read_events", brand=brand, ids=list(event_ids))}
    return [rows[event_id] for event_id in event_ids if event_id in rows]


def set_streamed(graph: Graph, mark_ids: Sequence[str]) -> None:
    """Note that the events of these marks are in the streams; harmless when repeated."""
    graph.write("outbox/set_streamed", ids=sorted(mark_ids), kind=PROFILES_CHANGED, streamed=PROFILES_STREAMED)


def count_marks(graph: Graph) -> dict[str, dict[str, float]]:
    """Work that marks stand for → how many wait and how old the oldest is in seconds."""
    kinds = {PROFILES_CHANGED: "streams", PROFILES_STREAMED: "features", MARK_IDENTITY_CHANGED: "changes"}
    found = {row["kind"]: row for row in graph.read("outbox/count_marks", kinds=list(kinds))}
    counted = {}
    for kind, name in kinds.items():
        oldest = to_time(found[kind]["oldest"]) if kind in found else None
        age = round(max(0.0, (utc_now() - oldest).total_seconds()), 1) if oldest is not None else 0.0
        counted[name] = {"marks": found[kind]["marks"] if kind in found else 0, "oldest_seconds": age}
    return counted


def list_marks(graph: Graph) -> list[WaitingMark]:
    """The oldest marks that are streamed and not done, oldest first."""
    rows = graph.read("outbox/list_marks", kind=PROFILES_STREAMED, window=_WINDOW)
    return [WaitingMark(*mark) for mark in rows[0]["marks"]]


def take_marks(graph: Graph, mark_ids: Sequence[str], now: datetime) -> list[TakenMark]:
    """Note that somebody works on these marks now; those that are done meanwhile are left out."""
    rows = graph.write("outbox/take_marks", ids=list(mark_ids), now=now) if mark_ids else []
    return [TakenMark(row["id"], row["brand"], tuple(row["profile_ids"] or ())) for row in rows]


def read_marks(graph: Graph, mark_ids: Sequence[str]) -> list[ChangedProfiles]:
    """Those of the marks that are not done yet."""
    rows = graph.read("outbox/read_marks", ids=list(mark_ids))
    return [ChangedProfiles(row["id"], row["brand"], tuple(row["profile_ids"] or ())) for row in rows]


def delete_marks(graph: Graph, brand: str, mark_ids: Sequence[str]) -> None:
    """Take marks away whose work is stored; harmless when repeated."""
    graph.write("outbox/delete_marks", brand=brand, ids=sorted(mark_ids))
