"""Rows of a CSV file one after the other, in memory of one row, whatever the file does."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from core.errors import InvalidInputError

MAX_COLUMNS = 1000
MAX_ROW_CHARACTERS = 256 * 1024
"""Of one row with all its lines: more is a quote that was never closed, or no CSV."""
# An escape of a byte that the encoding does not know, and what no event may hold.
_UNREADABLE = re.compile(r"[\udc80-\udcff]")
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Format:
    """How to read a file: Python's name of the encoding, and the delimiter."""

    encoding: str
    delimiter: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number (the header is row 1), its cells, and why it cannot be read if so."""

    number: int
    cells: list[str]
    problem: str | None = None


class RowTooLongError(Exception):
    """A row is over its limit; reading goes on with the next line."""


class CsvRows:
    """The header and the rows of an open file; `bytes_read` says how far reading has come."""

    def __init__(self, path: Path, form: Format) -> None:
        self._raw = path.open("rb")
        # A byte that does not fit the encoding spoils its row, not the file.
        text = io.TextIOWrapper(self._raw, encoding=form.encoding, errors="surrogateescape", newline="")
        self._lines = _BoundedLines(text)
        self._reader = csv.reader(self._lines, delimiter=form.delimiter)
        self._text = text
        self.number = 0
        self.header = self._read_header()

    @property
    def bytes_read(self) -> int:
        """Bytes of the file that were read so far, some read ahead included."""
        return self._raw.tell()

    def close(self) -> None:
        """Close the file."""
        self._text.close()

    def __iter__(self) -> Iterator[Row]:
        while (row := self._next()) is not None:
            yield row

    def skip(self, until: int) -> Iterator[int]:
        """Pass over the rows up to number `until`; yields now and then, for who has to show a sign of life."""
        while self.number < until and self._read() is not None:
            if self.number % 50_000 == 0:
                yield self.number

    def _next(self) -> Row | None:
        """The next row, None at the end; empty lines are no rows of data but are counted as spreadsheets do."""
        while (row := self._read()) is not None:
            if row.problem is not None or any(row.cells):
                return row
        return None

    def _read(self) -> Row | None:
        self._lines.begin_row()
        try:
            cells = next(self._reader)
        except StopIteration:
            return None
        except (RowTooLongError, csv.Error):
            self.number += 1
            return Row(self.number, [], "the row is too long: is a quote not closed?")
        self.number += 1
        return self._checked(cells)

    def _checked(self, cells: list[str]) -> Row:
        text = "".join(cells)
        if "\0" in text:
            return Row(self.number, cells, "the row contains a NUL character")
        if not text.isascii() and _UNREADABLE.search(text):
            return Row(self.number, cells, "the row has bytes that the encoding does not know")
        if len(cells) > MAX_COLUMNS:
            return Row(self.number, cells[:MAX_COLUMNS], f"the row has more than {MAX_COLUMNS} columns")
        return Row(self.number, cells)

    def _read_header(self) -> list[str]:
        first = self._next()
        if first is None:
            raise InvalidInputError("file: the file is empty", field="file")
        if first.problem is not None:
            raise InvalidInputError(f"file: row {first.number} is the header, but {first.problem}", field="file")
        return [cell.strip().strip("\ufeff") for cell in first.cells]


class _BoundedLines:
    """Lines of a text for the CSV reader; the lines of one row are held to a limit together."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._room = MAX_ROW_CHARACTERS

    def __iter__(self) -> "_BoundedLines":
        return self

    def begin_row(self) -> None:
        """The next line begins a row."""
        self._room = MAX_ROW_CHARACTERS

    def __next__(self) -> str:
        line = self._text.readline(MAX_ROW_CHARACTERS + 1)
        if not line:
            raise StopIteration
        self._room -= len(line)
        if self._room < 0:
            while line and not line.endswith(("\n", "\r")):
                line = self._text.readline(_PIECE)
            raise RowTooLongError
        return line


# The module's own limit of a cell is lower than ours of a row; it holds for the whole process.
csv.field_size_limit(MAX_ROW_CHARACTERS)
