"""Writing back to a CRM on a real port: only of whom it knows, only what changed, and only where a brand wants it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from core.clock import utc_now
from graph.commit import commit_batch
from graph.driver import Graph
from graph.repositories.crm import cancel_sync
from tests.factories import event
from tests.integration.crm_case import START, Case, hs_contact, sf_contact
from tests.integration.crm_server import FakeCrm, playing

BEARER = {"type": "bearer", "token": "fixed"}
SET_SEGMENT = "MATCH (c:Customer {brand: $brand}) WHERE c.id = c.root_id SET c.segment = $segment"
SALESFORCE = {"fields": {"segment": "Segment__c", "traits.first_name": "Nick__c"}}
HUBSPOT = {"fields": {"segment": "segment", "traits.first_name": "nick"}}
REST_OBJECT = {
    "name": "people",
    "fields": {"mail": "identifiers.email", "name": "traits.first_name"},
    "rest": {"path": "/all/people", "items": "data.items", "modified": "updated_at"},
}
REST = {
    "fields": {"segment": "custom.segment", "traits.first_name": "custom.nick"},
    "rest": {"path": "/people/{id}", "method": "PUT", "body": "data"},
}


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with playing() as opened:
        yield opened


def case_of(graph: Graph, crm: FakeCrm, kind: str, count: int, **stated: Any) -> Case:
    """A connection that writes back, and its CRM's contacts."""
    rows = range(count)
    if kind == "salesforce":
        crm.records = {"Contact": [sf_contact(number, START) for number in rows]}
        return Case(graph, crm, kind, **{"push": SALESFORCE, **stated})
    if kind == "hubspot":
        crm.records = {"contacts": [hs_contact(number + 1, START) for number in rows]}
        return Case(graph, crm, kind, **{"auth": BEARER, "push": HUBSPOT, **stated})
    moment = START.isoformat()
    crm.records = {
        "people": [{"id": f"p/{n}", "updated_at": moment, "mail": f"r{n}@example.com", "name": "Ada"} for n in rows]
    }
    return Case(graph, crm, kind, **{"auth": BEARER, "objects": [REST_OBJECT], "push": REST, **stated})


def run(graph: Graph, query: str, **params: Any) -> None:
    with graph.session() as session:
        session.run(query, **params).consume()


def told(kind: str, segment: str | None, nick: str = "Ada") -> dict[str, Any]:
    """The fields as each CRM gets them."""
    known = {} if segment is None else {"segment": segment}
    if kind == "salesforce":
        return {"Segment__c": segment, "Nick__c": nick} if segment else {"Nick__c": nick}
    return {**known, "nick": nick} if kind == "hubspot" else {"data": {"custom": {**known, "nick": nick}}}


def test_nothing_is_written_back_unless_the_brand_wants_it(graph: Graph, crm: FakeCrm) -> None:
    case = case_of(graph, crm, "salesforce", 3, push=None)
    job = case.sync()
    assert (job.state, job.counts.push, crm.writes) == ("done", {}, [])


@pytest.mark.parametrize("kind", ["salesforce", "hubspot", "rest"])
def test_a_crm_is_told_of_its_own_persons_and_again_only_of_what_changed(graph: Graph, crm: FakeCrm, kind: str) -> None:
    case = case_of(graph, crm, kind, 5)
    stranger = event(case.brand.id, "email:stranger@example.com")
    commit_batch(graph, case.brand, [stranger], budget_seconds=60)
    job = case.sync()
    assert (job.state, job.error, job.counts.problems) == ("done", None, ())
    assert {name: job.counts.push[name] for name in ("pushed", "unchanged", "refused")} == {
        "pushed": 5, "unchanged": 0, "refused": 0,
    }  # fmt: skip
    ids = {one["id"] for one in crm.written}
    assert len(ids) == 5
    assert all(one == {"id": one["id"], **told(kind, None)} for one in crm.written)
    crm.written.clear()
    assert case.sync().counts.push["unchanged"] == 5
    assert crm.written == []
    run(graph, SET_SEGMENT, brand=case.brand.id, segment="champions")
    assert case.sync().counts.push["pushed"] == 5
    assert {one["id"]: {**one} for one in crm.written} == {one: {"id": one, **told(kind, "champions")} for one in ids}
    # What the profile knows no more is emptied where it was told, once.
    crm.written.clear()
    run(graph, SET_SEGMENT, brand=case.brand.id, segment=None)
    assert case.sync().counts.push["pushed"] == 5
    everyone: dict[str, dict[str, Any]] = {
        "salesforce": {"Segment__c": None, "Nick__c": "Ada"}, "hubspot": {"segment": "", "nick": "Ada"},
        "rest": {"data": {"custom": {"segment": None, "nick": "Ada"}}},
    }  # fmt: skip
    assert all(one == {"id": one["id"], **everyone[kind]} for one in crm.written)
    crm.written.clear()
    assert case.sync().counts.push["pushed"] == 0
    # Everything again is the same again.
    assert case.sync(is_full=True).counts.push["pushed"] == 5
    assert all(one == {"id": one["id"], **told(kind, None)} for one in crm.written)


@pytest.mark.parametrize(
    ("kind", "first", "second", "reason"),
    [
        ("salesforce", f"003{1:012d}AAA", "ENTITY_IS_DELETED", "The CRM answered 400 (ENTITY_IS_DELETED)."),
        ("hubspot", "2", "gone", "The CRM answered 400 (OBJECT_NOT_FOUND)."),
        ("hubspot", "2", "whole", "The CRM answered 400 (VALIDATION_ERROR)."),
        ("rest", "p%2F1", "404", "The CRM answered 404 (refused)."),
    ],
)
def test_a_record_that_the_crm_refuses_is_named_and_tried_again_and_the_others_are_told(
    graph: Graph, crm: FakeCrm, kind: str, first: str, second: str, reason: str
) -> None:
    case = case_of(graph, crm, kind, 9)
    crm.broken = {first: second}
    job = case.sync()
    assert (job.state, job.counts.push["pushed"], job.counts.push["refused"]) == ("done", 8, 1)
    [problem] = job.counts.problems
    assert (problem["id"].replace("/", "%2F"), problem["reason"]) == (first, reason)
    crm.broken.clear()
    job = case.sync()
    assert (job.counts.push["pushed"], job.counts.push["unchanged"]) == (1, 8)
    assert len({one["id"] for one in crm.written}) == len(crm.written) == 9


def test_a_limit_lets_the_push_wait_and_it_goes_on_where_it_was(
    graph: Graph, crm: FakeCrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.crm.run.PAGE", 2)
    case = case_of(graph, crm, "hubspot", 5)
    # One search, one page that is taken, then no more for a while.
    crm.moods = [None, None, (429, {"Retry-After": "600"}, {"category": "RATE_LIMITS"})]
    sync_id = case.begin()
    job = case.work(sync_id)
    assert (job.state, job.waits_for, len(crm.written)) == ("running", "the CRM: it answered 429", 2)
    job = case.work(sync_id, case.desk(ahead=timedelta(seconds=700)))
    assert (job.state, job.counts.push["pushed"], job.counts.read) == ("done", 5, 5)
    assert len({one["id"] for one in crm.written}) == len(crm.written) == 5


def test_a_push_that_was_cut_off_before_it_was_noted_tells_the_same_again(
    graph: Graph, crm: FakeCrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = case_of(graph, crm, "salesforce", 3)

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("ingest.crm.run.keep_pushed", cut)
        sync_id = case.begin()
        with pytest.raises(KeyboardInterrupt):
            case.work(sync_id)
    first = list(crm.written)
    job = case.work(sync_id, case.desk(ahead=timedelta(seconds=700)))
    assert (job.state, job.counts.push["pushed"]) == ("done", 3)
    assert crm.written == first * 2


def test_an_expired_token_is_renewed_and_a_refusal_of_all_ends_the_sync(graph: Graph, crm: FakeCrm) -> None:
    case = case_of(graph, crm, "salesforce", 2)
    crm.moods = [None, (401, {}, [{"errorCode": "INVALID_SESSION_ID"}])]
    assert case.sync().counts.push["pushed"] == 2
    assert crm.granted == 2
    run(graph, SET_SEGMENT, brand=case.brand.id, segment="at_risk")
    crm.moods = [None, (400, {}, [{"errorCode": "INVALID_FIELD"}])]
    job = case.sync()
    assert (job.state, job.error) == ("failed", "The CRM answered 400 (INVALID_FIELD).")


def test_a_cancelled_push_stops_and_the_next_one_tells_the_rest(
    graph: Graph, crm: FakeCrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.crm.run.PAGE", 2)
    case = case_of(graph, crm, "salesforce", 5)
    sync_id = case.begin()
    write = crm.write

    def cancelling(path: str, body: Any) -> Any:
        cancel_sync(graph, case.brand.id, sync_id, utc_now())
        return write(path, body)

    monkeypatch.setattr(crm, "write", cancelling)
    assert (case.work(sync_id).state, len(crm.written)) == ("cancelled", 2)
    monkeypatch.setattr(crm, "write", write)
    assert case.sync().counts.push["pushed"] == 3
    # Another field is another thing to tell.
    case.change(push={"fields": {"traits.first_name": "Other__c"}})
    assert case.sync().counts.push["pushed"] == 5
    assert crm.written[-1].keys() == {"id", "Other__c"}
