"""What does not fit is refused with a problem that names the field, repeats nothing of it, and writes nothing."""

import gzip
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.api.conftest import Tenant

SECRET = "private-4711@example.com"
EVENT = {"type": "identify", "identifiers": {"email": SECRET}}


def event(**changes: Any) -> bytes:
    return json.dumps({**EVENT, **changes}).encode()


def nested(depth: int) -> bytes:
    return b'{"type":"identify","payload":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"


def one(**changes: Any) -> dict[str, Any]:
    return {"profiles": [{"external_id": "c:1", **changes}]}


BODIES: list[tuple[str, bytes, int, str]] = [
    ("broken", b'{"type": "identify", "payload": {"email": "private-4711@example.com"', 400, "body"),
    ("empty", b"", 400, "body"),
    ("not utf-8", b'{"type": "\xff\xfe"}', 400, "body"),
    ("NaN", b'{"type": "identify", "payload": {"total": NaN}}', 400, "body"),
    ("Infinity", b'{"type": "identify", "payload": {"total": -Infinity}}', 400, "body"),
    ("1e400", b'{"type": "identify", "payload": {"total": 1e400}}', 400, "body"),
    ("lone surrogate", b'{"type": "identify", "payload": {"name": "\\ud800"}}', 400, "body"),
    ("NUL", b'{"type": "identify", "payload": {"name": "a\\u0000b"}}', 400, "body"),
    ("too deep", nested(5_000), 400, "body"),
    ("a list", b"[]", 422, "body"),
    ("a text", b'"private-4711@example.com"', 422, "body"),
    ("no type", b"{}", 422, "type"),
    ("type of wrong type", event(type=3), 422, "type"),
    ("type with spaces", event(type=SECRET), 422, "type"),
    ("identifiers a list", event(identifiers=[SECRET]), 422, "identifiers"),
    ("identifier a number", event(identifiers={"email": 4711}), 422, "identifiers.email"),
    ("identifier an object", event(identifiers={"phone": [{"x": SECRET}]}), 422, "identifiers.phone[0]"),
    ("identifier a boolean", event(identifiers={"phone": True}), 422, "identifiers.phone"),
    ("unknown identifier type", event(identifiers={"shoe_size": SECRET}), 422, "identifiers.shoe_size"),
    ("payload a text", event(payload=SECRET), 422, "payload"),
    ("time that is none", event(occurred_at="yesterday " + SECRET), 422, "occurred_at"),
    ("time a number", event(occurred_at=4711), 422, "occurred_at"),
    ("unknown channel", event(channel=SECRET), 422, "channel"),
    ("unknown field", event(colour=SECRET), 422, "colour"),
    ("message_id a number", event(message_id=4711), 422, "message_id"),
    ("over 1 MB", event(payload={"note": "x" * 1_100_000}), 413, "body"),
]


@pytest.fixture
def unchanged(tenant: Tenant) -> Iterator[Tenant]:
    """A brand that must be as empty after the test as before."""
    yield tenant
    assert tenant.client.get("/api/profiles").json()["items"] == []
    assert tenant.client.get("/api/reviews").json()["items"] == []


def check_problem(answer: Any, status: int, field: str | None) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert {"type", "title", "detail", "instance", "code", "errors"} <= problem.keys()
    assert SECRET not in answer.text
    assert "4711" not in answer.text.replace(problem["request_id"], "")
    if field is not None:
        assert field in {error["field"] for error in problem["errors"]}


@pytest.mark.parametrize(("body", "status", "field"), [case[1:] for case in BODIES], ids=[case[0] for case in BODIES])
def test_an_event_that_does_not_fit_is_refused(unchanged: Tenant, body: bytes, status: int, field: str) -> None:
    check_problem(unchanged.client.post("/api/events", content=body), status, field)
    packed = unchanged.client.post(
        "/api/events", content=gzip.compress(body), headers={"Content-Encoding": "gzip", "Content-Type": "text/plain"}
    )
    check_problem(packed, status, field)


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (gzip.compress(b" " * 50_000_000), "gzip", 413),
        (gzip.compress(event())[:-9], "gzip", 400),
        (b"\x1f\x8bnonsense", "gzip", 400),
        (event(), "gzip", 400),
        (event(), "br", 400),
    ],
    ids=["bomb", "cut off", "nonsense", "not packed", "unknown encoding"],
)
def test_packed_bodies_that_do_not_unpack_are_refused(
    unchanged: Tenant, body: bytes, encoding: str, status: int
) -> None:
    answer = unchanged.client.post("/api/events", content=body, headers={"Content-Encoding": encoding})
    check_problem(answer, status, "body")


def test_a_body_without_length_is_cut_off_at_its_limit(unchanged: Tenant) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield b" " * 65_536

    check_problem(unchanged.client.post("/api/events", content=endless()), 413, "body")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"events": []}, "events"),
        ({"events": EVENT}, "events"),
        ({"events": [EVENT] * 1001}, "events"),
        ({"events": [EVENT], "colour": SECRET}, "colour"),
        ([EVENT], "body"),
    ],
    ids=["empty", "an object", "too many", "unknown field", "a bare list"],
)
def test_a_batch_that_is_none_is_refused_whole(unchanged: Tenant, body: Any, field: str) -> None:
    check_problem(unchanged.client.post("/api/events/batch", json=body), 422, field)


def test_one_bad_event_never_rejects_the_rest_of_a_batch(tenant: Tenant) -> None:
    events = [
        EVENT,
        {"type": 3},
        "text",
        {**EVENT, "colour": 1},
        {"type": "identify", "identifiers": {"cookie_id": "c-1234"}},
    ]
    answer = tenant.client.post("/api/events/batch", json={"events": events}).json()
    assert (answer["accepted"], answer["rejected"]) == (2, 3)
    decisions = [result.get("decision") for result in answer["results"]]
    assert decisions == ["created", None, None, None, "created"]
    assert [result["error"]["status"] for result in answer["results"] if "error" in result] == [422, 422, 422]
    assert answer["results"][1]["error"]["errors"][0]["field"] == "type"


COMMANDS: list[tuple[str, Any, str]] = [
    ("/api/profiles/x/merge", {}, "profile_ids"),
    ("/api/profiles/x/merge", {"profile_ids": []}, "profile_ids"),
    ("/api/profiles/x/merge", {"profile_ids": SECRET}, "profile_ids"),
    ("/api/profiles/x/merge", {"profile_ids": [4711]}, "profile_ids[0]"),
    ("/api/profiles/x/merge", {"profile_ids": ["y"], "colour": SECRET}, "colour"),
    ("/api/profiles/x/merge", {"profile_ids": ["y"], "reason": 4711}, "reason"),
    ("/api/profiles/x/merge", {"profile_ids": ["y"], SECRET: 1}, "(unnamed)"),
    ("/api/profiles/x/merge", None, "body"),
    ("/api/profiles/x/merge", [SECRET], "body"),
    ("/api/profiles/x/unmerge", {"merge_id": 4711}, "merge_id"),
    ("/api/profiles/x/unmerge", {"colour": SECRET}, "colour"),
    ("/api/reviews/x/approve", {"reason": {"a": SECRET}}, "reason"),
    ("/api/reviews/x/split", {"profile_ids": ["y"]}, "profile_ids"),
    ("/api/admin/brands", {"id": 4711}, "id"),
    ("/api/admin/brands", {"id": SECRET}, "id"),
    ("/api/admin/brands", {"id": "fine", "region": "Atlantis 4711"}, "region"),
    ("/api/admin/brands", {"id": "fine", "currency": "usd4711"}, "currency"),
    ("/api/admin/brands", {"id": "fine\n"}, "id"),
    ("/api/profiles/import", {"profiles": [{"identifiers": {}}]}, "profiles[0].external_id"),
    ("/api/profiles/import", one(identifiers={"email": 4711}), "profiles[0].identifiers.email"),
    ("/api/profiles/import", one(identifiers={SECRET: "x"}), "profiles[0].identifiers"),
    ("/api/profiles/import", one(orders=[{"order_id": "1", "at": SECRET}]), "profiles[0].orders[0].at"),
    ("/api/profiles/import", one(orders=[{"order_id": "1", "total": True}]), "profiles[0].orders[0].total"),
    ("/api/profiles/import", {**one(), "resolve": "no"}, "resolve"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "field"), COMMANDS)
def test_a_command_that_does_not_fit_is_refused(unchanged: Tenant, path: str, body: Any, field: str) -> None:
    content = b"" if body is None else json.dumps(body).encode()
    answer = unchanged.client.post(path, content=content, headers={"Content-Type": "application/x-www-form-urlencoded"})
    check_problem(answer, 422, field)


@pytest.mark.parametrize(
    "path", ["/api/profiles/x/merge", "/api/reviews/x/approve", "/api/profiles/import", "/api/admin/brands"]
)
@pytest.mark.parametrize(
    "body", [b'{"reason": NaN}', b'{"reason": "\\ud800"}', b'{"reason": "\\u0000"}', b"{", b"\xff"]
)
def test_commands_are_parsed_as_strictly_as_events(unchanged: Tenant, path: str, body: bytes) -> None:
    check_problem(unchanged.client.post(path, content=body), 400, "body")


def test_commands_have_their_limit_too(unchanged: Tenant) -> None:
    body = {"profile_ids": ["x"], "reason": "y" * 1_100_000}
    check_problem(unchanged.client.post("/api/profiles/x/merge", json=body), 413, "body")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("/api/profiles?limit=0", "limit"),
        ("/api/profiles?limit=201", "limit"),
        ("/api/profiles?limit=4711x", "limit"),
        ("/api/profiles?cursor=4711", "cursor"),
        ("/api/profiles?cursor=%00", "cursor"),
        ("/api/profiles?cursor=W10", "cursor"),
        ("/api/profiles?min_strength=4711", "min_strength"),
        ("/api/profiles?seen_from=4711", "seen_from"),
        ("/api/reviews?status=4711", "status"),
        ("/api/reviews?limit=-1", "limit"),
        ("/api/profiles/lookup?type=4711&value=x", "type"),
        ("/api/profiles/lookup?type=email", "value"),
        ("/api/customer360/x/timeline?limit=1000", "limit"),
        ("/api/customer360/x/timeline?from=4711", "from"),
        ("/api/customer360/x/timeline?channel=4711", "channel"),
        ("/api/customer360/x?include=4711", "include"),
    ],
)
def test_a_query_that_does_not_fit_is_refused(unchanged: Tenant, query: str, field: str) -> None:
    check_problem(unchanged.client.get(query), 422, field)


@pytest.mark.parametrize("path", ["/nope", "/api/nope/4711", "/api/profiles/", "/api/profiles/%00", "/api/events/%ff"])
def test_what_is_not_there_is_a_404_problem(unchanged: Tenant, path: str) -> None:
    check_problem(unchanged.client.get(path), 404, None)


def test_a_wrong_method_is_a_405_problem_that_names_the_right_one(unchanged: Tenant) -> None:
    answer = unchanged.client.put("/api/events", json=EVENT)
    check_problem(answer, 405, None)
    assert answer.headers["allow"] == "POST"


def test_a_merge_with_itself_with_an_absorbed_or_an_unknown_profile_is_refused(tenant: Tenant) -> None:
    first, second, third = tenant.profiles(3)
    merge = f"/api/profiles/{first}/merge"
    check_problem(tenant.client.post(merge, json={"profile_ids": [first]}), 422, "profile_ids[0]")
    check_problem(tenant.client.post(merge, json={"profile_ids": [second, second]}), 422, "profile_ids[1]")
    check_problem(tenant.client.post(merge, json={"profile_ids": [second, "cus_none"]}), 404, "profile_ids[1]")
    check_problem(tenant.client.post("/api/profiles/cus_none/merge", json={"profile_ids": [second]}), 404, "id")
    merged = tenant.client.post(merge, json={"profile_ids": [second]}).json()
    [absorbed] = merged["absorbed_ids"]
    check_problem(
        tenant.client.post(f"/api/profiles/{third}/merge", json={"profile_ids": [absorbed]}), 409, "profile_ids[0]"
    )
    check_problem(tenant.client.post(f"/api/profiles/{absorbed}/merge", json={"profile_ids": [third]}), 409, "id")
    assert len(tenant.client.get("/api/profiles").json()["items"]) == 2
    assert len(tenant.client.get(f"/api/profiles/{first}/merge-history").json()["items"]) == 1


def test_an_unmerge_twice_is_refused(tenant: Tenant) -> None:
    first, second = tenant.profiles(2)
    merged = tenant.client.post(f"/api/profiles/{first}/merge", json={"profile_ids": [second]}).json()
    body = {"merge_id": merged["merge_id"], "note": "two people"}
    undone = tenant.client.post(f"/api/profiles/{merged['survivor_id']}/unmerge", json=body)
    assert sorted(undone.json()["profile_ids"]) == sorted([first, second])
    check_problem(tenant.client.post(f"/api/profiles/{merged['survivor_id']}/unmerge", json=body), 409, None)
    check_problem(tenant.client.post(f"/api/profiles/{merged['survivor_id']}/unmerge"), 409, None)
    check_problem(tenant.client.post(f"/api/profiles/{first}/unmerge", json={"merge_id": "mrg_none"}), 404, None)


@pytest.mark.parametrize("first", ["approve", "reject", "split"])
@pytest.mark.parametrize("second", ["approve", "reject", "split"])
def test_a_settled_review_cannot_be_decided_again(tenant: Tenant, first: str, second: str) -> None:
    review_id, ids = tenant.review()

    def decide(how: str) -> Any:
        body = {"profile_ids": ids[:2]} if how == "split" else {"note": f"decided {uuid.uuid4()}"}
        return tenant.client.post(f"/api/reviews/{review_id}/{how}", json=body)

    settled = decide(first)
    assert settled.status_code == 200
    check_problem(decide(second), 409, None)
    stored = tenant.client.get(f"/api/reviews/{review_id}").json()
    assert stored["status"] == settled.json()["status"] != "pending"
    assert stored["merge_id"] == settled.json()["merge_id"]
