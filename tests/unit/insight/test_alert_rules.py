"""What staff hears about a customer who is in the store."""

from datetime import UTC, datetime

import pytest

from insight.alert_rules import Stock, Visitor, alerts_for
from insight.intents import Signal, fold_intents

T0 = datetime(2026, 11, 1, 12, tzinfo=UTC)


def wishes(**kinds: str):
    signals = [Signal(f"e-{product}", kind, T0, (product,)) for product, kind in kinds.items()]
    return fold_intents(signals, [], T0)


CASES = {
    "a product in the cart that is here": (
        Visitor(wishes(P1="cart"), {"P1": Stock(3, 9)}), [("product_intent", "P1", "3 in this store")],
    ),
    "a product that is elsewhere": (
        Visitor(wishes(P1="cart"), {"P1": Stock(0, 9)}),
        [("product_intent", "P1", "not in this store, 9 elsewhere")],
    ),
    "a product that nobody counts": (
        Visitor(wishes(P1="cart"), {}), [("product_intent", "P1", "stock is not counted")],
    ),
    "a product that is gone everywhere": (Visitor(wishes(P1="cart"), {"P1": Stock(0, 0)}), []),
    "mild interest": (Visitor(wishes(P1="view"), {}), []),
    "three products at most": (
        Visitor(wishes(P1="cart", P2="cart", P3="cart", P4="cart"), {}),
        [("product_intent", f"P{n}", "stock is not counted") for n in (1, 2, 3)],
    ),
    "a champion": (
        Visitor((), {}, segment="champion"), [("high_value_customer", "", "champion: buys often, lately and much")],
    ),
    "one of the top tenth": (
        Visitor((), {}, ltv_minor=100, top_decile_minor=100),
        [("high_value_customer", "", "among the top tenth of customers by lifetime value")],
    ),
    "one below the top tenth": (Visitor((), {}, ltv_minor=99, top_decile_minor=100), []),
    "a brand with too few buyers": (Visitor((), {}, ltv_minor=10**6), []),
    "nobody is among the top with nothing": (Visitor((), {}, ltv_minor=0, top_decile_minor=0), []),
    "one about to leave": (Visitor((), {}, churn=0.7), [("churn_risk", "", "churn risk 70%")]),
    "one who stays": (Visitor((), {}, churn=0.69), []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_staff_hears_what_is_worth_a_word(name: str) -> None:
    visitor, expected = CASES[name]
    assert [(told.kind, told.product_id, told.reason) for told in alerts_for(visitor)] == expected
