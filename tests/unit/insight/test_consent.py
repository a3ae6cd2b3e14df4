"""The fold of consent: the latest by event time, all channels, what may be sent, and lines for the timeline."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.consent import Statement
from insight.consent import Told, consent_section, consent_summary, fold_consent, may_market
from insight.summaries import event_summary

START = datetime(2026, 11, 1, tzinfo=UTC)
LATER = START + timedelta(days=30)


def told(minute: int, *said: tuple[str, str, str], event_id: str = "") -> Told:
    statements = tuple(Statement(*one) for one in said)
    return Told(event_id or f"e{minute:03}", START + timedelta(minutes=minute), "shop", statements)


def states(*events: Told, now: datetime = LATER) -> dict[str, dict[str, str]]:
    folded = fold_consent(events, now)
    return {purpose: {name: one.status for name, one in channels.items()} for purpose, channels in folded.items()}


def test_the_latest_answer_stands_for_each_purpose_and_channel():
    yes, no = ("marketing", "email", "granted"), ("marketing", "email", "denied")
    other = ("analytics", "all", "denied")
    assert states(told(5, no), told(1, yes, other)) == {
        "marketing": {"email": "denied"},
        "analytics": {"all": "denied"},
    }
    assert states(told(1, yes), told(5, no), now=START + timedelta(minutes=3)) == {"marketing": {"email": "granted"}}


def test_an_answer_for_all_channels_replaces_those_before_and_not_those_after():
    events = (
        told(1, ("marketing", "email", "granted")),
        told(2, ("marketing", "all", "denied")),
        told(3, ("marketing", "sms", "granted")),
    )
    assert states(*events) == {"marketing": {"all": "denied", "sms": "granted"}}


_ANSWERS = st.tuples(
    st.sampled_from(["marketing", "analytics"]), st.sampled_from(["all", "email", "sms"]),
    st.sampled_from(["granted", "denied", "pending"]),
)  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 5), _ANSWERS), max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(rows, random):
    events = [told(minute, answer, event_id=f"e{place}") for place, (minute, answer) in enumerate(rows)]
    shuffled = events.copy()
    random.shuffle(shuffled)
    assert fold_consent(shuffled, LATER) == fold_consent(events, LATER)


@pytest.mark.parametrize(
    ("said", "allowed"),
    [
        ([], True),
        ([("analytics", "all", "denied")], True),
        ([("marketing", "email", "denied")], False),
        ([("marketing", "email", "pending")], False),
        ([("marketing", "email", "denied"), ("marketing", "sms", "granted")], True),
    ],
)
def test_marketing_needs_a_channel_that_said_yes_once_anybody_was_asked(said, allowed):
    assert may_market(fold_consent([told(1, *said)], LATER)) is allowed


def test_the_section_names_the_event_that_said_so():
    section = consent_section(fold_consent([told(1, ("marketing", "email", "granted"))], LATER))
    assert section == {
        "marketing": {
            "email": {"status": "granted", "at": "2026-11-01T00:01:00Z", "source": "shop", "event_id": "e001"},
        }
    }


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ([("marketing", "email", "granted")], "Agreed to marketing by e-mail"),
        ([("marketing", "sms", "denied")], "Said no to marketing by SMS"),
        ([("analytics", "all", "denied")], "Said no to analytics"),
        ([("marketing", "email", "granted"), ("marketing", "sms", "granted"), ("analytics", "all", "denied")],
         "Agreed to marketing by e-mail and marketing by SMS; said no to analytics"),
        ([("marketing", "in_app", "pending")], "Was asked about marketing by in app"),
        ([], ""),
    ],
)  # fmt: skip
def test_the_line_of_a_consent_event(said, line):
    assert consent_summary([Statement(*one) for one in said]) == line


def test_the_timeline_tells_consent_in_words_and_falls_back_to_what_is_known():
    payload = {"email_marketing_consent": {"state": "unsubscribed"}}
    assert event_summary("consent_changed", "email", payload, None, None) == "Said no to marketing by e-mail"
    assert event_summary("consent_changed", "email", {}, None, None) == "Changed what they agree to by e-mail"
