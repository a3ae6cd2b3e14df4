"""The change feed in the graph: marks become numbered entries; entries are read by cursor and removed when old."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from core.changes import Change, CursorExpiredError, decode_changes
from core.errors import InvalidInputError
from graph.changes import MARK_IDENTITY_CHANGED
from graph.driver import Graph
from graph.transactions import Transaction, in_transaction
from graph.values import parse_json, to_time

_BUDGET_SECONDS = 8.0
_WINDOW = 1_000
# A page that filters by kind reads at most so many entries; its cursor moves on all the same.
_SCAN = 2_000
_PRUNE = 2_000

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Feed:
    """How far a brand's feed goes: numbers of the newest entry and of the last one that retention removed."""

    newest: int = 0
    pruned: int = 0


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Entries in order, the number that the next page goes on after, and whether there is more now."""

    items: list[dict[str, Any]]
    cursor: int
    has_more: bool


def waiting_brands(graph: Graph) -> list[str]:
    """Brands with changes that are not in their feed yet."""
    return [row["brand"] for row in graph.read("changes/list_waiting", kind=MARK_IDENTITY_CHANGED, window=_WINDOW)]


def append_waiting(graph: Graph, brand: str, limit: int) -> int:
    """Turn up to `limit` of the brand's oldest marks into entries, in one transaction; how many marks it took.

    The counter is locked, so that any number of callers give gapless numbers; a repeat finds the marks gone.
    """

    def work(tx: Transaction) -> int:
        [[until]] = tx.run("changes/lock_feed", brand=brand)
        [[seq, marks]] = tx.run(
            "changes/take_waiting", brand=brand, kind=MARK_IDENTITY_CHANGED, until=until, limit=limit
        )
        if marks:
            rows = _rows(marks, seq)
            batch = {"rows": rows, "mark_ids": [mark[0] for mark in marks]}
            tx.run("changes/append", brand=brand, seq=seq + len(rows), batch=batch)
        return len(marks)

    return in_transaction(graph, work, budget_seconds=_BUDGET_SECONDS)


def _rows(marks: Sequence[Sequence[Any]], seq: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for mark_id, text, rule_version, at in marks:
        name = mark_id.removeprefix("mark_").removesuffix("_identity")
        for place, change in enumerate(decode_changes(text)):
            seq += 1
            rows.append({
                "id": f"chg_{name}_{place}",
                "seq": seq,
                "kind": change.kind.value,
                "at": at,
                "profile_id": change.profile_id,
                "old_ids": [old for old, _ in change.moves] or None,
                "new_ids": [new for _, new in change.moves] or None,
                "facts": _facts(change, rule_version),
            })  # fmt: skip
    return rows


def _facts(change: Change, rule_version: str | None) -> str:
    facts = msgspec.to_builtins(change)
    for name in ("kind", "profile_id", "moves"):
        facts.pop(name, None)
    return _encoder.encode({**facts, "rule_version": rule_version}).decode()


def read_feed(graph: Graph, brand: str) -> Feed:
    """How far the brand's feed goes."""
    rows = graph.read("changes/get_feed", brand=brand)
    return Feed(rows[0]["seq"], rows[0]["pruned_seq"]) if rows else Feed()


def newest_entries(graph: Graph, brands: Sequence[str]) -> dict[str, int]:
    """Brand → number of its newest entry."""
    return {row["brand"]: row["seq"] for row in graph.read("changes/list_newest", brands=sorted(brands))}


def check_cursor(feed: Feed, cursor: int) -> int:
    """The cursor; raises CursorExpiredError before what retention left, InvalidInputError past the newest entry."""
    if cursor < feed.pruned:
        raise CursorExpiredError(feed.pruned)
    if cursor > feed.newest:
        raise InvalidInputError("cursor is not one that this service gave out.", field="cursor")
    return cursor


def read_changes(
    graph: Graph, brand: str, after: int | None, limit: int, kinds: frozenset[str] = frozenset()
) -> ChangePage:
    """Entries after the cursor `after` (None: from the oldest one kept), with the live profiles of now.

    Numbers have no gaps: a page ends before an entry that is being committed and cannot be read yet. Raises
    CursorExpiredError and InvalidInputError as `check_cursor` does.
    """
    feed = read_feed(graph, brand)
    start = feed.pruned if after is None else check_cursor(feed, after)
    until = min(feed.newest, start + (_SCAN if kinds else limit))
    rows = []
    if until > start:
        rows = graph.read("changes/list_changes", brand=brand, after=start, until=until, kinds=sorted(kinds) or None)
    cursor = start
    wanted: list[dict[str, Any]] = []
    for row in rows:
        if row["seq"] != cursor + 1 or len(wanted) == limit:
            break
        cursor = row["seq"]
        if row["is_wanted"]:
            wanted.append(row)
    return ChangePage(_with_live(graph, brand, wanted), cursor, cursor < feed.newest)


def _with_live(graph: Graph, brand: str, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    ids = {row["profile_id"] for row in rows if row["profile_id"]}
    for row in rows:
        ids.update(row["old_ids"] or ())
    live: dict[str, str] = {}
    if ids:
        found = graph.read("stewardship/find_profiles", brand=brand, ids=sorted(ids))
        live = {row["c.id"]: row["c.root_id"] for row in found}
    return [_item(row, live) for row in rows]


def _item(row: dict[str, Any], live: dict[str, str]) -> dict[str, Any]:
    old_ids = row["old_ids"] or []
    facts: dict[str, Any] = parse_json(row["facts"], {})
    return {
        "id": row["id"],
        "cursor": str(row["seq"]),
        "kind": row["kind"],
        "at": to_time(row["at"]),
        "profile_id": row["profile_id"],
        "live_id": live.get(row["profile_id"]),
        "old_ids": old_ids,
        "moves": [
            {"old_id": old, "profile_id": new, "live_id": live.get(old)}
            for old, new in zip(old_ids, row["new_ids"] or (), strict=True)
        ],
        **facts,
    }


def list_unstreamed(graph: Graph) -> list[tuple[str, int]]:
    """Brands with entries that are not in the stream yet, and the number of the last one that is."""
    return [(row["brand"], row["streamed"]) for row in graph.read("changes/list_unstreamed")]


def set_streamed(graph: Graph, brand: str, seq: int) -> None:
    """Note that the brand's entries up to `seq` are in the stream."""
    graph.write("changes/set_streamed", brand=brand, seq=seq)


def prune_changes(graph: Graph, before: datetime) -> int:
    """Remove entries from before that time, oldest first, in every brand; how many."""
    return sum(prune_feed(graph, row["brand"], before) for row in graph.read("changes/list_feeds"))


def prune_feed(graph: Graph, brand: str, before: datetime) -> int:
    """Remove a brand's entries from before that time, oldest first; how many."""
    removed = 0
    while True:
        [row] = graph.read("changes/list_ages", brand=brand, limit=_PRUNE)
        start = until = row["pruned_seq"]
        for seq, at in row["ages"]:
            moment = to_time(at)
            if seq != until + 1 or moment is None or moment >= before:
                break
            until = seq
        if until == start:
            return removed
        graph.write("changes/prune", brand=brand, after=start, until=until)
        removed += until - start
