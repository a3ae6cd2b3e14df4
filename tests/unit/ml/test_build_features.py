"""Features of profiles as a pure function of their orders, facts and a moment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.repositories.predictions import CustomerRow
from graph.repositories.visits import NEWEST_SIGNS
from ml.features.build import feature_values, look_at
from ml.features.customers import Customer, Moment, customer_of
from ml.features.definitions import FEATURES

NOW = datetime(2026, 11, 21, tzinfo=UTC)
MOMENT = Moment(NOW)
HOUR_MS = 3_600_000


def order(days_ago: float, minor: int, **more: Any) -> list[Any]:
    """A stored order."""
    found = {"refunded": 0, "currency": "USD", "lines": "", "facts": None, "counts": True, "channel": "website", **more}
    at = MOMENT.ms - round(days_ago * 24 * HOUR_MS)
    return [at, minor, *(found[name] for name in ("refunded", "currency", "lines", "facts", "counts", "channel"))]


def customer(*orders: list[Any], **more: Any) -> Customer:
    row = CustomerRow(
        "p", 0, 1, "USD", more.pop("personas", 1), 40, ["phone", "email"], 0, None, None, [["website:3", "store:1"]],
        [], [], list(orders),
    )  # fmt: skip
    return customer_of(row._replace(**more))


def features(one: Customer, at: Moment = MOMENT) -> dict[str, Any]:
    [found] = feature_values(look_at([one], at))
    return found


def apparel(days_ago: float, minor: int) -> list[Any]:
    return order(days_ago, minor, lines='[{"category": "Apparel"}, {"category": " Apparel "}]')


def test_the_catalogue_lists_exactly_what_is_made_each_with_a_sentence() -> None:
    names = [feature.name for feature in FEATURES]
    assert list(features(customer())) == names == list(features(customer(order(3, 100))))
    assert len(set(names)) == len(names)
    assert all(feature.sentence.endswith(".") and feature.window for feature in FEATURES)
    assert all(str(NEWEST_SIGNS) in feature.window for feature in FEATURES if "store_visit" in feature.name)


def test_five_orders_in_a_week() -> None:
    found = features(customer(*(apparel(*one) for one in ((7, 19999), (5, 8999), (4, 6002), (2, 5000), (1, 5000)))))
    assert (found["frequency"], found["monetary"], found["category_affinity"]) == (5, 45000, {"Apparel": 5})
    assert (found["recency_days"], found["first_order_days"], found["span_days"]) == (1.0, 7.0, 6.0)
    assert (found["order_day_gap_mean"], found["order_day_gap_ratio"]) == (1.5, round(1 / 1.5, 4))
    assert (found["order_day_value_mean"], found["order_day_value_max"]) == (9000, 19999)


def test_nothing_at_or_after_the_moment_has_any_influence() -> None:
    past = [order(10, 100), order(5, 200, refunded=10, facts=f'[{{"kind": "refund", "at": {MOMENT.ms - 1}000}}]')]
    future = [order(0, 999), order(-3, 999, refunded=5, facts="[]"), order(-1, 0, refunded=9, counts=False)]
    assert features(customer(*past, *future)) == features(customer(*past))


@given(st.lists(st.tuples(st.floats(-40, 400), st.integers(1, 10**6), st.booleans()), max_size=12), st.integers(0, 300))
def test_features_of_a_past_moment_are_those_before_anything_later_happened(rows: Any, back: int) -> None:
    then = Moment(NOW - timedelta(days=back))
    orders = [order(ago, minor, channel="store" if is_store else "website") for ago, minor, is_store in rows]
    known = [one for one in orders if one[0] < then.ms]
    assert features(customer(*orders), then) == features(customer(*known), then)


def test_one_profile_alone_has_the_features_it_has_among_all() -> None:
    everybody = [
        customer(),
        customer(order(3, 100), order(30, 5)),
        customer(order(-2, 5)),
        customer(*(apparel(day, day) for day in range(1, 40))),
    ]
    found = feature_values(look_at(everybody, MOMENT))
    assert found == [features(one) for one in everybody]


def test_without_orders_sums_and_counts_are_zero_and_the_rest_is_unknown() -> None:
    found = features(customer())
    assert (found["recency_days"], found["order_day_gap_ratio"], found["order_day_value_mean"]) == (None, None, None)
    assert (found["frequency"], found["monetary"], found["spend_91d"], found["returned"]) == (0, 0, 0, 0)
    assert (found["event_count"], found["channel_shares"]) == (4, {"website": 0.75, "store": 0.25})


def test_money_of_other_currencies_is_left_out_but_the_order_counts() -> None:
    found = features(customer(order(3, 100), order(2, 5000, currency="EUR")))
    assert (found["frequency"], found["monetary"]) == (2, 100)


@pytest.mark.parametrize(("currency", "minor"), [("USD", 12345), ("JPY", 12345), ("KWD", 12345)])
def test_money_is_exact_in_the_minor_units_of_its_currency(currency: str, minor: int) -> None:
    found = features(customer(order(3, minor, currency=currency), currency=currency))
    assert (found["monetary"], found["order_day_value_last"], found["spend_28d"]) == (minor, minor, minor)


def test_an_order_given_back_in_full_counts_as_returned_only() -> None:
    found = features(customer(order(3, 0, counts=False, refunded=700), order(2, 300), order(9, 50, refunded=25)))
    assert (found["frequency"], found["returned_orders"], found["returned"]) == (2, 1, 700)
    assert (found["refunded"], found["monetary"], found["refund_days"]) == (25, 350, 1)


def test_orders_of_the_same_day_have_no_gap() -> None:
    found = features(customer(order(2, 1), order(2, 1)))
    assert (found["frequency"], found["order_days"]) == (2, 1)
    assert (found["order_day_gap_mean"], found["order_day_gap_ratio"]) == (None, None)


def test_lines_that_nobody_can_read_say_nothing_and_the_order_counts() -> None:
    broken = ["{", "7", "null", '["x", 3]', '[{"category": 3, "product_id": [], "quantity": true}]']
    found = features(customer(*(order(place + 1, 100, lines=lines) for place, lines in enumerate(broken))))
    assert (found["frequency"], found["monetary"], found["category_affinity"]) == (5, 500, {})


def test_times_of_events_and_stores() -> None:
    one = customer(order(1, 5, channel="store"), order(2, 5), first_seen=MOMENT.ms - 36 * HOUR_MS, last_seen=MOMENT.ms)
    found = features(one)
    assert (found["store_orders"], found["tenure_days"], found["last_touch_days"]) == (1, 1.5, None)
    later = features(replace(one, returned=()), Moment(NOW + timedelta(hours=6)))
    assert (later["tenure_days"], later["last_touch_days"]) == (1.75, 0.25)


def test_intents_count_by_their_score_of_the_moment() -> None:
    week = 7 * 24 * HOUR_MS
    wants = [
        [80, MOMENT.ms],
        [90, MOMENT.ms - week],
        [8, MOMENT.ms - week],
        [100, MOMENT.ms - 5 * week],
        [99, MOMENT.ms + 1],
    ]
    found = features(customer(wants=wants, channels=[["email:2", "website:5"], None, ["sms:1"]]))
    assert (found["open_intents"], found["top_intent"], found["message_events"]) == (2, 80, 3)


DAY = 24.0
SIGNS: dict[str, tuple[Moment, list[float], int, float | None]] = {
    "none at all": (MOMENT, [], 0, None),
    "one yesterday": (MOMENT, [30.0], 1, 1.25),
    "two on one day": (MOMENT, [2.0, 8.0], 1, 0.0833),
    "two days, the newest counts as the last": (MOMENT, [50.0, 2.0, 8.0], 2, 0.0833),
    "the first moment of a day and the last of the one before": (MOMENT, [24.0, 24.000001], 2, 1.0),
    "an hour apart over midnight, at noon": (Moment(NOW + timedelta(hours=12)), [11.5, 12.5], 2, 0.4792),
    "the first moment of the ninety days": (MOMENT, [90 * DAY], 1, 90.0),
    "before the ninety days": (MOMENT, [90 * DAY + 0.001], 0, 90.0),
    "the ninety days begin inside a day": (Moment(NOW + timedelta(hours=12)), [90 * DAY - 1, 90 * DAY + 1], 1, 89.9583),
    "long ago": (MOMENT, [400 * DAY], 0, 400.0),
    "at the moment": (MOMENT, [0.0], 0, None),
    "later": (MOMENT, [-0.001, -50.0, 26.0], 1, 1.0833),
}
"""The moment, hours from each sign to it, and what is told of them."""


def signs(moment: Moment, *hours_ago: float) -> list[int]:
    return [moment.ms - round(hours * HOUR_MS) for hours in hours_ago]


@pytest.mark.parametrize("case", SIGNS)
def test_signs_of_presence_in_stores(case: str) -> None:
    moment, hours_ago, days, last = SIGNS[case]
    found = features(customer(seen=signs(moment, *hours_ago)), moment)
    assert (found["store_visit_days"], found["last_store_visit_days"]) == (days, last)


@given(st.lists(st.floats(-50, 120), max_size=20), st.floats(0, 40))
def test_days_in_stores_are_those_that_a_calendar_counts(days_ago: list[float], back: float) -> None:
    then = Moment((NOW - timedelta(days=back)).replace(microsecond=0))
    seen = signs(MOMENT, *(ago * DAY for ago in days_ago))
    known = [NOW - timedelta(milliseconds=MOMENT.ms - at) for at in seen]
    past = [at for at in known if at < then.at]
    found = features(customer(seen=seen), then)
    assert found["store_visit_days"] == len({at.date() for at in past if at >= then.at - timedelta(days=90)})
    last = (then.at - max(past)) / timedelta(days=1) if past else None
    assert found["last_store_visit_days"] == (None if last is None else pytest.approx(last, abs=1e-4))
