"""Orders as a fold of facts: in any order, repeated, cancelled, refunded."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from resolver.orders import Fact, OrderState, add_fact, fold_order


def sale(event: str, at: int = 1, total: int = 1000, persona: str | None = "p", **more: object) -> Fact:
    return Fact(event, "sale", at, persona, total, "USD", **more)  # type: ignore[arg-type]


def refund(event: str, amount: int, refund_id: str = "", at: int = 5) -> Fact:
    return Fact(event, "refund", at, "p", amount, "USD", refund_id=refund_id)


def fold(*facts: Fact) -> OrderState:
    known: tuple[Fact, ...] = ()
    for fact in facts:
        known = add_fact(known, fact)
    return fold_order(known)


def test_the_same_order_again_counts_once() -> None:
    state = fold(sale("e1", 1), sale("e2", 2))
    assert (state.counted_minor, state.counts) == (1000, True)


def test_the_earliest_sale_owns_the_order() -> None:
    assert fold(sale("e2", 2, persona="late"), sale("e1", 1, persona="early")).owner_id == "early"


def test_lines_come_from_the_earliest_version_that_has_some() -> None:
    assert fold(sale("e1", 1), sale("e3", 3, lines="[3]"), sale("e2", 2, lines="[2]")).lines == "[2]"


def test_a_partial_refund_takes_its_amount_and_keeps_the_order() -> None:
    state = fold(sale("e1"), refund("r1", 300, "R1"))
    assert (state.counted_minor, state.counts, state.status) == (700, True, "completed")


def test_a_refund_known_twice_counts_once() -> None:
    assert fold(sale("e1"), refund("r1", 300, "R1"), refund("r2", 300, "R1")).counted_minor == 700


def test_told_sums_and_single_refunds_of_the_same_money_count_once_in_any_order() -> None:
    facts = [
        sale("e1"),
        refund("r1", 300, "R1"),
        Fact("s1", "refunded", 5, None, 300, "USD", follows=True),
        refund("r2", 200, "R2"),
        Fact("s2", "refunded", 6, None, 500, "USD"),
        Fact("s3", "refunded", 7, None, 400, "USD"),
    ]
    for order in itertools.permutations(facts):
        state = fold(*order)
        assert (state.refunded_minor, state.counted_minor) == (500, 500)


def test_a_full_refund_takes_the_order_out() -> None:
    state = fold(sale("e1"), refund("r1", 600, "R1"), refund("r2", 400, "R2"))
    assert (state.counted_minor, state.counts, state.status) == (0, False, "refunded")


def test_more_refunded_than_paid_never_counts_below_zero() -> None:
    assert fold(sale("e1"), refund("r1", 5000, "R1")).counted_minor == 0


def test_a_cancellation_takes_amount_and_order_out() -> None:
    state = fold(sale("e1"), Fact("c", "cancel", 9))
    assert (state.counted_minor, state.counts, state.status) == (0, False, "cancelled")


def test_an_unpaid_sale_does_not_count_until_a_paid_one_comes() -> None:
    assert fold(sale("e1", counts=False)).counts is False
    assert fold(sale("e1", counts=False), sale("e2", 2, total=900)).counted_minor == 900


def test_an_order_of_nothing_counts_as_an_order() -> None:
    assert fold(sale("e1", total=0)).counts is True


def test_a_sale_that_nobody_performed_has_no_owner() -> None:
    assert fold(sale("e1", persona=None, follows=True)).owner_id is None
    assert fold(sale("e1", persona=None, follows=True), sale("e2", 2)).owner_id == "p"


FACTS = [
    sale("e1", 3, 1000, "a", lines="[1]"),
    sale("e2", 1, 900, "b", counts=False),
    sale("e3", 2, 1100, "c"),
    refund("r1", 100, "R1", 4),
    refund("r2", 100, "R1", 5),
    Fact("s1", "status", 7, status="shipped"),
]


def test_every_order_of_arrival_folds_to_the_same() -> None:
    for facts in itertools.permutations(FACTS):
        assert fold(*facts) == fold_order(FACTS)


facts_strategy = st.lists(
    st.builds(
        Fact,
        event_id=st.integers(0, 8).map(lambda n: f"e{n}"),
        kind=st.sampled_from(["sale", "sale", "refund", "cancel", "status"]),
        at=st.integers(0, 5),
        persona_id=st.sampled_from(["a", "b", None]),
        total_minor=st.integers(0, 500),
        currency=st.just("USD"),
        counts=st.booleans(),
        refund_id=st.sampled_from(["", "R1", "R2"]),
        status=st.sampled_from(["", "paid", "shipped"]),
        lines=st.sampled_from(["", "[1]", "[2]"]),
    ),
    max_size=8,
    unique_by=lambda fact: fact.event_id,
)


@given(facts_strategy, st.randoms(use_true_random=False))
def test_leaving_out_settled_facts_never_changes_the_fold(facts: list[Fact], random: object) -> None:
    shuffled = list(facts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fold(*shuffled) == fold_order(facts)


def test_a_refund_that_states_no_currency_is_in_the_orders() -> None:
    euro = Fact("e1", "sale", 1, "p", 10_000, "EUR")
    yen = Fact("e1", "sale", 1, "p", 500, "JPY")
    unstated = Fact("r1", "refund", 2, "p", 3000, "", refund_id="R1", amount="30.00")
    assert fold(unstated, euro).counted_minor == 7000
    assert fold(unstated, yen).counted_minor == 470


def test_a_refund_in_another_currency_takes_nothing_off() -> None:
    assert fold(sale("e1"), Fact("r1", "refund", 2, "p", 300, "EUR", refund_id="R1")).counted_minor == 1000
