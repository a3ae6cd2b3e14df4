"""Cursors of every list that pages: opaque text that names the last item given out, so new items never shift a page."""

import base64
import binascii
import json
from datetime import datetime

from core.clock import format_time, parse_time
from core.errors import InvalidInputError

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
_LONGEST_CURSOR = 1_000


def check_limit(limit: int | None) -> int:
    """`limit` or the default; raises InvalidInputError outside 1 to 200."""
    if limit is None:
        return DEFAULT_LIMIT
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInputError(f"limit must be between 1 and {MAX_LIMIT}.", field="limit")
    return limit


def encode_cursor(at: datetime, id_: str) -> str:
    """The cursor that continues after the item of time `at` and id `id_`."""
    text = json.dumps([format_time(at), id_], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> tuple[datetime, str] | None:
    """Time and id of the last item given out; None without a cursor; raises InvalidInputError for a made-up one."""
    if not cursor:
        return None
    bad = InvalidInputError("cursor is not one that this service gave out.", field="cursor")
    if len(cursor) > _LONGEST_CURSOR:
        raise bad
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise bad from error
    match parts:
        case [str(text), str(id_)]:
            at = parse_time(text)
        case _:
            raise bad
    if at is None:
        raise bad
    return at, id_
