"""An independent answer to the same question: who is one person, by union-find over all events at once.

Shares no code with `resolver/`: it knows no personas, no merges and no order of arrival, only which identifiers
occurred together. Wherever the resolver may decide by itself, the graph has to end as this says.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from core.events import IncomingEvent

Doer = TypeVar("Doer", bound=Hashable)

_NEVER_LINK = {"card_last4"}


@dataclass(frozen=True)
class Person:
    """One connected set of identifiers, as `type:value`, with what its events come to."""

    identifiers: frozenset[str]
    events: int
    orders: int
    ltv_minor: int


class UnionFind:
    """Disjoint sets with path halving."""

    def __init__(self) -> None:
        self._parent: dict[Hashable, Hashable] = {}

    def find(self, item: Hashable) -> Hashable:
        """The representative of the set that holds `item`; an unknown item is a set of its own."""
        self._parent.setdefault(item, item)
        while self._parent[item] != item:
            self._parent[item] = self._parent[self._parent[item]]
            item = self._parent[item]
        return item

    def union(self, items: Iterable[Hashable]) -> None:
        """Make one set of all sets that hold one of `items`."""
        roots = [self.find(item) for item in items]
        for root in roots[1:]:
            self._parent[root] = roots[0]


def people_of(events: Sequence[IncomingEvent]) -> set[Person]:
    """Everybody that `events` (repeats included) tell of."""
    distinct = {event.id: event for event in events}
    sets = UnionFind()
    for event in distinct.values():
        sets.union(_linking(event))

    def doer_of(event_id: str) -> Hashable | None:
        own = _linking(distinct[event_id])
        return sets.find(own[0]) if own else None

    owners = {key: owner_of_order(facts, doer_of) for key, facts in facts_by_order(distinct.values()).items()}
    identifiers: dict[Hashable, set[str]] = defaultdict(set)
    counts: dict[Hashable, int] = defaultdict(int)
    for event in distinct.values():
        person = _person(event, sets, owners)
        if person is not None:
            counts[person] += 1
        for identifier in _linking(event):
            identifiers[sets.find(identifier)].add(identifier)
    money = money_of(distinct.values(), owners)
    return {Person(frozenset(held), counts[person], *money.get(person, (0, 0))) for person, held in identifiers.items()}


def _linking(event: IncomingEvent) -> list[str]:
    return [f"{found.type}:{found.value}" for found in event.identifiers if found.type not in _NEVER_LINK]


def facts_by_order(events: Iterable[IncomingEvent]) -> dict[str, list[IncomingEvent]]:
    """Events of each order, in event time."""
    orders: dict[str, list[IncomingEvent]] = defaultdict(list)
    for event in sorted(events, key=lambda event: (event.occurred_at, event.id)):
        if event.order is not None:
            orders[event.order.key].append(event)
    return orders


def owner_of_order(facts: Sequence[IncomingEvent], doer_of: Callable[[str], Doer | None]) -> Doer | None:
    """An order belongs to whoever made its earliest purchase; `doer_of` says whose event it is by its identifiers."""
    for event in facts:
        if event.order is not None and event.order.kind == "sale":
            doer = doer_of(event.id)
            if doer is not None:
                return doer
    return None


def _person(event: IncomingEvent, sets: UnionFind, owners: dict[str, Hashable | None]) -> Hashable | None:
    """Whose event it is: by its own identifiers, else by its order."""
    own = _linking(event)
    if own:
        return sets.find(own[0])
    return owners.get(event.order.key) if event.order is not None else None


def money_of(events: Iterable[IncomingEvent], owners: Mapping[str, Hashable | None]) -> dict[Hashable, tuple[int, int]]:
    """(orders, minor units) of each person."""
    found: dict[Hashable, tuple[int, int]] = {}
    for key, facts in facts_by_order(events).items():
        owner = owners[key]
        if owner is None:
            continue
        told = [event.order for event in facts if event.order is not None]
        sale = next((order for order in told if order.kind == "sale" and order.counts), None)
        if sale is None or any(order.kind == "cancel" for order in told):
            continue
        refunds = {order.refund_id: order.total_minor for order in reversed(told) if order.kind == "refund"}
        refunded = sum(refunds.values())
        is_gone = refunded > 0 and refunded >= sale.total_minor
        orders, minor = found.get(owner, (0, 0))
        found[owner] = (orders + (not is_gone), minor + max(0, sale.total_minor - refunded))
    return found
