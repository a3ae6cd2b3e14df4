"""Statistics of one customer as pure folds."""

from datetime import UTC, datetime

from insight.statistics import (
    OrderView,
    category_affinity,
    channel_shares,
    line_categories,
    preferred_channel,
    spend_by_month,
    summarise,
)


def order(key, minor, month=11, *, counts=True, currency="USD", categories=(), channel="website", is_store=False):
    placed = datetime(2026, month, 1, tzinfo=UTC)
    return OrderView(key, placed, minor, counts, currency, tuple(categories), channel, is_store)


def test_an_order_speaks_once_for_a_category():
    lines = [{"category": "Apparel"}, {"category": " Apparel "}, {"category": "Footwear"}, {"category": ""}, {}, None]
    assert line_categories(lines) == ("Apparel", "Footwear")


def test_cancelled_orders_have_no_affinity():
    orders = [order("a", 100, categories=["Apparel"]), order("b", 0, counts=False, categories=["Footwear"])]
    assert category_affinity(orders) == {"Apparel": 1}


def test_preferred_channel_is_that_of_most_events_and_equals_go_by_name():
    assert preferred_channel({"website": 2, "store": 2, "email": 1}) == "store"
    assert preferred_channel({}) is None
    assert channel_shares({"website": 1, "store": 3}) == {"store": 0.75, "website": 0.25}


def test_spend_by_month_counts_the_brands_currency_only():
    orders = [order("a", 100), order("b", 50), order("c", 70, month=10), order("d", 99, currency="EUR")]
    assert spend_by_month(orders, "USD") == [
        {"month": "2026-10", "spend": "0.70", "orders": 1},
        {"month": "2026-11", "spend": "1.50", "orders": 2},
    ]


def test_purchases_are_split_into_online_and_store():
    orders = [order("a", 100), order("b", 50, channel="store", is_store=True), order("c", 0, counts=False)]
    found = summarise(orders, {"website": 3, "store": 1}, "USD")
    assert found["purchases"] == {"total": 2, "online": 1, "store": 1}
    assert found["preferred_channel"] == "website"
