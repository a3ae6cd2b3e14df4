"""Suggestions on a real graph: likely pairs reach the review queue once, and nothing merges unless a brand says so."""

import json
from datetime import timedelta

import pytest

from core.brand import BrandSettings
from core.clock import utc_now
from core.errors import InvalidInputError
from graph.commit import commit_batch
from graph.driver import Graph
from graph.invariants import broken_invariants
from graph.proposals import Outcome, Proposal, propose, review_id_of
from graph.repositories.brands import BrandRecord, create_brand
from graph.repositories.profiles import Page, list_merges
from graph.repositories.reviews_read import get_review, list_reviews
from graph.repositories.suggestion_runs import (
    CANCELLED,
    DONE,
    FAILED,
    MAX_ATTEMPTS,
    cancel_run,
    claim_run,
    due_runs,
    find_run,
    list_runs,
    start_run,
)
from graph.repositories.suggestions import SuggestionFilter
from ingest.stewardship import approve_review, merge_profiles, reject_review, unmerge_profile
from ml.suggestions.listing import page_of_suggestions
from ml.suggestions.run import run_suggestions
from ml.suggestions.settings import SuggestionSettings, read_settings, save_settings, settings_from
from ml.suggestions.tasks import schedule_runs, sweep_runs
from tests.factories import event
from tests.integration.graph_state import live_profiles

pytestmark = pytest.mark.usefixtures("suggestions_slot")
STEWARD = "steward"
SARAH = {"first_name": "Sarah", "last_name": "Miller", "birthday": "1984-03-09"}
HOME = {"address": "12 High Street", "city": "Leeds", "postcode": "LS1 4AB"}


@pytest.fixture
def brand(graph: Graph, brand_id: str) -> BrandSettings:
    """A brand whose suggestions may run."""
    settings = BrandSettings(brand_id, name="Test")
    create_brand(graph, BrandRecord(settings, (), ()), op=brand_id, at=utc_now())
    return settings


def person(graph: Graph, brand: BrandSettings, *identifiers: str, **traits: object) -> str:
    """The profile that an event with these identifiers and traits makes."""
    [result] = commit_batch(graph, brand, [event(brand.id, *identifiers, traits=json.dumps(traits))])
    return result.profile_id or ""


def suggest(graph: Graph, brand: BrandSettings, **settings: object) -> dict:
    """A run from start to end; the run as it is answered."""
    stated = SuggestionSettings(**settings).as_dict()  # type: ignore[arg-type]
    run = start_run(graph, brand.id, stated, by=STEWARD, now=utc_now())
    assert run_suggestions(graph, brand.id, run["id"]) == DONE
    return find_run(graph, brand.id, run["id"])


def proposed(graph: Graph, brand: BrandSettings, **where: object) -> list[dict]:
    found: list[dict] = page_of_suggestions(graph, brand.id, Page(50), SuggestionFilter(**where))["items"]  # type: ignore[arg-type]
    return found


def pairs(items: list[dict]) -> list[set[str]]:
    return [{item["left_id"], item["right_id"]} for item in items]


def twins_by_typo(graph: Graph, brand: BrandSettings) -> tuple[str, str]:
    """Two profiles of one person: the second e-mail has a typo."""
    one = person(graph, brand, "email:sarah.miller@example.com", **SARAH)
    return one, person(graph, brand, "email:sarah.miler@example.com", **SARAH)


def by_field(item: dict) -> dict[str, dict]:
    return {row["field"]: row for row in item["comparison"]}


def test_a_typo_in_the_email_is_proposed_with_a_table_that_adds_up_to_the_weight(graph, brand):
    one, two = twins_by_typo(graph, brand)
    job = suggest(graph, brand)
    [item] = proposed(graph, brand)
    assert pairs([item]) == [{one, two}]
    assert item["match_weight"] >= 5
    assert item["match_probability"] > 0.98
    rows = by_field(item)
    assert rows["email"]["level"] == "one character typed otherwise"
    assert {rows["email"]["left"], rows["email"]["right"]} == {"sarah.miller@example.com", "sarah.miler@example.com"}
    assert rows["address"] == {
        "field": "address", "left": None, "right": None, "level": "not known on both sides", "weight": 0.0
    }  # fmt: skip
    assert sum(row["weight"] for row in rows.values()) + item["starting_weight"] == pytest.approx(
        item["match_weight"], abs=0.05
    )
    assert item["blocking_rule"] in job["pairs_by_rule"]
    assert (job["progress"]["proposed"], job["progress"]["merged"], job["progress"]["profiles_read"]) == (1, 0, 2)
    assert len(live_profiles(graph, brand.id)) == 2


def test_a_swapped_day_and_month_is_proposed(graph, brand):
    ids = {person(graph, brand, "email:a@x.io", **SARAH)}
    ids.add(person(graph, brand, "phone:+14155550101", **{**SARAH, "birthday": "1984-09-03"}))
    suggest(graph, brand)
    [item] = proposed(graph, brand)
    assert pairs([item]) == [ids]
    assert by_field(item)["birthday"]["level"] == "day and month swapped"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+5511987654321", "+551187654321"),
        ("+5491123456789", "+541123456789"),
        ("+5215512345678", "+525512345678"),
    ],
)
def test_a_phone_written_the_other_way_is_proposed(graph, brand, one, other):
    ids = {person(graph, brand, f"phone:{one}"), person(graph, brand, f"phone:{other}")}
    suggest(graph, brand)
    [item] = proposed(graph, brand)
    assert pairs([item]) == [ids]
    assert item["blocking_rule"] == "phone_variant"


def test_two_people_of_one_household_are_neither_merged_nor_proposed(graph, brand):
    person(graph, brand, "email:sarah@x.io", **SARAH, **HOME)
    person(graph, brand, "email:thomas@x.io", **{**SARAH, "first_name": "Thomas", "birthday": "1981-12-24"}, **HOME)
    person(graph, brand, "email:emma@x.io", **{**SARAH, "first_name": "Emma"}, **HOME)
    job = suggest(graph, brand, auto_merge_weight=6.0)
    assert job["progress"]["merged"] == 0
    assert proposed(graph, brand) == []
    assert len(live_profiles(graph, brand.id)) == 3


def test_without_a_threshold_not_even_the_surest_pair_merges(graph, brand):
    for email in ("sarah.miller@example.com", "sarah.miler@example.com"):
        person(graph, brand, f"email:{email}", **SARAH, **HOME)
    job = suggest(graph, brand)
    assert (job["progress"]["proposed"], job["progress"]["merged"]) == (1, 0)
    assert len(live_profiles(graph, brand.id)) == 2


def test_from_the_brands_threshold_on_a_pair_merges_and_comes_apart_again_for_good(graph, brand):
    one, two = twins_by_typo(graph, brand)
    job = suggest(graph, brand, auto_merge_weight=10.0)
    assert (job["progress"]["proposed"], job["progress"]["merged"]) == (0, 1)
    [live] = live_profiles(graph, brand.id)
    [item] = proposed(graph, brand, status="merged")
    assert (item["survivor_id"], item["decided_by"]) == (live.id, "suggestions")
    [merge] = list_merges(graph, brand.id, live.id)
    assert (merge["decided_by"], merge["reason"]) == ("suggestions", "suggestion")
    assert sorted(unmerge_profile(graph, brand, live.id, by=STEWARD)) == sorted([one, two])
    again = suggest(graph, brand, auto_merge_weight=10.0)
    assert (again["progress"]["proposed"], again["progress"]["merged"]) == (0, 0)
    assert len(live_profiles(graph, brand.id)) == 2
    assert broken_invariants(graph, brand.id) == []


def test_a_threshold_does_not_overrule_the_protection_of_merges(graph, brand):
    for email, user in (("sarah.miller@example.com", "1"), ("sarah.miler@example.com", "2")):
        person(graph, brand, f"email:{email}", f"user_id:{user}", **SARAH)
    job = suggest(graph, brand, auto_merge_weight=10.0)
    assert (job["progress"]["proposed"], job["progress"]["merged"]) == (1, 0)
    [item] = proposed(graph, brand)
    assert item["rules"] == ["suggestion", "unique_id"]


def test_a_profile_takes_part_in_one_merge_of_a_run(graph, brand):
    for email in ("sarah.miller@example.com", "sarah.miler@example.com", "sarah.millr@example.com"):
        person(graph, brand, f"email:{email}", **SARAH)
    assert suggest(graph, brand, auto_merge_weight=10.0)["progress"]["merged"] == 1
    assert suggest(graph, brand, auto_merge_weight=10.0)["progress"]["merged"] == 1
    assert len(live_profiles(graph, brand.id)) == 1


def test_a_second_run_proposes_nothing_twice(graph, brand):
    twins_by_typo(graph, brand)
    suggest(graph, brand)
    again = suggest(graph, brand)
    assert (again["progress"]["proposed"], again["progress"]["known"]) == (0, 1)
    assert len(proposed(graph, brand)) == 1


def test_a_rejected_pair_is_never_proposed_again_not_even_through_an_absorbing_profile(graph, brand):
    one, _ = twins_by_typo(graph, brand)
    suggest(graph, brand)
    [item] = proposed(graph, brand)
    reject_review(graph, brand, item["id"], by=STEWARD)
    older = person(graph, brand, "loyalty_id:L")
    merge_profiles(graph, brand, older, [one], by=STEWARD)
    assert suggest(graph, brand)["progress"]["proposed"] == 0
    assert proposed(graph, brand) == []


def test_an_approved_pair_is_one_profile(graph, brand):
    twins_by_typo(graph, brand)
    suggest(graph, brand)
    [item] = proposed(graph, brand)
    assert approve_review(graph, brand, item["id"], by=STEWARD).status == "merged"
    assert len(live_profiles(graph, brand.id)) == 1
    [settled] = proposed(graph, brand, status="merged")
    assert pairs([settled]) == pairs([item])
    assert {row["left"] for row in settled["comparison"]} == {row["left"] for row in item["comparison"]}


def test_a_pair_in_a_review_that_waits_is_left_to_it(graph, brand):
    ids = [person(graph, brand, f"email:sarah.{n}@x.io", **SARAH) for n in ("miller", "miler")]
    ids += [person(graph, brand, f"email:{n}@x.io") for n in ("c", "d")]
    emails = ("sarah.miller", "sarah.miler", "c", "d")
    [result] = commit_batch(graph, brand, [event(brand.id, *(f"email:{n}@x.io" for n in emails))])
    assert result.decision == "review"
    assert suggest(graph, brand)["progress"]["proposed"] == 0


def test_events_do_not_extend_a_suggestion(graph, brand):
    ids = twins_by_typo(graph, brand)
    suggest(graph, brand)
    for name in ("c", "d", "e"):
        person(graph, brand, f"email:{name}@x.io")
    emails = ("sarah.miller@example.com", "c@x.io", "d@x.io", "e@x.io")
    [result] = commit_batch(graph, brand, [event(brand.id, *(f"email:{one}" for one in emails))])
    [item] = proposed(graph, brand)
    assert pairs([item]) == [set(ids)]
    assert result.review_id not in {None, item["id"]}


def test_the_review_queue_and_the_change_feed_know_of_it_and_hold_no_personal_data(graph, brand):
    twins_by_typo(graph, brand)
    suggest(graph, brand)
    [item] = proposed(graph, brand)
    [listed] = list_reviews(graph, brand.id, Page(10), "pending")["items"]
    assert (listed["id"], listed["rule"]) == (item["id"], "suggestion")
    assert get_review(graph, brand.id, item["id"])["profile_ids"] == sorted([item["left_id"], item["right_id"]])
    stored = graph.read("reviews/get_review", brand=brand.id, id=item["id"])[0]["review"]
    assert "iller" not in json.dumps(stored, default=str)


def proposal(brand: BrandSettings, run: dict, *ids: str, weight: float = 9.0) -> Proposal:
    return Proposal(ids[0], ids[1], weight, 0.99, -13.0, (), "full_name", run["id"])


def queued(graph: Graph, brand: BrandSettings, **settings: object) -> dict:
    stated = SuggestionSettings(**settings).as_dict()  # type: ignore[arg-type]
    return start_run(graph, brand.id, stated, by=STEWARD, now=utc_now())


def test_a_pair_has_one_review_whichever_side_is_named_first(graph, brand):
    ids = twins_by_typo(graph, brand)
    run = queued(graph, brand)
    outcomes = [
        propose(graph, brand, proposal(brand, run, *order), auto_merge_weight=None) for order in (ids, ids[::-1])
    ]
    assert outcomes == [Outcome.PROPOSED, Outcome.KNOWN]
    assert review_id_of(brand.id, ids) == review_id_of(brand.id, ids[::-1])
    assert find_run(graph, brand.id, run["id"])["progress"]["proposed"] == 1


def test_a_profile_that_was_absorbed_or_never_was_is_not_proposed(graph, brand):
    one, two = twins_by_typo(graph, brand)
    three = person(graph, brand, "loyalty_id:L")
    merge_profiles(graph, brand, one, [three], by=STEWARD)
    run = queued(graph, brand)
    for ids in ((two, three), (two, "cus_nobody")):
        assert propose(graph, brand, proposal(brand, run, *ids), auto_merge_weight=None) is Outcome.CHANGED
    assert proposed(graph, brand) == []


def test_a_run_makes_no_more_proposals_than_its_limit_and_the_next_one_goes_on(graph, brand):
    for name in ("miller", "baker", "cooper"):
        for spelling in (name, name[:-1]):
            person(graph, brand, f"email:sarah.{spelling}@example.com", **{**SARAH, "last_name": name})
    assert suggest(graph, brand, max_proposals=2)["progress"]["proposed"] == 2
    assert suggest(graph, brand, max_proposals=2)["progress"]["proposed"] == 1


def test_a_brand_has_one_run_at_a_time(graph, brand):
    first, second = queued(graph, brand), queued(graph, brand)
    assert (first["is_new"], second["is_new"]) == (True, False)
    assert first["id"] == second["id"]


def test_one_worker_has_a_run_and_one_run_has_the_slot(graph, brand, brand_id):
    other = BrandSettings(f"{brand_id}-other")
    create_brand(graph, BrandRecord(other, (), ()), op="x", at=utc_now())
    first, second = queued(graph, brand), queued(graph, other)
    lease = timedelta(seconds=60)
    assert claim_run(graph, brand.id, first["id"], now=utc_now(), lease=lease) is not None
    assert run_suggestions(graph, brand.id, first["id"]) is None
    assert run_suggestions(graph, other.id, second["id"]) is None
    assert due_runs(graph, now=utc_now(), resend=timedelta(0)) == []
    later = utc_now() + timedelta(seconds=61)
    assert run_suggestions(graph, brand.id, first["id"], clock=lambda: later) == DONE
    assert run_suggestions(graph, other.id, second["id"]) == DONE


def test_a_run_that_was_left_behind_goes_on_and_counts_what_it_had_proposed(graph, brand):
    ids = twins_by_typo(graph, brand)
    run = queued(graph, brand)
    past = utc_now() - timedelta(minutes=5)
    claim_run(graph, brand.id, run["id"], now=past, lease=timedelta(seconds=60))
    propose(graph, brand, proposal(brand, run, *ids), auto_merge_weight=None)
    assert run_suggestions(graph, brand.id, run["id"]) == DONE
    found = find_run(graph, brand.id, run["id"])
    assert (found["progress"]["proposed"], found["attempts"]) == (1, 2)


def test_a_run_that_kills_its_workers_is_given_up(graph, brand):
    run = queued(graph, brand)
    for n in range(MAX_ATTEMPTS):
        past = utc_now() - timedelta(minutes=10 - n * 2)
        claim_run(graph, brand.id, run["id"], now=past, lease=timedelta(seconds=60))
    while find_run(graph, brand.id, run["id"])["state"] != FAILED:
        assert sweep_runs(graph, lambda *_: None) == []
    assert "workers died" in find_run(graph, brand.id, run["id"])["error"]
    assert queued(graph, brand)["is_new"]


def test_a_run_that_breaks_says_so_and_lets_the_next_one_begin(graph, brand):
    one, _ = twins_by_typo(graph, brand)
    with graph.session() as session:
        session.run("MATCH (:Customer {id: $id})-[:HAS_TRAIT]->(t) SET t.value = '{'", id=one).consume()
    run = queued(graph, brand)
    with pytest.raises(ValueError, match="Expecting"):
        run_suggestions(graph, brand.id, run["id"])
    found = find_run(graph, brand.id, run["id"])
    assert (found["state"], found["error"]) == (FAILED, "The run broke: JSONDecodeError.")
    assert queued(graph, brand)["is_new"]


def test_a_stopped_run_ends_and_keeps_what_it_had_proposed(graph, brand):
    waiting = queued(graph, brand)
    assert cancel_run(graph, brand.id, waiting["id"], by=STEWARD, now=utc_now())["state"] == CANCELLED
    running = queued(graph, brand)
    past = utc_now() - timedelta(minutes=5)
    claim_run(graph, brand.id, running["id"], now=past, lease=timedelta(seconds=60))
    assert cancel_run(graph, brand.id, running["id"], by=STEWARD, now=utc_now())["state"] == "running"
    assert run_suggestions(graph, brand.id, running["id"]) == CANCELLED
    assert queued(graph, brand)["is_new"]


def test_pages_come_in_order_of_weight_and_miss_nothing(graph, brand):
    run = queued(graph, brand)
    ids = [person(graph, brand, f"email:p{n}@x.io") for n in range(6)]
    weights = {}
    for left, weight in zip(range(5), (7.0, 9.5, 9.5, 12.0, 8.0), strict=True):
        pair = (ids[left], ids[left + 1])
        propose(graph, brand, proposal(brand, run, *pair, weight=weight), auto_merge_weight=None)
        weights[review_id_of(brand.id, pair)] = weight
    seen, cursor = [], None
    while True:
        page = page_of_suggestions(graph, brand.id, Page(2, cursor), SuggestionFilter())
        seen += [(item["match_weight"], item["id"]) for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == sorted(((w, i) for i, w in weights.items()), reverse=True)
    assert len(proposed(graph, brand, min_weight=9.0)) == 3
    assert len(proposed(graph, brand, profile_id=ids[0])) == 1
    assert proposed(graph, brand, blocking_rule="address") == []


@pytest.mark.parametrize(
    ("stated", "field"),
    [
        ({"min_match_weight": "6"}, "min_match_weight"),
        ({"min_match_weight": True}, "min_match_weight"),
        ({"min_match_weight": -1}, "min_match_weight"),
        ({"auto_merge_weight": 4}, "auto_merge_weight"),
        ({"auto_merge_weight": float("nan")}, "auto_merge_weight"),
        ({"max_proposals": 0}, "max_proposals"),
        ({"max_proposals": 2.0}, "max_proposals"),
        ({"every_hours": 0}, "every_hours"),
    ],
)
def test_settings_that_do_not_fit_name_their_field(stated, field):
    with pytest.raises(InvalidInputError) as refused:
        settings_from(stated, SuggestionSettings())
    assert refused.value.field == field


def test_settings_are_kept_and_the_threshold_is_off_at_first(graph, brand):
    before = read_settings(graph, brand.id)
    assert before == SuggestionSettings()
    assert before.auto_merge_weight is None
    after = settings_from({"auto_merge_weight": 20, "every_hours": 24}, before)
    save_settings(graph, brand.id, after)
    assert read_settings(graph, brand.id) == after
    save_settings(graph, brand.id, settings_from({"auto_merge_weight": None, "every_hours": None}, after))
    assert read_settings(graph, brand.id) == before


def test_a_brand_with_a_schedule_gets_its_next_run_when_the_last_one_is_old_enough(graph, brand):
    def scheduled(later: timedelta = timedelta()) -> list[str]:
        schedule_runs(graph, lambda: utc_now() + later)
        return [run["state"] for run in list_runs(graph, brand.id, Page(10))["items"]]

    assert scheduled() == []
    save_settings(graph, brand.id, SuggestionSettings(every_hours=24))
    assert scheduled() == scheduled() == ["queued"]
    [first] = list_runs(graph, brand.id, Page(10))["items"]
    assert first["created_by"] == "schedule"
    assert run_suggestions(graph, brand.id, first["id"]) == DONE
    assert scheduled(timedelta(hours=23)) == [DONE]
    assert scheduled(timedelta(hours=25)) == ["queued", DONE]
    save_settings(graph, brand.id, SuggestionSettings())
    assert len(scheduled(timedelta(days=9))) == 2
