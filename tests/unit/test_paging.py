"""Cursors and limits of lists."""

from datetime import UTC, datetime

import pytest

from core.errors import InvalidInputError
from core.paging import check_limit, decode_cursor, encode_cursor


def test_cursor_comes_back_as_time_and_id():
    at = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC)
    assert decode_cursor(encode_cursor(at, "cus_1")) == (at, "cus_1")
    assert decode_cursor(None) is None


@pytest.mark.parametrize(
    "cursor", ["x", "!!!", "bnVsbA", "W10", "WzEsMl0", "é", "A" * 2_000, "WyJub3QgYSB0aW1lIiwiYSJd"]
)
def test_made_up_cursor_is_refused_by_name(cursor):
    with pytest.raises(InvalidInputError) as caught:
        decode_cursor(cursor)
    assert caught.value.field == "cursor"


@pytest.mark.parametrize("limit", [0, -1, 201])
def test_limit_outside_one_to_two_hundred_is_refused(limit):
    with pytest.raises(InvalidInputError):
        check_limit(limit)
