"""Computed traits as pure folds: edges of windows and days, money, ties, what a payload may hold."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.clock import from_micros, to_micros
from core.trait_definitions import definition_from_data
from insight.computed_traits.fold import Computed, TraitFold
from insight.computed_traits.refresh import to_property
from insight.computed_traits.rows import EventRow, OrderRow, Row
from insight.computed_traits.show import computed_section

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def seen(at: datetime, payload: str = "{}", id_: str = "e", **facts: Any) -> EventRow:
    return EventRow(
        (to_micros(at), id_), {"type": "page_view", "channel": "website", "source": "shop", **facts}, [], payload
    )


def order(at: datetime, minor: int, currency: str = "USD", key: str = "o") -> OrderRow:
    return OrderRow((to_micros(at), key), minor, currency, "USD", {"channel": "store"}, "")


def fold(rows: list[Row], currency: str = "USD", **data: Any) -> Computed:
    one = TraitFold(definition_from_data({"name": "t", **data}), to_micros(NOW), currency)
    for row in rows:
        one.add(row)
    return one.result()


@pytest.mark.parametrize(
    ("ago", "count"),
    [
        (timedelta(0), 1),
        (timedelta(days=7) - TICK, 1),
        (timedelta(days=7), 1),
        (timedelta(days=7) + TICK, 0),
        # A device whose clock is ahead is not lost until then.
        (-timedelta(hours=3), 1),
    ],
)
def test_a_window_reaches_back_so_many_days_of_24_hours_whatever_clocks_were_changed(
    ago: timedelta, count: int
) -> None:
    assert fold([seen(NOW - ago)], function="count", window={"days": 7}).value == count


def test_a_window_ends_for_its_oldest_row_one_tick_after_its_days() -> None:
    oldest = NOW - timedelta(days=6)
    found = fold([seen(NOW, id_="b"), seen(oldest, id_="a")], function="count", window={"days": 7})
    assert found.due is not None
    assert from_micros(found.due) == oldest + timedelta(days=7) + TICK
    assert fold([seen(NOW)], function="count").due is None


@pytest.mark.parametrize(
    ("ago", "days", "due_in"),
    [
        (timedelta(0), 0, timedelta(days=1)),
        (timedelta(days=1) - TICK, 0, TICK),
        (timedelta(days=1), 1, timedelta(days=1)),
        (-timedelta(hours=3), 0, timedelta(hours=27)),
    ],
)
def test_days_since_are_whole_days_and_change_when_one_more_is_full(
    ago: timedelta, days: int, due_in: timedelta
) -> None:
    found = fold([seen(NOW - timedelta(days=9)), seen(NOW - ago)], function="days_since")
    assert found.value == days
    assert found.due is not None
    assert from_micros(found.due) == NOW + due_in


def test_money_is_exact_and_of_the_brands_currency_only() -> None:
    rows: list[Row] = [order(NOW, 10, key="a"), order(NOW, 20, key="b"), order(NOW, 99_999, "EUR", key="c")]
    data: dict[str, Any] = {"from": "orders", "field": "total"}
    assert fold(rows, function="sum", **data).value == Decimal("0.30")
    assert fold([*rows, order(NOW, 15, key="d")], function="avg", **data).value == Decimal("0.15")
    # Half a cent goes up, as everywhere.
    assert fold([order(NOW, 1, key="a"), order(NOW, 2, key="b")], function="avg", **data).value == Decimal("0.02")
    assert fold([rows[2]], function="sum", **data).value == 0
    assert fold(rows, function="count", **{**data, "field": None}).value == 3
    in_euro: dict[str, Any] = {"from": "orders", "where": [{"field": "currency", "op": "eq", "value": "EUR"}]}
    assert fold(rows, function="count", **in_euro).value == 1


@pytest.mark.parametrize(("currency", "stored"), [("USD", 150), ("JPY", 150), ("KWD", 150)])
def test_money_is_kept_in_the_minor_units_of_its_currency(currency: str, stored: int) -> None:
    definition = definition_from_data({"name": "t", "function": "sum", "from": "orders", "field": "total"})
    one = TraitFold(definition, to_micros(NOW), currency)
    one.add(OrderRow((to_micros(NOW), "o"), 150, currency, currency, {}, ""))
    assert to_property(one.result(), definition.type, currency) == stored


def test_ends_go_by_time_then_id_and_not_by_the_order_of_arrival() -> None:
    rows: list[Row] = [
        seen(NOW, '{"a": "late"}', "2"), seen(NOW - TICK, '{"a": "early"}', "9"), seen(NOW, '{"a": "latest"}', "3"),
        seen(NOW + TICK, '{"a": {}}', "4"),
    ]  # fmt: skip
    assert fold(rows, function="first", field="payload.a").value == "early"
    assert fold(rows, function="last", field="payload.a").value == "latest"
    assert fold(rows[::-1], function="last", field="payload.a").value == "latest"


def test_of_equally_frequent_values_the_least_is_chosen_and_a_row_speaks_once() -> None:
    rows: list[Row] = [
        seen(NOW, '{"items": [{"c": "b"}, {"c": "b"}, {"c": "b"}]}', "1"), seen(NOW, '{"items": [{"c": "a"}]}', "2"),
    ]  # fmt: skip
    assert fold(rows, function="most_frequent", field="payload.items[].c").value == "a"
    assert fold(rows, function="count", field="payload.items[].c").value == 2


@pytest.mark.parametrize(
    ("payload", "total"),
    [
        ('{"a": 0.1, "b": 1}', "0.1"), ('{"a": "0.1"}', "0.1"), ('{"a": true}', "0"), ('{"a": null}', "0"),
        ('{"a": [1]}', "0"), ('{"a": "1e400"}', "0"), ('{"a": 1e300}', "0"), ("{broken", "0"), ("", "0"), ("[]", "0"),
    ],
)  # fmt: skip
def test_only_numbers_of_a_payload_add_up(payload: str, total: str) -> None:
    assert fold([seen(NOW, payload)], function="sum", field="payload.a").value == Decimal(total)


def test_a_sum_is_exact_whatever_the_order() -> None:
    texts = ("0.1", "0.2", "999999999999999", "0.3")
    rows: list[Row] = [seen(NOW, f'{{"a": {text}}}', text) for text in texts]
    sums = {fold(each, function="sum", field="payload.a").value for each in (rows, rows[::-1])}
    assert sums == {Decimal("999999999999999.6")}


def test_a_texts_length_is_bounded() -> None:
    rows: list[Row] = [seen(NOW, f'{{"a": "{"x" * 501}"}}')]
    assert fold(rows, function="last", field="payload.a").value is None
    assert fold(rows, function="unique_count", field="payload.a").value == 0


def test_values_of_an_older_definition_are_not_shown() -> None:
    stored = {"set_version": 4, "version": 7, "currency": "JPY", "v_a": 5, "v_b": 1200, "v_c": 1, "computed_at": NOW}
    section = computed_section(["b|4|money", "a|5|integer", "d|2|text"], stored, 7)
    assert list(section) == ["a", "b", "d"]
    assert section["a"] == {"value": None, "type": "integer", "computed_at": None, "is_current": False}
    assert section["b"] == {
        "value": "1200", "type": "money", "currency": "JPY", "computed_at": "2026-03-29T01:30:00Z", "is_current": True,
    }  # fmt: skip
    assert section["d"]["value"] is None
    assert not computed_section(["b|4|money"], stored, 8)["b"]["is_current"]
    assert computed_section(["b|4|money"], None, 0)["b"]["value"] is None
    assert computed_section(None, None, 0) == {}
