"""Linking by hand over HTTP: identifiers with history, events that nobody owned."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from graph.invariants import broken_invariants
from tests.integration.api.conftest import Tenant


def test_a_linked_identifier_finds_the_profile_and_an_unlinked_one_does_not(new_tenant: Callable[[], Tenant]) -> None:
    tenant = new_tenant()
    [profile] = tenant.profiles(1)
    body = {"type": "phone", "value": "(415) 555-0101", "reason": "told at the till"}
    assert tenant.client.post(f"/api/profiles/{profile}/identifiers", json=body).json() == {"profile_id": profile}
    assert tenant.send(identifiers={"phone": "+14155550101"})["profile_id"] == profile
    assert tenant.client.get(f"/api/profiles/{profile}").json()["strength"] == 75
    done = tenant.client.post(f"/api/profiles/{profile}/identifiers/unlink", json=body)
    assert done.status_code == 200
    found = tenant.client.get(f"/api/profiles/{profile}").json()
    assert (found["strength"], "phone" in found["identifiers"], found["event_count"]) == (40, False, 2)
    links = tenant.client.get(f"/api/profiles/{profile}/links").json()["items"]
    [ended] = [link for link in links if link["until"]]
    assert (ended["type"], ended["source"], ended["reason"]) == ("phone", "by_hand", "told at the till")
    assert tenant.send(identifiers={"phone": "+14155550101"})["decision"] == "created"


def test_an_identifier_of_another_profile_is_refused(new_tenant: Callable[[], Tenant]) -> None:
    tenant = new_tenant()
    first = tenant.send(identifiers={"email": "a@example.com"})["profile_id"]
    second = tenant.send(identifiers={"email": "b@example.com"})["profile_id"]
    body = {"type": "email", "value": "b@example.com"}
    assert tenant.client.post(f"/api/profiles/{first}/identifiers", json=body).status_code == 409
    assert tenant.client.post(f"/api/profiles/{second}/identifiers", json=body).status_code == 200
    assert tenant.client.post(f"/api/profiles/{first}/identifiers/unlink", json=body).status_code == 404
    bad = tenant.client.post(f"/api/profiles/{first}/identifiers", json={"type": "email", "value": "nonsense"})
    assert (bad.status_code, "nonsense" in bad.text) == (422, False)


def test_an_attached_purchase_counts_and_is_attached_once(new_tenant: Callable[[], Tenant]) -> None:
    tenant = new_tenant()
    [profile] = tenant.profiles(1)
    payload = {"order_id": "o-1", "total": "12.50", "currency": "USD"}
    lone = tenant.send(type="purchase", payload=payload)
    assert lone["decision"] == "unattached"
    body = {"profile_id": profile}
    assert tenant.client.post(f"/api/events/{lone['event_id']}/attach", json=body).json() == {"profile_id": profile}
    found = tenant.client.get(f"/api/profiles/{profile}").json()
    assert (found["lifetime_value"], found["total_orders"], found["event_count"]) == ("12.50", 1, 2)
    assert tenant.client.post(f"/api/events/{lone['event_id']}/attach", json=body).status_code == 409
    assert tenant.client.post("/api/events/evt_none/attach", json=body).status_code == 404


def test_of_two_who_attach_one_event_at_the_same_time_one_wins_and_it_counts_once(tenant: Tenant) -> None:
    ids = tenant.profiles(4)
    for _ in range(5):
        event_id = tenant.send(identifiers={"card_last4": "1234"})["event_id"]
        with ThreadPoolExecutor(len(ids)) as pool:
            answers = list(
                pool.map(
                    lambda one, id_=event_id: tenant.client.post(f"/api/events/{id_}/attach", json={"profile_id": one}),
                    ids,
                )
            )
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    counts = [tenant.client.get(f"/api/profiles/{one}").json()["event_count"] for one in ids]
    assert sum(counts) == len(ids) + 5
    assert broken_invariants(tenant.graph, tenant.id) == []


def test_traits_of_an_attached_event_are_the_profiles(tenant: Tenant) -> None:
    [profile] = tenant.profiles(1)
    sent = tenant.send(
        type="profile_update", identifiers={"card_last4": "1234"}, payload={"traits": {"first_name": "Ann"}}
    )
    tenant.client.post(f"/api/events/{sent['event_id']}/attach", json={"profile_id": profile}).raise_for_status()
    assert tenant.client.get(f"/api/profiles/{profile}").json()["traits"]["first_name"] == "Ann"
