"""The files of imports below the data directory: uploads that wait for work, and the rows that were refused."""

import contextlib
import csv
import io
import os
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from core.settings import Settings
from ingest.csv_files.columns import REJECTED_COLUMNS

# A spreadsheet runs a cell that begins with one of these.
_RUNS = re.compile(r"[=+\-@\t\r]")
_PART_SECONDS = 24 * 3600.0
_DAY_SECONDS = 24 * 3600.0
_PIECE = 64 * 1024


def spool_folder(settings: Settings) -> Path:
    """The folder of imports, made when it is missing; API and workers of an installation share it."""
    folder = settings.data_dir / "imports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def source_path(folder: Path, import_id: str) -> Path:
    """The uploaded file of an import."""
    return folder / f"{import_id}.csv"


def rejected_path(folder: Path, import_id: str) -> Path:
    """The file of an import's refused rows."""
    return folder / f"{import_id}.rejected.csv"


def remove_file(path: Path) -> None:
    """Take a file away if it is there."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


def remove_old_files(folder: Path, keep_days: float) -> int:
    """Remove what nobody will ask for any more, and uploads that broke off; how many files that were."""
    now = time.time()
    removed = 0
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            age = now - path.stat().st_mtime
            if age > (_PART_SECONDS if path.suffix == ".part" else keep_days * _DAY_SECONDS):
                path.unlink()
                removed += 1
    return removed


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet runs."""
    return f"'{text}" if _RUNS.match(text) else text


class RejectedRows:
    """Appends refused rows to a file of an import, beginning where the last settled batch ended."""

    def __init__(self, path: Path, header: Sequence[str], delimiter: str, settled_bytes: int) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._file = os.fdopen(descriptor, "r+b")
        self._file.truncate(settled_bytes)
        self._file.seek(settled_bytes)
        self._delimiter = delimiter
        self._has_header = settled_bytes > 0
        self._header = header

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, rows: Sequence[tuple[int, str, Sequence[str]]]) -> int:
        """Write (row number, reason, cells); how many bytes the file has now."""
        if rows:
            text = io.StringIO()
            writer = csv.writer(text, delimiter=self._delimiter)
            if not self._has_header:
                # Spreadsheets take a file for UTF-8 by this mark.
                text.write("\ufeff")
                writer.writerow([*REJECTED_COLUMNS, *map(safe_cell, self._header)])
                self._has_header = True
            for number, reason, cells in rows:
                writer.writerow([number, reason, *map(safe_cell, cells)])
            self._file.write(text.getvalue().encode("utf-8", "replace"))
            self._file.flush()
        return self._file.tell()


def read_rejected(path: Path, settled_bytes: int) -> Iterator[bytes]:
    """The settled part of a file of refused rows, piece by piece; raises FileNotFoundError before the first."""
    file = path.open("rb")

    def pieces() -> Iterator[bytes]:
        left = settled_bytes
        with file:
            while left > 0 and (piece := file.read(min(_PIECE, left))):
                left -= len(piece)
                yield piece

    return pieces()
