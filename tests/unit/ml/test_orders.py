"""What an order file means: refunds, lines of nothing, identical lines, orders of several days, the cutoff."""

import random
from datetime import date
from pathlib import Path

import pytest

from ml.orders import read
from ml.orders.history import UNITS
from ml.orders.read import day_number, open_orders

HEAD = "customer_id,order_id,ordered_at,amount,product_id,quantity\n"
CUTOFF = date(2024, 1, 1)


def days_of(tmp_path: Path, *lines: str) -> list[tuple[str, int, float, float, float, float]]:
    """Customer, days before the cutoff, orders, gross, refund and items of each row of the history."""
    file = tmp_path / "orders.csv"
    file.write_text(HEAD + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    with open_orders(file, CUTOFF) as book:
        found = book.history
        columns = (found.customer, day_number(CUTOFF) - found.day, found.orders, found.gross, found.refund, found.items)
        return [
            (book.customer_ids[who], int(ago), float(orders), float(gross) / UNITS, float(back) / UNITS, float(items))
            for who, ago, orders, gross, back, items in zip(*columns, strict=True)
        ]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["a,1,2023-12-31,5.00,p,2"], [("a", 1, 1, 5, 0, 2)]),
        (["a,1,2023-12-31,5,p,", "a,1,2023-12-31,2.5,,"], [("a", 1, 1, 7.5, 0, 2)]),
        (["a,1,2023-12-30,0.00,p,1"], [("a", 2, 1, 0, 0, 1)]),
        (["a,1,2023-12-30,5,p,1", "a,1,2023-12-30,5,p,1"], [("a", 2, 1, 10, 0, 2)]),
        (["a,1,2023-12-30,5,p,1", "a,2,2023-12-30,5,p,1"], [("a", 2, 2, 10, 0, 2)]),
        (["a,1,2023-12-20,5,p,1", "a,r,2023-12-30,-3,p,-1"], [("a", 12, 1, 5, 0, 1), ("a", 2, 0, 0, 3, 0)]),
        (["a,1,2023-12-20,5,p,1", "a,1,2023-12-30,-5,p,-1"], [("a", 12, 1, 5, 0, 1), ("a", 2, 0, 0, 5, 0)]),
        (["a,1,2023-12-20,5,p,1", "a,1,2023-12-22,3,q,1"], [("a", 12, 1, 5, 0, 1), ("a", 10, 0, 3, 0, 1)]),
        (["a,1,2023-12-30,5,p,1", "b,1,2023-12-30,6,p,1"], [("a", 2, 1, 5, 0, 1), ("b", 2, 1, 6, 0, 1)]),
        (["a,1,2023-12-31T23:59:59Z,5,p,1", "a,2,2024-01-01,7,p,1"], [("a", 1, 1, 5, 0, 1)]),
        (["a,1,2024-01-01T01:00:00+02:00,5,p,1"], [("a", 1, 1, 5, 0, 1)]),
        (["a,1,2023-12-31T23:00:00-02:00,5,p,1"], []),
        (["a,1,2023-12-31t10:00:00z,5.00005,p,1"], [("a", 1, 1, 5.0001, 0, 1)]),
        (["a,r,2023-12-30,-3,p,-1"], []),
    ],
    ids=[
        "plain", "two lines", "nothing", "identical", "two orders of a day", "refund", "refund of the same order",
        "order of two days", "same order id of two customers", "cutoff", "offset back", "offset on", "digits",
        "refund only",
    ],
)  # fmt: skip
def test_lines_become_customers_days(lines, expected, tmp_path) -> None:
    assert days_of(tmp_path, *lines) == expected


def test_a_refund_of_somebody_else_changes_nobodys_days(tmp_path) -> None:
    rng = random.Random(7)
    lines = [
        f"c{rng.randrange(30):02},{rng.randrange(90)},2023-{rng.randrange(1, 13):02}-{rng.randrange(1, 28):02},"
        f"{rng.choice(['0', '0.00', '-0.0', '5', '7.25', '1200.0001'])},p,{rng.choice(['', '0', '1', '2.5', '-1'])}"
        for _ in range(400)
    ]
    without = days_of(tmp_path, *lines)
    beside = ["zz,1,2023-02-01,5,p,1", "zz,1,2023-02-03,-5,p,-1"]
    assert [row for row in days_of(tmp_path, *lines, *beside) if row[0] != "zz"] == without


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_days_are_the_same_whatever_the_size_of_blocks(size, tmp_path, monkeypatch) -> None:
    lines = [f"c{place % 13:02},{place // 2},2023-12-{1 + place % 5:02},{place}.5,p,1" for place in range(90)]
    expected = days_of(tmp_path, *lines)
    monkeypatch.setattr(read, "BLOCK_ROWS", size)
    assert days_of(tmp_path, *lines) == expected
