"""Reading single fields for all steps and sources: the right type, or a problem naming the field, never its value."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.clock import EARLIEST, parse_time
from core.errors import InvalidInputError

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_PRINTABLE_NAME = re.compile(r"[A-Za-z0-9_.\-]{1,64}")
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?", re.ASCII)


def refuse(field: str, reason: str) -> InvalidInputError:
    """The 422 for one field; its text names the field as well."""
    return InvalidInputError(f"{field}: {reason}", field=field)


def safe_name(name: str) -> str:
    """A sender's field name if it is a plain word; anything else could be somebody's data."""
    return name if _PRINTABLE_NAME.fullmatch(name) else "(unreadable name)"


def read_text(value: Any, field: str, *, longest: int) -> str | None:
    """`value` as trimmed text, None when absent or blank; whole numbers are taken as their digits.

    Raises InvalidInputError for other types, for control characters and past `longest` characters.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        if not isinstance(value, int) or isinstance(value, bool):
            raise refuse(field, "must be text")
        value = str(value)
    text = value.strip()
    if len(text) > longest:
        raise refuse(field, f"longer than {longest} characters")
    if _CONTROL.search(text):
        raise refuse(field, "contains control characters")
    return text or None


def label(value: Any, longest: int = 255) -> str | None:
    """Short text beside the point, cut to `longest`; whole numbers become text, every other type is passed over."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value).strip()[:longest] or None


def read_time(value: Any, field: str) -> datetime | None:
    """`value` as an aware UTC time, None when absent; raises InvalidInputError when it is none or before 1970."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise refuse(field, "must be an RFC 3339 time as text")
    moment = parse_time(value.strip())
    if moment is None:
        raise refuse(field, "not an RFC 3339 time")
    if moment < EARLIEST:
        raise refuse(field, "before 1970")
    return moment


def read_number(value: Any) -> Decimal | None:
    """A JSON number or plain decimal text as Decimal, None for anything else (`1,234` and `1e3` included)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, Decimal)):
        return Decimal(value)
    if isinstance(value, str) and _PLAIN_NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip())
    return None


def as_object(value: Any) -> dict[str, Any]:
    """`value` when it is a JSON object, else an empty one: for optional parts of bodies that others define."""
    return value if isinstance(value, dict) else {}


def as_objects(value: Any) -> list[dict[str, Any]]:
    """The JSON objects in a list, none when it is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def first_present(fields: dict[str, Any], names: tuple[str, ...]) -> tuple[str, Any]:
    """Name and value of the first of `names` that is there and neither null nor blank, else the first name and None."""
    for name in names:
        value = fields.get(name)
        if value is not None and value != "":
            return name, value
    return names[0], None
