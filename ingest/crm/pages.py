"""What the three readers have in common: records with their id and time, pages of them, and how far a page leads."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from core.clock import parse_time
from ingest.crm.client import CrmClient
from ingest.crm.specs import ObjectSpec

_LONGEST_ID = 150
_SECONDS = re.compile(r"[0-9]{9,10}", re.ASCII)
_MILLISECONDS = re.compile(r"[0-9]{12,13}", re.ASCII)


@dataclass(frozen=True, slots=True)
class CrmRecord:
    """One record as it came; `id` is empty and `modified` None where they cannot be read."""

    id: str
    modified: datetime | None
    fields: Any


@dataclass(frozen=True, slots=True)
class CrmPage:
    """Records in order, and the cursor that holds when they are stored; `remaining` counts from this page on.

    The last page of an object says so: whoever is cut off behind it must not begin again.
    """

    records: list[CrmRecord]
    cursor: dict[str, Any]
    remaining: int | None = None
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """What is read: an object from a cursor on; `page_size` 0 leaves it to the reader."""

    spec: ObjectSpec
    cursor: dict[str, Any] = field(default_factory=dict)
    page_size: int = 0


class PageReader(Protocol):
    """Reads the pages of one object; raises ComeAgainError and CrmRefusedError."""

    def __call__(self, client: CrmClient, task: Task) -> Iterator[CrmPage]:
        """Pages from the task's cursor on."""


def find_value(fields: Any, path: str) -> Any:
    """What stands at a path of names with dots between; None when nothing does. A name with dots itself counts."""
    if isinstance(fields, dict) and path in fields:
        return fields[path]
    for name in path.split("."):
        if not isinstance(fields, dict):
            return None
        fields = fields.get(name)
    return fields


def read_id(value: Any) -> str:
    """A record's id as text, empty when it is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    text = str(value).strip()
    return text if len(text) <= _LONGEST_ID and text.isprintable() else ""


def read_moment(value: Any) -> datetime | None:
    """A time as CRMs write it: RFC 3339, a date, or seconds or milliseconds since 1970; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    text = str(value).strip()
    if _MILLISECONDS.fullmatch(text):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    if _SECONDS.fullmatch(text):
        return datetime.fromtimestamp(int(text), UTC)
    return parse_time(text)


def cursor_time(cursor: dict[str, Any], name: str = "at") -> datetime | None:
    """The time in a stored cursor."""
    text = cursor.get(name)
    return parse_time(text) if isinstance(text, str) else None
