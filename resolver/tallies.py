"""Running tallies of one persona, kept at commit and folded by readers: events by channel, counted orders by month.

They make the 360 cost the same however long a history is. A tally is the sum of what events and orders say, so it comes
apart with its personas; where events or orders change hands it is counted anew (`graph/tallies.py`).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from resolver.orders import OrderState, line_categories

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNKNOWN_CHANNEL = "other"


@dataclass(frozen=True, slots=True)
class OrderShare:
    """What one order adds to the tallies of its owner; `month` is YYYY-MM (UTC), money in minor units."""

    month: str
    channel: str
    currency: str
    orders: int
    minor: int
    categories: tuple[str, ...]


def share_of(state: OrderState) -> OrderShare | None:
    """The share of a folded order; None while it belongs to nobody or counts for nothing."""
    if state.owner_id is None or state.placed_at is None or not (state.counts or state.counted_minor):
        return None
    return OrderShare(
        month=month_of(state.placed_at),
        channel=state.channel or UNKNOWN_CHANNEL,
        currency=state.currency,
        orders=int(state.counts),
        minor=state.counted_minor,
        categories=line_categories(state.lines) if state.counts else (),
    )


def month_of(at: int) -> str:
    """The month (UTC) of a time in microseconds since 1970, as YYYY-MM."""
    return (_EPOCH + timedelta(microseconds=at)).strftime("%Y-%m")


@dataclass(slots=True)
class SalesTally:
    """Counted orders and their money by (month, channel, currency), and counted orders by (category, channel)."""

    sales: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)
    categories: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, share: OrderShare, sign: int = 1) -> None:
        """Count an order's share, or take it away with `sign` -1."""
        entry = self.sales.setdefault((share.month, share.channel, share.currency), [0, 0])
        entry[0] += sign * share.orders
        entry[1] += sign * share.minor
        for category in share.categories:
            self.categories[category, share.channel] += sign

    def merge(self, other: "SalesTally") -> None:
        """Fold another persona's tally into this one."""
        for key, (orders, minor) in other.sales.items():
            entry = self.sales.setdefault(key, [0, 0])
            entry[0] += orders
            entry[1] += minor
        self.categories.update(other.categories)

    def to_text(self) -> str:
        """As stored on the Customer node; empty when nothing was sold."""
        sales = [[*key, *entry] for key, entry in sorted(self.sales.items()) if any(entry)]
        categories = [[*key, count] for key, count in sorted(self.categories.items()) if count]
        return msgspec.json.encode([sales, categories]).decode() if sales else ""


def read_sales(text: str | None) -> SalesTally:
    """A stored tally."""
    tally = SalesTally()
    if text:
        sales, categories = msgspec.json.decode(text)
        for month, channel, currency, orders, minor in sales:
            tally.sales[month, channel, currency] = [orders, minor]
        for category, channel, count in categories:
            tally.categories[category, channel] = count
    return tally


def read_channels(stored: Iterable[str] | None) -> Counter[str]:
    """Events by channel from the stored list of `channel:count`."""
    found: Counter[str] = Counter()
    for entry in stored or ():
        channel, _, count = entry.rpartition(":")
        found[channel] = int(count)
    return found


def channels_row(channels: Counter[str]) -> list[str] | None:
    """Events by channel as stored."""
    return [f"{channel}:{count}" for channel, count in sorted(channels.items()) if count] or None
