"""Dead letters: a poison event is stored before its sender is told; a person replays or discards what lies there."""

import uuid
from typing import Any

import pytest

from core.clock import utc_now
from core.errors import InvalidInputError
from graph.repositories.dead_letters import keep_letters, message_letter
from tests.integration.api.conftest import Tenant

SPOIL = "MATCH (o:Order {brand: $brand}) WHERE o.order_id = $order_id SET o.facts = $facts RETURN count(o) AS spoilt"
READ = "MATCH (o:Order {brand: $brand}) WHERE o.order_id = $order_id RETURN o.facts AS facts"


def purchase(order_id: str, message_id: str, email: str = "p@example.com") -> dict[str, Any]:
    return {
        "type": "purchase",
        "message_id": message_id,
        "identifiers": {"email": email},
        "payload": {"order_id": order_id, "total": "10.00", "currency": "USD"},
    }


class SpoiltOrder:
    """An order whose facts in the graph cannot be read: every event that touches it is refused."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self.id = f"o-{uuid.uuid4().hex[:8]}"
        first = tenant.client.post("/api/events", json=purchase(self.id, f"{self.id}-first"))
        assert first.json()["decision"] in {"created", "attached"}
        self._facts = self._run(READ)["facts"]
        self._run(SPOIL, facts="no JSON")

    def mend(self) -> None:
        self._run(SPOIL, facts=self._facts)

    def _run(self, query: str, **params: Any) -> dict[str, Any]:
        with self._tenant.graph.session() as session:
            record = session.run(query, brand=self._tenant.id, order_id=self.id, **params).single()
        assert record is not None
        return record.data()


def waiting(tenant: Tenant, **params: Any) -> list[dict[str, Any]]:
    answer = tenant.client.get("/api/dead-letters", params=params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def test_a_poison_event_is_a_dead_letter_that_its_problem_names(tenant: Tenant) -> None:
    order = SpoiltOrder(tenant)
    for count in (1, 2):
        refused = tenant.client.post("/api/events", json=purchase(order.id, "second"))
        assert (refused.status_code, refused.json()["code"]) == (422, "event_refused")
        [letter] = waiting(tenant)
        assert (letter["id"], letter["count"]) == (refused.json()["dead_letter_id"], count)
        assert (letter["code"], letter["state"]) == ("event_refused", "waiting")
    whole = tenant.client.get(f"/api/dead-letters/{letter['id']}").json()
    assert whole["message"]["order_id"] == order.id
    assert whole["event"]["id"] == letter["event_id"]
    assert ["email", "p@example.com"] in whole["event"]["identifiers"]


def test_in_a_batch_a_poison_event_is_its_items_error_and_the_others_are_stored(tenant: Tenant) -> None:
    order = SpoiltOrder(tenant)
    events = [purchase("good-1", "g1", "a@x.io"), purchase(order.id, "bad"), purchase("good-2", "g2", "b@x.io")]
    answer = tenant.client.post("/api/events/batch", json={"events": events}).json()
    assert (answer["accepted"], answer["rejected"]) == (2, 1)
    assert answer["results"][1]["error"]["dead_letter_id"] == waiting(tenant)[0]["id"]
    assert [answer["results"][place]["decision"] for place in (0, 2)] == ["created", "created"]


def test_a_replay_stores_the_event_once_and_settles_the_letter(tenant: Tenant) -> None:
    order = SpoiltOrder(tenant)
    letter_id = tenant.client.post("/api/events", json=purchase(order.id, "second")).json()["dead_letter_id"]
    again = tenant.client.post(f"/api/dead-letters/{letter_id}/replay")
    assert (again.status_code, again.json()["code"], again.json()["dead_letter_id"]) == (
        422,
        "event_refused",
        letter_id,
    )
    assert [letter["replays"] for letter in waiting(tenant)] == [1]
    order.mend()
    key = {"Idempotency-Key": uuid.uuid4().hex}
    replayed = tenant.client.post(f"/api/dead-letters/{letter_id}/replay", headers=key)
    assert replayed.status_code == 200, replayed.text
    assert replayed.json()["outcome"]["decision"] == "attached"
    assert tenant.client.post(f"/api/dead-letters/{letter_id}/replay", headers=key).json() == replayed.json()
    assert tenant.client.post(f"/api/dead-letters/{letter_id}/replay").status_code == 409
    assert tenant.client.post(f"/api/dead-letters/{letter_id}/discard").status_code == 409
    assert waiting(tenant) == []
    [settled] = waiting(tenant, state="replayed")
    assert settled["event_id"] == replayed.json()["outcome"]["event_id"]
    assert (settled["preview"], settled["settled_by"][:4]) == (None, "key:")
    sent = tenant.client.post("/api/events", json=purchase(order.id, "second")).json()
    assert (sent["duplicate"], sent["event_id"]) == (True, settled["event_id"])
    profile = tenant.client.get("/api/profiles/lookup", params={"type": "email", "value": "p@example.com"}).json()
    assert (profile["event_count"], profile["total_orders"], profile["lifetime_value"]) == (2, 1, "10.00")


def test_a_discarded_letter_loses_its_message_and_keeps_who_did_it(tenant: Tenant) -> None:
    order = SpoiltOrder(tenant)
    letter_id = tenant.client.post("/api/events", json=purchase(order.id, "second")).json()["dead_letter_id"]
    for _ in range(2):
        assert tenant.client.post(f"/api/dead-letters/{letter_id}/discard").json()["state"] == "discarded"
    letter = tenant.client.get(f"/api/dead-letters/{letter_id}").json()
    assert (letter["state"], letter["message"], letter["event"]) == ("discarded", None, None)
    assert letter["settled_at"] is not None
    assert tenant.client.post(f"/api/dead-letters/{letter_id}/replay").status_code == 409
    # Sent once more it is a letter that waits.
    assert tenant.client.post("/api/events", json=purchase(order.id, "second")).status_code == 422
    assert [letter["id"] for letter in waiting(tenant)] == [letter_id]


def test_many_are_replayed_or_discarded_at_once_each_with_its_own_result(tenant: Tenant) -> None:
    spoilt, mended = SpoiltOrder(tenant), SpoiltOrder(tenant)
    for order in (spoilt, mended):
        for number in range(2):
            tenant.client.post("/api/events", json=purchase(order.id, f"{order.id}-{number}"))
    mended.mend()
    done = tenant.client.post("/api/dead-letters/replay", json={"code": "event_refused"}).json()
    assert (done["done"], done["failed"], done["remaining"]) == (2, 2, 2)
    assert {result.get("state") for result in done["results"]} == {"replayed", None}
    ids = [letter["id"] for letter in waiting(tenant)]
    gone = tenant.client.post("/api/dead-letters/discard", json={"ids": [*ids, "dead_unknown"]}).json()
    assert (gone["done"], gone["failed"], gone["remaining"]) == (2, 1, 0)
    assert gone["results"][2]["error"]["code"] == "not_found"


def test_a_list_pages_and_filters_by_way_code_and_state(tenant: Tenant) -> None:
    error = InvalidInputError("event: missing", field="event")
    letters = [message_letter(tenant.id, "segment", {"n": n}, error, utc_now()) for n in range(5)]
    keep_letters(tenant.graph, tenant.id, letters)
    keep_letters(tenant.graph, tenant.id, [message_letter(tenant.id, "posthog", {"n": 9}, error, utc_now())])
    seen: list[str] = []
    cursor = None
    while True:
        page = tenant.client.get("/api/dead-letters", params={"limit": 2, "way": "segment", "cursor": cursor}).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [letter.id for letter in reversed(letters)]
    assert len(waiting(tenant)) == 6
    assert len(waiting(tenant, code="invalid_input", way="posthog")) == 1
    assert waiting(tenant, code="too_large") == waiting(tenant, state="discarded") == []


@pytest.mark.parametrize(
    "selection", [{"ids": []}, {"ids": ["x"] * 201}, {"limit": 0}, {"limit": 201}, {"every": True}, {"ids": [1]}]
)
def test_a_selection_that_does_not_fit_is_422(tenant: Tenant, selection: dict[str, Any]) -> None:
    assert tenant.client.post("/api/dead-letters/replay", json=selection).status_code == 422


def test_a_message_that_came_by_a_tracking_library_is_replayed_by_its_reader(tenant: Tenant) -> None:
    """As after an upgrade that reads what the version before did not."""
    message = {"type": "track", "event": "Order Completed", "userId": "u-9", "messageId": "m-9",
               "properties": {"order_id": "s-9", "total": 12.5, "currency": "USD"}}  # fmt: skip
    error = InvalidInputError("event: not known", field="event")
    letter = message_letter(tenant.id, "segment", message, error, utc_now())
    keep_letters(tenant.graph, tenant.id, [letter])
    outcome = tenant.client.post(f"/api/dead-letters/{letter.id}/replay").json()["outcome"]
    assert outcome["decision"] == "created"
    assert tenant.client.get(f"/api/events/{outcome['event_id']}").json()["amount"] == "12.50"
    with tenant.write_client as writer:
        sent = writer.post("/v1/batch", json={"batch": [message]}).json()
    assert (sent["results"][0]["event_id"], sent["results"][0]["duplicate"]) == (outcome["event_id"], True)


def test_a_message_that_still_does_not_fit_waits_on(tenant: Tenant) -> None:
    with tenant.write_client as writer:
        assert writer.post("/v1/track", json={"userId": "u-1"}).json()["rejected"] == 1
    [letter] = waiting(tenant)
    refused = tenant.client.post(f"/api/dead-letters/{letter['id']}/replay")
    assert (refused.status_code, refused.json()["dead_letter_id"]) == (422, letter["id"])
    assert [(one["id"], one["replays"], one["field"]) for one in waiting(tenant)] == [(letter["id"], 1, "event")]
