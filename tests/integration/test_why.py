"""Why two identifiers are one person, and why not, over what real commits and decisions left in the graph."""

import itertools
from typing import Any

import pytest

from core.brand import BrandSettings
from core.decisions import EventResult
from core.errors import InvalidInputError, NotFoundError
from core.identifiers import Identifier
from core.rules import IdentityRules
from graph.commit import commit_batch
from graph.driver import Graph
from ingest.stewardship import approve_review, merge_profiles, reject_review, unmerge_profile
from ingest.stewardship.linking import link_by_hand, unlink_by_hand
from insight.why import explain
from tests.factories import event

STEWARD = "steward"
EMAIL, OTHER_EMAIL, PHONE = "email:a@x.io", "email:b@x.io", "phone:+14155550101"
OTHER_PHONE, COOKIE, DEVICE = "phone:+14155550102", "cookie_id:c", "device_id:tablet"
LOYALTY = "loyalty_id:L1"


class Asking:
    """A brand that takes events and answers why."""

    def __init__(self, graph: Graph, brand: str) -> None:
        self.graph = graph
        self.brand = BrandSettings(brand)

    def send(self, *pairs: str, **more: Any) -> EventResult:
        [result] = commit_batch(self.graph, self.brand, [event(self.brand.id, *pairs, **more)])
        return result

    def profile(self, *pairs: str, **more: Any) -> str:
        profile_id = self.send(*pairs, **more).profile_id
        assert profile_id is not None
        return profile_id

    def why(self, id_: str, a: str, b: str) -> dict[str, Any]:
        return explain(self.graph, self.brand, id_, a, b)


@pytest.fixture
def asking(graph: Graph, brand_id: str) -> Asking:
    return Asking(graph, brand_id)


def walk(answer: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(step["from"], step["to"], step["via"]) for step in answer["chain"]]


def rules(answer: dict[str, Any]) -> set[str]:
    return {block["rule"] for block in answer["blocked_by"]}


def test_three_identifiers_are_tied_by_the_shortest_chain(asking: Asking) -> None:
    one = asking.profile(EMAIL, COOKIE, minute=1)
    second = asking.send(COOKIE, PHONE, minute=2)
    answer = asking.why(one, EMAIL, PHONE)
    assert answer["same"]
    assert walk(answer) == [(EMAIL, COOKIE, "event"), (COOKIE, PHONE, "event")]
    assert answer["chain"][1]["id"] == second.event_id
    assert answer["chain"][1] == {
        "from": COOKIE, "to": PHONE, "via": "event", "id": second.event_id, "at": "2026-10-01T12:02:00Z",
        "source": "shop", "tier": 4, "trust": "transaction", "count": 1,
    }  # fmt: skip
    direct = asking.send(EMAIL, PHONE, minute=3)
    assert [step["id"] for step in asking.why(one, EMAIL, PHONE)["chain"]] == [direct.event_id]


def test_the_weakest_link_and_its_cut_with_two_sides(asking: Asking) -> None:
    one = asking.profile(EMAIL, LOYALTY, minute=1)
    asking.send(EMAIL, COOKIE, minute=2)
    asking.send(PHONE, COOKIE, minute=3)
    answer = asking.why(one, LOYALTY, PHONE)
    assert answer["weakest"]["tier"] == 4
    assert answer["weakest"] == answer["cut"]["link"] == answer["chain"][1]
    assert answer["cut"]["holds"] is False
    # The last to sign in keeps the cookie.
    assert answer["cut"]["sides"] == [[EMAIL, LOYALTY], [COOKIE, PHONE]]


def test_a_cut_holds_while_other_evidence_joins_the_ends(asking: Asking) -> None:
    one = asking.profile(EMAIL, PHONE, minute=1)
    asking.send(EMAIL, LOYALTY, minute=2)
    asking.send(LOYALTY, PHONE, minute=3)
    cut = asking.why(one, EMAIL, PHONE)["cut"]
    assert (cut["holds"], cut["sides"]) == (True, [[EMAIL, LOYALTY, PHONE], []])


def test_an_automatic_merge_on_the_way_is_named(asking: Asking) -> None:
    one, _ = asking.profile(EMAIL, minute=1), asking.profile(PHONE, minute=2)
    merged = asking.send(EMAIL, PHONE, minute=3)
    answer = asking.why(one, EMAIL, PHONE)
    assert [step["id"] for step in answer["chain"]] == [merged.event_id]
    [merge] = answer["merges"]
    assert (merge["merge_id"], merge["reason"], merge["decided_by"]) == (merged.merge_id, "identifier_match", "rules")


def test_a_merge_by_hand_is_the_link_where_no_event_ties(asking: Asking) -> None:
    one, two = asking.profile(EMAIL, LOYALTY, minute=1), asking.profile(PHONE, minute=2)
    outcome = merge_profiles(asking.graph, asking.brand, one, [two], reason="same handwriting", by=STEWARD)
    answer = asking.why(two, LOYALTY, PHONE)
    assert walk(answer) == [(LOYALTY, PHONE, "merge")]
    assert (answer["chain"][0]["id"], answer["chain"][0]["source"]) == (outcome.merge_id, STEWARD)
    assert answer["cut"]["sides"] == [[EMAIL, LOYALTY], [PHONE]]
    [merge] = answer["merges"]
    assert (merge["merge_id"], merge["reason"], merge["decided_by"]) == (outcome.merge_id, "same handwriting", STEWARD)
    assert merge["at"] is not None


def test_an_approved_review_is_explained_by_its_event_and_its_merge(asking: Asking) -> None:
    names = (EMAIL, PHONE, COOKIE, DEVICE)
    one, *_ = (asking.profile(name, minute=place) for place, name in enumerate(names))
    asked = asking.send(*names, minute=9)
    approve_review(asking.graph, asking.brand, asked.review_id or "", by=STEWARD)
    answer = asking.why(one, EMAIL, DEVICE)
    assert [step["id"] for step in answer["chain"]] == [asked.event_id]
    assert [(merge["reason"], merge["decided_by"]) for merge in answer["merges"]] == [("manual_review", STEWARD)]


def test_a_link_by_hand_is_shown_as_one(asking: Asking) -> None:
    one = asking.profile(EMAIL, minute=1)
    link_by_hand(asking.graph, asking.brand, one, Identifier("phone", "+14155550101"), by=STEWARD)
    answer = asking.why(one, EMAIL, PHONE)
    assert walk(answer) == [(EMAIL, PHONE, "link")]
    assert answer["chain"][0]["source"] == "by_hand"
    assert answer["cut"]["sides"] == [[EMAIL], [PHONE]]


def test_a_profile_and_an_identifier(asking: Asking) -> None:
    old, young = asking.profile(EMAIL, LOYALTY, minute=1), asking.profile(PHONE, minute=2)
    asking.send(EMAIL, PHONE, minute=3)
    assert walk(asking.why(old, old, LOYALTY)) == [(old, LOYALTY, "link")]
    assert walk(asking.why(old, old, PHONE)) == [(old, EMAIL, "link"), (EMAIL, PHONE, "event")]
    absorbed = asking.why(young, young, LOYALTY)
    assert (absorbed["same"], absorbed["profile_id"]) == (True, old)
    assert walk(absorbed) == [(young, PHONE, "link"), (PHONE, EMAIL, "event"), (EMAIL, LOYALTY, "event")]
    assert absorbed["cut"] is not None
    assert asking.why(old, young, old)["same"]
    assert asking.why(old, EMAIL, EMAIL)["chain"] == []


def test_a_chain_through_a_cookie_that_is_somebody_elses_now(asking: Asking) -> None:
    one = asking.profile(EMAIL, COOKIE, minute=1)
    asking.profile(PHONE, COOKIE, minute=2)
    asking.profile(OTHER_EMAIL, OTHER_PHONE, minute=3)
    asking.profile(OTHER_EMAIL, COOKIE, minute=4)
    answer = asking.why(one, EMAIL, PHONE)
    assert walk(answer) == [(EMAIL, COOKIE, "event"), (COOKIE, PHONE, "event")]
    assert [merge["weak"] for merge in answer["merges"]] == [True]
    assert answer["cut"]["sides"] == [[EMAIL], [PHONE]]
    now = asking.why(one, EMAIL, COOKIE)
    assert not now["same"]
    assert {"unlinked", "weak_only"} <= rules(now)


def test_profiles_that_a_weak_identifier_could_not_join(asking: Asking) -> None:
    one = asking.profile(EMAIL, DEVICE, minute=1)
    asking.profile(OTHER_EMAIL, minute=2)
    between = asking.send(OTHER_EMAIL, DEVICE, minute=3)
    answer = asking.why(one, EMAIL, OTHER_EMAIL)
    assert (answer["same"], "weak_only" in rules(answer)) == (False, True)
    assert DEVICE in answer["shared"]
    assert between.event_id in answer["shared"] or answer["shared"] == [DEVICE]


def test_more_than_three_matches_wait_for_review_and_the_threshold_says_so(asking: Asking) -> None:
    names = (EMAIL, PHONE, LOYALTY, "user_id:u1")
    one, *_ = (asking.profile(name, minute=place) for place, name in enumerate(names))
    asked = asking.send(*names, minute=9)
    answer = asking.why(one, EMAIL, LOYALTY)
    assert answer["same"] is False
    assert asked.event_id in answer["shared"]
    [block] = answer["blocked_by"]
    assert (block["rule"], block["review_id"]) == ("threshold", asked.review_id)
    assert block["detail"] == "Auto-merge blocked: 4 profiles exceed threshold of 3"


def test_a_review_of_another_rule_names_that_rule(asking: Asking) -> None:
    one = asking.profile(EMAIL, "user_id:u1", minute=1)
    asking.profile(PHONE, "user_id:u2", minute=2)
    asked = asking.send(EMAIL, PHONE, minute=3)
    [block] = asking.why(one, EMAIL, PHONE)["blocked_by"]
    assert (block["rule"], block["review_id"]) == ("unique_id", asked.review_id)


def test_a_rejected_review_leaves_a_mark_with_who_and_when(asking: Asking) -> None:
    names = (EMAIL, PHONE, LOYALTY, "user_id:u1")
    one, *_ = (asking.profile(name, minute=place) for place, name in enumerate(names))
    asked = asking.send(*names, minute=9)
    reject_review(asking.graph, asking.brand, asked.review_id or "", reason="a family", by=STEWARD)
    answer = asking.why(one, EMAIL, PHONE)
    mark = answer["blocked_by"][0]
    assert (mark["rule"], mark["by"], mark["reason"]) == ("not_same", STEWARD, "a family")
    assert mark["at"] is not None
    assert not any("review_id" in block for block in answer["blocked_by"])


def test_a_mark_that_ended_blocks_nothing(asking: Asking) -> None:
    one, two = asking.profile(EMAIL, minute=1), asking.profile(PHONE, minute=2)
    merge_profiles(asking.graph, asking.brand, one, [two], by=STEWARD)
    unmerge_profile(asking.graph, asking.brand, one, by=STEWARD)
    assert rules(asking.why(one, EMAIL, PHONE)) == {"not_same"}
    merge_profiles(asking.graph, asking.brand, one, [two], by=STEWARD)
    assert asking.why(one, EMAIL, PHONE)["same"]


def test_an_identifier_that_was_unlinked_says_so(asking: Asking) -> None:
    one = asking.profile(EMAIL, PHONE, minute=1)
    unlink_by_hand(asking.graph, asking.brand, one, Identifier("phone", "+14155550101"), by=STEWARD)
    answer = asking.why(one, EMAIL, PHONE)
    [block] = [block for block in answer["blocked_by"] if block["rule"] == "unlinked"]
    assert (answer["same"], block["identifier"], block["by"]) == (False, PHONE, STEWARD)


def test_strangers_have_nothing_in_common(asking: Asking) -> None:
    one = asking.profile(EMAIL, "card_last4:1234", minute=1)
    asking.profile(PHONE, minute=2)
    answer = asking.why(one, EMAIL, PHONE)
    assert (answer["shared"], rules(answer)) == ([], {"no_evidence"})
    asking.send(PHONE, "card_last4:1234", minute=3)
    answer = asking.why(one, EMAIL, PHONE)
    assert (answer["shared"], rules(answer)) == (["card_last4:1234"], {"no_evidence"})
    assert asking.why(one, EMAIL, "card_last4:1234")["same"]


def test_a_hub_flagged_shared_is_named_and_ties_nothing(asking: Asking) -> None:
    ids = [asking.profile(f"email:p{n}@x.io", DEVICE, minute=n) for n in range(7)]
    answer = asking.why(ids[0], "email:p5@x.io", "email:p6@x.io")
    assert (answer["same"], DEVICE in answer["shared"]) == (False, True)
    assert "shared" in rules(answer)


def test_what_the_brand_does_not_know_is_not_found(asking: Asking) -> None:
    one = asking.profile(EMAIL, minute=1)
    other = Asking(asking.graph, f"{asking.brand.id}-other")
    foreign = other.profile(PHONE, minute=1)
    for a, b, field in ((EMAIL, PHONE, "b"), (foreign, EMAIL, "a"), (EMAIL, "cus_nobody", "b")):
        with pytest.raises(NotFoundError) as found:
            asking.why(one, a, b)
        assert found.value.field == field
    with pytest.raises(NotFoundError):
        asking.why(foreign, EMAIL, EMAIL)


@pytest.mark.parametrize("text", ["", "  ", "email:", "email:nonsense", "colour:red", "phone:unknown"])
def test_a_side_that_is_no_identifier_is_refused_by_name(asking: Asking, text: str) -> None:
    one = asking.profile(EMAIL, minute=1)
    with pytest.raises(InvalidInputError) as refused:
        asking.why(one, EMAIL, text)
    assert refused.value.field == "b"
    assert "nonsense" not in refused.value.detail


def test_one_cut_of_a_hundred_identifiers_names_both_sides_and_the_merge_between_them(
    graph: Graph, brand_id: str
) -> None:
    rules = IdentityRules(type_limits={}, shared_limits={})
    asking = Asking(graph, brand_id)
    asking.brand = BrandSettings(brand_id, rules=rules)
    left = [f"email:l{number:02d}@x.io" for number in range(50)]
    right = [f"email:r{number:02d}@x.io" for number in range(50)]
    for side in (left, right):
        told = [event(brand_id, one, other) for one, other in itertools.pairwise(side)]
        commit_batch(graph, asking.brand, told)
    joining = asking.send(left[25], right[25], minute=9)
    answer = asking.why(joining.profile_id or "", left[20], right[30])
    assert [step["to"] for step in answer["chain"]] == [*left[21:26], *right[25:31]]
    assert [merge["merge_id"] for merge in answer["merges"]] == [joining.merge_id]
    assert not answer["truncated"]
    # Every step is as strong as the others: the first one is cut, and only what hangs on it falls off.
    assert answer["cut"]["sides"] == [left[:21], sorted([*left[21:], *right])]
