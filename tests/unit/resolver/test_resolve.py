"""The decision table, the best identifier and the survivor."""

import itertools

import pytest

from core.identifiers import PRIORITY, TIERS, Identifier, Tier
from resolver.profiles import Profile, Statistics, survivor_key
from resolver.resolve import Match, identifier_order, resolve
from resolver.rules import RuleSet

RULES = RuleSet()


def profile(name: str, strength: int = 40, first_seen: int = 0, not_same: set[str] | None = None) -> Profile:
    return Profile(
        name, Statistics(first_seen=first_seen, last_seen=first_seen), strength=strength, not_same=not_same or set()
    )


def match(of: Profile, *identifiers: tuple[str, str]) -> Match:
    return Match(of, tuple((Identifier(kind, value), of.id) for kind, value in identifiers))


@pytest.mark.parametrize(
    ("count", "kind"),
    [(0, "created"), (1, "attached"), (2, "merged"), (3, "merged"), (4, "review"), (7, "review")],
)
def test_number_of_matches_decides(count: int, kind: str) -> None:
    matches = [match(profile(f"p{n}"), ("email", f"e{n}")) for n in range(count)]
    assert resolve(matches, True, RULES).kind == kind


def test_no_linking_identifier_stays_unattached() -> None:
    assert resolve([], False, RULES).kind == "unattached"


def test_more_than_three_matches_waits_for_review() -> None:
    decision = resolve([match(profile(f"p{n}"), ("email", f"e{n}")) for n in range(5)], True, RULES)
    assert decision.reason == "Auto-merge blocked: 5 profiles exceed threshold of 3"
    assert [hit.rule for hit in decision.rules] == ["threshold"]


def test_an_automatic_merge_says_identifier_match() -> None:
    assert (
        resolve([match(profile(f"p{n}"), ("email", f"e{n}")) for n in range(2)], True, RULES).reason
        == "identifier_match"
    )


def test_the_threshold_is_a_setting() -> None:
    matches = [match(profile(f"p{n}"), ("email", f"e{n}")) for n in range(4)]
    assert resolve(matches, True, RuleSet(merge_threshold=4)).kind == "merged"


ORDER = ["phone", "email", "whatsapp", "loyalty_id", "user_id", "device_id", "qr_id", "upi_id", "cookie_id"]


@pytest.mark.parametrize(("better", "worse"), list(itertools.pairwise(ORDER)))
def test_the_best_identifier_receives_the_event(better: str, worse: str) -> None:
    strong_but_worse = match(profile("a", strength=100), (worse, "x"))
    decision = resolve([strong_but_worse, match(profile("b", strength=1), (better, "y"))], True, RULES)
    assert decision.receiver == "b"


def test_user_id_and_external_id_share_a_place() -> None:
    assert PRIORITY["user_id"] == PRIORITY["external_id"]


def test_ties_of_the_best_identifier_go_to_the_stronger_then_older_profile() -> None:
    weak, strong = profile("a", strength=40), profile("b", strength=85)
    assert resolve([match(weak, ("email", "x")), match(strong, ("email", "x"))], True, RULES).receiver == "b"
    young, old = profile("a", first_seen=9), profile("b", first_seen=1)
    assert resolve([match(young, ("email", "x")), match(old, ("email", "x"))], True, RULES).receiver == "b"


@pytest.mark.parametrize(
    ("profiles", "survivor"),
    [
        ([profile("a", 40, 5), profile("b", 75, 9)], "b"),
        ([profile("a", 40, 5), profile("b", 40, 2)], "b"),
        ([profile("b", 40, 5), profile("a", 40, 5)], "a"),
    ],
    ids=["highest strength", "then oldest", "then smallest id"],
)
def test_survivor_is_the_same_in_any_order(profiles: list[Profile], survivor: str) -> None:
    for order in itertools.permutations(profiles):
        assert min(order, key=survivor_key).id == survivor
        decision = resolve([match(one, ("email", one.id)) for one in order], True, RULES)
        assert decision.matches[0].profile.id == survivor


def test_not_the_same_is_left_out_of_the_count_and_named() -> None:
    one, two = profile("a", not_same={"b"}), profile("b", not_same={"a"})
    decision = resolve([match(one, ("email", "x")), match(two, ("phone", "y"))], True, RULES)
    assert (decision.kind, decision.receiver) == ("attached", "b")
    assert [hit.rule for hit in decision.rules] == ["not_same"]


def test_in_a_conflict_the_side_with_its_unique_value_gets_the_event() -> None:
    one, two = profile("a", not_same={"b"}), profile("b", not_same={"a"})
    decision = resolve([match(one, ("loyalty_id", "L1")), match(two, ("phone", "y"))], True, RULES)
    assert decision.receiver == "a"


def test_not_the_same_lowers_four_matches_below_the_threshold() -> None:
    profiles = [profile("a", not_same={"d"}), profile("b"), profile("c"), profile("d", not_same={"a"})]
    decision = resolve([match(one, ("email", one.id)) for one in profiles], True, RULES)
    assert decision.kind == "merged"
    assert {m.profile.id for m in decision.matches} == {"a", "b", "c"}


def test_tiers_are_as_specified() -> None:
    expected = {
        Tier.STRONG: {"phone", "email"},
        Tier.HIGH: {"whatsapp", "loyalty_id", "user_id", "external_id"},
        Tier.MEDIUM: {"device_id", "qr_id", "upi_id"},
        Tier.LOW: {"cookie_id"},
        Tier.SUPPORTING: {"card_last4"},
    }
    assert {tier: {kind for kind, of in TIERS.items() if of is tier} for tier in Tier} == expected


def test_the_order_of_identifiers_is_total() -> None:
    assert identifier_order(Identifier("email", "a")) < identifier_order(Identifier("email", "b"))
