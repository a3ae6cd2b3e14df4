"""Which limits a profile made of several would break, and who would survive."""

import pytest

from core.rules import IdentityRules
from resolver.consequences import broken_limits, combined
from resolver.profiles import Profile, Statistics

RULES = IdentityRules(type_limits={"email": 2, "cookie_id": 1}, merge_threshold=3)


def profile(name: str, *held: str, verified: tuple[str, ...] = (), strength: int = 40, first: int = 0) -> Profile:
    pairs = {(kind, value) for kind, _, value in (one.partition(":") for one in (*held, *verified))}
    proven = {(kind, value) for kind, _, value in (one.partition(":") for one in verified)}
    return Profile(
        name, Statistics(1, 0, {}, first, first), {kind for kind, _ in pairs}, strength, identifiers=pairs,
        verified=proven,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        ((["email:a"], ["email:b"]), []),
        ((["email:a", "email:b"], ["email:b", "email:c"]), [("type_limit", "email", 3, 2)]),
        ((["cookie_id:x"], ["cookie_id:y"]), [("type_limit", "cookie_id", 2, 1)]),
        ((["loyalty_id:1"], ["loyalty_id:2"]), [("unique_id", "loyalty_id", 2, 1)]),
        ((["loyalty_id:1"], ["loyalty_id:1"]), []),
        ((["loyalty_id:1"], ["user_id:1"]), []),
        # Each two of them share a value: nobody contradicts anybody.
        ((["user_id:1", "user_id:2"], ["user_id:2", "user_id:3"], ["user_id:1", "user_id:3"]), []),
        ((["user_id:1"], ["user_id:1"], ["user_id:2"]), [("unique_id", "user_id", 2, 1)]),
        ((["external_id:shop:1"], ["external_id:crm:2"]), []),
        ((["external_id:shop:1"], ["external_id:shop:2"]), [("unique_id", "external_id", 2, 1)]),
        ((["phone:1"], ["phone:2"], ["phone:3"], ["phone:4"]), [("threshold", None, 4, 3)]),
        ((["email:a"],), []),
    ],
)
def test_limits_that_would_break(sides: tuple[list[str], ...], expected: list[tuple[object, ...]]) -> None:
    profiles = [profile(str(place), *held) for place, held in enumerate(sides)]
    found = [(limit.rule, limit.type, limit.count, limit.limit) for limit in broken_limits(profiles, RULES)]
    assert found == expected


def test_a_verified_value_beside_a_different_one_breaks_trust() -> None:
    sides = [profile("one", verified=("phone:1",)), profile("two", "phone:2")]
    [limit] = broken_limits(sides, RULES)
    assert (limit.rule, limit.values) == ("trust", {"one": ["1"], "two": ["2"]})


def test_the_strongest_then_oldest_survives_and_what_was_given_stays() -> None:
    sides = [profile("a", "email:a", first=2), profile("b", "email:b", first=1), profile("c", strength=85, first=9)]
    survivor, absorbed = combined(sides)
    assert (survivor.id, absorbed) == ("c", ["b", "a"])
    assert (survivor.totals.event_count, survivor.totals.first_seen, survivor.totals.last_seen) == (3, 1, 9)
    assert [one.totals.event_count for one in sides] == [1, 1, 1]
