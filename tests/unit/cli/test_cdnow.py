"""CDNOW as events: every row an order of its own, exact sums, repeats that are really repeats."""

from collections import Counter

from cli.examples.cdnow import Purchase, Totals, expected_totals, shuffle_with_repeats, to_event

ROWS = [
    Purchase(2, "00001", "1997-01-01", 1, "11.77"),
    Purchase(3, "00002", "1997-01-12", 1, "12.00"),
    Purchase(4, "00002", "1997-01-12", 5, "0.00"),
]


def test_two_purchases_of_one_day_and_one_of_nothing_are_orders_of_their_own() -> None:
    assert expected_totals(ROWS) == {"00001": Totals(1, 1177), "00002": Totals(2, 1200)}
    events = [to_event(row) for row in ROWS]
    assert len({event["message_id"] for event in events}) == 3
    assert len({event["payload"]["order_id"] for event in events}) == 3


def test_amounts_are_sent_as_the_file_writes_them() -> None:
    assert to_event(ROWS[2])["payload"]["total"] == "0.00"


def test_shuffling_repeats_one_in_twenty_and_loses_none() -> None:
    rows = [Purchase(number, str(number), "1997-01-01", 1, "1.00") for number in range(100)]
    counts = Counter(shuffle_with_repeats(rows))
    assert set(counts) == set(rows)
    assert sorted(counts.values())[-6:] == [1, 2, 2, 2, 2, 2]
    assert shuffle_with_repeats(rows) == shuffle_with_repeats(rows)
