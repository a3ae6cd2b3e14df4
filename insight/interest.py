"""What a live profile's intents and journey are folded from, for the 360, the journey and lists of intents."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

from core.clock import format_time, from_micros
from graph.driver import Graph
from graph.values import to_time_text
from insight.consent import Told, fold_consent, may_market, told_by
from insight.customer_rows import Parts, read_customers
from insight.intents import ACTIVE, Intent, Sale, Signal, fold_intents
from insight.journey import ADVOCATE_ORDERS, Journey, JourneyFacts, Moment, OpenWish, fold_journey

_WHY = {
    "view": "looked at a product",
    "scan": "scanned a product in a store",
    "search": "searched",
    "wishlist": "put something on the wish list",
    "cart": "put something in the cart",
    "checkout": "started to check out",
    "message": "wrote about a product",
}
_SECOND = 2
# Of rows: time, then id.
_BY_TIME, _ORDERS_BY_TIME = itemgetter(2, 0), itemgetter(1, 0)


@dataclass(slots=True)
class Interest:
    """Signals, sales and first moments of one live profile, oldest first."""

    signals: list[Signal] = field(default_factory=list)
    sales: list[Sale] = field(default_factory=list)
    """The newest counted orders."""
    moments: dict[str, Moment] = field(default_factory=dict)
    order_times: tuple[datetime, ...] = ()
    """The first five counted orders."""
    consents: list[Told] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    """What the products of the signals are called, where that was asked for."""


def read_interest(graph: Graph, brand: str, root_id: str) -> Interest:
    """Everything that intents and journey of the live profile `root_id` need; empty for an unknown one."""
    return read_interests(graph, brand, [root_id], with_names=True).get(root_id, Interest())


def read_interests(
    graph: Graph, brand: str, root_ids: Sequence[str], *, with_names: bool = False
) -> dict[str, Interest]:
    """The same for many live profiles in one round trip; unknown and absorbed ones are left out."""
    parts = Parts(interest=True, names=with_names)
    rows = read_customers(graph, brand, root_ids, parts, only_live=True)
    return {row["root"]: interest_of(row) for row in rows if row["persona_ids"]}


def interest_of(row: Mapping[str, Any]) -> Interest:
    """A row of `read_customers` with its part `interest`."""
    signals = [
        Signal(id_, kind, from_micros(at), tuple(products or ()))
        for id_, kind, at, products in sorted(row["signals"], key=_BY_TIME)
    ]
    orders = sorted(row["last_orders"], key=_ORDERS_BY_TIME)
    sales = [Sale(key, from_micros(at), frozenset(products or ())) for key, at, products in orders]
    first_orders = sorted((from_micros(at), key) for key, at in row["first_orders"])
    return Interest(
        signals,
        sales,
        _moments(row, first_orders),
        tuple(at for at, _ in first_orders[:ADVOCATE_ORDERS]),
        told_by(row["consents"]),
        {product: name for product, name in row["names"] if name},
    )


def _moments(row: Mapping[str, Any], first_orders: Sequence[tuple[datetime, str]]) -> dict[str, Moment]:
    """The first moment of each stage that was entered."""
    found = {
        "awareness": _earliest(row["first_touch"], lambda kind: f"first touch: {kind}"),
        "consideration": _earliest(row["first_interest"], lambda kind: _WHY[kind]),
        "advocacy": _earliest(row["first_advocacy"], lambda kind: f"{kind} given"),
    }
    if first_orders:
        found["purchase"] = Moment(*first_orders[0], "first order")
    kept = [
        _earliest(row["delivered"], lambda _: "an order was delivered"),
        _earliest(row["visit_after"], lambda _: "came to a store after an order"),
        Moment(*first_orders[1], "second order") if len(first_orders) >= _SECOND else None,
    ]
    reached = [moment for moment in kept if moment is not None and first_orders]
    if reached:
        found["retention"] = min(reached, key=lambda moment: (moment.at, moment.cause))
    return {stage: moment for stage, moment in found.items() if moment is not None}


def _earliest(stored: Iterable[Sequence[Any]], why: Callable[[str], str]) -> Moment | None:
    told = min(stored, key=lambda one: (one[1], one[0]), default=None)
    return None if told is None else Moment(from_micros(told[1]), told[0], why(told[-1]))


@dataclass(frozen=True, slots=True)
class Standing:
    """What the profile itself says for its journey: counts and churn as stored."""

    total_orders: int
    last_seen: datetime | None
    channels: int
    churn: float | None = None
    segment: str | None = None


def fold_profile(
    interest: Interest, standing: Standing, now: datetime, names: Mapping[str, str] | None = None
) -> tuple[list[Intent], Journey]:
    """Intents and journey as of `now`; `names` of products make the next action readable, else those it came with."""
    intents = fold_intents(interest.signals, interest.sales, now)
    wish = next((intent for intent in intents if intent.status == ACTIVE), None)
    facts = JourneyFacts(
        moments=interest.moments,
        order_times=interest.order_times,
        total_orders=standing.total_orders,
        last_seen=standing.last_seen,
        channels=standing.channels,
        churn=standing.churn,
        segment=standing.segment,
        wish=_wish(wish, interest.names if names is None else names) if wish else None,
        may_market=may_market(fold_consent(interest.consents, now)),
    )
    return intents, fold_journey(facts, now)


def _wish(intent: Intent, names: Mapping[str, str]) -> OpenWish:
    return OpenWish(intent.product_id, intent.score, "cart" in intent.signals, names.get(intent.product_id))


def intent_item(intent: Intent, name: str | None = None) -> dict[str, Any]:
    """An intent as the API shows it; `name` is what the product is called."""
    first, last = intent.first_at, intent.last_at
    first_text = format_time(first)
    return {
        "product_id": intent.product_id,
        "product_name": name,
        "score": intent.score,
        "status": intent.status,
        "high": intent.is_high,
        "signals": [{"kind": kind, "count": count} for kind, count in intent.signals.items()],
        "first_at": first_text,
        "last_at": first_text if last is first else format_time(last),
        "expires_at": format_time(intent.expires_at),
        "bought_before": intent.bought_before,
        "converted_at": to_time_text(intent.converted_at),
        "event_ids": list(intent.event_ids),
    }


def journey_item(journey: Journey) -> dict[str, Any]:
    """A journey as the API shows it."""
    return {
        "stage": journey.stage,
        "since": to_time_text(journey.since),
        "at_risk": journey.at_risk,
        "score": journey.score,
        "stages": [
            {"stage": stage, "entered_at": to_time_text(moment.at), "by": moment.cause or None, "why": moment.why}
            for stage, moment in journey.entered
        ],
        "next_action": {"action": journey.next_action.action, "reason": journey.next_action.reason},
        "next_milestone": journey.next_milestone,
    }
