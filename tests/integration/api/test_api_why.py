"""Why two identifiers are one person, or are not, over HTTP: spellings, absorbed ids, other brands, bad sides."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.api.conftest import Tenant

EMAIL, PHONE, COOKIE = "email:ada@example.com", "phone:+14155550123", "cookie_id:c-1"


def why(tenant: Tenant, id_: str, a: str, b: str) -> dict[str, Any]:
    answer = tenant.client.get(f"/api/customer360/{id_}/why", params={"a": a, "b": b})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_any_spelling_finds_the_chain_and_its_weakest_link(tenant: Tenant) -> None:
    tenant.send(identifiers={"email": "ada@example.com", "cookie_id": "c-1"}, source="web")
    sent = tenant.send(identifiers={"cookie_id": "c-1", "phone": "(415) 555-0123"}, source="till")
    answer = why(tenant, sent["profile_id"], "email: ADA@Example.com", "phone:415-555-0123")
    assert (answer["same"], answer["profile_id"], answer["truncated"]) == (True, sent["profile_id"], False)
    assert [(step["from"], step["to"], step["via"]) for step in answer["chain"]] == [
        (EMAIL, COOKIE, "event"), (COOKIE, PHONE, "event"),
    ]  # fmt: skip
    assert answer["chain"][1].keys() >= {"from", "to", "via", "id", "at", "source", "tier"}
    assert (answer["chain"][1]["id"], answer["chain"][1]["source"]) == (sent["event_id"], "till")
    assert answer["weakest"] in answer["chain"]
    assert answer["cut"]["link"] == answer["weakest"]
    left, right = answer["cut"]["sides"]
    assert sorted([*left, *right]) == [COOKIE, EMAIL, PHONE]


def test_a_merge_by_hand_on_the_way_is_named_and_absorbed_ids_answer(tenant: Tenant) -> None:
    one = tenant.send(identifiers={"email": "ada@example.com"})["profile_id"]
    two = tenant.send(identifiers={"phone": "+14155550123"})["profile_id"]
    merged = tenant.client.post(f"/api/profiles/{one}/merge", json={"profile_ids": [two], "reason": "asked her"}).json()
    [absorbed] = merged["absorbed_ids"]
    answer = why(tenant, absorbed, EMAIL, PHONE)
    assert [(step["via"], step["id"]) for step in answer["chain"]] == [("merge", merged["merge_id"])]
    [merge] = answer["merges"]
    assert (merge["merge_id"], merge["reason"]) == (merged["merge_id"], "asked her")
    assert merge["decided_by"]
    of_ids = why(tenant, one, one, two)
    assert (of_ids["same"], of_ids["profile_id"]) == (True, merged["survivor_id"])
    assert [step["via"] for step in of_ids["chain"]] == ["merge"]


def test_pending_and_rejected_reviews_say_why_not(tenant: Tenant) -> None:
    review, ids = tenant.review()
    pending = why(tenant, ids[0], ids[0], ids[1])
    [block] = pending["blocked_by"]
    assert (pending["same"], block["rule"], block["review_id"]) == (False, "threshold", review)
    assert "exceed threshold of 3" in block["detail"]
    assert pending["shared"]
    tenant.client.post(f"/api/reviews/{review}/reject", json={"reason": "four people"})
    rejected = why(tenant, ids[0], ids[0], ids[1])["blocked_by"][0]
    assert (rejected["rule"], rejected["reason"]) == ("not_same", "four people")
    assert rejected["by"]
    assert rejected["at"]


def test_two_that_nothing_ties(tenant: Tenant) -> None:
    one, two = tenant.profiles(2)
    answer = why(tenant, one, one, two)
    assert (answer["same"], answer["shared"]) == (False, [])
    assert [block["rule"] for block in answer["blocked_by"]] == ["no_evidence"]


def test_another_brands_ids_and_identifiers_are_unknown(new_tenant: Callable[[], Tenant]) -> None:
    tenant, other = new_tenant(), new_tenant()
    own = tenant.send(identifiers={"email": "ada@example.com"})["profile_id"]
    foreign = other.send(identifiers={"phone": "+14155550123"})["profile_id"]
    for a, b, field in ((EMAIL, PHONE, "b"), (foreign, EMAIL, "a"), ("cus_none", EMAIL, "a")):
        answer = tenant.client.get(f"/api/customer360/{own}/why", params={"a": a, "b": b})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (404, field)
        assert "4155550123" not in answer.text
    assert tenant.client.get(f"/api/customer360/{foreign}/why", params={"a": EMAIL, "b": EMAIL}).status_code == 404


@pytest.mark.parametrize("side", ["a", "b"])
@pytest.mark.parametrize("text", [None, "", "email:", "email:nonsense", "colour:red", "x" * 2_000])
def test_a_side_that_is_missing_or_malformed_is_422_and_named(tenant: Tenant, side: str, text: str | None) -> None:
    [profile] = tenant.profiles(1)
    params = {"a": profile, "b": profile}
    if text is None:
        del params[side]
    else:
        params[side] = text
    answer = tenant.client.get(f"/api/customer360/{profile}/why", params=params)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, side)
    assert "nonsense" not in answer.text
