"""What an import would do: all rows go through all steps but the commit; nothing is written."""

import itertools
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from core.brand import BrandSettings
from core.clock import format_time
from core.errors import ConstIntelError
from core.events import IncomingEvent
from core.strict_json import parse_json
from graph.driver import Graph
from graph.repositories.csv_imports import find_received
from ingest.csv_files.options import ImportOptions
from ingest.csv_files.reading import CsvRows, Format
from ingest.csv_files.rows import RowReader, Unit
from ingest.csv_files.run import BATCH, MOST_PROBLEMS
from ingest.jobs import count_warnings
from ingest.steps import to_incoming

SHOWN_EVENTS = 5


@dataclass(frozen=True, slots=True)
class TryOut:
    """A file to look at: where it is, its digest, how it is to be read, and for how many seconds."""

    path: Path
    digest: str
    options: ImportOptions
    seconds: float


def dry_run(graph: Graph, settings: BrandSettings, try_out: TryOut, now: datetime) -> dict[str, Any]:
    """Counts, warnings, the first events and the first refused rows; `is_complete` says whether the time sufficed."""
    deadline = time.monotonic() + try_out.seconds
    options = try_out.options
    rows = CsvRows(try_out.path, Format(options.encoding, options.delimiter))
    try:
        reader = RowReader(rows.header, options, try_out.digest)
        found = _Findings()
        units = reader.units(rows, settings, now)
        is_complete = True
        while batch := list(itertools.islice(units, BATCH)):
            found.add(graph, settings, batch, now)
            if time.monotonic() > deadline:
                is_complete = next(units, None) is None
                break
        columns = [{"column": name, "target": target} for name, target in zip(rows.header, reader.targets, strict=True)]
        notes = [reader.warning] if reader.warning else []
        return {**found.as_dict(), "is_complete": is_complete, "columns": columns, "notes": notes}
    finally:
        rows.close()


class _Findings:
    """What was found so far."""

    def __init__(self) -> None:
        self._counts = {"rows": 0, "accepted": 0, "rejected": 0, "duplicates": 0}
        self._types: dict[str, int] = {}
        self._warnings: dict[str, int] = {}
        self._events: list[dict[str, Any]] = []
        self._problems: list[dict[str, Any]] = []

    def add(self, graph: Graph, settings: BrandSettings, units: list[Unit], now: datetime) -> None:
        """Look at a batch."""
        passed: list[tuple[Unit, IncomingEvent]] = []
        for unit in units:
            self._counts["rows"] += len(unit.rows)
            event = self._normalised(unit, settings, now)
            if event is not None:
                passed.append((unit, event))
        stored = find_received(graph, settings.id, [event.id for _, event in passed]) if passed else {}
        seen = set(stored)
        for unit, event in passed:
            self._counts["duplicates" if event.id in seen else "accepted"] += len(unit.rows)
            seen.add(event.id)
            self._types[event.type] = self._types.get(event.type, 0) + 1
            count_warnings(self._warnings, event.warnings)
            if len(self._events) < SHOWN_EVENTS:
                self._events.append({"row": unit.rows[0].number, **_shown(event)})

    def _normalised(self, unit: Unit, settings: BrandSettings, now: datetime) -> IncomingEvent | None:
        problem = unit.problem
        try:
            if unit.raw is not None:
                return to_incoming(unit.raw, settings, now)
        except ConstIntelError as error:
            problem = error
        self._counts["rejected"] += len(unit.rows)
        reason = problem.detail if problem is not None else ""
        self._problems += [{"row": row.number, "reason": row.problem or reason} for row in unit.rows]
        del self._problems[MOST_PROBLEMS:]
        return None

    def as_dict(self) -> dict[str, Any]:
        """The findings as plain data."""
        return {
            **self._counts, "event_types": self._types, "warnings": self._warnings, "events": self._events,
            "problems": self._problems,
        }  # fmt: skip


def _shown(event: IncomingEvent) -> dict[str, Any]:
    identifiers: dict[str, list[str]] = {}
    for identifier in event.identifiers:
        identifiers.setdefault(identifier.type, []).append(identifier.value)
    return {
        "type": event.type,
        "channel": event.channel,
        "source": event.source,
        "occurred_at": format_time(event.occurred_at),
        "identifiers": identifiers,
        "payload": parse_json(event.payload.encode()),
        "warnings": list(event.warnings),
    }
