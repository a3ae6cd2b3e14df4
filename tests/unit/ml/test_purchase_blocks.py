"""Features are made block by block: wherever the cuts fall, they are those of the history in one piece."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.features import purchases
from ml.features.purchases import purchase_features
from ml.orders.history import UNITS, History

LAST_DAY = 500
ROWS = st.lists(
    st.tuples(
        st.integers(0, 9), st.integers(0, LAST_DAY + 20), st.integers(0, 2), st.integers(0, 9_999), st.booleans()
    ),
    max_size=60,
    unique_by=lambda row: row[:2],
)


def history_of(rows: list[tuple[int, int, int, int, bool]]) -> History:
    rows = sorted(rows)
    who, day = (np.array([row[place] for row in rows], dtype=np.int64) for place in (0, 1))
    orders, cents = (np.array([row[place] for row in rows], dtype=np.float64) for place in (2, 3))
    refunds = np.array([row[3] if row[4] else 0 for row in rows], dtype=np.float64)
    return History(12, who, day, orders, cents * UNITS / 100, refunds * UNITS / 200, orders + 1)


@given(ROWS, st.integers(1, 70))
def test_blocks_of_any_size_give_the_same_features(rows: list[tuple[int, int, int, int, bool]], size: int) -> None:
    history = history_of(rows)
    whole = purchase_features(history, LAST_DAY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(purchases, "BLOCK_ROWS", size)
        parts = purchase_features(history, LAST_DAY)
    assert np.array_equal(parts.customer, whole.customer)
    assert parts.columns.keys() == whole.columns.keys()
    for name, values in whole.columns.items():
        assert np.array_equal(values, parts.columns[name], equal_nan=True), name


@given(ROWS, st.integers(1, 70))
def test_blocks_hold_whole_customers_and_every_row_once(rows: list[tuple[int, int, int, int, bool]], size: int) -> None:
    history = history_of(rows)
    blocks = list(history.blocks(size))
    assert sum(part.customers for part, _ in blocks) == history.customers
    assert np.array_equal(np.concatenate([part.customer + first for part, first in blocks]), history.customer)
    assert np.array_equal(np.concatenate([part.gross for part, _ in blocks]), history.gross)
