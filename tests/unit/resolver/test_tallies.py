"""Tallies of a persona: what orders add to them comes off again, and what is stored reads back the same."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from resolver.orders import Fact, fold_order, line_categories, line_products
from resolver.tallies import OrderShare, SalesTally, channels_row, month_of, read_channels, read_sales, share_of

DAY = 86_400_000_000
SHARES = st.builds(
    OrderShare,
    month=st.sampled_from(["2026-10", "2026-11"]),
    channel=st.sampled_from(["website", "store"]),
    currency=st.sampled_from(["USD", "EUR"]),
    orders=st.integers(0, 1),
    minor=st.integers(1, 10_000),
    categories=st.sampled_from([(), ("Apparel",), ("Apparel", "Footwear")]),
)


@given(st.lists(SHARES), st.lists(SHARES))
def test_what_is_taken_away_leaves_no_trace(kept, gone):
    tally, expected = SalesTally(), SalesTally()
    for share in (*kept, *gone):
        tally.add(share)
    for share in gone:
        tally.add(share, -1)
    for share in kept:
        expected.add(share)
    assert tally.to_text() == expected.to_text()


@given(st.lists(SHARES), st.lists(SHARES))
def test_merged_tallies_are_the_tally_of_all(left, right):
    both, one, other = SalesTally(), SalesTally(), SalesTally()
    for share in (*left, *right):
        both.add(share)
    for part, shares in ((one, left), (other, right)):
        for share in shares:
            part.add(share)
    merged = read_sales(one.to_text())
    merged.merge(read_sales(other.to_text()))
    assert merged.to_text() == both.to_text()


def test_channels_read_back_and_counts_of_nothing_are_left_out():
    assert channels_row(Counter({"website": 2, "store": 0})) == ["website:2"]
    assert read_channels(["website:2"]) == {"website": 2}
    assert channels_row(Counter()) is None


def test_an_order_counts_in_the_month_and_channel_of_its_earliest_sale():
    sales = [
        Fact("e2", "sale", 40 * DAY, "p", 500, "USD", channel="store"),
        Fact("e1", "sale", 2 * DAY, "p", 500, "USD", channel="website", lines='[{"category":"Apparel"}]'),
    ]
    share = share_of(fold_order(sales))
    assert share == OrderShare("1970-01", "website", "USD", 1, 500, ("Apparel",))


def test_a_cancelled_order_has_no_share():
    assert share_of(fold_order([Fact("e1", "sale", 1, "p", 500, "USD"), Fact("c", "cancel", 2)])) is None


def test_a_partly_refunded_order_counts_what_is_left():
    facts = [Fact("e1", "sale", 1, "p", 500, "USD"), Fact("r", "refund", 2, "p", 200, "USD", refund_id="r")]
    share = share_of(fold_order(facts))
    assert share is not None
    assert (share.orders, share.minor) == (1, 300)


def test_delivery_is_the_earliest_that_was_told_whatever_came_later():
    facts = [
        Fact("e1", "sale", 1, "p", 500, "USD"),
        Fact("s2", "status", 9, status="delivered"),
        Fact("s1", "status", 5, status="delivered"),
        Fact("s3", "status", 11, status="returned"),
    ]
    assert fold_order(facts).delivered_at == 5


def test_months_are_utc():
    assert month_of(31 * DAY - 1) == "1970-01"
    assert month_of(31 * DAY) == "1970-02"


def test_an_order_speaks_once_for_a_category_and_a_product():
    lines = '[{"category":"Apparel","product_id":"P1"},{"category":" Apparel ","product_id":"P1"},{"category":""},3]'
    assert line_categories(lines) == ("Apparel",)
    assert line_products(lines) == ("P1",)
