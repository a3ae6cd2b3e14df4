"""Store visits as a pure function over signs of presence: of a whole cluster, in all stores, as of a moment.

A visit follows merges, unmerges and late events by itself; nothing but the signs is stored.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from core.visits import LATEST_CHECK_OUT, VisitSign
from graph.values import to_time_text

PRESENCE = timedelta(hours=4)
"""How long after the check-in a visit without a check-out counts as one; later signs begin another."""
ACTIVE, COMPLETED, ABANDONED = "active", "completed", "abandoned"
STATUSES = (ACTIVE, COMPLETED, ABANDONED)
SHOWN = 50
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """A sign of presence and the event that tells it; `is_sale` for a till sale."""

    event_id: str
    sign: VisitSign
    is_sale: bool = False

    @property
    def order(self) -> tuple[datetime, bool, bool, str]:
        """Sort key: by time, a check-in before the sign that knows the end too, visits before sales."""
        return (self.sign.at, self.sign.out is not None, self.is_sale, self.event_id)


@dataclass(slots=True)
class Visit:
    """One stay of one customer in one store; its id is that of the event that began it."""

    id: str
    store_id: str
    method: str
    check_in_at: datetime
    last_seen_at: datetime
    check_out_at: datetime | None = None
    left_at: datetime | None = None
    """When the customer turned up in another store without having checked out here."""
    name: str = ""
    event_ids: list[str] = field(default_factory=list)

    def takes(self, sign: VisitSign) -> bool:
        """Whether a later sign in this store belongs to this visit."""
        if self.check_out_at is not None:
            return sign.at <= self.check_out_at
        return sign.at <= self.check_in_at + (LATEST_CHECK_OUT if sign.leaves else PRESENCE)

    def status(self, now: datetime) -> str:
        """Active until the check-out, four hours, or a sign in another store; then completed, or abandoned."""
        if self.check_out_at is not None and self.check_out_at <= now:
            return COMPLETED
        if self.check_out_at is None and self.left_at is not None and self.left_at <= now:
            return ABANDONED
        return ACTIVE if self.check_out_at is not None or now < self.check_in_at + PRESENCE else COMPLETED

    def minutes(self, now: datetime) -> int | None:
        """Whole minutes from check-in to check-out, to now while active, else to the last sign; None when unknown."""
        if self.status(now) == ACTIVE:
            return (now - self.check_in_at) // _MINUTE
        if self.check_out_at is not None:
            return (self.check_out_at - self.check_in_at) // _MINUTE
        seen = (self.last_seen_at - self.check_in_at) // _MINUTE
        return seen or None


def fold_visits(seen: Iterable[Seen], now: datetime) -> list[Visit]:
    """The visits of one customer as of `now`, newest first; signs after `now` do not count.

    A sign in the same store joins the visit until its check-out, without one for four hours from the check-in; a
    check-out joins for twelve. The first check-in tells the method, the latest check-out the end.
    """
    visits: list[Visit] = []
    open_by_store: dict[str, Visit] = {}
    for one in sorted((one for one in seen if one.sign.at <= now), key=lambda one: one.order):
        sign = one.sign
        visit = open_by_store.get(sign.store_id)
        if visit is None or not visit.takes(sign):
            visit = Visit(one.event_id, sign.store_id, sign.method, sign.at, sign.at)
            visits.append(visit)
            _leave_others(open_by_store, sign)
            open_by_store[sign.store_id] = visit
        _extend(visit, one)
    return sorted(visits, key=lambda visit: (visit.check_in_at, visit.id), reverse=True)


def _extend(visit: Visit, one: Seen) -> None:
    sign = one.sign
    visit.event_ids.append(one.event_id)
    visit.name = sign.name or visit.name
    visit.last_seen_at = max(visit.last_seen_at, sign.out or sign.at)
    if sign.out is not None:
        visit.check_out_at = max(visit.check_out_at or sign.out, sign.out)


def _leave_others(open_by_store: dict[str, Visit], sign: VisitSign) -> None:
    for other in open_by_store.values():
        is_open = other.check_out_at is None and other.left_at is None
        if is_open and other.store_id != sign.store_id and sign.at < other.check_in_at + PRESENCE:
            other.left_at = sign.at


def visit_item(visit: Visit, now: datetime) -> dict[str, Any]:
    """A visit as the API shows it."""
    out = visit.check_out_at if visit.check_out_at is not None and visit.check_out_at <= now else None
    return {
        "visit_id": visit.id,
        "store_id": visit.store_id,
        "store_name": visit.name or None,
        "status": visit.status(now),
        "method": visit.method,
        "check_in_at": to_time_text(visit.check_in_at),
        "check_out_at": to_time_text(out),
        "minutes": visit.minutes(now),
        "event_ids": list(visit.event_ids),
    }
