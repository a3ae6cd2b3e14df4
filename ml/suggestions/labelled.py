"""Labelled files that measure the model: pairs that are or are not one person, or records with their person."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.brand import BrandSettings
from core.errors import InvalidInputError
from core.normal_forms import Rejected, normalise
from ml.suggestions.records import ALIASES, Record, make_record

CONTACTS = {"email": ("email", "emails"), "phone": ("phone", "phones")}
LABEL = "is_match"
_TRUTHS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
_KNOWN = frozenset(name for names in (*ALIASES.values(), *CONTACTS.values()) for name in names)
_MANY = ";"


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """A row of a pairs file: its number (the header is row 1), both sides, whether they are one person."""

    row: int
    left: Record
    right: Record
    is_match: bool


@dataclass(frozen=True, slots=True)
class LabelledRecord:
    """A row of a records file: the record, and the person it is of."""

    record: Record
    entity: str


def read_pairs(path: Path, region: str, unread: Counter[str]) -> Iterator[LabelledPair]:
    """The rows of a pairs file (`left_…`, `right_…`, `is_match`); raises InvalidInputError naming row and column.

    Values that are no e-mail address, phone or birthday count as missing, in `unread` by column.
    """
    with _open_rows(path) as (columns, rows):
        for side in ("left_", "right_"):
            if not any(name.removeprefix(side) in _KNOWN for name in columns if name.startswith(side)):
                raise _error(1, f"{side}…", f"no column such as {side}first_name, {side}email or {side}birthday")
        if LABEL not in columns:
            raise _error(1, LABEL, "the column is missing")
        for number, row in rows:
            label = _TRUTHS.get(row[LABEL].strip().lower())
            if label is None:
                raise _error(number, LABEL, "must be 1 or 0, true or false")
            left, right = (
                _record(f"{number}{side[0]}", _side(row, side), region, unread) for side in ("left_", "right_")
            )
            yield LabelledPair(number, left, right, label)


def read_records(path: Path, region: str, unread: Counter[str]) -> Iterator[LabelledRecord]:
    """The rows of a records file (`record_id`, `entity_id`, fields); raises InvalidInputError naming row and column."""
    with _open_rows(path) as (columns, rows):
        for name in ("record_id", "entity_id"):
            if name not in columns:
                raise _error(1, name, "the column is missing")
        if _KNOWN.isdisjoint(columns):
            raise _error(1, "first_name", "no column to compare, such as first_name, email or birthday")
        seen: set[str] = set()
        for number, row in rows:
            id_, entity = row["record_id"].strip(), row["entity_id"].strip()
            if not id_ or id_ in seen:
                raise _error(number, "record_id", "is used twice" if id_ else "is empty")
            if not entity:
                raise _error(number, "entity_id", "is empty")
            seen.add(id_)
            yield LabelledRecord(_record(id_, row, region, unread), entity)


def _side(row: Mapping[str, str], side: str) -> dict[str, str]:
    return {name.removeprefix(side): value for name, value in row.items() if name.startswith(side)}


def _record(id_: str, cells: Mapping[str, str], region: str, unread: Counter[str]) -> Record:
    settings = BrandSettings("file", region=region)
    contacts: dict[str, list[str]] = {}
    for kind, names in CONTACTS.items():
        values = [value for name in names for value in cells.get(name, "").split(_MANY) if value.strip()]
        forms = [normalise(kind, value, settings) for value in values]
        contacts[kind] = [form.value for form in forms if not isinstance(form, Rejected)]
        unread[kind] += len(forms) - len(contacts[kind])
    record = make_record(id_, cells, emails=contacts["email"], phones=contacts["phone"])
    unread["birthday"] += record.birthday is None and any(cells.get(name, "").strip() for name in ALIASES["birthday"])
    return record


@contextmanager
def _open_rows(path: Path) -> Iterator[tuple[list[str], Iterator[tuple[int, dict[str, str]]]]]:
    try:
        file = path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise InvalidInputError(f"The file cannot be opened: {error.strerror}.") from error
    with file:
        reader = csv.reader(file, strict=True)
        rows = _numbered(reader)
        number, header = next(rows, (1, []))
        columns = [name.strip().lower() for name in header]
        if not columns:
            raise _error(1, "(header)", "the file is empty")
        for name in columns:
            if columns.count(name) > 1:
                raise _error(number, name, "the column stands there twice")
        yield columns, _as_dicts(columns, rows)


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    number = 0
    while True:
        number += 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except UnicodeDecodeError as error:
            raise _error(number, "(any)", "is not UTF-8 here or soon after") from error
        except csv.Error as error:
            raise _error(number, "(any)", "is no valid CSV") from error
        yield number, row


def _as_dicts(columns: list[str], rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, dict[str, str]]]:
    for number, row in rows:
        if not row:
            continue
        if len(row) != len(columns):
            column = columns[len(row)] if len(row) < len(columns) else "(after the last)"
            raise _error(number, column, f"the row has {len(row)} cells, the header {len(columns)}")
        yield number, dict(zip(columns, row, strict=True))


def _error(row: int, column: str, what: str) -> InvalidInputError:
    return InvalidInputError(f"row {row}, column {column}: {what}.", field=column)
