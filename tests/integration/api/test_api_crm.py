"""CRM connections and syncs over HTTP: secrets stay inside, addresses are checked, brands stay apart."""

from collections.abc import Callable
from typing import Any

import pytest

from api.routers.crm import MAX_CONNECTIONS
from core.settings import Settings
from graph.driver import Graph
from graph.repositories.brands import find_brand
from ingest.crm.client import Policy
from ingest.crm.run import Desk, work_on
from ingest.jobs import taking
from tests.integration.api.conftest import Service, Tenant, serving
from tests.integration.crm_case import OAUTH, START, hs_contact, sf_contact
from tests.integration.crm_server import playing

URL = "https://example.my.salesforce.com"
PATH = "/api/integrations/crm/connections"
AUTH = {"type": "client_credentials", "client_id": "app", "client_secret": "hush-hush"}
SALESFORCE: dict[str, Any] = {"kind": "salesforce", "base_url": URL, "auth": AUTH}
AS_REST: dict[str, Any] = {"kind": "rest", "auth": {"type": "bearer", "token": "t"}}
PEOPLE: dict[str, Any] = {
    "name": "people", "fields": {"m": "identifiers.email"}, "rest": {"path": "/people", "items": "data"},
}  # fmt: skip
REST = {"path": "/people", "items": "data", "modified": "updated_at"}


def test_a_connection_is_shown_with_what_is_read_and_without_its_secrets(tenant: Tenant) -> None:
    push = {"object": "Contact", "fields": {"segment": "Segment__c", "traits.shoe_size": "Shoe__c"}}
    more = {"objects": [{"name": "Contact"}, {"name": "Opportunity"}], "interval_minutes": 15, "push": push}
    put = tenant.client.put(f"{PATH}/salesforce", json={**SALESFORCE, **more})
    assert put.status_code == 200, put.text
    shown = put.json()
    assert shown["auth"] == {
        "type": "client_credentials", "client_id": "app", "token_url": f"{URL}/services/oauth2/token",
    }  # fmt: skip
    assert shown["objects"][0]["fields"]["Email"] == "identifiers.email"
    assert shown["objects"][1]["types"] == {"field": "IsWon", "values": {"true": "purchase"}}
    assert (shown["push"], shown["next_sync_at"] is not None) == (push, True)
    assert tenant.client.get(f"{PATH}/salesforce").json() == shown
    assert tenant.client.get(PATH).json() == {"items": [shown], "next_cursor": None}
    assert "hush" not in put.text
    # What is shown can be sent again as it is, the secrets stay.
    again = {name: shown[name] for name in ("kind", "base_url", "objects", "push", "requests_per_second")}
    kept = tenant.client.put(f"{PATH}/salesforce", json=again)
    assert (kept.status_code, kept.json()["objects"]) == (200, shown["objects"]), kept.text
    moved = tenant.client.put(f"{PATH}/salesforce", json={**again, "base_url": "https://evil.example.com"})
    assert (moved.status_code, moved.json()["errors"][0]["field"]) == (422, "auth")
    assert tenant.client.put(f"{PATH}/salesforce", json={"kind": "hubspot", "auth": AUTH}).status_code == 409
    assert tenant.client.delete(f"{PATH}/salesforce").json() == {"deleted": True}
    assert tenant.client.get(f"{PATH}/salesforce").status_code == 404
    assert tenant.client.delete(f"{PATH}/salesforce").status_code == 404


@pytest.mark.parametrize(
    ("name", "change", "field"),
    [
        ("shopify", {}, "name"),
        ("Sales Force", {}, "name"),
        ("crm", {"base_url": "http://example.my.salesforce.com"}, "base_url"),
        ("crm", {"base_url": "https://127.0.0.1"}, "base_url"),
        ("crm", {"base_url": "https://metadata.internal"}, "base_url"),
        ("crm", {"base_url": None}, "base_url"),
        ("crm", {"auth": None}, "auth"),
        ("crm", {"auth": {"type": "bearer"}}, "auth.token"),
        ("crm", {"auth": {**AUTH, "token_url": "https://10.0.0.1/token"}}, "auth.token_url"),
        ("crm", {"auth": {"type": "bearer", "token": "a\r\nb"}}, "auth.token"),
        ("crm", {"objects": [{"name": "Contact; DROP"}]}, "objects[0].name"),
        ("crm", {"objects": [{"name": "Custom__c"}]}, "objects[0].fields"),
        ("crm", {"objects": [{"name": "Contact", "fields": {"A FROM B": "traits.x"}}]}, "objects[0].fields"),
        ("crm", {"objects": [{"name": "Contact", "fields": {"Email": "email2"}}]}, "objects[0].fields"),
        ("crm", {"objects": [{"name": "Contact"}, {"name": "Contact"}]}, "objects"),
        ("crm", {**AS_REST}, "objects"),
        ("crm", {**AS_REST, "objects": [{"name": "p", "fields": {"m": "email"}}]}, "objects[0].rest"),
        ("crm", {**AS_REST, "objects": [{"name": "p", "fields": {"m": "email"}, "rest": {**REST, "path": "//x"}}]},
         "objects[0].rest.path"),
        ("crm", {**AS_REST, "objects": [{"name": "p", "fields": {"m": "email"},
                                              "rest": {**REST, "paging": "cursor"}}]}, "objects[0].rest.next"),
        ("crm", {"push": {"fields": {"email": "Email"}}}, "push.fields"),
        ("crm", {"push": {"fields": {"segment": "A, B"}}}, "push.fields"),
        ("crm", {"push": {"fields": {"segment": "A", "traits.x": "A"}}}, "push.fields"),
        ("crm", {"push": {"fields": {"segment": "A"}, "object": "Opportunity"}}, "push.object"),
        ("crm", {"push": {"fields": {}}}, "push.fields"),
        ("crm", {**AS_REST, "objects": [PEOPLE], "push": {"fields": {"segment": "a"}}}, "push.rest"),
        ("crm", {**AS_REST, "objects": [PEOPLE],
                 "push": {"fields": {"segment": "a"}, "rest": {"path": "/people"}}}, "push.rest.path"),
        ("crm", {**AS_REST, "objects": [PEOPLE],
                 "push": {"fields": {"segment": "a"}, "rest": {"path": "/p/{id}", "method": "DELETE"}}},
         "push.rest.method"),
        ("crm", {"interval_minutes": 0}, "interval_minutes"),
        ("crm", {"surprise": 1}, "surprise"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_422_and_names_the_field(
    tenant: Tenant, name: str, change: dict[str, Any], field: str
) -> None:
    stated = {key: value for key, value in {**SALESFORCE, **change}.items() if value is not None}
    answer = tenant.client.put(f"{PATH}/{name}", json=stated)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field, answer.text
    assert tenant.client.get(PATH).json()["items"] == []


def test_a_sync_is_a_task_with_progress_and_history(tenant: Tenant, service_settings: Settings, graph: Graph) -> None:
    settings = service_settings.model_copy(update={"crm_private_addresses": True})
    with playing() as crm, serving(settings) as inside:
        crm.records = {"Contact": [sf_contact(number, START) for number in range(3)]}
        client = Tenant(tenant.id, tenant.created, inside.url, tenant.client, graph).key("admin", "read", "ingest")
        put = client.put(f"{PATH}/sf", json={**SALESFORCE, "base_url": crm.url, "auth": OAUTH})
        assert put.status_code == 200, put.text
        begun = client.post("/api/integrations/crm/sync", json={"connection": "sf"}, headers={"Idempotency-Key": "k"})
        assert (begun.status_code, begun.json()["state"], begun.json()["progress"]) == (202, "queued", None)
        again = client.post("/api/integrations/crm/sync", json={"connection": "sf"}, headers={"Idempotency-Key": "k"})
        assert again.json() == begun.json()
        assert client.post("/api/integrations/crm/sync", json={"connection": "sf", "full": True}).status_code == 409
        sync_id = begun.json()["id"]
        brand = find_brand(graph, tenant.id)
        assert brand is not None
        with taking(graph, settings) as take:
            work_on(Desk(graph, take, "test", Policy(allow_private=True)), brand, sync_id, 60)
        done = client.get(f"/api/integrations/crm/syncs/{sync_id}").json()
        assert (done["state"], done["progress"], done["accepted"], done["error"]) == ("done", 1.0, 3, None)
        assert client.post(f"/api/integrations/crm/syncs/{sync_id}/cancel").status_code == 409
        second = client.post("/api/integrations/crm/sync", json={"connection": "sf", "full": True}).json()
        cancelled = client.post(f"/api/integrations/crm/syncs/{second['id']}/cancel").json()
        assert (cancelled["state"], cancelled["full"]) == ("cancelled", True)
        first_page = client.get("/api/integrations/crm/syncs?limit=1").json()
        assert [one["id"] for one in first_page["items"]] == [second["id"]]
        rest = client.get("/api/integrations/crm/syncs", params={"cursor": first_page["next_cursor"]}).json()
        assert ([one["id"] for one in rest["items"]], rest["next_cursor"]) == ([sync_id], None)
        assert client.get("/api/integrations/crm/syncs?connection=other").json()["items"] == []
        found = client.get("/api/profiles/lookup", params={"type": "external_id", "value": f"sf:003{1:012d}AAA"})
        assert found.status_code == 200, found.text
        client.close()


@pytest.mark.parametrize("kind", ["salesforce", "hubspot", "rest"])
def test_a_refused_record_is_replayed_by_the_mapping_of_now(
    tenant: Tenant, service_settings: Settings, graph: Graph, kind: str
) -> None:
    settings = service_settings.model_copy(update={"crm_private_addresses": True})
    email = f"{kind}-{tenant.id}@example.com"
    plain = {"id": 7, "updated_at": START.isoformat(), "mail": email, "note": "someday"}
    name, fields, record = {
        "salesforce": ("Contact", ("Email", "Title"), sf_contact(7, START, Email=email, Title="someday")),
        "hubspot": ("contacts", ("email", "jobtitle"), hs_contact(7, START, email=email, jobtitle="someday")),
        "rest": ("people", ("mail", "note"), plain),
    }[kind]
    rest = {"path": "/all/people", "items": "data.items", "modified": "updated_at"} if kind == "rest" else None

    def reading(target: str) -> dict[str, Any]:
        """The connection, with what the last field means."""
        mapped = {"name": name, "fields": {fields[0]: "identifiers.email", fields[1]: target}, "rest": rest}
        stated = {key: value for key, value in mapped.items() if value is not None}
        return {"kind": kind, "base_url": crm.url, "auth": {"type": "bearer", "token": "t"}, "objects": [stated]}

    with playing() as crm, serving(settings) as inside:
        crm.records = {name: [record]}
        client = Tenant(tenant.id, tenant.created, inside.url, tenant.client, graph).key("admin", "read", "ingest")
        assert client.put(f"{PATH}/own", json=reading("occurred_at")).status_code == 200
        sync_id = client.post("/api/integrations/crm/sync", json={"connection": "own"}).json()["id"]
        brand = find_brand(graph, tenant.id)
        assert brand is not None
        with taking(graph, settings) as take:
            job = work_on(Desk(graph, take, "test", Policy(allow_private=True)), brand, sync_id, 60)
        assert job is not None
        assert (job.state, job.counts.rejected) == ("done", 1)
        [letter] = client.get("/api/dead-letters").json()["items"]
        replay = f"/api/dead-letters/{letter['id']}/replay"
        assert client.post(replay).status_code == 422
        changed = client.put(f"{PATH}/own", json=reading("traits.note"))
        assert changed.json()["read_anew"] == ([name] if job.counts.read else [])
        replayed = client.post(replay)
        assert replayed.status_code == 200, replayed.text
        found = client.get("/api/profiles/lookup", params={"type": "external_id", "value": f"own:{_id_of(record)}"})
        assert (found.status_code, found.json()["event_count"]) == (200, 1)
        # The sync that follows finds that event, and says so.
        sync_id = client.post("/api/integrations/crm/sync", json={"connection": "own"}).json()["id"]
        with taking(graph, settings) as take:
            job = work_on(Desk(graph, take, "test", Policy(allow_private=True)), brand, sync_id, 60)
        assert job is not None
        assert (job.counts.accepted, job.counts.duplicates) == (0, 1)
        assert client.delete(f"{PATH}/own").status_code == 200
        client.close()


def _id_of(record: dict[str, Any]) -> str:
    return str(record.get("Id") or record["id"])


def test_connections_and_syncs_of_a_brand_are_its_own(service: Service, new_tenant: Callable[[], Tenant]) -> None:
    owner, stranger = new_tenant(), new_tenant()
    assert owner.client.put(f"{PATH}/crm", json=SALESFORCE).status_code == 200
    sync_id = owner.client.post("/api/integrations/crm/sync", json={"connection": "crm"}).json()["id"]
    assert stranger.client.get(f"{PATH}/crm").status_code == 404
    assert stranger.client.delete(f"{PATH}/crm").status_code == 404
    assert stranger.client.post("/api/integrations/crm/sync", json={"connection": "crm"}).status_code == 404
    assert stranger.client.get(f"/api/integrations/crm/syncs/{sync_id}").status_code == 404
    assert stranger.client.post(f"/api/integrations/crm/syncs/{sync_id}/cancel").status_code == 404
    assert stranger.client.get("/api/integrations/crm/syncs").json()["items"] == []
    assert stranger.client.put(f"{PATH}/crm", json=SALESFORCE).status_code == 200
    assert owner.client.post(f"/api/integrations/crm/syncs/{sync_id}/cancel").json()["state"] == "cancelled"


def test_a_brand_has_some_connections_and_no_more(tenant: Tenant) -> None:
    codes = [tenant.client.put(f"{PATH}/c{n}", json=SALESFORCE).status_code for n in range(MAX_CONNECTIONS + 1)]
    assert codes == [200] * MAX_CONNECTIONS + [409]
