"""Zendesk deliveries: tickets of their requesters, users who are customers, triggers with a body of one's own."""

from datetime import timedelta
from typing import Any

import pytest

from core.errors import InvalidInputError, UnauthorizedError
from core.events import RawEvent
from ingest.sources import SOURCES, WebhookRequest
from ingest.sources.signing import zendesk_headers
from tests.unit.ingest.webhook_samples import NOW, SECRET, delivery, fixture, identifiers, incoming, read

TICKET = fixture("zendesk_ticket_created.json")
USER = fixture("zendesk_user_created.json")
TRIGGER = {
    "ticket": {"id": 5158, "status": "open", "via": "whatsapp", "updated_at": "2026-01-08T10:12:07Z",
               "requester": {"id": 8447388090700, "email": "ada@example.com", "phone": "+14155550101", "name": "Ada"}},
}  # fmt: skip


def sent(body: Any) -> WebhookRequest:
    return delivery(zendesk_headers(SECRET, delivery({}, body).body, NOW), body)


def event(body: dict[str, Any]) -> RawEvent:
    (only,) = read("zendesk", sent(body))
    return only


def test_a_ticket_is_an_event_of_who_asked() -> None:
    created = event(TICKET)
    assert (created.type, created.channel, created.order) == ("ticket_created", "website", None)
    assert identifiers(created) == {("external_id", "zendesk:8447388090700")}
    assert incoming(created).occurred_at.isoformat() == "2026-01-08T10:12:07.672717+00:00"
    assert created.source_instance == "22129848"
    changed = {**TICKET, "type": "zen:event-type:ticket.status_changed", "id": "2"}
    assert (event(changed).type, incoming(event(changed)).id == incoming(created).id) == (
        "ticket_status_changed",
        False,
    )
    assert incoming(event({**TICKET, "account_id": 1})).id == incoming(created).id


def test_a_customer_of_the_help_desk_is_known_by_id_and_address_and_an_agent_is_nobody() -> None:
    made = event(USER)
    assert made.type == "identify"
    assert identifiers(made) == {("external_id", "zendesk:8447388090700"), ("email", "ada@example.com")}
    agent = sent({**USER, "detail": {**USER["detail"], "role": "agent"}})
    assert read("zendesk", agent) == []
    assert "agent" in (SOURCES["zendesk"].ignored(agent) or "")
    assert event({**USER, "type": "zen:event-type:user.deleted"}).type == "customer_deleted"
    assert event({**USER, "type": "zen:event-type:user.name_changed"}).type == "profile_update"


def test_a_trigger_says_it_in_its_own_words_nested_or_flat() -> None:
    nested = event(TRIGGER)
    flat = event({
        "ticket_id": "5158", "ticket_status": "open", "ticket_updated_at": "2026-01-08T10:12:07Z",
        "event_type": "ticket_solved", "requester_email": "ada@example.com", "requester_id": "8447388090700",
    })  # fmt: skip
    assert (nested.type, nested.channel, nested.traits) == ("ticket_updated", "whatsapp", {"name": "Ada"})
    assert identifiers(nested) == {
        ("external_id", "zendesk:8447388090700"), ("email", "ada@example.com"), ("phone", "+14155550101"),
    }  # fmt: skip
    assert (flat.type, identifiers(flat)) == (
        "ticket_solved", {("external_id", "zendesk:8447388090700"), ("email", "ada@example.com")},
    )  # fmt: skip


def test_the_same_trigger_again_is_the_same_event_and_another_text_is_another() -> None:
    other = {"ticket": {**TRIGGER["ticket"], "status": "solved"}}
    assert incoming(event(TRIGGER)).id == incoming(event(TRIGGER)).id
    assert incoming(event(TRIGGER)).id != incoming(event(other)).id


@pytest.mark.parametrize("kind", ["zen:event-type:article.published", "zen:event-type:ticket.", "zen:x"])
def test_other_types_are_answered_and_say_so(kind: str) -> None:
    request = sent({**TICKET, "type": kind})
    assert read("zendesk", request) == []
    assert SOURCES["zendesk"].ignored(request) == "this type of event is not read"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "ticket.id"),
        ({"ticket": {"id": []}}, "ticket.id"),
        ({"ticket": {"id": 1, "updated_at": "soon"}}, "ticket.updated_at"),
        ({"ticket": {"id": 1, "requester": {"id": True}}}, "requester.id"),
        ({**TICKET, "detail": None}, "detail"),
        ({**TICKET, "detail": {}}, "id"),
        ({**TICKET, "id": None}, "id"),
        ({**TICKET, "time": 5}, "time"),
        ({**USER, "detail": {"id": None}}, "id"),
    ],
)
def test_a_body_that_is_no_ticket_is_refused_by_field(body: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        read("zendesk", sent(body))
    assert error.value.field == field


@pytest.mark.parametrize(("age", "is_refused"), [(299, False), (301, True), (-299, False), (-301, True)])
def test_five_minutes_either_way_are_taken(age: int, is_refused: bool) -> None:
    request = delivery(zendesk_headers(SECRET, b"{}", NOW - timedelta(seconds=age)), b"{}")
    try:
        SOURCES["zendesk"].verify(request, [SECRET])
    except UnauthorizedError:
        assert is_refused
    else:
        assert not is_refused
