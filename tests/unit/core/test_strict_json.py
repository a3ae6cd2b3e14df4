"""Strict parsing: exact numbers in, exact numbers out, and a plain refusal of everything that is not JSON."""

import gzip
from decimal import Decimal

import pytest

from core.errors import InvalidInputError, MalformedBodyError, TooLargeError
from core.strict_json import canonical_json, decompress, parse_json, parse_json_object, to_json


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{} x",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e400}',
        b'{"a":1e99999999999999999999}',
        b'{"a":-1e400}',
        b'{"a":1' + b"0" * 400 + b"}",
        b'{"a":1' + b"0" * 5000 + b"}",
        b'{"a":"\\ud800"}',
        b'{"\\udc00":1}',
        b'{"a":"\\u0000"}',
        b'{"a\\u0000":1}',
        b'{"a":["x",{"b":"\\u0000"}]}',
        b'{"a":"\x00"}',
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        "{}".encode("utf-16"),
        b"[" * 100 + b"]" * 100,
        b"[" * 100_000,
        b'{"a":' * 70 + b"1" + b"}" * 70,
    ],
)
def test_what_is_not_strict_json_is_malformed_and_not_echoed(body: bytes) -> None:
    with pytest.raises(MalformedBodyError) as error:
        parse_json(body)
    assert error.value.status == 400
    assert str(error.value) in {
        "the body is not valid JSON",
        "the body is nested too deeply",
        "the body contains a NUL character",
        "the body contains a number out of range",
    }


def test_byte_order_mark_and_repeated_names_are_fine() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a":1,"a":2}') == {"a": 2}


def test_text_that_only_looks_like_trouble_is_fine() -> None:
    body = b'{"a":"\\\\u0000","b":"' + b"1" * 400 + b'","c":"' + b"[" * 200 + b'"}'
    assert parse_json(body) == {"a": "\\u0000", "b": "1" * 400, "c": "[" * 200}


def test_nesting_up_to_the_limit_is_fine() -> None:
    assert parse_json(b"[" * 64 + b"1" + b"]" * 64)


def test_many_small_objects_are_not_deep() -> None:
    assert len(parse_json(b"[" + b",".join([b"{}"] * 1000) + b"]")) == 1000


def test_fractions_stay_exact_on_the_way_through() -> None:
    value = parse_json(b'{"total":125.50,"tiny":0.1,"whole":9007199254740993}')
    assert value == {"total": Decimal("125.50"), "tiny": Decimal("0.1"), "whole": 9007199254740993}
    assert to_json(value) == '{"total":125.50,"tiny":0.1,"whole":9007199254740993}'


def test_canonical_bytes_do_not_depend_on_the_order_of_names() -> None:
    assert canonical_json({"b": 1, "a": {"d": 1, "c": 2}}) == canonical_json({"a": {"c": 2, "d": 1}, "b": 1})


@pytest.mark.parametrize("body", [b"[]", b"1", b'"text"', b"null"])
def test_object_is_asked_for_where_one_is_needed(body: bytes) -> None:
    with pytest.raises(InvalidInputError):
        parse_json_object(body)


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", None, ""])
def test_gzip_is_read_with_or_without_its_header(encoding: str | None) -> None:
    assert decompress(gzip.compress(b"{}"), encoding, 100) == b"{}"


def test_members_of_one_gzip_file_are_joined() -> None:
    assert decompress(gzip.compress(b'{"a":') + gzip.compress(b"1}"), "gzip", 100) == b'{"a":1}'


def test_plain_body_passes_up_to_the_limit() -> None:
    assert decompress(b"x" * 10, None, 10) == b"x" * 10
    with pytest.raises(TooLargeError):
        decompress(b"x" * 11, "identity", 10)


def test_gzip_bomb_stops_at_the_limit() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    with pytest.raises(TooLargeError):
        decompress(bomb, "gzip", 1_000_000)
    with pytest.raises(TooLargeError):
        decompress(gzip.compress(b"0" * 600) * 3, "gzip", 1000)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"{}", "gzip"),
        (gzip.compress(b"{}", mtime=0)[:-4], "gzip"),
        (gzip.compress(b"{}", mtime=0) + b"rest", "gzip"),
        (b"{}", "br"),
    ],
)
def test_broken_compression_is_malformed(body: bytes, encoding: str) -> None:
    with pytest.raises(MalformedBodyError):
        decompress(body, encoding, 1000)
