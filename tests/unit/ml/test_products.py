"""Products for one customer: what is bought once for ever, with the shelf of a brand."""

import pytest

from ml.features.customers import Customer, Moment, Sale
from ml.serving.products import BoughtOnce, Shelf, recommend_products
from tests.unit.ml.test_build_features import MOMENT

DAY_MS = 86_400_000
SHELF = Shelf(
    near={"washer": (("dryer", 2.0), ("soap", 1.0)), "soap": (("washer-2", 1.0),)},
    by_category={"machines": (("washer-2", 0.3), ("washer", 0.2))},
    popular=(("soap", 0.5), ("washer", 0.4), ("towel", 0.1)),
    category={"washer": "machines", "washer-2": "machines", "dryer": "dryers", "soap": "care", "towel": "care"},
)


def customer(*bought: tuple[str, str]) -> Customer:
    sales = (Sale(MOMENT.ms - place * DAY_MS, 10.0, products=(one,)) for place, one in enumerate(bought, start=1))
    return Customer("c", 1, "USD", tuple(sales))


@pytest.mark.parametrize(
    ("once", "expected"),
    [
        (BoughtOnce(), ["washer", "soap", "dryer", "washer-2", "towel"]),
        (BoughtOnce(products=frozenset({"washer", "towel"})), ["soap", "dryer", "washer-2", "towel"]),
        (BoughtOnce(categories=frozenset({"machines"})), ["soap", "dryer", "towel"]),
        (BoughtOnce(categories=frozenset({"care"})), ["washer", "dryer", "washer-2"]),
        (BoughtOnce(categories=frozenset({"dryers"})), ["washer", "soap", "dryer", "washer-2", "towel"]),
    ],
)
def test_a_category_is_closed_by_a_purchase_in_it_and_a_product_by_its_own(
    once: BoughtOnce, expected: list[str]
) -> None:
    bought = customer(("washer", "machines"), ("soap", "care"))
    found = recommend_products(bought, SHELF, Moment(MOMENT.at), once)
    assert [one["product_id"] for one in found] == expected
    assert [one["score"] for one in found] == sorted((one["score"] for one in found), reverse=True)


def test_what_nobody_bought_yet_closes_nothing() -> None:
    once = BoughtOnce(frozenset({"soap"}), frozenset({"machines"}))
    assert [one["product_id"] for one in recommend_products(customer(), SHELF, MOMENT, once)] == [
        "soap",
        "washer",
        "towel",
    ]


def test_a_shelf_is_the_same_after_it_was_kept() -> None:
    assert Shelf.from_dict(SHELF.as_dict()) == SHELF
    older = SHELF.as_dict()
    del older["category"]
    assert Shelf.from_dict(older).category == {}
