"""Statistics of one customer as pure folds over orders and events; the 360 shows them, features count the same way."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import fmean, median

from core.money import to_decimal_string
from insight.intents import Sale
from resolver.tallies import SalesTally

STORE_CHANNEL = "store"
_DAY_SECONDS = 86_400.0


def category_affinity(orders: Iterable[Iterable[str]]) -> dict[str, int]:
    """From the categories of each counted order (each once): number of orders with a line of each, most first."""
    return _ranked(Counter(category for order in orders for category in order))


def channel_shares(events_by_channel: Mapping[str, int]) -> dict[str, float]:
    """Share of all events that came by each channel (0 to 1, four digits), largest first."""
    total = sum(events_by_channel.values())
    ranked = sorted(events_by_channel.items(), key=lambda item: (-item[1], item[0]))
    return {channel: round(count / total, 4) for channel, count in ranked if count}


def preferred_channel(events_by_channel: Mapping[str, int]) -> str | None:
    """The channel of most events, the first by name of equals; None without events."""
    return next(iter(channel_shares(events_by_channel)), None)


def spend_by_month(tally: SalesTally, currency: str) -> list[dict[str, object]]:
    """Counted orders and their money for each month (UTC) that has some, oldest first; only orders in `currency`."""
    by_month: dict[str, list[int]] = {}
    for (month, _, code), (orders, minor) in tally.sales.items():
        if code == currency and (orders or minor):
            entry = by_month.setdefault(month, [0, 0])
            entry[0] += orders
            entry[1] += minor
    return [
        {"month": month, "spend": to_decimal_string(minor, currency), "orders": orders}
        for month, (orders, minor) in sorted(by_month.items())
    ]


def affinity_by_channel(tally: SalesTally) -> dict[str, dict[str, int]]:
    """Counted orders with at least one line of each category, most first, by the channel of the order."""
    found: dict[str, Counter[str]] = {}
    for (category, channel), orders in tally.categories.items():
        found.setdefault(channel, Counter())[category] += orders
    return {channel: _ranked(found[channel]) for channel in sorted(found)}


def summarise(tally: SalesTally, events_by_channel: Mapping[str, int], currency: str) -> dict[str, object]:
    """The statistics section of the 360; money as decimal strings of `currency`."""
    by_channel: Counter[str] = Counter()
    for (_, channel, _), (orders, _) in tally.sales.items():
        by_channel[channel] += orders
    overall: Counter[str] = Counter()
    for (category, _), orders in tally.categories.items():
        overall[category] += orders
    total = sum(by_channel.values())
    in_store = by_channel[STORE_CHANNEL]
    return {
        "purchases": {"total": total, "online": total - in_store, "store": in_store},
        "preferred_channel": preferred_channel(events_by_channel),
        "channel_shares": channel_shares(events_by_channel),
        "events_by_channel": dict(sorted(events_by_channel.items())),
        "category_affinity": _ranked(overall),
        "category_affinity_by_channel": affinity_by_channel(tally),
        "spend_by_month": spend_by_month(tally, currency),
        "counted": {
            "purchases": "distinct counted orders; cancelled and fully refunded ones are left out",
            "channel_shares": "events of any type",
            "category_affinity": "counted orders with at least one line of the category",
            "spend_by_month": f"order amounts less refunds in {currency}, by month placed (UTC)",
        },
    }


def order_gaps(sales: Sequence[Sale]) -> dict[str, object]:
    """Days between the newest counted orders (`over` says how many gaps), oldest first; None where there are none."""
    times = [sale.at for sale in sales]
    gaps = [(later - earlier).total_seconds() / _DAY_SECONDS for earlier, later in pairwise(times)]
    return {
        "over": len(gaps),
        "mean_days": round(fmean(gaps), 2) if gaps else None,
        "median_days": round(median(gaps), 2) if gaps else None,
        "last_days": round(gaps[-1], 2) if gaps else None,
    }


def _ranked(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(((name, n) for name, n in counts.items() if n), key=lambda item: (-item[1], item[0])))
