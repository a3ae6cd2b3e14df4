"""From a customer's orders and events to features: one pure function, the same for training and for serving."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import fmean, pstdev

from core.clock import EARLIEST
from insight.statistics import OrderView, category_affinity, channel_shares
from resolver.orders import Fact, fold_order

FeatureValue = int | float | str | dict[str, int] | dict[str, float] | list[str] | None

_DAY_SECONDS = 86_400.0
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class FeatureInputs:
    """What features are built from: orders and event counts before `as_of`, and the profile's own facts.

    `currency` is the brand's; orders in others count as orders, their money does not.
    """

    currency: str
    orders: Sequence[OrderView] = ()
    events_by_channel: dict[str, int] = field(default_factory=dict)
    first_event_at: datetime | None = None
    last_event_at: datetime | None = None
    strength: int = 0
    identifier_types: tuple[str, ...] = ()
    cluster_size: int = 1
    merges: int = 0


def build_features(inputs: FeatureInputs, as_of: datetime) -> dict[str, FeatureValue]:
    """All features of `definitions.py` as of that moment: nothing at or after it has any influence.

    Money is in minor units of the brand's currency; days are fractions; None where a feature has no meaning yet.
    """
    known = [order for order in inputs.orders if order.placed_at is not None and order.placed_at < as_of]
    counted = sorted((order for order in known if order.counts), key=lambda order: (order.placed_at, order.key))
    times = [order.placed_at for order in counted if order.placed_at is not None]
    priced = [order for order in known if order.currency == inputs.currency]
    amounts = [order.counted_minor for order in priced if order.counts]
    refunds = [order.refunded_minor for order in priced if order.refunded_minor]
    gaps = [_days(later - earlier) for earlier, later in pairwise(times)]
    recency = _days(as_of - times[-1]) if times else None
    gap_mean = fmean(gaps) if gaps else None
    return {
        "recency_days": _rounded(recency),
        "frequency": len(counted),
        "monetary": sum(order.counted_minor for order in priced),
        "order_value_mean": round(fmean(amounts)) if amounts else None,
        "order_value_spread": round(pstdev(amounts)) if len(amounts) > 1 else None,
        "tenure_days": _since(inputs.first_event_at, as_of),
        "first_order_days": _since(times[0] if times else None, as_of),
        "gap_mean_days": _rounded(gap_mean),
        "gap_spread_days": _rounded(pstdev(gaps) if len(gaps) > 1 else None),
        "gap_ratio": _rounded(recency / gap_mean if recency is not None and gap_mean else None),
        "refunded_orders": sum(order.refunded_minor > 0 for order in known),
        "refunded": sum(refunds),
        "store_orders": sum(order.is_store for order in counted),
        "event_count": sum(inputs.events_by_channel.values()),
        "channel_shares": channel_shares(inputs.events_by_channel),
        "category_affinity": category_affinity(counted),
        "last_touch_days": _since(inputs.last_event_at, as_of),
        "strength": inputs.strength,
        "identifier_types": sorted(inputs.identifier_types),
        "cluster_size": inputs.cluster_size,
        "merges": inputs.merges,
    }


def order_as_of(order: OrderView, facts: Iterable[Fact], as_of: datetime) -> OrderView:
    """The order as it stood then: folded again from the facts that were there before `as_of`."""
    micros = (as_of - EARLIEST) // timedelta(microseconds=1)
    state = fold_order([fact for fact in facts if fact.at < micros])
    return replace(
        order,
        placed_at=None if state.placed_at is None else EARLIEST + timedelta(microseconds=state.placed_at),
        counted_minor=state.counted_minor,
        refunded_minor=state.refunded_minor,
        counts=state.counts,
        currency=state.currency,
    )


def _since(at: datetime | None, as_of: datetime) -> float | None:
    return None if at is None or at >= as_of else _rounded(_days(as_of - at))


def _days(span: timedelta) -> float:
    return span.total_seconds() / _DAY_SECONDS


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
