"""Product intents: bases, repeats, decay, conversion and expiry, in whatever order events are told."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insight.intents import ACTIVE, BASES, CONVERTED, EXPIRED, TAKEN_BACK, Sale, Signal, fold_intents

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def signal(kind, days_ago=0.0, product="P", key=None):
    return Signal(key or f"{kind}{days_ago}", kind, NOW - timedelta(days=days_ago), (product,))


def sale(days_ago, *products, key="o"):
    return Sale(key, NOW - timedelta(days=days_ago), frozenset(products))


def one(signals, sales=()):
    [intent] = fold_intents(signals, sales, NOW)
    return intent


@pytest.mark.parametrize(
    ("kind", "score"), [("view", 20), ("scan", 20), ("search", 30), ("wishlist", 50), ("cart", 70)]
)
def test_each_kind_has_its_base(kind, score):
    assert (one([signal(kind)]).score, one([signal(kind)]).status) == (score, ACTIVE)


def test_a_repeat_of_the_same_kind_adds_ten_and_another_kind_does_not_add_up():
    assert one([signal("view", 2), signal("view", 1)]).score == 30
    assert one([signal("view", 2), signal("cart", 1)]).score == 70
    assert one([signal("cart", n / 10) for n in range(9)]).score == 100


def test_a_product_bought_before_adds_fifteen():
    assert one([signal("cart", 1)], [sale(3, "P")]).score == 85
    assert one([signal("cart", 1)], [sale(3, "Q")]).score == 70


@pytest.mark.parametrize(("days", "score"), [(6.9, 70), (7, 35), (13.9, 35), (14, 17), (21, 8)])
def test_the_score_halves_for_each_full_week_without_a_signal(days, score):
    assert one([signal("cart", days)]).score == score


def test_a_new_signal_ends_the_decay():
    assert one([signal("cart", 10), signal("view", 1)]).score == 70


@pytest.mark.parametrize(("kind", "days"), [("cart", 30), ("cart", 40), ("view", 21)])
def test_an_intent_expires_after_thirty_days_or_below_five(kind, days):
    assert one([signal(kind, days)]).status == EXPIRED


def test_a_signal_after_expiry_begins_anew():
    intent = one([signal("cart", 60), signal("view", 1)])
    assert (intent.score, intent.signals) == (20, {"view": 1})


def test_a_purchase_converts_and_a_later_signal_opens_a_new_intent():
    converted = one([signal("cart", 5)], [sale(4, "P", key="o7")])
    assert (converted.status, converted.order_key, converted.score) == (CONVERTED, "o7", 70)
    again = one([signal("cart", 5), signal("view", 1)], [sale(4, "P")])
    assert (again.status, again.score, again.signals) == (ACTIVE, 35, {"view": 1})


def test_a_purchase_of_something_else_converts_nothing():
    assert one([signal("cart", 5)], [sale(4, "Q")]).status == ACTIVE


def test_what_left_the_cart_is_no_cart_any_more():
    assert one([signal("view", 3), signal("cart", 2), signal("uncart", 1)]).score == 20
    assert fold_intents([signal("cart", 2), signal("uncart", 1)], [], NOW) == []


def test_the_future_has_no_influence():
    late = Signal("late", "cart", NOW + timedelta(days=1), ("P",))
    assert one([signal("view", 1), late]).score == 20


def test_highest_active_intents_come_first():
    found = fold_intents([signal("view", 1, "A"), signal("cart", 1, "B"), signal("cart", 50, "C")], [], NOW)
    assert [intent.product_id for intent in found] == ["B", "A", "C"]


@given(
    st.lists(st.tuples(st.sampled_from(["view", "cart", "uncart", "search"]), st.integers(0, 60)), max_size=12),
    st.lists(st.integers(0, 60), max_size=3),
    st.randoms(),
)
def test_the_order_of_telling_does_not_matter(told, sold, random):
    signals = [signal(kind, days, key=f"e{place}") for place, (kind, days) in enumerate(told)]
    sales = [sale(days, "P", key=f"o{place}") for place, days in enumerate(sold)]
    expected = fold_intents(signals, sales, NOW)
    random.shuffle(signals)
    random.shuffle(sales)
    assert fold_intents(signals, sales, NOW) == expected
    assert all(0 <= intent.score <= 100 for intent in expected)


@given(st.sampled_from([*BASES, TAKEN_BACK]), st.integers(0, 45 * 24))
def test_a_single_signal_is_folded_as_one_of_several(kind, hours):
    told = Signal("e", kind, NOW - timedelta(hours=hours), ("P",))
    # Nothing was in the cart that could be taken back.
    no_effect = Signal("d", TAKEN_BACK, told.at - timedelta(days=1), ("P",))
    assert fold_intents([told], [], NOW) == fold_intents([no_effect, told], [], NOW)
