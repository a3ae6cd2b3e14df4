"""Alerts for staff: raised by a task after the commit, listed, and moved on as they are shown and answered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.clock import EARLIEST, parse_time
from core.errors import ConflictError, InvalidInputError, NotFoundError
from core.paging import encode_cursor
from graph.driver import Graph
from graph.repositories import store_alerts as repository
from graph.repositories.product_names import read_names
from graph.repositories.profiles import Page
from graph.repositories.store_alerts import Raised
from graph.repositories.stores import locations_of
from graph.repositories.visits import read_signs
from insight.alert_rules import FEWEST_BUYERS, FRESH, KINDS, Stock, Visitor, alert_id, alerts_for
from insight.intents import fold_intents
from insight.interest import read_interests
from insight.store_visits import fold_signs
from insight.visits import Visit

PENDING, DELIVERED, VIEWED, DISMISSED = "pending", "delivered", "viewed", "dismissed"
STATES = (PENDING, DELIVERED, VIEWED, DISMISSED)
CHANNELS = ("store_app", "pos_screen")
"""Where staff is shown alerts; nothing sends them by SMS or WhatsApp yet."""
MOST_SCANNED = 1_000
_DECILE_LIFE = timedelta(minutes=10)
_BEFORE = {DELIVERED: [PENDING], VIEWED: [PENDING, DELIVERED], DISMISSED: [PENDING, DELIVERED, VIEWED]}


def raise_for(graph: Graph, brand: str, seen: Iterable[tuple[str, str]], now: datetime) -> int:
    """Raise the alerts of the visits that (event id, live profile) belong to; how many are new. Safe to repeat."""
    by_root: dict[str, set[str]] = {}
    for event_id, root in seen:
        by_root.setdefault(root, set()).add(event_id)
    signs = read_signs(graph, brand, by_root, now)
    fresh = [
        (root, visit)
        for root, event_ids in sorted(by_root.items())
        for visit in fold_signs(signs.get(root, ()), now)
        if not event_ids.isdisjoint(visit.event_ids) and now - visit.last_seen_at < FRESH
    ]
    if not fresh:
        return 0
    roots = sorted({root for root, _ in fresh})
    interests, facts = read_interests(graph, brand, roots), repository.read_visitors(graph, brand, roots)
    top = _top_decile(graph, brand, now)
    raised = 0
    for root, visit in fresh:
        if root not in interests or root not in facts:
            continue
        intents = fold_intents(interests[root].signals, interests[root].sales, now)
        visitor = Visitor(
            intents=intents,
            stock=stock_for(graph, brand, visit.store_id, [one.product_id for one in intents if one.is_high]),
            ltv_minor=facts[root]["ltv_minor"] or 0,
            top_decile_minor=top,
            segment=facts[root]["segment"],
            churn=facts[root]["churn"],
        )
        raised += _raise(graph, brand, root, visit, visitor, now)
    return raised


# By brand: when it was read, and the value. It costs a look at every buyer, and moves slowly.
_deciles: dict[str, tuple[datetime, int]] = {}


def _top_decile(graph: Graph, brand: str, now: datetime) -> int | None:
    """Lifetime value of the brand's top tenth, some minutes old; None while there are too few buyers."""
    known = _deciles.get(brand)
    if known is not None and now - known[0] < _DECILE_LIFE:
        return known[1]
    buyers, top = repository.read_top_decile(graph, brand)
    if buyers < FEWEST_BUYERS or top is None:
        return None
    _deciles[brand] = (now, top)
    return top


def _raise(graph: Graph, brand: str, root: str, visit: Visit, visitor: Visitor, now: datetime) -> int:
    rows = [
        {
            "id": alert_id(brand, visit.id, told), "kind": told.kind, "product_id": told.product_id,
            "score": told.score, "reason": told.reason,
        }
        for told in alerts_for(visitor)
    ]  # fmt: skip
    about = Raised(visit.store_id, root, visit.id, tuple(visit.event_ids))
    return repository.raise_alerts(graph, brand, about, rows, now) if rows else 0


def stock_for(graph: Graph, brand: str, store_id: str, product_ids: Sequence[str]) -> dict[str, Stock]:
    """Stock of products in one store and in all other places; products that nobody counts are left out."""
    if not product_ids:
        return {}
    here = set(locations_of(graph, brand, store_id))
    found: dict[str, Stock] = {}
    for row in repository.list_stock_of(graph, brand, product_ids):
        if not row["levels"]:
            continue
        known = found.get(row["product_id"], Stock())
        near = [level["available"] for level in row["levels"] if level["location_id"] in here]
        far = [level["available"] for level in row["levels"] if level["location_id"] not in here]
        found[row["product_id"]] = Stock(_plus(known.here, near), _plus(known.elsewhere, far))
    return found


def _plus(known: int | None, amounts: list[int]) -> int | None:
    return sum(amounts) + (known or 0) if amounts else known


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts: of one store or all, in one state, of one kind."""

    store_id: str | None = None
    state: str | None = None
    kind: str | None = None

    def check(self) -> None:
        """Raises InvalidInputError for an unknown state or kind."""
        if self.state is not None and self.state not in STATES:
            raise InvalidInputError(f"state must be one of: {', '.join(STATES)}.", field="state")
        if self.kind is not None and self.kind not in KINDS:
            raise InvalidInputError(f"kind must be one of: {', '.join(KINDS)}.", field="kind")

    def takes(self, alert: dict[str, Any]) -> bool:
        """Whether an alert is one of them."""
        return self.state in {None, alert["state"]} and self.kind in {None, alert["kind"]}


def list_alerts(graph: Graph, brand: str, page: Page, where: AlertFilter) -> dict[str, Any]:
    """A page of alerts, newest first: {items, next_cursor}; a page looks at a thousand at most and may go on."""
    where.check()
    found = _page_of(graph, brand, page, where)
    names = read_names(graph, brand, (alert["product_id"] for alert in found["items"] if alert["product_id"]))
    items = [{**alert, "product_name": names.get(alert["product_id"])} for alert in found["items"]]
    return {**found, "items": items}


def _page_of(graph: Graph, brand: str, page: Page, where: AlertFilter) -> dict[str, Any]:
    params = page.params()
    before = (params["before_at"], params["before_id"])
    items: list[dict[str, Any]] = []
    for _ in range(max(1, MOST_SCANNED // (page.size + 1))):
        chunk = repository.list_alerts(graph, brand, where.store_id, before, page.size + 1)
        for place, alert in enumerate(chunk):
            if where.takes(alert):
                items.append(alert)
            before = (to_time_of(alert), alert["id"])
            if len(items) == page.size:
                more = place + 1 < len(chunk)
                return {"items": items, "next_cursor": encode_cursor(*before) if more else None}
        if len(chunk) <= page.size:
            return {"items": items, "next_cursor": None}
    return {"items": items, "next_cursor": encode_cursor(*before)}


def to_time_of(alert: dict[str, Any]) -> datetime:
    """When an alert that is shown was raised."""
    return parse_time(alert["at"]) or EARLIEST


def move_alert(graph: Graph, brand: str, id_: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """Move an alert to `state`; a repeat changes nothing. Raises NotFoundError, ConflictError for a way back.

    `wanted` has state, at, by and channel (or None). Pending → delivered → viewed or dismissed; whoever views one was
    delivered it.
    """
    state = wanted["state"]
    found = repository.move_alert(graph, brand, id_, {**wanted, "allowed": _BEFORE[state]})
    if found is None:
        raise NotFoundError("No such alert.")
    alert, moved = found
    if not moved and alert["state"] != state:
        raise ConflictError(f"This alert is {alert['state']} already.")
    return alert
