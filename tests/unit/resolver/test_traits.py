"""The chosen trait value never depends on the order in which values came."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.traits import STRATEGIES, TraitStrategy, TraitValue, choose

_VALUES = st.lists(
    st.builds(
        TraitValue,
        name=st.just("city"),
        value=st.sampled_from(['"a"', '"b"', '"c"']),
        source=st.sampled_from(["crm", "shop"]),
        first_at=st.integers(0, 5),
        last_at=st.integers(5, 9),
        count=st.integers(1, 3),
    ),
    min_size=1,
    unique_by=lambda one: (one.value, one.source),
)


@given(_VALUES, st.sampled_from(STRATEGIES), st.randoms())
def test_any_order_chooses_the_same_value(values: list[TraitValue], strategy: str, random: object) -> None:
    shuffled = sorted(values, key=lambda _: random.random())  # type: ignore[attr-defined]
    rule = TraitStrategy(strategy, ("crm",))
    assert choose(shuffled, rule) == choose(values, rule)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [("latest", '"c"'), ("oldest", '"a"'), ("most_frequent", '"b"'), ("source_priority", '"a"')],
)
def test_each_strategy_chooses_its_value(strategy: str, expected: str) -> None:
    values = [
        TraitValue("city", '"a"', "crm", 1, 1),
        TraitValue("city", '"b"', "shop", 2, 5, 4),
        TraitValue("city", '"c"', "shop", 3, 9),
    ]
    assert choose(values, TraitStrategy(strategy, ("crm",))).value == expected
