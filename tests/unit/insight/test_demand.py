"""What to move where: stores that miss something are served from those that spare it."""

from hypothesis import given
from hypothesis import strategies as st

from insight.demand import Demand, Place, recommend


def steps(**stores: tuple[int, int | None]) -> list[tuple[str, str | None, str, int]]:
    demand = Demand("P1", stores={name: Place(wanted, 0, stock) for name, (wanted, stock) in stores.items()})
    return [(step["action"], step["from_store"], step["to_store"], step["quantity"]) for step in recommend(demand)]


def test_a_store_that_misses_something_gets_it_from_the_one_that_spares_most() -> None:
    assert steps(A=(4, 1), B=(0, 2), C=(1, 9)) == [("move", "C", "A", 3)]


def test_what_nobody_spares_is_ordered() -> None:
    assert steps(A=(5, 0), B=(0, 2)) == [("move", "B", "A", 2), ("restock", None, "A", 3)]


def test_stores_that_count_no_stock_neither_give_nor_get() -> None:
    assert steps(A=(5, None), B=(0, 9)) == []


PLACES = st.dictionaries(st.sampled_from("ABCDE"), st.builds(Place, st.integers(0, 20), st.just(0), st.integers(0, 20)))


@given(PLACES)
def test_nobody_gives_more_than_it_spares_and_everybody_gets_what_it_misses(places: dict[str, Place]) -> None:
    found = recommend(Demand("P1", stores=places))
    for name, place in places.items():
        given_away = sum(step["quantity"] for step in found if step["from_store"] == name)
        got = sum(step["quantity"] for step in found if step["to_store"] == name)
        assert given_away <= place.spare
        assert got == place.missing
    assert all(step["quantity"] > 0 for step in found)
    moved = sum(step["quantity"] for step in found if step["action"] == "move")
    assert moved == min(sum(p.spare for p in places.values()), sum(p.missing for p in places.values()))
