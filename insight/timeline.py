"""The customer's story, newest first: `GET /api/customer360/{id}/timeline`, events and merges in one stable order."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.clock import EARLIEST, format_time, parse_time
from core.errors import InvalidInputError, NotFoundError
from core.events import CHANNELS
from core.money import to_decimal_string
from core.paging import encode_cursor
from graph.driver import Graph
from graph.repositories.profiles import Page, list_merges
from graph.values import LATEST, group_identifiers, parse_json, to_time
from insight.summaries import event_summary, merge_summary

MERGE_ITEM = "merge"
# A longer payload is not read for its summary line: a page of two hundred stays small.
_PAYLOAD_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class TimelineFilter:
    """What a timeline is limited to: `channels`, `types` (merge is one), and a span of time, both ends included."""

    channels: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    from_at: datetime | None = None
    to_at: datetime | None = None

    def check(self) -> None:
        """Raises InvalidInputError for a channel that does not exist or a span that ends before it begins."""
        if not CHANNELS.issuperset(self.channels):
            raise InvalidInputError(f"channel must be one of: {', '.join(sorted(CHANNELS))}.", field="channel")
        if self.from_at and self.to_at and self.from_at > self.to_at:
            raise InvalidInputError("from must not be later than to.", field="from")


@dataclass(frozen=True, slots=True)
class _Span:
    """The part of the timeline that a page is cut from."""

    from_at: datetime
    before_at: datetime
    before_id: str

    def holds(self, at: datetime, id_: str) -> bool:
        return self.from_at <= at and (at, id_) < (self.before_at, self.before_id)


def list_timeline(
    graph: Graph, brand: str, profile_id: str, page: Page, where: TimelineFilter | None = None
) -> dict[str, Any]:
    """One page of the cluster's events and merges, newest first: {items, next_cursor}; raises NotFoundError."""
    where = where or TimelineFilter()
    where.check()
    span = _span(page, where)
    rows = graph.read(
        "insight/list_timeline",
        brand=brand, id=profile_id, payload_bytes=_PAYLOAD_BYTES, limit=page.size + 1,
        from_at=span.from_at, before_at=span.before_at, before_id=span.before_id,
        channels=list(where.channels) or None, types=list(where.types) or None,
    )  # fmt: skip
    if not rows:
        raise NotFoundError("No such profile.")
    items = [_event_item(stored) for stored in rows[0]["events"]]
    if not where.channels and (not where.types or MERGE_ITEM in where.types):
        merges = list_merges(graph, brand, profile_id, before=span.before_at)
        items += [item for item in map(_merge_item, merges) if span.holds(item[0], item[1])]
    items.sort(key=lambda item: item[:2], reverse=True)
    shown = items[: page.size]
    cursor = encode_cursor(*shown[-1][:2]) if len(items) > page.size else None
    return {"items": [item for _, _, item in shown], "next_cursor": cursor}


def _span(page: Page, where: TimelineFilter) -> _Span:
    params = page.params()
    before_at, before_id = params["before_at"], params["before_id"]
    if page.cursor is None and where.to_at is not None:
        before_at = where.to_at
    return _Span(where.from_at or EARLIEST, before_at, before_id)


def _event_item(stored: dict[str, Any]) -> tuple[datetime, str, dict[str, Any]]:
    at = to_time(stored["occurred_at"]) or EARLIEST
    minor, currency = stored["amount_minor"], stored["currency"]
    amount = None if minor is None or not currency else to_decimal_string(minor, currency)
    item = {
        "event_id": stored["id"],
        "type": stored["type"],
        "channel": stored["channel"],
        "source": stored["source"],
        "occurred_at": format_time(at),
        "summary": event_summary(
            stored["type"], stored["channel"], parse_json(stored["payload"], {}), amount, currency
        ),
        "amount": amount,
        "currency": currency if amount is not None else None,
        "identifiers": group_identifiers(stored["identifiers"]),
        "decision": stored["decision"],
    }
    return at, stored["id"], item


def _merge_item(merge: dict[str, Any]) -> tuple[datetime, str, dict[str, Any]]:
    at = parse_time(merge["at"]) or LATEST
    grouped = group_identifiers([entry.split(":", 1) for entry in merge["identifiers"] if ":" in entry])
    item = {
        "event_id": merge["merge_id"],
        "type": MERGE_ITEM,
        "channel": None,
        "source": merge["decided_by"],
        "occurred_at": merge["at"],
        "summary": merge_summary(len(merge["absorbed_ids"]), merge["reason"], merge["reverted_at"] is not None),
        "amount": None,
        "currency": None,
        "identifiers": grouped,
        "decision": None,
    }
    return at, merge["merge_id"], item
