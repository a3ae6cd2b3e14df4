"""An import at work: rows to events, events to the commit, and after each batch how far it is, written in the graph.

Whoever holds the lease works. Killed at any moment the next one begins after the last settled batch: rows that were
committed since are known by their keys and counted once.
"""

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from core.brand import BrandSettings
from core.clock import Clock, utc_now
from core.decisions import EventResult
from core.errors import InvalidInputError
from graph.driver import Graph
from graph.repositories.csv_imports import (
    CANCELLED,
    DONE,
    FAILED,
    RUNNING,
    CsvImport,
    Lease,
    Progress,
    claim_import,
    progress_values,
    save_progress,
)
from ingest.csv_files.files import RejectedRows, rejected_path, remove_file, source_path
from ingest.csv_files.options import ImportOptions
from ingest.csv_files.reading import CsvRows, Format
from ingest.csv_files.rows import RowReader, Unit
from ingest.jobs import LeaseLostError, Take, count_warnings, received_since, take_all

log = structlog.get_logger(__name__)

BATCH = 500
LEASE_SECONDS = 30.0
MOST_PROBLEMS = 20
_LOST = "The uploaded file is not on this machine: API and workers have to share the data directory."


@dataclass(frozen=True, slots=True)
class Desk:
    """What an import is worked on with; `take` stores events and answers after their commit."""

    graph: Graph
    folder: Path
    take: Take
    owner: str
    clock: Clock = utc_now

    def lease(self, at: datetime) -> Lease:
        """The lease from now on."""
        return Lease(self.owner, at + timedelta(seconds=LEASE_SECONDS))


def work_on(desk: Desk, settings: BrandSettings, import_id: str, seconds: float) -> CsvImport | None:
    """Work on an import until it is over or `seconds` are; the import as left, None when it is not to be had.

    Raises UnavailableError while a database is away: what is settled stays, the rest is done later.
    """
    at = desk.clock()
    job = claim_import(desk.graph, settings.id, import_id, desk.lease(at), at)
    if job is None:
        return None
    try:
        return _Worker(desk, settings, job).run_or_fail(time.monotonic() + seconds)
    except LeaseLostError:
        return None


class _Worker:
    """One stretch of work on one import."""

    def __init__(self, desk: Desk, settings: BrandSettings, job: CsvImport) -> None:
        self._desk = desk
        self._settings = settings
        self._job = job
        self._progress = job.progress
        self._is_first_batch = True

    def run_or_fail(self, deadline: float) -> CsvImport:
        """Work until `deadline`; what cannot be read ends the import with its reason."""
        try:
            return self._run(deadline)
        except FileNotFoundError:
            return self._end(FAILED, error=_LOST)
        except InvalidInputError as error:
            return self._end(FAILED, error=error.detail)
        except OSError as error:
            log.error("csv_import_failed", import_id=self._job.id, reason=type(error).__name__)
            return self._end(FAILED, error="The files of the import cannot be read or written.")

    def _run(self, deadline: float) -> CsvImport:
        job = self._job
        options = ImportOptions(**job.options)
        rows = CsvRows(source_path(self._desk.folder, job.id), Format(options.encoding, options.delimiter))
        try:
            reader = RowReader(rows.header, options, job.digest)
            for _ in rows.skip(job.progress.position):
                self._save({})
            rejected = RejectedRows(
                rejected_path(self._desk.folder, job.id), rows.header, options.delimiter, job.progress.rejected_bytes
            )
            with rejected:
                units = reader.units(rows, self._settings, self._desk.clock())
                while batch := list(itertools.islice(units, BATCH)):
                    self._settle(batch, rejected, rows.bytes_read)
                    if self._save(progress_values(self._progress)):
                        return self._end(CANCELLED)
                    if time.monotonic() > deadline:
                        return self._pause()
            return self._end(DONE)
        finally:
            rows.close()

    def _end(self, state: str, *, error: str | None = None) -> CsvImport:
        at = self._desk.clock()
        progress = self._progress if state != DONE else replace(self._progress, bytes_read=self._job.size)
        values = {**progress_values(progress), "state": state, "finished_at": at, "error": error}
        self._save(values)
        remove_file(source_path(self._desk.folder, self._job.id))
        if not progress.rejected:
            remove_file(rejected_path(self._desk.folder, self._job.id))
        log.info("csv_import_over", import_id=self._job.id, brand=self._job.brand, state=state, rows=progress.rows)
        return replace(self._job, state=state, progress=progress, finished_at=at, error=error)

    def _pause(self) -> CsvImport:
        # Others work now; the import waits for its next turn.
        at = self._desk.clock()
        lease = Lease(self._desk.owner, at - timedelta(seconds=1))
        save_progress(self._desk.graph, self._job, lease, {}, at)
        return replace(self._job, state=RUNNING, progress=self._progress)

    def _save(self, values: dict[str, Any]) -> bool:
        at = self._desk.clock()
        if values:
            values = {**values, "checkpoint_at": at}
        is_cancelled = save_progress(self._desk.graph, self._job, self._desk.lease(at), values, at)
        if is_cancelled is None:
            raise LeaseLostError
        return is_cancelled

    def _settle(self, units: list[Unit], rejected: RejectedRows, bytes_read: int) -> None:
        """Commit a batch and count it."""
        raws = [unit.raw for unit in units if unit.raw is not None]
        outcomes = iter(take_all(self._desk.take, self._settings, raws))
        results = [next(outcomes) if unit.raw is not None else unit.problem for unit in units]
        own = self._stored_before([result for result in results if isinstance(result, EventResult)])
        self._is_first_batch = False
        refused: list[tuple[int, str, Sequence[str]]] = []
        before = self._progress
        counts = {"rows": before.rows, "accepted": before.accepted, "duplicates": before.duplicates}
        warnings = dict(before.warnings)
        for unit, result in zip(units, results, strict=True):
            size = len(unit.rows)
            counts["rows"] += size
            if isinstance(result, EventResult):
                is_repeat = result.duplicate and result.event_id not in own
                own.discard(result.event_id)
                counts["duplicates" if is_repeat else "accepted"] += size
                count_warnings(warnings, result.warnings)
            else:
                reason = result.detail if result is not None else ""
                refused += [(row.number, row.problem or reason, row.cells) for row in unit.rows]
        problems = [*before.problems, *({"row": number, "reason": reason} for number, reason, _ in refused)]
        self._progress = Progress(
            **counts,
            position=units[-1].rows[-1].number,
            rejected=before.rejected + len(refused),
            bytes_read=min(bytes_read, self._job.size),
            rejected_bytes=rejected.add(refused),
            warnings=warnings,
            problems=tuple(problems[:MOST_PROBLEMS]),
        )

    def _stored_before(self, results: list[EventResult]) -> set[str]:
        """Events of the first batch that were committed when this import was cut off, before it could count them."""
        since = self._job.checkpoint_at
        if not self._is_first_batch or since is None:
            return set()
        return received_since(self._desk.graph, self._settings.id, results, since)
