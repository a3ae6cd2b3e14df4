"""Consent and unmerges over HTTP: the 360's section and the timeline, through merges, unmerges and late events."""

from typing import Any

from tests.integration.api.conftest import Tenant


def _told(tenant: Tenant, email: str, at: str, **payload: Any) -> str:
    sent = tenant.send(
        type="consent_changed",
        identifiers={"email": email},
        occurred_at=at,
        payload={"purpose": "marketing", **payload},
    )
    return str(sent["profile_id"])


def _consent(tenant: Tenant, profile_id: str, **params: str) -> dict[str, dict[str, str]]:
    answer = tenant.client.get(f"/api/customer360/{profile_id}", params={"include": "consent", **params})
    assert answer.status_code == 200, answer.text
    section: dict[str, Any] = answer.json()["consent"]
    return {purpose: {name: one["status"] for name, one in found.items()} for purpose, found in section.items()}


def _timeline(tenant: Tenant, profile_id: str, **params: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = tenant.client.get(
            f"/api/customer360/{profile_id}/timeline", params={**params, **({"cursor": cursor} if cursor else {})}
        ).json()
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


def test_consent_follows_late_events_merges_and_unmerges(tenant: Tenant) -> None:
    one = _told(tenant, "a@example.com", "2026-10-05T10:00:00Z", channel="email", granted=False)
    _told(tenant, "a@example.com", "2026-10-01T10:00:00Z", channel="email", granted=True)
    two = _told(tenant, "b@example.com", "2026-10-07T10:00:00Z", channel="email", granted=True)
    _told(tenant, "b@example.com", "2026-10-02T10:00:00Z", channel="sms", granted=True)
    assert _consent(tenant, one) == {"marketing": {"email": "denied"}}
    merged = tenant.client.post(f"/api/profiles/{one}/merge", json={"profile_ids": [two], "reason": "same"}).json()
    both = {"marketing": {"email": "granted", "sms": "granted"}}
    assert _consent(tenant, one) == _consent(tenant, two) == both
    parted = tenant.client.post(f"/api/profiles/{one}/unmerge", json={"merge_id": merged["merge_id"], "reason": "no"})
    assert parted.status_code == 200
    assert _consent(tenant, one) == {"marketing": {"email": "denied"}}
    assert _consent(tenant, two) == both


def test_consent_and_visits_are_told_as_of_a_moment(tenant: Tenant) -> None:
    profile = _told(tenant, "a@example.com", "2026-10-01T10:00:00Z", channel="email", granted=True)
    _told(tenant, "a@example.com", "2026-10-09T10:00:00Z", granted=False)
    tenant.send(
        type="store_visit", identifiers={"email": "a@example.com"}, channel="store",
        occurred_at="2026-10-03T10:00:00Z", payload={"store_id": "S1", "method": "checkin"},
    )  # fmt: skip
    assert _consent(tenant, profile) == {"marketing": {"all": "denied"}}
    assert _consent(tenant, profile, at="2026-10-05T00:00:00Z") == {"marketing": {"email": "granted"}}

    def visits(at: str) -> list[tuple[str, str]]:
        whole = tenant.client.get(f"/api/customer360/{profile}", params={"at": at}).json()
        return [(visit["store_id"], visit["status"]) for visit in whole["visits"]]

    assert visits("2026-10-02T00:00:00Z") == []
    assert visits("2026-10-03T11:00:00Z") == [("S1", "active")]
    assert visits("2026-10-05T00:00:00Z") == [("S1", "completed")]


def test_nothing_is_recommended_to_whom_said_no_to_marketing(tenant: Tenant) -> None:
    tenant.send(type="cart_add", identifiers={"email": "a@example.com"}, payload={"product_id": "P1"})
    profile = _told(tenant, "a@example.com", "2026-10-01T10:00:00Z", channel="email", granted=True)

    def action() -> str:
        return str(tenant.client.get(f"/api/customer360/{profile}").json()["journey"]["next_action"]["action"])

    assert action() == "remind_cart"
    _told(tenant, "a@example.com", "2026-10-02T10:00:00Z", granted=False)
    assert action() == "serve_only"


def test_merge_unmerge_and_consent_stand_in_the_timeline_of_both_sides(tenant: Tenant) -> None:
    one = _told(tenant, "a@example.com", "2026-10-05T10:00:00Z", channel="email", granted=False)
    [two] = tenant.profiles(1)
    merged = tenant.client.post(f"/api/profiles/{one}/merge", json={"profile_ids": [two], "reason": "same"}).json()
    body = {"merge_id": merged["merge_id"], "reason": "two people"}
    assert tenant.client.post(f"/api/profiles/{one}/unmerge", json=body).status_code == 200
    for profile in (one, two):
        for limit in (1, 50):
            told = [item for item in _timeline(tenant, profile, limit=limit) if item["type"] in {"merge", "unmerge"}]
            assert [(item["type"], item["event_id"]) for item in told] == [
                ("unmerge", f"{merged['merge_id']}:unmerge"),
                ("merge", merged["merge_id"]),
            ]
            assert told[0]["summary"] == "2 profiles were parted again (two people)"
    only = _timeline(tenant, one, type="unmerge,consent_changed")
    assert [item["type"] for item in only] == ["unmerge", "consent_changed"]
    assert only[1]["summary"] == "Said no to marketing by e-mail"
    assert _timeline(tenant, one, type="unmerge", channel="store") == []
