"""Statistics of one customer as pure folds."""

from insight.statistics import (
    category_affinity,
    channel_shares,
    preferred_channel,
    spend_by_month,
    summarise,
)
from resolver.tallies import OrderShare, SalesTally


def test_affinity_counts_orders_and_equals_go_by_name():
    assert list(category_affinity([["B", "C"], ["A"], ["C"]]).items()) == [("C", 2), ("A", 1), ("B", 1)]


def test_preferred_channel_is_that_of_most_events_and_equals_go_by_name():
    assert preferred_channel({"website": 2, "store": 2, "email": 1}) == "store"
    assert preferred_channel({}) is None
    assert channel_shares({"website": 1, "store": 3}) == {"store": 0.75, "website": 0.25}


def tally(*shares):
    found = SalesTally()
    for share in shares:
        found.add(share)
    return found


def share(minor, month="2026-11", *, channel="website", currency="USD", categories=()):
    return OrderShare(month, channel, currency, 1, minor, tuple(categories))


def test_spend_by_month_counts_the_brands_currency_only():
    found = tally(share(100), share(50, channel="store"), share(70, "2026-10"), share(99, currency="EUR"))
    assert spend_by_month(found, "USD") == [
        {"month": "2026-10", "spend": "0.70", "orders": 1},
        {"month": "2026-11", "spend": "1.50", "orders": 2},
    ]


def test_purchases_are_split_into_online_and_store():
    found = summarise(tally(share(100), share(50, channel="store")), {"website": 3, "store": 1}, "USD")
    assert found["purchases"] == {"total": 2, "online": 1, "store": 1}
    assert found["preferred_channel"] == "website"


def test_affinity_is_told_overall_and_by_channel():
    found = summarise(
        tally(share(1, categories=["Apparel"]), share(1, channel="store", categories=["Apparel", "Footwear"])),
        {},
        "USD",
    )
    assert found["category_affinity"] == {"Apparel": 2, "Footwear": 1}
    assert found["category_affinity_by_channel"] == {
        "store": {"Apparel": 1, "Footwear": 1}, "website": {"Apparel": 1}
    }  # fmt: skip
