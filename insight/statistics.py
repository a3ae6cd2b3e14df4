"""Statistics of one customer as pure folds over orders and events; the 360 shows them, features count the same way."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from core.money import to_decimal_string

STORE_CHANNEL = "store"
STORE_SALE = "pos_transaction"


@dataclass(frozen=True, slots=True)
class OrderView:
    """A folded order as statistics need it; money in minor units of `currency`, `categories` each once."""

    key: str
    placed_at: datetime | None
    counted_minor: int
    counts: bool
    currency: str
    categories: tuple[str, ...] = ()
    channel: str | None = None
    """Channel of the order's earliest sale; None when that is not known."""
    is_store: bool = False
    refunded_minor: int = 0


def line_categories(lines: object) -> tuple[str, ...]:
    """Categories named in an order's lines, sorted, each once: an order speaks once for a category."""
    found = set()
    for line in lines if isinstance(lines, list) else ():
        category = line.get("category") if isinstance(line, dict) else None
        if isinstance(category, str) and category.strip():
            found.add(category.strip())
    return tuple(sorted(found))


def category_affinity(orders: Iterable[OrderView]) -> dict[str, int]:
    """Number of counted orders with at least one line of each category, most first."""
    counted = Counter(category for order in orders if order.counts for category in order.categories)
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def channel_shares(events_by_channel: Mapping[str, int]) -> dict[str, float]:
    """Share of all events that came by each channel (0 to 1, four digits), largest first."""
    total = sum(events_by_channel.values())
    ranked = sorted(events_by_channel.items(), key=lambda item: (-item[1], item[0]))
    return {channel: round(count / total, 4) for channel, count in ranked if count}


def preferred_channel(events_by_channel: Mapping[str, int]) -> str | None:
    """The channel of most events, the first by name of equals; None without events."""
    return next(iter(channel_shares(events_by_channel)), None)


def spend_by_month(orders: Iterable[OrderView], currency: str) -> list[dict[str, object]]:
    """Counted orders and their money for each month (UTC) that has some, oldest first; only orders in `currency`."""
    orders_of: Counter[str] = Counter()
    spend_of: Counter[str] = Counter()
    for order in orders:
        if order.placed_at is None or order.currency != currency or not (order.counts or order.counted_minor):
            continue
        month = order.placed_at.strftime("%Y-%m")
        orders_of[month] += int(order.counts)
        spend_of[month] += order.counted_minor
    return [
        {"month": month, "spend": to_decimal_string(spend_of[month], currency), "orders": orders_of[month]}
        for month in sorted(orders_of)
    ]


def summarise(orders: list[OrderView], events_by_channel: Mapping[str, int], currency: str) -> dict[str, object]:
    """The statistics section of the 360; money as decimal strings of `currency`."""
    counted = [order for order in orders if order.counts]
    by_channel: dict[str, list[OrderView]] = {}
    for order in counted:
        by_channel.setdefault(order.channel or "other", []).append(order)
    in_store = sum(order.is_store for order in counted)
    return {
        "purchases": {"total": len(counted), "online": len(counted) - in_store, "store": in_store},
        "preferred_channel": preferred_channel(events_by_channel),
        "channel_shares": channel_shares(events_by_channel),
        "events_by_channel": dict(sorted(events_by_channel.items())),
        "category_affinity": category_affinity(counted),
        "category_affinity_by_channel": {name: category_affinity(by_channel[name]) for name in sorted(by_channel)},
        "spend_by_month": spend_by_month(orders, currency),
        "counted": {
            "purchases": "distinct counted orders; cancelled and fully refunded ones are left out",
            "channel_shares": "events of any type",
            "category_affinity": "counted orders with at least one line of the category",
            "spend_by_month": f"order amounts less refunds in {currency}, by month placed (UTC)",
        },
    }
