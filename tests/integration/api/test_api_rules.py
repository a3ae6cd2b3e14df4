"""The rule lab over HTTP: a preview writes nothing, an activated version decides and is named."""

from collections.abc import Callable

from core.rules import DEFAULT_RULE_VERSION
from tests.integration.api.conftest import Tenant


def _three_emails(tenant: Tenant) -> None:
    for name in ("a", "b", "c"):
        tenant.send(identifiers={"email": f"{name}@example.com"})
    tenant.send(identifiers={"email": ["a@example.com", "b@example.com", "c@example.com"]})


def test_a_preview_says_what_would_split_and_writes_nothing(new_tenant: Callable[[], Tenant]) -> None:
    tenant = new_tenant()
    _three_emails(tenant)
    answer = tenant.client.post("/api/identity/rules/preview", json={"rules": {"merge_threshold": 2}})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["profiles_before"], found["profiles_after"]) == (1, 3)
    assert (found["profiles_that_would_split"], found["reviews_added"], found["customers_touched"]) == (1, 1, 1)
    assert found["rule_hits_after"] == {"threshold": 1}
    assert len(tenant.client.get("/api/profiles").json()["items"]) == 1


def test_an_activated_version_decides_and_is_named_by_its_decisions(new_tenant: Callable[[], Tenant]) -> None:
    tenant = new_tenant()
    made = tenant.client.post("/api/identity/rules", json={"rules": {"merge_threshold": 2}, "note": "careful"})
    assert made.json()["version"] == "v1"
    assert tenant.client.post("/api/identity/rules/v1/activate").json()["is_active"]
    listed = tenant.client.get("/api/identity/rules").json()
    assert (listed["active"], [item["version"] for item in listed["items"]]) == ("v1", ["v1", DEFAULT_RULE_VERSION])
    for name in ("a", "b", "c"):
        tenant.send(identifiers={"email": f"{name}@example.com"})
    held = tenant.send(identifiers={"email": ["a@example.com", "b@example.com", "c@example.com"]})
    assert held["decision"] == "review"
    assert tenant.client.get(f"/api/events/{held['event_id']}").json()["rule_version"] == "v1"


def test_an_unknown_rule_is_named_and_nothing_is_stored(new_tenant: Callable[[], Tenant]) -> None:
    tenant = new_tenant()
    for rules, field in (
        ({"no_such": 1}, "rules.no_such"),
        ({"merge_threshold": 0}, "rules.merge_threshold"),
        ({"type_limits": {"email": "x"}}, "rules.type_limits.email"),
    ):
        answer = tenant.client.post("/api/identity/rules", json={"rules": rules})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert tenant.client.get("/api/identity/rules").json()["active"] == DEFAULT_RULE_VERSION
    assert tenant.client.post("/api/identity/rules/v9/activate").status_code == 404
