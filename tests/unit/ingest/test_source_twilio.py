"""Twilio deliveries: what people write to the brand, and what became of what the brand wrote."""

from typing import Any
from urllib.parse import urlencode

import pytest

from core.errors import InvalidInputError, MalformedBodyError
from tests.unit.ingest.webhook_samples import FIXTURES, delivery, identifiers, incoming, read

INBOUND = (FIXTURES / "twilio_inbound.txt").read_bytes().strip()
STATUS = {
    "MessageSid": "SM1", "MessageStatus": "sent", "SmsStatus": "sent", "From": "whatsapp:+15559999",
    "To": "whatsapp:+15550123", "AccountSid": "ACtest", "ChannelPrefix": "whatsapp", "ChannelToAddress": "+1555XXXX",
}  # fmt: skip


def test_whatsapp_message_points_at_its_sender_only() -> None:
    (message,) = read("twilio", delivery({}, INBOUND))
    assert (message.type, message.channel) == ("whatsapp_message", "whatsapp")
    assert identifiers(message) == {("whatsapp", "+15550123"), ("phone", "+15550123")}
    assert message.source_instance == "ACtest"
    assert message.traits == {"name": "Sarah"}
    assert '"Body":"When will my order ship?"' in incoming(message).payload


def test_json_says_the_same_as_a_form() -> None:
    fields = {"MessageSid": "SM1", "From": "whatsapp:+15550123", "To": "whatsapp:+15559999", "SmsStatus": "received"}
    (as_json,) = read("twilio", delivery({}, fields))
    (as_form,) = read("twilio", delivery({}, urlencode(fields).encode()))
    assert incoming(as_json).id == incoming(as_form).id
    assert incoming(as_json).fingerprint == incoming(as_form).fingerprint


def test_every_status_of_a_message_is_an_event_of_its_receiver() -> None:
    ids = set()
    for status in ("queued", "sent", "delivered", "read"):
        (event,) = read("twilio", delivery({}, urlencode({**STATUS, "MessageStatus": status}).encode()))
        assert event.type == "whatsapp_status"
        assert identifiers(event) == {("whatsapp", "+15550123"), ("phone", "+15550123")}
        ids.add(incoming(event).id)
    assert len(ids) == 4
    (again,) = read("twilio", delivery({}, urlencode(STATUS).encode()))
    assert incoming(again).id in ids


def test_text_message_is_of_the_phone() -> None:
    (message,) = read(
        "twilio",
        delivery({}, {"MessageSid": "SM1", "From": "+14155550101", "To": "+15559999", "SmsStatus": "received"}),
    )
    assert (message.type, message.channel) == ("sms_message", "sms")
    assert identifiers(message) == {("phone", "+14155550101")}


@pytest.mark.parametrize(
    ("body", "field"), [({}, "SmsSid"), ({"MessageSid": ""}, "MessageSid"), ({"MessageSid": []}, "MessageSid")]
)
def test_message_without_its_sid_is_refused(body: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        read("twilio", delivery({}, body))
    assert error.value.field == field


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"no form", b"a=%00&MessageSid=1", b"a=1&" * 2000])
def test_body_that_cannot_be_read_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBodyError):
        read("twilio", delivery({}, body))


@pytest.mark.parametrize("part", ["From", "To", "WaId", "ProfileName", "Body"])
@pytest.mark.parametrize("value", [None, [], {}, 5, ["a", "b"], ""])
def test_optional_parts_may_be_anything(part: str, value: object) -> None:
    (event,) = read("twilio", delivery({}, {"MessageSid": "SM1", "From": "whatsapp:+15550123", part: value}))
    assert incoming(event).order is None
