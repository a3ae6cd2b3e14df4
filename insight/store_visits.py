"""Reads visits: of one customer for the 360, one by its id, and lists by store; each page folds the customers on it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.clock import EARLIEST, Clock, utc_now
from core.errors import ConflictError, InvalidInputError, NotFoundError
from core.identifiers import PRIORITY, WEAK_TYPES
from core.paging import encode_cursor
from core.visits import LATEST_CHECK_OUT
from graph.driver import Graph
from graph.repositories.profiles import Page
from graph.repositories.visits import Place, StoredSign, find_sign, list_signs, read_signs
from insight.intents import ACTIVE as INTENT_ACTIVE
from insight.intents import fold_intents
from insight.interest import read_interest
from insight.visits import SHOWN, STATUSES, Seen, Visit, fold_visits, visit_item

MOST_SCANNED = 1_000
"""Signs that one page of a list looks at; with a rare status a page may hold fewer items and still go on."""
_UNUSABLE_FLAGS = frozenset({"shared", "blocked"})
_MOST_IDENTIFIERS = 200
_SALE = "pos_transaction"
_AROUND = LATEST_CHECK_OUT * 2


@dataclass(frozen=True, slots=True)
class VisitFilter:
    """What a list of visits is limited to; times are of the check-in, both ends included."""

    store_id: str | None = None
    status: str | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None

    def check(self) -> None:
        """Raises InvalidInputError for an unknown status or a span that ends before it begins."""
        if self.status is not None and self.status not in STATUSES:
            raise InvalidInputError(f"status must be one of: {', '.join(STATUSES)}.", field="status")
        if self.from_at and self.to_at and self.from_at > self.to_at:
            raise InvalidInputError("from must not be later than to.", field="from")


@dataclass(frozen=True, slots=True)
class FoundVisit:
    """A visit, whose it is, and what its asked-for event carries."""

    visit: Visit
    profile_id: str
    identifiers: tuple[tuple[str, str], ...] = ()

    def is_checked_out(self, now: datetime) -> bool:
        """Whether the end is told already: then a check-out has nothing to add."""
        return self.visit.check_out_at is not None and self.visit.check_out_at <= now


def visits_section(signs: Iterable[StoredSign], now: datetime) -> list[dict[str, Any]]:
    """The newest visits as of `now` that these signs tell of."""
    return [visit_item(visit, now) for visit in fold_signs(signs, now)[:SHOWN]]


def find_visit(graph: Graph, brand: str, visit_id: str, now: datetime) -> FoundVisit:
    """The visit that an event belongs to; raises NotFoundError. An id stays good when a late event began the visit."""
    asked = find_sign(graph, brand, visit_id)
    if asked is None:
        raise NotFoundError("No such visit.")
    signs = read_signs(graph, brand, [asked["root_id"]], asked["at"] + _AROUND)
    for visit in fold_signs(signs.get(asked["root_id"], ()), max(now, asked["at"])):
        if visit_id in visit.event_ids:
            pairs = tuple((kind, value) for kind, value in asked["identifiers"])
            return FoundVisit(visit, asked["root_id"], pairs)
    raise NotFoundError("No such visit.")


def identifiers_of(graph: Graph, brand: str, profile_id: str) -> dict[str, Any]:
    """The one identifier that leads to a profile best: a check-in of a customer whom somebody picked from a list.

    Raises NotFoundError, and ConflictError for a profile that nothing leads to.
    """
    rows = graph.read("stores/list_identifiers", brand=brand, id=profile_id, limit=_MOST_IDENTIFIERS)
    if not rows:
        raise NotFoundError("No such profile.")
    usable = [one for one in rows[0]["held"] if _UNUSABLE_FLAGS.isdisjoint(one["flags"] or ())]
    if not usable:
        raise ConflictError("This profile has no identifier that leads to it.", field="profile_id")
    best = min(usable, key=lambda one: (one["type"] in WEAK_TYPES, PRIORITY[one["type"]], one["value"]))
    return {best["type"]: best["value"]}


def describe_visit(graph: Graph, brand: str, found: FoundVisit, now: datetime) -> dict[str, Any]:
    """A visit as the API shows it alone: with the live profile and the open intents of the time of its check-in."""
    interest = read_interest(graph, brand, found.profile_id)
    brought = fold_intents(interest.signals, interest.sales, found.visit.check_in_at)
    return {
        **visit_item(found.visit, now),
        "profile_id": found.profile_id,
        "intents": [
            {
                "product_id": intent.product_id,
                "product_name": interest.names.get(intent.product_id),
                "score": intent.score,
                "high": intent.is_high,
            }
            for intent in brought
            if intent.status == INTENT_ACTIVE
        ],
    }


def list_visits(graph: Graph, brand: str, page: Page, where: VisitFilter, clock: Clock = utc_now) -> dict[str, Any]:
    """A page of visits, newest check-in first: {items, next_cursor}; each with the live profile of now."""
    where.check()
    now = clock()
    params = page.params()
    before_at, before_id = params["before_at"], params["before_id"]
    if page.cursor is None and where.to_at is not None:
        before_at = where.to_at
    place = Place(where.from_at or EARLIEST, before_at, before_id)
    items: list[tuple[datetime, dict[str, Any]]] = []
    scanned = 0
    while scanned < MOST_SCANNED:
        chunk = list_signs(graph, brand, where.store_id, place, page.size + 1)
        scanned += len(chunk)
        for sign, found in _begun(graph, brand, chunk, now):
            if found is None or where.status not in {None, found.visit.status(now)}:
                continue
            if len(items) == page.size:
                at, last = items[-1]
                return _page(items, encode_cursor(at, last["visit_id"]))
            items.append((sign["at"], {**visit_item(found.visit, now), "profile_id": found.profile_id}))
        if len(chunk) <= page.size:
            return _page(items, None)
        place = Place(place.from_at, chunk[-1]["at"], chunk[-1]["id"])
    return _page(items, encode_cursor(place.before_at, place.before_id))


def list_present(graph: Graph, brand: str, store_id: str, now: datetime, most: int) -> list[FoundVisit]:
    """Visits of one store that are active now, newest first, at most `most`."""
    place = Place(now - LATEST_CHECK_OUT, now, "\uffff")
    chunk = list_signs(graph, brand, store_id, place, MOST_SCANNED)
    found = [found for _, found in _begun(graph, brand, chunk, now) if found is not None]
    return [one for one in found if one.visit.status(now) == STATUSES[0]][:most]


def _page(items: list[tuple[datetime, dict[str, Any]]], cursor: str | None) -> dict[str, Any]:
    return {"items": [item for _, item in items], "next_cursor": cursor}


def _begun(
    graph: Graph, brand: str, chunk: list[dict[str, Any]], now: datetime
) -> Iterator[tuple[dict[str, Any], FoundVisit | None]]:
    """Each sign with the visit that it begins; None for one that belongs to a visit begun by another, or to nobody."""
    roots = {sign["root_id"] for sign in chunk if sign["root_id"] is not None}
    if not roots:
        return
    signs = read_signs(graph, brand, roots, max(sign["at"] for sign in chunk) + _AROUND)
    begun = {
        visit.id: FoundVisit(visit, root) for root in sorted(roots) for visit in fold_signs(signs.get(root, ()), now)
    }
    for sign in chunk:
        yield sign, begun.get(sign["id"])


def fold_signs(stored: Iterable[StoredSign], now: datetime) -> list[Visit]:
    """The visits that stored signs of one customer tell of, newest first."""
    return fold_visits((Seen(one.event_id, one.sign, is_sale=one.event_type == _SALE) for one in stored), now)
