"""How commands show work and results: bars and tables on a terminal, plain lines everywhere else."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

_PLAIN_EVERY_SECONDS = 5.0
_STYLES = {"ok": "green", "FAILED": "bold red", "open": "yellow"}


class Advance(Protocol):
    """Tells a progress display that `count` more are done."""

    def __call__(self, count: int) -> None: ...


def say(text: str = "") -> None:
    """One line of result on standard output."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """One line about the work itself, on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextmanager
def progress(title: str, total: int) -> Iterator[Advance]:
    """A bar on a terminal, a line every few seconds elsewhere; both on standard error."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _PlainProgress(title, total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(title, total=total)
        yield lambda count: bar.advance(task, count)


class _PlainProgress:
    def __init__(self, title: str, total: int) -> None:
        self._title, self._total = title, total
        self._done = 0
        self._said_at = time.monotonic()

    def __call__(self, count: int) -> None:
        self._done += count
        now = time.monotonic()
        if now - self._said_at >= _PLAIN_EVERY_SECONDS or self._done >= self._total:
            self._said_at = now
            note(f"{self._title}: {self._done} of {self._total}")


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal; elsewhere the title and one line a row, cells joined by ` | `."""
    console = Console()
    if not console.is_terminal:
        say(title)
        for row in (columns, *rows):
            say("  " + " | ".join(row))
        return
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    console.print(table)
