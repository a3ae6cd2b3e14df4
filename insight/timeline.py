"""The customer's story, newest first: `…/timeline`, events, merges and unmerges in one stable order."""

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
from insight.summaries import event_summary, merge_summary, unmerge_summary

MERGE_ITEM, UNMERGE_ITEM = "merge", "unmerge"
# A longer payload is not read for its summary line: a page of two hundred stays small.
_PAYLOAD_BYTES = 20_000
_RULES = "rules"

_Item = tuple[datetime, str, dict[str, Any]]
"""Time, id, and the item as the API shows it."""


@dataclass(frozen=True, slots=True)
class TimelineFilter:
    """What a timeline is limited to: `channels`, `types` (also merge, unmerge), a span of time with both ends."""

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
    """One page of a cluster's events, merges and unmerges, newest first: {items, next_cursor}; or NotFoundError."""
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
    told = {MERGE_ITEM: _merge_item, UNMERGE_ITEM: _unmerge_item}
    wanted = () if where.channels else [tell for kind, tell in told.items() if not where.types or kind in where.types]
    if wanted:
        merges = list_merges(graph, brand, profile_id, before=span.before_at)
        found = [item for merge in merges for tell in wanted if (item := tell(merge)) is not None]
        items += [item for item in found if span.holds(item[0], item[1])]
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


def _event_item(stored: dict[str, Any]) -> _Item:
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


def _merge_item(merge: dict[str, Any]) -> _Item:
    line = merge_summary(len(merge["absorbed_ids"]), merge["reason"], merge["reverted_at"] is not None)
    return _identity_item(merge, MERGE_ITEM, merge["merge_id"], (merge["at"], merge["decided_by"], line))


def _unmerge_item(merge: dict[str, Any]) -> _Item | None:
    """When and by whom the merge was taken back; None for one that stands."""
    if merge["reverted_at"] is None:
        return None
    by = merge["reverted_by"]
    line = unmerge_summary(len(merge["absorbed_ids"]), merge["revert_reason"], by_rules=by == _RULES)
    return _identity_item(merge, UNMERGE_ITEM, f"{merge['merge_id']}:unmerge", (merge["reverted_at"], by, line))


def _identity_item(merge: dict[str, Any], kind: str, id_: str, told: tuple[str, str | None, str]) -> _Item:
    at, source, summary = told
    item = {
        "event_id": id_,
        "type": kind,
        "channel": None,
        "source": source,
        "occurred_at": at,
        "summary": summary,
        "amount": None,
        "currency": None,
        "identifiers": group_identifiers([entry.split(":", 1) for entry in merge["identifiers"] if ":" in entry]),
        "decision": None,
        "merge_id": merge["merge_id"],
    }
    return parse_time(at) or LATEST, id_, item
