"""Attribution: six models over one path, exact sums, removal effects of a hand-made chain."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insight.attribution import MODELS, Touchpoint, attribute, path_to, removal_effects, split_exactly

SOLD = datetime(2026, 11, 20, tzinfo=UTC)
WEEK = timedelta(days=7)


def path(*channels, days=None):
    times = days or range(len(channels), 0, -1)
    return [
        Touchpoint(f"e{place}", channel, SOLD - timedelta(days=ago))
        for place, (channel, ago) in enumerate(zip(channels, times, strict=True))
    ]


def shares(model, *channels, days=None, minor=1000, effects=None):
    return [credit.minor for credit in attribute(path(*channels, days=days), minor, SOLD, model, effects)]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("first", [1000, 0, 0, 0]),
        ("last", [0, 0, 0, 1000]),
        ("linear", [250, 250, 250, 250]),
        ("position_based", [400, 100, 100, 400]),
    ],
)
def test_models_split_as_their_names_say(model, expected):
    assert shares(model, "email", "website", "sms", "store") == expected


def test_time_decay_halves_every_seven_days():
    assert shares("time_decay", "email", "store", days=[7, 0], minor=900) == [300, 600]


def test_two_and_one_touchpoints_by_position():
    assert shares("position_based", "email", "store") == [500, 500]
    assert shares("position_based", "email") == [1000]


def test_data_driven_weighs_channels_and_shares_among_their_touchpoints():
    assert shares("data_driven", "email", "store", "email", effects={"email": 0.5, "store": 0.5}) == [250, 500, 250]
    assert shares("data_driven", "email", "store") == [500, 500]


@given(
    st.lists(st.sampled_from(["email", "store", "sms", "website"]), min_size=1, max_size=12),
    st.integers(-(10**9), 10**9),
    st.sampled_from(MODELS),
)
def test_credits_sum_to_the_conversion_to_the_minor_unit(channels, minor, model):
    effects = {"email": 0.31, "store": 0.07}
    assert sum(shares(model, *channels, minor=minor, effects=effects)) == minor


def test_only_touchpoints_in_the_window_count():
    points = path("email", "store", "sms", days=[31, 30, -1])
    assert [point.channel for point in path_to(points, SOLD, timedelta(days=30))] == ["store"]


def test_remainders_go_to_the_largest_fractions_first():
    assert split_exactly(100, [1, 1, 1]) == [34, 33, 33]


def test_a_channel_on_every_converting_path_has_the_full_effect():
    effects = removal_effects([(["email", "store"], True), (["sms", "store"], True), (["sms"], False)])
    assert effects["store"] == pytest.approx(1.0)
    # Without sms only the path by e-mail is left of the start's three: one third instead of two thirds.
    assert effects["sms"] == pytest.approx(0.5)


def test_without_conversions_there_are_no_effects():
    assert removal_effects([(["email"], False)]) == {}
