"""Stored orders as statistics and features read them: each with its categories and the channel of its first sale."""

from typing import Any

from core.clock import EARLIEST
from graph.values import to_time
from insight.statistics import STORE_CHANNEL, STORE_SALE, OrderView
from resolver.orders import line_categories


def order_views(orders: list[dict[str, Any]], sales: list[dict[str, Any]]) -> list[OrderView]:
    """Stored orders, each with the channel of its earliest sale."""
    first_sale: dict[str, dict[str, Any]] = {}
    for sale in sorted(sales, key=lambda sale: (to_time(sale["occurred_at"]) or EARLIEST, sale["id"])):
        first_sale.setdefault(sale["order_key"], sale)
    views = []
    for stored in orders:
        sale = first_sale.get(stored["key"], {})
        channel = sale.get("channel")
        views.append(
            OrderView(
                key=stored["key"],
                placed_at=to_time(stored["placed_at"]),
                counted_minor=stored["counted_minor"] or 0,
                counts=bool(stored["counts"]),
                currency=stored["currency"] or "",
                categories=line_categories(stored["lines"] or ""),
                channel=channel,
                is_store=channel == STORE_CHANNEL or sale.get("type") == STORE_SALE,
                refunded_minor=stored["refunded_minor"] or 0,
            )
        )
    return views
