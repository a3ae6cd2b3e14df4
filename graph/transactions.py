"""The one place that runs explicit write transactions: bounded retries with full jitter, unknown commits replayed."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import neo4j
import structlog
from neo4j.exceptions import (
    ClientError,
    ConstraintError,
    DriverError,
    IncompleteCommit,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
)

from core.errors import TimedOutError, UnavailableError
from graph.driver import Graph, was_ended_by_server
from graph.parameters import untold
from graph.queries import query_text

log = structlog.get_logger(__name__)

T = TypeVar("T")

_MIN_BACKOFF = 0.005
_MAX_BACKOFF = 0.25
_TIMED_OUT = "TransactionTimedOut"


class StaleReadError(Exception):
    """What was read before a lock no longer holds after it: roll back and try again."""


@dataclass(slots=True)
class RetryStats:
    """How often transactions of this process were tried again, by reason."""

    deadlocks: int = 0
    lock_timeouts: int = 0
    stale_reads: int = 0
    duplicates: int = 0
    unknown_commits: int = 0
    outages: int = 0
    ended_by_server: int = 0

    @property
    def total(self) -> int:
        """All retries."""
        once = self.deadlocks + self.lock_timeouts + self.stale_reads
        return once + self.duplicates + self.unknown_commits + self.outages + self.ended_by_server


retry_stats = RetryStats()


class Transaction:
    """One open transaction that runs queries of the catalogue by name."""

    def __init__(self, tx: neo4j.Transaction, *, is_replay: bool = False) -> None:
        self._tx = tx
        self.is_replay = is_replay
        """Whether an earlier try of the same work was lost during its commit: it may have gone through."""

    def run(self, query: str, /, **params: object) -> list[list[Any]]:
        """Run query `query`; rows as lists in the order of its RETURN."""
        return self._tx.run(query_text(query), untold(params)).values()

    def rows(self, query: str, /, **params: object) -> list[list[Any]]:
        """Run a query that answers one record with all its rows as a list: the driver's cost is by record."""
        found: list[list[Any]] = self._tx.run(query_text(query), untold(params)).value()[0]
        return found


def in_transaction(graph: Graph, work: Callable[[Transaction], T], *, budget_seconds: float) -> T:
    """Run `work` in one transaction and commit; try again on transient failures until `budget_seconds` are over.

    `work` must be idempotent by key: after a lost connection during commit the outcome is unknown and it runs again.
    Raises UnavailableError when the budget is used up, TimedOutError when the server ended it for its length, and
    whatever else `work` raises.
    """
    deadline = time.monotonic() + budget_seconds
    attempt = 0
    is_replay = False
    while True:
        try:
            return _attempt(graph, work, is_replay=is_replay)
        except (StaleReadError, DriverError, Neo4jError) as error:
            if isinstance(error, Neo4jError) and _TIMED_OUT in (error.code or ""):
                raise TimedOutError("The graph takes longer for this than it may.") from error
            if not _count_if_retryable(error):
                raise
            attempt += 1
            is_replay = is_replay or isinstance(error, IncompleteCommit)
            if time.monotonic() > deadline:
                log.warning("transaction_gave_up", attempts=attempt, reason=type(error).__name__)
                raise UnavailableError("The graph could not take the change in time.") from error
        # Full jitter: competing writers must not meet again at the same moment.
        time.sleep(random.uniform(_MIN_BACKOFF, min(_MAX_BACKOFF, _MIN_BACKOFF * 2**attempt)))  # noqa: S311 (no secret)


def _attempt(graph: Graph, work: Callable[[Transaction], T], *, is_replay: bool) -> T:
    with graph.session() as session, session.begin_transaction() as tx:
        result = work(Transaction(tx, is_replay=is_replay))
        tx.commit()
        return result


def _count_if_retryable(error: Exception) -> bool:
    """Whether another try makes sense; counts it by reason."""
    if isinstance(error, StaleReadError):
        retry_stats.stale_reads += 1
    elif isinstance(error, ConstraintError):
        # Another writer created the same key between our read and our write: the next try will find it.
        retry_stats.duplicates += 1
    elif isinstance(error, IncompleteCommit):
        # The driver calls this not retryable; every write here is keyed, so running it again is harmless.
        retry_stats.unknown_commits += 1
    elif isinstance(error, (ServiceUnavailable, SessionExpired)):
        retry_stats.outages += 1
    elif isinstance(error, Neo4jError) and error.code and "DeadlockDetected" in error.code:
        retry_stats.deadlocks += 1
    elif isinstance(error, Neo4jError) and error.code and "LockAcquisitionTimeout" in error.code:
        retry_stats.lock_timeouts += 1
    elif was_ended_by_server(error):
        retry_stats.ended_by_server += 1
    elif isinstance(error, ClientError) and not error.is_retryable():
        return False
    elif error.is_retryable():  # type: ignore[attr-defined]
        retry_stats.outages += 1
    else:
        return False
    return True
