"""Reviews by shared cause: a group is exactly what a search for its causes finds."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from insight.review_groups import WaitingReview, group_by_cause, title_of

T0 = datetime(2026, 11, 1, tzinfo=UTC)


def waiting(number: int, identifiers: str, rules: str) -> WaitingReview:
    at = T0 + timedelta(minutes=number)
    return WaitingReview(f"r{number}", tuple(sorted(set(identifiers))), tuple(sorted(set(rules))), at, at)


def test_causes_that_the_same_reviews_have_are_one_group_and_the_largest_comes_first() -> None:
    found = group_by_cause([waiting(0, "ab", "u"), waiting(1, "abc", "u"), waiting(2, "c", "ud"), waiting(3, "z", "d")])
    shown = [(group.identifiers, group.rules, [review.id for review in group.reviews]) for group in found]
    assert shown == [
        (("a", "b"), ("u",), ["r0", "r1"]),
        (("c",), ("u",), ["r1", "r2"]),
        (("z",), ("d",), ["r3"]),
    ]


_queue = st.lists(st.tuples(st.text("abcd", max_size=3), st.text("ud", min_size=1, max_size=2)), max_size=12)


@given(_queue)
def test_a_group_is_what_a_search_for_its_causes_finds_and_no_review_is_forgotten(queue: list[tuple[str, str]]) -> None:
    reviews = [waiting(number, *causes) for number, causes in enumerate(queue)]
    groups = group_by_cause(reviews)
    assert {review for group in groups for review in group.reviews} == set(reviews)
    assert len({group.key for group in groups}) == len(groups)
    for group in groups:
        if len(group.reviews) > 1:
            identifier = group.identifiers[:1]
            wanted = [
                review.id
                for review in reviews
                if (set(identifier) & set(review.identifiers) or not (identifier or review.identifiers))
                and set(group.rules[:1]) <= set(review.rules)
            ]
            assert [review.id for review in group.reviews] == wanted


def test_titles_count_values_and_tell_none() -> None:
    assert title_of(["device_id:tablet"], ["threshold"], 14) == "one device_id seen in 14 reviews"
    assert title_of(["phone:+1", "email:a", "email:b"], [], 1) == "one phone and 2 values of email seen in one review"
    assert title_of([], ["suggestion"], 3) == "likeness without a shared identifier, 3 reviews"
