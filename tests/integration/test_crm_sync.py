"""CRM syncs against a CRM on a real port: what is read once, what is read again, and what goes wrong on the way."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.brand import BrandSettings
from core.clock import utc_now
from core.errors import UnavailableError
from core.events import RawEvent
from core.settings import Settings, child_environment
from graph.driver import Graph
from graph.repositories.crm import cancel_sync, delete_connection, find_due_sync, set_connection
from graph.repositories.dead_letters import LetterFilter, list_letters
from ingest.committer import Outcome
from ingest.crm import client, hubspot
from ingest.crm.run import work_on
from ingest.crm.tasks import begin_scheduled
from tests.integration.crm_case import LATER, START, Case, hs_contact, hs_deal, sf_contact
from tests.integration.crm_server import FakeCrm, iso, playing, sf_time
from tests.integration.graph_state import live_profiles

ROOT = Path(__file__).parents[2]
SECOND = timedelta(seconds=1)
BEARER = {"type": "bearer", "token": "fixed"}


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with playing() as opened:
        opened.page_size = 20
        yield opened


def contacts(count: int) -> list[dict[str, Any]]:
    """Three of them at a time were changed in the same second."""
    return [sf_contact(number, START + number // 3 * SECOND) for number in range(count)]


def test_salesforce_contacts_become_profiles_page_by_page(graph: Graph, crm: FakeCrm) -> None:
    crm.records = {"Contact": contacts(45)}
    case = Case(graph, crm, "salesforce")
    job = case.sync()
    assert (job.state, job.error) == ("done", None)
    assert (job.counts.read, job.counts.accepted, job.counts.duplicates, job.counts.rejected) == (45, 45, 0, 0)
    assert job.counts.objects == {"Contact": {"read": 45, "total": 45, "is_done": True}}
    live = live_profiles(graph, case.brand.id)
    assert len(live) == 45
    # The business phone that all of them have makes nobody one person.
    assert {profile.event_count for profile in live} == {1}
    assert len(crm.queries) == 1
    assert "refresh" not in repr(case.connection())


def test_the_next_sync_asks_for_what_changed_and_an_overlap_and_counts_nothing_twice(
    graph: Graph, crm: FakeCrm
) -> None:
    crm.records = {"Contact": contacts(30)}
    case = Case(graph, crm, "salesforce", overlap_seconds=2)
    case.sync()
    crm.records["Contact"][4] = sf_contact(4, START + 60 * SECOND, LastName="Changed")
    crm.records["Contact"].append(sf_contact(99, START + 60 * SECOND))
    job = case.sync()
    assert "SystemModstamp >= 2026-03-01T12:00:07.000Z" in crm.queries[-1]
    # Nine of the last three seconds again, and two that are new.
    assert (job.counts.accepted, job.counts.duplicates) == (2, 9)
    assert case.events() == 32
    assert case.sync(is_full=True).counts.duplicates == 31
    assert case.events() == 32


def test_an_expired_token_is_renewed_once_and_a_wrong_secret_ends_the_sync(graph: Graph, crm: FakeCrm) -> None:
    crm.records = {"Contact": contacts(45)}
    crm.moods = [None, (401, {}, [{"errorCode": "INVALID_SESSION_ID"}])]
    case = Case(graph, crm, "salesforce")
    assert case.sync().state == "done"
    assert (crm.granted, case.events()) == (2, 45)
    crm.moods = [(401, {}, [{"errorCode": "INVALID_SESSION_ID"}])] * 2
    job = case.sync()
    assert (job.state, job.error) == (
        "failed", "The CRM refused the credentials or what they ask for: 401 (INVALID_SESSION_ID).",
    )  # fmt: skip
    wrong = Case(graph, crm, "salesforce", auth={**_oauth(), "client_secret": "wrong"}).sync()
    assert (wrong.state, wrong.error) == ("failed", "The CRM gave no token: 400 invalid_grant.")


def _oauth() -> dict[str, str]:
    return {"type": "refresh_token", "client_id": "app", "client_secret": "right", "refresh_token": "first"}


def test_a_refresh_token_that_changes_is_kept(graph: Graph, crm: FakeCrm) -> None:
    crm.records = {"Contact": contacts(3)}
    crm.next_refresh_token = "second"
    case = Case(graph, crm, "salesforce", auth=_oauth())
    assert case.sync().state == "done"
    assert case.connection().secrets == {"client_secret": "right", "refresh_token": "second"}


def test_a_lost_locator_begins_a_new_query_behind_the_last_record(graph: Graph, crm: FakeCrm) -> None:
    crm.records = {"Contact": contacts(45)}
    crm.moods = [None, (400, {}, [{"errorCode": "INVALID_QUERY_LOCATOR"}])]
    case = Case(graph, crm, "salesforce")
    job = case.sync()
    # Record 19 stands in the middle of its second: its neighbours are found by their ids.
    assert f"SystemModstamp = 2026-03-01T12:00:06.000Z AND Id > '003{19:012d}AAA'" in crm.queries[-1]
    assert (job.state, job.counts.read, job.counts.accepted, len(crm.queries)) == ("done", 45, 45, 2)


@pytest.mark.parametrize(
    "moods",
    [
        ["cut"],
        ["html", None, "cut"],
        [(500, {}, {})],
        [(503, {"Retry-After": "1"}, {}), (429, {"Retry-After": "0"}, {})],
    ],
)
def test_what_a_moment_heals_is_tried_again_at_once(graph: Graph, crm: FakeCrm, moods: list[Any]) -> None:
    crm.records = {"Contact": contacts(45)}
    crm.moods = list(moods)
    case = Case(graph, crm, "salesforce")
    job = case.sync()
    assert (job.state, job.counts.accepted, job.counts.failures) == ("done", 45, 0)


def test_a_long_retry_after_lets_the_sync_wait_and_others_work(graph: Graph, crm: FakeCrm) -> None:
    crm.records = {"Contact": contacts(45)}
    crm.moods = [None, (429, {"Retry-After": "600"}, {"policyName": "DAILY"})]
    case = Case(graph, crm, "salesforce")
    sync_id = case.begin()
    job = case.work(sync_id)
    assert (job.state, job.waits_for, job.counts.accepted) == ("running", "the CRM: it answered 429", 20)
    assert job.lease_until is not None
    assert timedelta(seconds=590) < job.lease_until - utc_now() <= timedelta(seconds=600)
    assert case.work(sync_id).counts.accepted == 20, "nobody asks before that"
    job = case.work(sync_id, case.desk(ahead=timedelta(seconds=610)))
    assert (job.state, job.counts.read, job.counts.accepted, job.waits_for) == ("done", 45, 45, None)


def test_a_crm_that_stays_away_is_given_up_after_growing_pauses(
    graph: Graph, crm: FakeCrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_FIRST_PAUSE", 0.01)
    crm.records = {"Contact": contacts(3)}
    crm.moods = [(502, {}, {})] * 100
    case = Case(graph, crm, "salesforce")
    sync_id = case.begin()
    ahead, pauses = timedelta(0), []
    while not (job := case.work(sync_id, case.desk(ahead=ahead))).is_over:
        assert job.lease_until is not None
        pauses.append(job.lease_until - utc_now() - ahead)
        ahead += timedelta(hours=1, minutes=5)
    assert len(pauses) == 10
    assert pauses[0] < timedelta(seconds=31)
    assert max(pauses) <= timedelta(hours=1)
    assert (job.state, job.error) == ("failed", "The CRM could not be read for a long time: it answered 502.")
    crm.moods = []
    assert case.sync().state == "done"


def test_broken_records_are_dead_letters_and_the_others_are_taken(graph: Graph, crm: FakeCrm) -> None:
    rows: list[Any] = contacts(8)
    rows[1]["Id"] = None
    rows[3]["SystemModstamp"] = "yesterday"
    rows[5]["Email"] = ["not", {"an": "address"}]
    rows[6] |= {"Email": "no address", "MobilePhone": "12"}
    crm.records = {"Contact": rows}
    case = Case(graph, crm, "salesforce")
    job = case.sync()
    assert (job.state, job.counts.read, job.counts.rejected) == ("done", 8, 2)
    assert job.counts.accepted == 6
    reasons = {problem["reason"] for problem in job.counts.problems}
    assert reasons == {"id: missing", "modified: the time of the record's last change is missing or none"}
    letters = list_letters(graph, case.brand.id, 10, wanted=LetterFilter(way="crm"))["items"]
    assert len(letters) == 2
    assert case.sync(is_full=True).counts.duplicates == 6
    assert [letter["count"] for letter in list_letters(graph, case.brand.id, 10)["items"]] == [2, 2]


def test_won_opportunities_are_orders_of_their_contacts(graph: Graph, crm: FakeCrm) -> None:
    person = sf_contact(1, START)
    deal = {"SystemModstamp": sf_time(START), "CloseDate": "2026-02-20", "Amount": 99.5, "StageName": "Closed Won",
            "Name": "Deal", "IsWon": True}  # fmt: skip
    crm.records = {
        "Contact": [person],
        "Opportunity": [
            {"Id": "006000000000001AAA", "ContactId": person["Id"], **deal},
            {"Id": "006000000000002AAA", "ContactId": person["Id"], **deal, "IsWon": False},
            {"Id": "006000000000003AAA", "ContactId": None, **deal},
            {"Id": "006000000000004AAA", "ContactId": person["Id"], **deal, "Amount": 0.5},
        ],
    }
    case = Case(graph, crm, "salesforce", objects=[{"name": "Contact"}, {"name": "Opportunity"}])
    job = case.sync()
    assert (job.counts.accepted, job.counts.skipped) == (3, 2)
    assert job.counts.warnings == {"orders of nobody: they name no contact": 1}
    [profile] = live_profiles(graph, case.brand.id)
    assert (profile.ltv_minor, profile.total_orders) == (10_000, 2)


def test_hubspot_windows_slide_and_many_of_one_moment_are_read_by_id(
    graph: Graph, crm: FakeCrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubspot, "WINDOW", 100)
    crm.window, crm.page_size = 100, 50
    imported = [hs_contact(1000 - number, START + 10 * SECOND) for number in range(270)]
    crm.records = {"contacts": [
        *(hs_contact(number, START + number // 20 * SECOND) for number in range(130)), *imported,
        *(hs_contact(number, START + 60 * SECOND) for number in range(2000, 2020)),
    ]}  # fmt: skip
    crm.tokens = {"fixed"}
    case = Case(graph, crm, "hubspot", auth=BEARER, page_size=50)
    job = case.sync()
    assert (job.state, job.error) == ("done", None)
    assert (job.counts.accepted, case.events()) == (420, 420)
    assert all(int(search.get("after", 0)) + search["limit"] <= 100 for search in crm.searches)
    crm.records["contacts"].append(hs_contact(3000, START + 300 * SECOND))
    assert case.sync().counts.accepted == 1


def test_hubspot_deals_belong_to_their_first_contact(graph: Graph, crm: FakeCrm) -> None:
    crm.tokens = {"fixed"}
    crm.records = {
        "contacts": [hs_contact(11, START), hs_contact(12, START)],
        "deals": [hs_deal(1, START, "10.50"), hs_deal(2, START, "7"), hs_deal(3, START, "99", "qualified")],
    }
    crm.contacts_of = {"1": [12, 11], "3": [11]}
    case = Case(graph, crm, "hubspot", auth=BEARER, objects=[{"name": "contacts"}, {"name": "deals"}])
    job = case.sync()
    assert (job.counts.accepted, job.counts.skipped, job.state) == (3, 2, "done")
    assert sorted(profile.ltv_minor for profile in live_profiles(graph, case.brand.id)) == [0, 1050]


def rest_rows(count: int) -> list[dict[str, Any]]:
    return [
        {"id": number, "updated_at": iso(START + number * SECOND), "contact": {"mail": f"r{number}@example.com"}}
        for number in range(count)
    ]


PLANS: dict[str, dict[str, Any]] = {
    "page": {"paging": "page", "items": "data.items", "size_param": "per_page"},
    "offset": {"paging": "offset", "items": "data.items", "size_param": "per_page"},
    "cursor": {"paging": "cursor", "items": "data.items", "size_param": "per_page", "next": "meta.cursor"},
    "link": {"paging": "link", "size_param": "per_page"},
    "next_url": {"paging": "next_url", "items": "data.items", "next": "meta.next", "size_param": "per_page"},
}


def rest_case(graph: Graph, crm: FakeCrm, style: str, **stated: Any) -> Case:
    plan = {"path": f"/{style}/people", "modified": "updated_at", "since_param": "since", **PLANS[style]}
    spec = {"name": "people", "fields": {"contact.mail": "identifiers.email"}, "rest": plan}
    auth = {"type": "header", "header": "X-Api-Token", "token": "k"}
    wish = {"auth": auth, "page_size": 20, "overlap_seconds": 3, "objects": [spec], **stated}
    return Case(graph, crm, "rest", **wish)


@pytest.mark.parametrize("style", sorted(PLANS))
def test_any_rest_crm_is_read_in_its_own_way_of_paging(graph: Graph, crm: FakeCrm, style: str) -> None:
    crm.records = {"people": rest_rows(70)}
    case = rest_case(graph, crm, style)
    # Cut off after each page, it goes on with the next one.
    sync_id, stretches = case.begin(), 0
    while not case.work(sync_id, seconds=0).is_over:
        stretches += 1
    job = case.job(sync_id)
    assert (job.state, job.error, job.counts.accepted, job.counts.duplicates) == ("done", None, 70, 0)
    assert stretches >= 3
    crm.records["people"].append({"id": "new", "updated_at": iso(START + 100 * SECOND), "contact": {"mail": "n@x.io"}})
    job = case.sync()
    assert (job.counts.accepted, job.counts.duplicates, case.events()) == (1, 4, 71)


def test_a_link_to_another_server_is_not_followed(graph: Graph, crm: FakeCrm) -> None:
    crm.moods = [(200, {}, {"data": {"items": []}, "meta": {"next": "http://127.0.0.1:1/steal"}})]
    job = rest_case(graph, crm, "next_url").sync()
    assert (job.state, job.error) == ("failed", "The CRM's link to its next page leads to another server.")


def run_child(settings: Settings, case: Case, sync_id: str, point: str, commit: int) -> int:
    words = [sys.executable, "-m", "tests.integration.crm_worker", case.brand.id, sync_id, point, str(commit)]
    return subprocess.run(words, cwd=ROOT, env=child_environment(settings), check=False).returncode


@pytest.mark.parametrize(
    ("point", "commit"), [("before-commit", 1), ("after-commit", 1), ("before-commit", 3), ("after-commit", 3)]
)
def test_killed_in_the_middle_of_a_page_every_record_counts_once(
    graph_settings: Settings, graph: Graph, crm: FakeCrm, point: str, commit: int
) -> None:
    crm.records = {"Contact": contacts(70)}
    case = Case(graph, crm, "salesforce")
    sync_id = case.begin()
    assert run_child(graph_settings, case, sync_id, point, commit) == -9
    assert case.job(sync_id).counts.accepted == (commit - 1) * 20
    assert work_on(case.desk(), case.brand, sync_id, 600) is None, "the lease still holds"
    job = case.work(sync_id, case.desk(ahead=LATER))
    counts = job.counts
    assert (job.state, counts.read, counts.accepted, counts.duplicates) == ("done", 70, 70, 0)
    assert case.events() == 70


def test_while_the_graph_is_away_the_cursor_stays_and_a_later_turn_goes_on(graph: Graph, crm: FakeCrm) -> None:
    crm.records = {"Contact": contacts(45)}
    case = Case(graph, crm, "salesforce")
    calls = 0

    def take(brand: BrandSettings, raws: Sequence[RawEvent]) -> Sequence[Outcome]:
        nonlocal calls
        calls += 1
        return case.take(brand, raws) if calls < 2 else [UnavailableError("away")] * len(raws)

    sync_id = case.begin()
    with pytest.raises(UnavailableError):
        case.work(sync_id, case.desk(take=take))
    assert case.connection().cursors["Contact"]["id"] == f"003{19:012d}AAA"
    job = case.work(sync_id, case.desk(ahead=LATER))
    assert (job.counts.read, job.counts.accepted, case.events()) == (45, 45, 45)


def test_who_lost_the_lease_writes_no_cursor_any_more(graph: Graph, crm: FakeCrm) -> None:
    crm.records = {"Contact": contacts(45)}
    case = Case(graph, crm, "salesforce")
    sync_id = case.begin()

    def take(brand: BrandSettings, raws: Sequence[RawEvent]) -> Sequence[Outcome]:
        # While this one sleeps, another one does all of it.
        work_on(case.desk("test:second", ahead=LATER), case.brand, sync_id, 600)
        return case.take(brand, raws)

    job = case.work(sync_id, case.desk("test:slow", take))
    assert (job.state, job.counts.accepted, job.counts.duplicates) == ("done", 45, 0)
    assert case.events() == 45


def test_a_cancelled_sync_stops_after_its_page_and_the_next_one_goes_on_there(graph: Graph, crm: FakeCrm) -> None:
    crm.records = {"Contact": contacts(45)}
    case = Case(graph, crm, "salesforce", overlap_seconds=0)
    sync_id = case.begin()

    def take(brand: BrandSettings, raws: Sequence[RawEvent]) -> Sequence[Outcome]:
        assert not cancel_sync(graph, brand.id, sync_id, utc_now()).is_over
        return case.take(brand, raws)

    job = case.work(sync_id, case.desk(take=take))
    assert (job.state, job.counts.accepted) == ("cancelled", 20)
    job = case.sync()
    # Of the second that it stopped in, two records come again.
    assert (job.state, job.counts.accepted, job.counts.duplicates) == ("done", 25, 2)
    waiting = case.begin()
    assert cancel_sync(graph, case.brand.id, waiting, utc_now()).state == "cancelled"
    assert case.begin() != waiting


def test_one_sync_of_a_connection_at_a_time_and_the_schedule_begins_the_next(graph: Graph, crm: FakeCrm) -> None:
    crm.records = {"Contact": contacts(3)}
    case = Case(graph, crm, "salesforce", interval_minutes=60)
    begin_scheduled(graph)
    sync_id = case.begin()
    assert case.begin() == sync_id
    job = case.job(sync_id)
    assert (job.created_by, case.work(sync_id).state) == ("schedule", "done")
    next_at = case.connection().next_at
    assert next_at is not None
    assert timedelta(minutes=58) < next_at - utc_now() <= timedelta(minutes=60)
    begin_scheduled(graph)
    assert case.begin() != sync_id


def test_a_worker_at_one_sync_keeps_others_waiting_but_a_sync_that_waits_does_not(graph: Graph, crm: FakeCrm) -> None:
    crm.records = {"Contact": contacts(3)}
    crm.moods = [(429, {"Retry-After": "600"}, {})]
    first, second = Case(graph, crm, "salesforce"), Case(graph, crm, "salesforce")
    first_id, second_id = first.begin(), second.begin()

    def take(brand: BrandSettings, raws: Sequence[RawEvent]) -> Sequence[Outcome]:
        assert find_due_sync(graph, utc_now()) is None
        return second.take(brand, raws)

    assert first.work(first_id, first.desk("worker:1")).waits_for == "the CRM: it answered 429"
    assert find_due_sync(graph, utc_now()) is not None
    assert second.work(second_id, second.desk("worker:2", take)).state == "done"
    cancelled = cancel_sync(graph, first.brand.id, first_id, utc_now())
    assert cancelled.state == "cancelled", "at once: nobody works on it"


def test_a_connection_that_was_removed_ends_its_sync(graph: Graph, crm: FakeCrm) -> None:
    crm.records = {"Contact": contacts(3)}
    case = Case(graph, crm, "salesforce")
    sync_id = case.begin()
    delete_connection(graph, case.brand.id, "crm")
    job = case.work(sync_id)
    assert (job.state, job.error, crm.asked) == ("failed", "The connection was removed.", [])


def test_another_address_begins_anew(graph: Graph, crm: FakeCrm) -> None:
    crm.records = {"Contact": contacts(3)}
    case = Case(graph, crm, "salesforce")
    case.sync()
    known = case.connection()
    assert known.cursors
    again = set_connection(graph, known, keeps_secrets=True, at=utc_now())
    assert (again.cursors, again.secrets) == (known.cursors, known.secrets)
    moved = set_connection(graph, replace(known, base_url="http://127.0.0.1:1"), keeps_secrets=True, at=utc_now())
    assert (moved.cursors, moved.secrets) == ({}, known.secrets)
