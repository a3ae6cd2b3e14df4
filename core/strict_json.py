"""Bytes to Python and back, before anything else looks at them: strict JSON with exact numbers, gzip with a cap."""

import re
import zlib
from decimal import Decimal
from typing import Any

import msgspec

from core.errors import InvalidInputError, MalformedBodyError, TooLargeError

MAX_DEPTH = 64
MAX_EXPONENT = 308
_BOM = b"\xef\xbb\xbf"
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WBITS = 31
_NUL_ESCAPE = b"\\u0000"
# A whole number that no double can hold is as unusable to other programs as 1e400.
_HUGE_NUMBER = re.compile(rb"\d{309,}")


def _exact_number(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite() or abs(value.adjusted()) > MAX_EXPONENT:
        raise ValueError
    return value


_decoder = msgspec.json.Decoder(float_hook=_exact_number)
_encoder = msgspec.json.Encoder(decimal_format="number")
_sorted_encoder = msgspec.json.Encoder(decimal_format="number", order="sorted")


def parse_json(body: bytes) -> Any:
    """Parse `body` (UTF-8, a byte order mark is fine): fractions become Decimal, of equal names the last one counts.

    Raises MalformedBodyError for everything that is no JSON, and for NUL, lone surrogates, numbers out of range
    and nesting over 64 levels; the message never repeats the body.
    """
    body = body.removeprefix(_BOM)
    try:
        value = _decoder.decode(body)
    except RecursionError as error:
        raise MalformedBodyError("the body is nested too deeply") from error
    except (ValueError, ArithmeticError) as error:
        raise MalformedBodyError("the body is not valid JSON") from error
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:
        _check_depth(value)
    if _NUL_ESCAPE in body and _any_leaf(value, _has_nul):
        raise MalformedBodyError("the body contains a NUL character")
    if _HUGE_NUMBER.search(body) and _any_leaf(value, _is_huge):
        raise MalformedBodyError("the body contains a number out of range")
    return value


def parse_json_object(body: bytes) -> dict[str, Any]:
    """Parse `body` as above and insist on a JSON object (else InvalidInputError)."""
    value = parse_json(body)
    if not isinstance(value, dict):
        raise InvalidInputError("the body must be a JSON object")
    return value


def to_json(value: Any) -> str:
    """`value` as compact JSON text; a Decimal keeps its digits, names keep their order."""
    return _encoder.encode(value).decode()


def canonical_json(value: Any) -> bytes:
    """`value` as compact JSON with sorted names: equal content gives equal bytes, for digests."""
    return _sorted_encoder.encode(value)


def decompress(body: bytes, encoding: str | None, limit: int) -> bytes:
    """The body behind `Content-Encoding`; raises TooLargeError past `limit` bytes without inflating further.

    A gzip body is recognised by its first bytes too: some senders forget the header, and JSON never begins so.
    """
    name = (encoding or "identity").strip().lower()
    if name not in {"identity", "gzip", "x-gzip", ""}:
        raise MalformedBodyError("this Content-Encoding is not supported, send gzip or plain")
    if not body.startswith(_GZIP_MAGIC):
        if name in {"gzip", "x-gzip"}:
            raise MalformedBodyError("the body is not valid gzip")
        return _within(body, limit)
    return _gunzip(body, limit)


def _gunzip(body: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    room = limit + 1
    rest = body
    while rest and room > 0:
        inflater = zlib.decompressobj(wbits=_GZIP_WBITS)
        try:
            part = inflater.decompress(rest, room)
        except zlib.error as error:
            raise MalformedBodyError("the body is not valid gzip") from error
        parts.append(part)
        room -= len(part)
        if room > 0 and not inflater.eof:
            raise MalformedBodyError("the gzip body ends too early")
        rest = inflater.unused_data
    return _within(b"".join(parts), limit)


def _within(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise TooLargeError(f"the body is over {limit} bytes")
    return body


def _check_depth(value: Any) -> None:
    level = [value]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH + 1:
            raise MalformedBodyError("the body is nested too deeply")
        level = [child for node in level for child in _children(node) if isinstance(child, (dict, list))]


def _children(node: Any) -> Any:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()


def _any_leaf(value: Any, test: Any) -> bool:
    """Whether any name or scalar inside `value` passes `test`; iterative, so depth costs no stack."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            waiting.extend(node.keys())
        elif test(node):
            return True
        waiting.extend(_children(node))
    return False


def _has_nul(leaf: Any) -> bool:
    return isinstance(leaf, str) and "\x00" in leaf


def _is_huge(leaf: Any) -> bool:
    return isinstance(leaf, int) and abs(leaf) >= 10 ** (MAX_EXPONENT + 1)
