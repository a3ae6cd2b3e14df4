"""What predictions are made from out of the graph, and predictions into it; `ml/serving/store.py` is the only user."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from graph.driver import Graph
from graph.repositories.visits import NEWEST_SIGNS


class CustomerRow(NamedTuple):
    """A live profile with what features are made from.

    Times are in microseconds since 1970 (`created_at`) or milliseconds; `channels` are the tallies of each persona;
    `wants` the full score of each open intent and the time (ms) of its last signal;
    `seen` the times of the newest signs of presence in stores, of each persona;
    `orders` are [placed_at (ms, None when it is no time), counted_minor, refunded_minor, currency, lines,
    facts (of refunded ones), counts, channel]: those that count, and those given back in full.
    """

    id: str
    created_at: int
    version: int
    currency: str | None
    personas: int
    strength: int | None
    identifier_types: list[str] | None
    merges: int | None
    first_seen: int | None
    last_seen: int | None
    channels: list[list[str] | None]
    wants: list[list[int]]
    seen: list[int]
    orders: list[list[Any]]


def read_customers(
    graph: Graph, brand: str, profile_ids: Sequence[str], seen_before: datetime | None
) -> list[CustomerRow]:
    """The live profiles that answer for `profile_ids`, with their signs of presence in stores before a moment.

    Without a moment no signs are read: models look at orders alone.
    """
    params = {"ids": sorted(set(profile_ids)), "seen_before": seen_before, "signs": NEWEST_SIGNS}
    return _rows(graph.read_lists("predictions/read_customers", brand=brand, **params))


def page_customers(
    graph: Graph, brand: str, after: tuple[datetime, str], limit: int, seen_before: datetime | None
) -> list[CustomerRow]:
    """The next live profiles after (created_at, id), oldest first; signs of presence as in `read_customers`."""
    at, id_ = after
    params = {"after_at": at, "after_id": id_, "limit": limit, "seen_before": seen_before, "signs": NEWEST_SIGNS}
    return _rows(graph.read_lists("predictions/page_customers", brand=brand, **params))


def _rows(found: list[list[Any]]) -> list[CustomerRow]:
    """All rows come in one list of one record: a message for each would take as long as the rows themselves."""
    return [CustomerRow._make(row) for [rows] in found for row in rows]


def count_messages(
    graph: Graph, brand: str, root_id: str, types: Sequence[str], span: tuple[datetime, datetime]
) -> dict[str, int]:
    """Events of these types of a live profile in a span of time, by type."""
    since, until = span
    found = graph.read(
        "predictions/count_messages", brand=brand, id=root_id, types=list(types), since=since, until=until
    )
    return {row["type"]: row["events"] for row in found}


def store_predictions(
    graph: Graph, brand: str, model: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], at: datetime
) -> None:
    """Attach rows {id, version, segment, churn, properties}, made at `at`; absorbed and newer profiles are left."""
    ordered = sorted(rows, key=lambda row: str(row["id"]))
    graph.write("predictions/store_predictions", brand=brand, model=dict(model), rows=ordered, at=at)


def remove_predictions(graph: Graph, brand: str, ids: Sequence[str], roots: Sequence[str]) -> int:
    """Take predictions of `ids` and of the personas absorbed into `roots` away; how many."""
    rows = graph.write("predictions/remove_predictions", brand=brand, ids=sorted(ids), roots=sorted(roots))
    return int(rows[0]["removed"]) if rows else 0
