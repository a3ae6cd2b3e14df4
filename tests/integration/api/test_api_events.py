"""Events in by HTTP: acknowledged after their commit, repeats get the first answer, headers may be sloppy."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.integration.api.conftest import Service, Tenant

EVENT = {"type": "identify", "message_id": "m-1", "identifiers": {"email": "a@example.com"}}
FIELDS = {
    "event_id", "profile_id", "decision", "merged_profile_ids", "merge_id", "review_id", "duplicate", "warnings",
}  # fmt: skip


def test_an_acknowledged_event_can_be_read_back_at_once(tenant: Tenant) -> None:
    outcome = tenant.client.post("/api/events", json=EVENT)
    assert outcome.status_code == 200
    assert outcome.json().keys() == FIELDS
    stored = tenant.client.get(f"/api/events/{outcome.json()['event_id']}").json()
    assert (stored["type"], stored["decision"]) == ("identify", "created")
    assert stored["profile_id"] == outcome.json()["profile_id"]
    found = tenant.client.get("/api/profiles/lookup", params={"type": "email", "value": " A@EXAMPLE.com"}).json()
    assert found["id"] == outcome.json()["profile_id"]
    assert found["event_count"] == 1


def test_a_repeat_answers_the_first_result_and_writes_nothing(tenant: Tenant) -> None:
    first = tenant.send(**EVENT)
    again = tenant.send(**EVENT)
    assert again == {**first, "duplicate": True}
    assert tenant.client.get(f"/api/profiles/{first['profile_id']}").json()["event_count"] == 1


def test_the_idempotency_key_header_is_the_events_own_key(tenant: Tenant) -> None:
    body = {"type": "identify", "identifiers": {"email": "a@example.com"}}
    first = tenant.client.post("/api/events", json=body, headers={"Idempotency-Key": "m-1"}).json()
    assert tenant.send(**EVENT)["event_id"] == first["event_id"]
    both = tenant.client.post("/api/events", json=EVENT, headers={"Idempotency-Key": "m-1"})
    assert both.json()["duplicate"] is True
    differs = tenant.client.post("/api/events", json=EVENT, headers={"Idempotency-Key": "m-2"})
    assert differs.status_code == 422
    assert differs.json()["errors"][0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize("label", ["application/json", "text/plain", "application/x-www-form-urlencoded", "image/png"])
@pytest.mark.parametrize("is_packed", [False, True])
def test_the_content_type_of_an_event_does_not_matter(tenant: Tenant, label: str, is_packed: bool) -> None:
    body = json.dumps(EVENT).encode()
    headers = {"Content-Type": label, **({"Content-Encoding": "gzip"} if is_packed else {})}
    answer = tenant.client.post("/api/events", content=gzip.compress(body) if is_packed else body, headers=headers)
    assert (answer.status_code, answer.json()["decision"]) == (200, "created")


def test_a_body_in_many_pieces_is_one_body(tenant: Tenant) -> None:
    pieces = [bytes([byte]) for byte in json.dumps(EVENT).encode()]
    assert tenant.client.post("/api/events", content=iter(pieces)).json()["decision"] == "created"


def test_events_of_a_batch_are_taken_in_their_order(tenant: Tenant) -> None:
    events = [
        {"type": "identify", "identifiers": {"email": "a@example.com"}},
        {"type": "identify", "identifiers": {"phone": "+14155550101"}},
        {"type": "identify", "identifiers": {"email": "a@example.com", "phone": "+14155550101"}},
    ]
    answer = tenant.client.post("/api/events/batch", json={"events": events}).json()
    assert (answer["accepted"], answer["rejected"]) == (3, 0)
    assert [result["decision"] for result in answer["results"]] == ["created", "created", "merged"]


def test_many_clients_at_once_get_each_their_own_result(tenant: Tenant) -> None:
    def send(number: int) -> tuple[str, str]:
        email = f"c{number % 40}@example.com"
        outcome = tenant.send(message_id=f"m-{number}", identifiers={"email": email})
        return email, outcome["profile_id"]

    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(send, range(200)))
    assert len(set(results)) == len({email for email, _ in results}) == 40


def test_a_sane_request_id_is_kept_and_another_replaced(service: Service) -> None:
    def asked(request_id: str) -> str:
        answer = httpx.get(f"{service.url}/api/monitoring/health/ready", headers={"X-Request-ID": request_id})
        return answer.headers["x-request-id"]

    assert asked("3f1c-check.of_ids") == "3f1c-check.of_ids"
    for strange in ("short", "a b c d e f g h", "x" * 200, "mail@example.com", "14155550101", "<script>alert(1)"):
        assert asked(strange) != strange


def test_lists_page_by_cursor_without_gaps_or_repeats(tenant: Tenant) -> None:
    ids = set(tenant.profiles(7))
    seen: list[str] = []
    cursor = None
    while True:
        page = tenant.client.get("/api/profiles", params={"limit": 3, **({"cursor": cursor} if cursor else {})}).json()
        assert len(page["items"]) <= 3
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == 7
    assert set(seen) == ids


def test_an_unchanged_profile_is_304_for_its_etag(tenant: Tenant) -> None:
    [profile_id] = tenant.profiles(1)
    for path in (f"/api/profiles/{profile_id}", f"/api/customer360/{profile_id}", f"/api/profiles/{profile_id}/360"):
        tag = tenant.client.get(path).headers["etag"]
        assert tenant.client.get(path, headers={"If-None-Match": tag}).status_code == 304
        assert tenant.client.get(path, headers={"If-None-Match": 'W/"other"'}).status_code == 200


def test_the_key_of_a_batch_makes_its_repeat_harmless(tenant: Tenant) -> None:
    body = {"events": [{"type": "page_view"}, {"type": "page_view", "message_id": "own"}]}
    headers = {"Idempotency-Key": "batch-1"}
    first, again = (tenant.client.post("/api/events/batch", json=body, headers=headers).json() for _ in range(2))
    assert [result["duplicate"] for result in first["results"]] == [False, False]
    assert [result["duplicate"] for result in again["results"]] == [True, True]
    assert [one["event_id"] for one in first["results"]] == [one["event_id"] for one in again["results"]]
