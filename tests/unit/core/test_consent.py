"""Consent as events tell of it: our own shapes, those of shops and messages, and what says nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.consent import Statement, read_statements


def said(*triples: tuple[str, str, str]) -> tuple[Statement, ...]:
    return tuple(Statement(*triple) for triple in triples)


CASES = [
    ("consent_changed", "website", {"purpose": "marketing", "channel": "email", "granted": True},
     said(("marketing", "email", "granted"))),
    ("consent_changed", "website", {"purpose": "Analytics", "status": "no"}, said(("analytics", "all", "denied"))),
    ("consent_changed", "email", {"status": "opted in"}, said(("marketing", "email", "granted"))),
    ("consent_changed", "store", {"channels": ["sms", "whatsapp"], "granted": False},
     said(("marketing", "sms", "denied"), ("marketing", "whatsapp", "denied"))),
    ("consent_changed", None, {"consents": [{"purpose": "marketing", "channel": "sms", "granted": True}, "junk",
                                            {"purpose": "profiling", "status": "no"}]},
     said(("marketing", "sms", "granted"), ("profiling", "all", "denied"))),
    ("consent_changed", None, {"consents": {"marketing": {"email": True, "sms": "denied"}, "analytics": False}},
     said(("marketing", "email", "granted"), ("marketing", "sms", "denied"), ("analytics", "all", "denied"))),
    ("consent_changed", None, {"consents": {"marketing": {"status": "granted", "channel": "email"}}},
     said(("marketing", "email", "granted"))),
    ("consent_changed", "email", {"email_marketing_consent": {"state": "subscribed"}},
     said(("marketing", "email", "granted"))),
    ("consent_changed", "sms", {"sms_marketing_consent": {"state": "pending"}}, said(("marketing", "sms", "pending"))),
    ("consent_changed", "sms", {"sms_marketing_consent": {"state": "not_subscribed"}},
     said(("marketing", "sms", "denied"))),
    ("opt_out", "whatsapp", {}, said(("marketing", "whatsapp", "denied"))),
    ("opt_out", "website", {}, said(("marketing", "all", "denied"))),
    ("consent_given", "website", {"purpose": "personalisation"}, said(("personalisation", "all", "granted"))),
    ("whatsapp_message", "whatsapp", {"Body": " stop "}, said(("marketing", "whatsapp", "denied"))),
    ("whatsapp_message", "whatsapp", {"OptOutType": "START", "Body": "x"}, said(("marketing", "whatsapp", "granted"))),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "channel", "payload", "expected"), CASES)
def test_what_an_event_says_about_consent(kind, channel, payload, expected):
    assert read_statements(kind, channel, payload) == expected


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("consent_changed", {}),
        ("consent_changed", {"status": "perhaps"}),
        ("consent_changed", {"granted": 1}),
        ("consent_changed", {"consents": "yes"}),
        ("consent_changed", {"consents": {"marketing": None, "": True, "x" * 41: True}}),
        ("consent_changed", ["no object"]),
        ("whatsapp_message", {"Body": "Please stop by my house"}),
        ("whatsapp_message", {"Body": 7}),
        ("page_view", {"purpose": "marketing", "granted": True}),
    ],
)
def test_what_says_nothing_about_consent(kind, payload):
    assert read_statements(kind, "website", payload) == ()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["granted", "email", "marketing", "STOP"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["consents", "purpose", "channel", "status", "email_marketing_consent", "Body", "state"]),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.sampled_from(["consent_changed", "opt_out", "whatsapp_message"]), st.sampled_from(["email", None]), _JSON)
def test_whatever_is_sent_is_read_or_passed_over(kind, channel, payload):
    for statement in read_statements(kind, channel, payload):
        assert statement.status in {"granted", "denied", "pending"}
        assert statement.purpose
        assert statement.channel


def test_no_more_than_fifty_answers_of_one_event_count():
    assert len(read_statements("consent_changed", None, {"consents": {f"p{n}": True for n in range(80)}})) == 50
