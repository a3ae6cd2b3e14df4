"""The 360 as of a moment over HTTP: by id, by identifier, bad and future moments, other brands."""

from collections.abc import Callable

from tests.integration.api.conftest import Tenant


def _shared_tablet(tenant: Tenant) -> None:
    tenant.send(identifiers={"email": "a@example.com", "device_id": "tablet"}, occurred_at="2026-10-01T10:00:00Z")
    tenant.send(identifiers={"email": "b@example.com", "device_id": "tablet"}, occurred_at="2026-10-03T10:00:00Z")


def _lookup(tenant: Tenant, value: str, at: str, **more: str) -> tuple[int, dict]:
    params = {"type": "email" if "@" in value else "device_id", "value": value, "at": at, **more}
    answer = tenant.client.get("/api/customer360/lookup", params=params)
    return answer.status_code, answer.json()


def test_a_lookup_answers_the_owner_of_that_moment(tenant: Tenant) -> None:
    _shared_tablet(tenant)
    status, then = _lookup(tenant, "tablet", "2026-10-02T00:00:00Z")
    assert (status, then["as_of"]) == (200, "2026-10-02T00:00:00Z")
    assert [item["value"] for item in then["identifiers"]] == ["a@example.com", "tablet"]
    status, later = _lookup(tenant, "tablet", "2026-10-03T12:00:00+02:00", include="identifiers")
    assert (status, [item["value"] for item in later["identifiers"]]) == (200, ["b@example.com", "tablet"])
    assert "overview" not in later
    by_id = tenant.client.get(f"/api/profiles/{then['id']}/360", params={"at": "2026-10-02T00:00:00Z"})
    assert by_id.json() == then
    assert "ETag" not in by_id.headers


def test_what_nobody_knew_yet_is_not_found(tenant: Tenant) -> None:
    _shared_tablet(tenant)
    assert _lookup(tenant, "b@example.com", "2026-10-02T00:00:00Z")[0] == 404
    assert _lookup(tenant, "tablet", "1999-01-01T00:00:00Z")[0] == 404
    status, later = _lookup(tenant, "b@example.com", "2026-10-03T10:00:00Z")
    assert status == 200
    answer = tenant.client.get(f"/api/customer360/{later['id']}", params={"at": "2026-10-02T00:00:00Z"})
    assert answer.status_code == 404


def test_a_moment_that_is_none_names_the_field(tenant: Tenant) -> None:
    profile = tenant.send(identifiers={"email": "a@example.com"})["profile_id"]
    for text in ("yesterday", "", "2026-13-01T00:00:00Z", "1700000000"):
        answer = tenant.client.get(f"/api/customer360/{profile}", params={"at": text})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "at"), text
        assert not text or text not in answer.text


def test_a_moment_to_come_answers_all_there_is(tenant: Tenant) -> None:
    profile = tenant.send(identifiers={"email": "a@example.com"})["profile_id"]
    now = tenant.client.get(f"/api/customer360/{profile}").json()
    then = tenant.client.get(f"/api/customer360/{profile}", params={"at": "9999-12-31T23:59:59Z"}).json()
    assert then.pop("as_of") == "9999-12-31T23:59:59Z"
    for whole in (now, then):
        # What was made of the events since is not kept by time.
        whole["overview"] = {name: told for name, told in whole["overview"].items() if "stage" not in name}
        whole["statistics"].pop("gaps", None)
        del whole["journey"], whole["intents"]
    assert then == now


def test_another_brand_sees_no_past(tenant: Tenant, new_tenant: Callable[[], Tenant]) -> None:
    _shared_tablet(tenant)
    _, then = _lookup(tenant, "tablet", "2026-10-02T00:00:00Z")
    assert _lookup(new_tenant(), "tablet", "2026-10-02T00:00:00Z")[0] == 404
    answer = new_tenant().client.get(f"/api/customer360/{then['id']}", params={"at": "2026-10-02T00:00:00Z"})
    assert answer.status_code == 404
