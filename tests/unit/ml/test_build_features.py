"""Features as a pure function of orders and events."""

from datetime import UTC, datetime, timedelta

from core.clock import EARLIEST
from insight.statistics import OrderView
from ml.features.build import FeatureInputs, build_features, order_as_of
from ml.features.definitions import FEATURES
from resolver.orders import Fact

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def order(days_ago, minor, *, key=None, counts=True, currency="USD", categories=(), refunded=0):
    return OrderView(
        key or f"o{days_ago}", NOW - timedelta(days=days_ago), minor, counts, currency, tuple(categories),
        refunded_minor=refunded,
    )  # fmt: skip


def test_every_definition_is_built_and_nothing_else():
    assert set(build_features(FeatureInputs("USD"), NOW)) == {feature.name for feature in FEATURES}
    assert all(feature.sentence.endswith(".") for feature in FEATURES)


def test_five_orders_in_a_week():
    amounts = {7: 19999, 5: 8999, 4: 6002, 2: 5000, 1: 5000}
    orders = [order(days, minor, categories=["Apparel"]) for days, minor in amounts.items()]
    found = build_features(FeatureInputs("USD", orders), NOW)
    assert (found["frequency"], found["monetary"], found["category_affinity"]) == (5, 45000, {"Apparel": 5})
    assert (found["recency_days"], found["first_order_days"]) == (1.0, 7.0)
    assert found["gap_mean_days"] == 1.5
    assert found["gap_ratio"] == round(1 / 1.5, 4)
    assert found["order_value_mean"] == 9000


def test_nothing_at_or_after_as_of_has_any_influence():
    past = [order(10, 100), order(5, 200)]
    future = [order(0, 999), order(-3, 999, refunded=5)]
    assert build_features(FeatureInputs("USD", past + future), NOW) == build_features(FeatureInputs("USD", past), NOW)


def test_without_orders_numbers_are_none_and_counts_are_zero():
    found = build_features(FeatureInputs("USD"), NOW)
    assert (found["recency_days"], found["gap_ratio"], found["order_value_mean"]) == (None, None, None)
    assert (found["frequency"], found["monetary"], found["event_count"]) == (0, 0, 0)


def test_money_of_other_currencies_is_left_out_but_the_order_counts():
    found = build_features(FeatureInputs("USD", [order(3, 100), order(2, 5000, currency="EUR")]), NOW)
    assert (found["frequency"], found["monetary"]) == (2, 100)


def test_refunded_order_counts_its_refund_but_not_itself():
    found = build_features(FeatureInputs("USD", [order(3, 0, counts=False, refunded=700), order(2, 300)]), NOW)
    assert (found["frequency"], found["refunded_orders"], found["refunded"]) == (1, 1, 700)


def test_orders_of_the_same_moment_have_no_gap_ratio():
    found = build_features(FeatureInputs("USD", [order(2, 1, key="a"), order(2, 1, key="b")]), NOW)
    assert (found["gap_mean_days"], found["gap_ratio"]) == (0.0, None)


def test_an_order_stands_as_its_facts_were_then():
    def at(days_ago):
        return (NOW - timedelta(days=days_ago) - EARLIEST) // timedelta(microseconds=1)

    facts = [
        Fact("e1", "sale", at(10), persona_id="p", total_minor=1000, currency="USD"),
        Fact("e2", "refund", at(2), total_minor=1000, currency="USD", refund_id="r"),
    ]
    today = order(10, 0, counts=False, refunded=1000)
    then = order_as_of(today, facts, NOW - timedelta(days=5))
    assert (then.counted_minor, then.counts, then.refunded_minor) == (1000, True, 0)
    assert order_as_of(today, facts, NOW).counts is False
    assert order_as_of(today, facts, NOW - timedelta(days=20)).placed_at is None
