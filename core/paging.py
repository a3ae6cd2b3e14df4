"""Cursors of every list that pages: opaque text that names the last item given out, so new items never shift a page."""

import base64
import binascii
import json
import math
from datetime import datetime
from typing import Any

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
    return _encode([format_time(at), id_])


def decode_cursor(cursor: str | None) -> tuple[datetime, str] | None:
    """Time and id of the last item given out; None without a cursor; raises InvalidInputError for a made-up one."""
    match _decode(cursor):
        case None:
            return None
        case [str(text), str(id_)] if (at := parse_time(text)) is not None:
            return at, id_
        case _:
            raise _made_up()


def encode_rank_cursor(rank: float, id_: str) -> str:
    """The cursor of a list in order of a number: continues after the item of this rank and id."""
    return _encode([rank, id_])


def decode_rank_cursor(cursor: str | None) -> tuple[float, str] | None:
    """Rank and id of the last item given out; None without a cursor; raises InvalidInputError for a made-up one."""
    match _decode(cursor):
        case None:
            return None
        case [float(rank), str(id_)] if math.isfinite(rank):
            return rank, id_
        case _:
            raise _made_up()


def encode_key_cursor(key: str) -> str:
    """The cursor of a list in order of a key: continues after the item of this key."""
    return _encode([key])


def decode_key_cursor(cursor: str | None) -> str | None:
    """The key of the last item given out; None without a cursor; raises InvalidInputError for a made-up one."""
    match _decode(cursor):
        case None:
            return None
        case [str(key)] if key:
            return key
        case _:
            raise _made_up()


def _encode(parts: list[Any]) -> str:
    text = json.dumps(parts, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str | None) -> Any:
    if not cursor:
        return None
    if len(cursor) > _LONGEST_CURSOR:
        raise _made_up()
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _made_up() from error
    return found if found is not None else []


def _made_up() -> InvalidInputError:
    return InvalidInputError("cursor is not one that this service gave out.", field="cursor")
