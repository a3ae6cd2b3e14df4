"""A sync at work: pages to events, events to the commit, and behind each page its cursor with the counts.

Whoever holds the lease works. Killed at any moment the next one reads that page again: what was committed of it is
known by its keys and counted once. A CRM that wants to be left alone keeps nobody waiting: the sync comes back later.
"""

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from core.brand import BrandSettings
from core.clock import Clock, format_time, utc_now
from core.errors import ConstIntelError, PoisonedEventError
from core.events import RawEvent
from graph.driver import Graph
from graph.repositories.crm import (
    CrmConnection,
    CrmSync,
    Saved,
    Step,
    claim_sync,
    keep_secrets,
    save_sync,
)
from graph.repositories.crm_contacts import keep_pushed, list_contacts
from graph.repositories.csv_imports import CANCELLED, DONE, FAILED, Lease
from graph.repositories.dead_letters import DeadLetter, event_letter, keep_letters, message_letter
from ingest.crm import hubspot, rest, salesforce
from ingest.crm.answers import ComeAgainError, CrmRefusedError
from ingest.crm.client import CrmClient, Policy
from ingest.crm.connections import auth_of, current_cursor, overlap_of, push_of, specs_of
from ingest.crm.mapping import WAY, Reading, Skipped, read_record
from ingest.crm.pages import CrmPage, CrmRecord, PageReader, Task, cursor_time
from ingest.crm.push import PAGE, contacts_of, push_page
from ingest.crm.specs import HUBSPOT, REST, SALESFORCE, ObjectSpec, reading_digest
from ingest.crm.tally import Tally, note_pushed, place_of_push, with_object
from ingest.crm.tokens import TokenKeeper
from ingest.jobs import LeaseLostError, Take, received_since, take_all
from ingest.steps.conform import SchemaViolationError

log = structlog.get_logger(__name__)

BATCH = 500
# Longer than one request to a CRM and one commit together.
LEASE_SECONDS = 120.0
MOST_FAILURES = 10
_FIRST_WAIT, _LONGEST_WAIT = 15.0, 3600.0
_REMOVED = "The connection was removed."
_LOCKED = "The credentials were sealed with another key than this installation's: send them again."
_CHANGED = "The connection was changed meanwhile: a sync from now on goes by what it says."
_READERS: Mapping[str, PageReader] = {
    SALESFORCE: salesforce.read_pages,
    HUBSPOT: hubspot.read_pages,
    REST: rest.read_pages,
}

Read = tuple[CrmRecord, RawEvent | Skipped | ConstIntelError]


class _ConnectionChangedError(Exception):
    """The connection is not the one any more that the sync was begun with."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Desk:
    """What a sync is worked on with; `take` stores events and answers after their commit."""

    graph: Graph
    take: Take
    owner: str
    policy: Policy = field(default_factory=Policy)
    clock: Clock = utc_now

    def lease(self, at: datetime, seconds: float = LEASE_SECONDS) -> Lease:
        """The lease from now on."""
        return Lease(self.owner, at + timedelta(seconds=seconds))


def work_on(desk: Desk, brand: BrandSettings, sync_id: str, seconds: float) -> CrmSync | None:
    """Work on a sync until it is over, has to wait or `seconds` are up; as left, None when it is not to be had.

    Raises UnavailableError while a database is away: what is settled stays, the rest is done later.
    """
    at = desk.clock()
    claimed = claim_sync(desk.graph, brand.id, sync_id, desk.lease(at), at)
    if claimed is None:
        return None
    job, connection = claimed
    try:
        worker = _Worker(desk, brand, job)
        if connection is None:
            return worker.end(FAILED, error=_REMOVED)
        return worker.run_or_fail(connection, time.monotonic() + seconds)
    except LeaseLostError:
        return None


class _Worker:
    """One stretch of work on one sync."""

    def __init__(self, desk: Desk, brand: BrandSettings, job: CrmSync) -> None:
        self._desk = desk
        self._brand = brand
        self._job = job
        self._counts = job.counts
        self._is_first_page = True
        self._is_cancelled = False
        self._revision = 0
        self._connection: CrmConnection | None = None

    def run_or_fail(self, connection: CrmConnection, deadline: float) -> CrmSync:
        """Work until `deadline`; an answer that is final ends the sync with its reason."""
        self._revision, self._connection = connection.revision, connection
        if connection.secrets is None:
            return self.end(FAILED, error=_LOCKED)
        try:
            return self._run(connection, deadline)
        except _ConnectionChangedError as error:
            return self.end(CANCELLED, error=error.reason)
        except CrmRefusedError as error:
            return self.end(FAILED, error=error.detail)
        except ComeAgainError as error:
            return self._wait(error)

    def _run(self, connection: CrmConnection, deadline: float) -> CrmSync:
        cursors = dict(connection.cursors)
        tokens = TokenKeeper(connection.base_url, auth_of(connection), self._keep)
        rate = float(connection.options["requests_per_second"])
        with CrmClient(tokens, self._desk.policy, rate=rate, before=self._stay) as client:
            for spec in specs_of(connection):
                if self._counts.objects.get(spec.name, {}).get("is_done"):
                    continue
                begin = self._begin(current_cursor(connection, spec), connection)
                task = Task(spec, begin, connection.options["page_size"])
                with closing(_READERS[connection.kind](client, task)) as pages:  # type: ignore[type-var]
                    for page in pages:
                        cursors[spec.name] = page.cursor | {"sync": self._job.id, "mapping": reading_digest(spec)}
                        self._settle(spec, page, connection.name)
                        self._counts = with_object(self._counts, spec.name, is_done=page.is_last)
                        self._go_on(self._save(self._counts.values(), cursors))
                        if self._is_cancelled:
                            return self.end(CANCELLED)
                        if time.monotonic() > deadline:
                            return self._pause(0.0)
            return self._push(client, connection, deadline)

    def _push(self, client: CrmClient, connection: CrmConnection, deadline: float) -> CrmSync:
        """Tell the CRM what it does not know yet, if its brand wants that, page by page."""
        spec = push_of(connection)
        while spec is not None and not self._is_cancelled:
            place = place_of_push(self._counts)
            page = list_contacts(self._desk.graph, contacts_of(connection, spec), place, PAGE)
            self._stay()
            pushed = push_page(client, connection, spec, page, is_full=self._job.is_full)
            keep_pushed(self._desk.graph, self._brand.id, pushed.told, self._desk.clock())
            self._counts = note_pushed(self._counts, spec.object, pushed, page[-1].key if page else place)
            self._go_on(self._save(self._counts.values()))
            if len(page) < PAGE:
                break
            if time.monotonic() > deadline:
                return self._pause(0.0)
        return self.end(CANCELLED if self._is_cancelled else DONE)

    def _begin(self, cursor: dict[str, Any], connection: CrmConnection) -> dict[str, Any]:
        """Where an object is read from: this sync's own place, or some time before the end of the one before."""
        if cursor.get("sync") == self._job.id:
            return cursor
        at = cursor_time(cursor)
        return {} if at is None else {"at": format_time(at - overlap_of(connection))}

    def _settle(self, spec: ObjectSpec, page: CrmPage, connection: str) -> None:
        """Commit the records of a page, batch by batch, and count them."""
        counts = self._counts
        seen = counts.objects.get(spec.name, {}).get("read", 0)
        if page.remaining is not None:
            counts = with_object(counts, spec.name, total=seen + page.remaining)
        counts = with_object(counts, spec.name, read=seen + len(page.records))
        tally = Tally(counts, spec.name)
        reading = Reading(connection, self._brand, self._desk.clock())
        for first in range(0, len(page.records), BATCH):
            self._stay()
            batch = page.records[first : first + BATCH]
            self._settle_batch([(record, _read(record, spec, reading)) for record in batch], tally, reading)
        self._counts = tally.result()
        self._is_first_page = False

    def _settle_batch(self, reads: Sequence[Read], tally: "Tally", reading: Reading) -> None:
        raws = [read for _, read in reads if isinstance(read, RawEvent)]
        outcomes: Iterator[Any] = iter(take_all(self._desk.take, self._brand, raws))
        results = [(record, next(outcomes) if isinstance(read, RawEvent) else read) for record, read in reads]
        own: set[str] = set()
        if self._is_first_page and self._job.checkpoint_at is not None:
            since = self._job.checkpoint_at
            own = received_since(self._desk.graph, self._brand.id, (result for _, result in results), since)
        letters = [
            letter
            for record, result in results
            if isinstance(result, ConstIntelError)
            and (letter := _letter(self._brand.id, tally.name, record, result, reading)) is not None
        ]
        if letters:
            keep_letters(self._desk.graph, self._brand.id, letters)
        for record, result in results:
            tally.add(record, result, own)

    def end(self, state: str, *, error: str | None = None) -> CrmSync:
        """Write the end of the sync."""
        at = self._desk.clock()
        values = {**self._counts.values(), "state": state, "finished_at": at, "error": error, "active": None}
        self._save(values)
        log.info("crm_sync_over", sync_id=self._job.id, brand=self._job.brand, state=state, read=self._counts.read)
        return replace(self._job, state=state, counts=self._counts, finished_at=at, error=error)

    def _wait(self, error: ComeAgainError) -> CrmSync:
        """Leave the CRM alone for as long as it wants, or longer each time when it does not say."""
        failures = self._counts.failures + 1
        self._counts = replace(self._counts, failures=failures)
        if failures > MOST_FAILURES:
            return self.end(FAILED, error=f"The CRM could not be read for a long time: {error.reason}.")
        spread = random.uniform(0.5, 1.0)  # noqa: S311 (spreads load, hides nothing)
        pause = min(_LONGEST_WAIT, _FIRST_WAIT * 2**failures) * spread if error.seconds is None else error.seconds
        self._save({"failures": failures})
        return self._pause(pause, f"the CRM: {error.reason}")

    def _pause(self, seconds: float, reason: str | None = None) -> CrmSync:
        """Let others work; the sync has its next turn after `seconds`."""
        at = self._desk.clock()
        lease = self._desk.lease(at, seconds or -1.0)
        step = Step({"waits_for": reason})
        if save_sync(self._desk.graph, self._job, lease, step, at) is None:
            raise LeaseLostError
        return replace(self._job, counts=self._counts, waits_for=reason, lease_until=lease.until)

    def _stay(self) -> None:
        """Renew the lease before something that takes a while, and look whether the connection still says the same."""
        self._go_on(self._save({}))

    def _go_on(self, saved: Saved) -> None:
        """Raise when the connection is not the one any more that the sync goes by."""
        if saved.is_removed or saved.is_changed:
            raise _ConnectionChangedError(_REMOVED if saved.is_removed else _CHANGED)

    def _save(self, values: dict[str, Any], cursors: dict[str, Any] | None = None) -> Saved:
        at = self._desk.clock()
        if cursors is not None:
            values = {**values, "checkpoint_at": at}
        step = Step(values, cursors, self._revision)
        saved = save_sync(self._desk.graph, self._job, self._desk.lease(at), step, at)
        if saved is None:
            raise LeaseLostError
        self._is_cancelled = saved.is_cancelled
        return saved

    def _keep(self, token: str) -> None:
        known = self._connection
        if known is not None:
            secrets = {**(known.secrets or {}), "refresh_token": token}
            self._connection = keep_secrets(self._desk.graph, known, secrets)


def _read(record: CrmRecord, spec: ObjectSpec, reading: Reading) -> RawEvent | Skipped | ConstIntelError:
    try:
        return read_record(record, spec, reading)
    except ConstIntelError as error:
        return error


def _letter(brand: str, name: str, record: CrmRecord, error: ConstIntelError, reading: Reading) -> DeadLetter | None:
    """The dead letter of a refused record; an event that the graph refused has one already."""
    if isinstance(error, PoisonedEventError):
        return None
    if isinstance(error, SchemaViolationError):
        return event_letter(error.event, error)
    message = {"connection": reading.connection, "object": name, "record": record.fields}
    return message_letter(brand, WAY, message, error, reading.now)
