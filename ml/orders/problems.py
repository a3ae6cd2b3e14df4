"""The slow way through an order file, taken only when something does not fit: finds the first bad row and column."""

import csv
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from core.clock import parse_time
from core.errors import InvalidInputError

REQUIRED = ("customer_id", "order_id", "ordered_at", "amount")
OPTIONAL = ("product_id", "category", "quantity", "currency")
MAX_AMOUNT = 1e11
"""Above this an amount is a unit error; sums of smaller ones stay exact."""

Rows = Iterator[tuple[int, list[str]]]


def bad_row(row: int, column: str, what: str) -> InvalidInputError:
    """The error of one cell, in the form that every command prints; rows count from the header, which is row 1."""
    return InvalidInputError(f"row {row}, column {column}: {what}.", field=column)


def read_header(path: Path) -> list[str]:
    """The names of the columns; raises InvalidInputError naming row 1 and the column where one is missing or double."""
    with path.open("rb") as file:
        start = file.read(4)
    if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise bad_row(1, "(header)", "the file is UTF-16; save it as UTF-8")
    with _open(path) as file:
        _, cells = next(_rows(file), (1, []))
    names = [cell.strip().lower() for cell in cells]
    if not any(names):
        raise bad_row(1, "(header)", "the file is empty or has no header")
    if not all(map(_is_utf8, names)):
        raise bad_row(1, "(header)", "is not UTF-8")
    for name in (*REQUIRED, *OPTIONAL):
        if names.count(name) > 1:
            raise bad_row(1, name, "the column stands there twice")
        if name in REQUIRED and name not in names:
            raise bad_row(1, name, "the column is missing")
    return names


def find_problem(path: Path, names: Sequence[str], cutoff: str) -> InvalidInputError | None:
    """The first row that does not fit, in file order; None when every row does. `cutoff` is an ISO date."""
    currencies = _Currencies(cutoff)
    with _open(path) as file:
        try:
            for number, cells in _rows(file):
                if number == 1 or not cells:
                    continue
                if len(cells) != len(names):
                    column = names[len(cells)] if len(cells) < len(names) else "(after the last)"
                    return bad_row(number, column, f"the row has {len(cells)} cells, the header {len(names)}")
                row = dict(zip(names, cells, strict=True))
                garbled = next((name for name, cell in row.items() if not _is_utf8(cell)), None)
                if garbled is not None:
                    return bad_row(number, garbled, "is not UTF-8")
                wrong = next((name for name, check in CHECKS.items() if name in row and not check(row[name])), None)
                if wrong is not None:
                    return bad_row(number, wrong, "is empty" if not row[wrong].strip() else EXPECTED[wrong])
                if not currencies.fit(row):
                    return bad_row(number, "currency", currencies.complaint)
        except InvalidInputError as error:
            return error
    return None


class _Currencies:
    """All lines before the cutoff are in one currency; an empty cell means that one."""

    complaint = "another currency than in the rows before; give each currency a file of its own"

    def __init__(self, cutoff: str) -> None:
        self._cutoff = parse_time(cutoff)
        self._known = ""

    def fit(self, row: Mapping[str, str]) -> bool:
        code = row.get("currency", "").strip().upper()
        at = parse_time(row["ordered_at"].strip().upper())
        if not code or at is None or self._cutoff is None or at >= self._cutoff:
            return True
        self._known = self._known or code
        return code == self._known


def _open(path: Path) -> TextIO:
    """The file as text; bytes that are no UTF-8 become lone surrogates, so that their cell can be named."""
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def _is_utf8(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _is_number(text: str) -> bool:
    try:
        value = float(text)
    except ValueError:
        return False
    return math.isfinite(value) and abs(value) <= MAX_AMOUNT and "_" not in text


CHECKS: dict[str, Callable[[str], bool]] = {
    "customer_id": lambda text: bool(text.strip()),
    "order_id": lambda text: bool(text.strip()),
    "ordered_at": lambda text: parse_time(text.strip().upper()) is not None,
    "amount": _is_number,
    "quantity": lambda text: not text.strip() or _is_number(text),
}
"""Column → whether a cell of it fits."""

EXPECTED = {
    "ordered_at": "is neither an RFC 3339 time nor a date such as 2025-03-01",
    "amount": f"is no decimal number up to {MAX_AMOUNT:.0e}",
    "quantity": f"is no decimal number up to {MAX_AMOUNT:.0e}",
}


def _rows(file: Iterator[str]) -> Rows:
    """Number and cells of each row; raises InvalidInputError where the bytes are no CSV."""
    reader = csv.reader(file, strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise bad_row(number, "(any)", "is no valid CSV") from error
        yield number, cells
