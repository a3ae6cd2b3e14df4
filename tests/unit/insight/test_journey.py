"""The journey: furthest stage, what moved it there, risk, score, and a next action with its reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from insight.journey import STAGES, JourneyFacts, Moment, OpenWish, fold_journey

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def moment(days_ago, why="because"):
    return Moment(NOW - timedelta(days=days_ago), f"evt_{days_ago}", why)


def facts(*stages, **more):
    moments = {stage: moment(50 - 5 * STAGES.index(stage)) for stage in stages}
    return JourneyFacts(moments=moments, last_seen=NOW, channels=1, **more)


@pytest.mark.parametrize("count", range(1, 6))
def test_the_stage_is_the_furthest_that_was_entered(count):
    journey = fold_journey(facts(*STAGES[:count]), NOW)
    assert journey.stage == STAGES[count - 1]
    assert [stage for stage, _ in journey.entered] == list(STAGES[:count])
    assert journey.since == journey.entered[-1][1].at


def test_nobody_known_has_no_stage():
    journey = fold_journey(JourneyFacts(), NOW)
    assert (journey.stage, journey.score, journey.entered) == (None, 0, ())


def test_what_happens_later_is_not_known_yet():
    later = Moment(NOW + timedelta(days=1), "evt", "first order")
    assert fold_journey(JourneyFacts(moments={"awareness": moment(3), "purchase": later}), NOW).stage == "awareness"


def test_a_champion_with_five_orders_is_an_advocate_since_the_fifth():
    times = tuple(NOW - timedelta(days=n) for n in (9, 8, 7, 6, 5))
    known = facts("awareness", "purchase", "retention", order_times=times, total_orders=6, segment="champion")
    journey = fold_journey(known, NOW)
    assert (journey.stage, journey.since) == ("advocacy", times[4])
    assert fold_journey(replace(known, segment="loyal"), NOW).stage == "retention"


def test_at_risk_interrupts_only_those_who_bought():
    assert fold_journey(facts("awareness", "purchase", total_orders=1, churn=0.7), NOW).at_risk
    assert not fold_journey(facts("awareness", "purchase", total_orders=1, churn=0.69), NOW).at_risk
    assert not fold_journey(facts("awareness", churn=0.9), NOW).at_risk


@pytest.mark.parametrize(
    ("known", "action"),
    [
        (facts("awareness"), "welcome"),
        (facts("awareness", "consideration"), "offer_help"),
        (facts("consideration", wish=OpenWish("P", 70, in_cart=True)), "remind_cart"),
        (facts("consideration", wish=OpenWish("P", 30, in_cart=False)), "recommend_product"),
        (facts("purchase", total_orders=1), "follow_up"),
        (facts("purchase", total_orders=1, churn=0.8, wish=OpenWish("P", 70, in_cart=True)), "win_back"),
        (facts("retention", total_orders=2), "cross_sell"),
        (facts("advocacy", total_orders=9), "ask_for_referral"),
        (facts("retention", total_orders=2, churn=0.9, may_market=False), "serve_only"),
    ],
)
def test_the_next_action_fits_and_says_why(known, action):
    found = fold_journey(known, NOW).next_action
    assert found.action == action
    assert found.reason


def test_the_score_falls_with_churn_and_silence():
    fresh = fold_journey(facts("purchase", total_orders=1, churn=0.1), NOW).score
    assert fold_journey(facts("purchase", total_orders=1, churn=0.9), NOW).score < fresh
    silent = replace(facts("purchase", total_orders=1, churn=0.1), last_seen=NOW - timedelta(days=200))
    assert fold_journey(silent, NOW).score < fresh
