"""One `Graph` per process: the driver's life cycle and plain reads and writes by query name."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import neo4j
import structlog
from neo4j.exceptions import (
    AuthError,
    ClientError,
    CypherTypeError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
)

from core.errors import ConfigurationError, UnavailableError, UnreadableDataError
from core.settings import Settings
from graph.parameters import untold
from graph.queries import query_text
from graph.seals import Seals

log = structlog.get_logger(__name__)

# A caller of the hot path waits for a lock at most this long in the server; more connections only queue there.
_POOL_SIZE = 50
# A reader that Neo4j does not answer is told so; the driver's default of 30 s outlasts most callers.
_RETRY_SECONDS = 5.0
# Records that one message of an answer brings at most: all.
_ALL = -1
_QUICK_SECONDS = 1.0
_TRIES = 5
_ENDED_BY_SERVER = ("LockClientStopped", "Transaction.Terminated")
# Two installations may migrate one database at once: their schema locks can meet.
_SCHEMA_SECONDS = 30.0
_SCHEMA_PAUSE_SECONDS = 0.1
# A server that is there takes milliseconds for a connection and its greeting.
_PROBE_CONNECT_SECONDS = 1.0
_PROBE_SECONDS = 2.0


def probe(settings: Settings) -> None:
    """Ask over a new connection whether the server answers, for two seconds; raises UnavailableError when it does not.

    Connections of a pool do for this only while all is well: a server that stopped answers on none of them, and the
    driver waits long for each.
    """
    with Graph.connect(settings, answer_seconds=_PROBE_SECONDS) as graph:
        graph.verify()


class Graph:
    """A thread-safe handle on one Neo4j database; open it with `connect`, close it once."""

    def __init__(self, driver: neo4j.Driver, settings: Settings) -> None:
        self._driver = driver
        self.database = settings.neo4j_database
        self.seals = Seals(settings)

    @classmethod
    def connect(cls, settings: Settings, *, answer_seconds: float | None = None) -> Self:
        """Open a driver for `settings` without network traffic; raises ConfigurationError without a URI.

        `answer_seconds` makes it give up on a connection after that time instead of the usual ones.
        """
        if settings.neo4j_uri is None or settings.neo4j_password is None:
            what = "Neo4j is not configured: set NEO4J_URI and NEO4J_PASSWORD, or run `constintel up`."
            raise ConfigurationError(what)
        driver = neo4j.GraphDatabase.driver(
            settings.neo4j_uri,
            auth=(settings.neo4j_user, settings.neo4j_password.get_secret_value()),
            max_connection_pool_size=_POOL_SIZE,
            connection_timeout=5.0 if answer_seconds is None else _PROBE_CONNECT_SECONDS,
            connection_acquisition_timeout=10.0 if answer_seconds is None else answer_seconds,
            max_transaction_retry_time=_RETRY_SECONDS if answer_seconds is None else 0.0,
            telemetry_disabled=True,
            notifications_min_severity="OFF",
        )
        return cls(driver, settings)

    def close(self) -> None:
        """Close the driver and its connections."""
        self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def verify(self) -> None:
        """Ask the server for a sign of life; raises UnavailableError or ConfigurationError (wrong password)."""
        try:
            self._driver.verify_connectivity()
        except AuthError as error:
            what = "Neo4j refused the user or password: check NEO4J_USER and NEO4J_PASSWORD."
            raise ConfigurationError(what) from error
        except (DriverError, Neo4jError) as error:
            raise UnavailableError("Neo4j is not reachable.") from error

    def read(self, query: str, /, **params: object) -> list[dict[str, Any]]:
        """Run the read query `query`; rows as dicts; raises UnavailableError while Neo4j is away.

        What fails within a second is tried again for some seconds.
        """
        return self._execute(query, params, neo4j.RoutingControl.READ)

    def read_lists(self, query: str, /, **params: object) -> list[list[Any]]:
        """As `read`, each row as its values, for answers of many rows."""
        return [record.values() for record in self._records(query, params, neo4j.RoutingControl.READ)]

    def write(self, query: str, /, **params: object) -> list[dict[str, Any]]:
        """Run the write query `query` in a managed transaction; it must be idempotent, for it may run twice.

        Runs again when another transaction removed a node between its finding and its changing here.
        """
        for _ in range(_TRIES):
            try:
                return self._execute(query, params, neo4j.RoutingControl.WRITE)
            except ClientError as error:
                if not (error.code or "").endswith("EntityNotFound"):
                    raise
        log.warning("write_gave_up", query=query, tries=_TRIES)
        raise UnavailableError("Others change the same things; try again shortly.")

    def stream(self, query: str, /, **params: object) -> Iterator[list[Any]]:
        """Rows of the read query `query` as lists while they come, however many: nothing is held and nothing retried.

        Raises UnavailableError when Neo4j goes away.
        """
        try:
            with self._driver.session(
                database=self.database, default_access_mode=neo4j.READ_ACCESS, bookmark_manager=None
            ) as session:
                for record in session.run(query_text(query), untold(params)):
                    yield record.values()
        except (DriverError, Neo4jError) as error:
            if _is_away(error):
                raise UnavailableError("Neo4j is not reachable.") from error
            raise

    def _execute(self, query: str, params: dict[str, object], routing: neo4j.RoutingControl) -> list[dict[str, Any]]:
        # Queries return plain values and maps; `record.data()` would copy every part of them in search of nodes.
        return [dict(record) for record in self._records(query, params, routing)]

    def _records(self, query: str, params: dict[str, object], routing: neo4j.RoutingControl) -> list[neo4j.Record]:
        text, params = query_text(query), untold(params)
        try:
            if routing is neo4j.RoutingControl.READ and (found := self._read_once(text, params)) is not None:
                return found
            records, _, _ = self._driver.execute_query(
                text, parameters_=params, routing_=routing, database_=self.database, bookmark_manager_=None
            )
        except CypherTypeError as error:
            raise UnreadableDataError("Something that is stored is of another type than was expected.") from error
        except (DriverError, Neo4jError) as error:
            if _is_away(error):
                raise UnavailableError("Neo4j is not reachable.") from error
            raise
        return records

    def _read_once(self, text: str, params: dict[str, object]) -> list[neo4j.Record] | None:
        """The rows in one round trip, where a managed transaction takes two; None when another try may better it.

        A connection of the pool may have outlived its server, which shows at once; after a long wait nobody tries
        again.
        """
        began = time.monotonic()
        try:
            with self._driver.session(
                database=self.database, default_access_mode=neo4j.READ_ACCESS, bookmark_manager=None, fetch_size=_ALL
            ) as session:
                return list(session.run(neo4j.Query(text), params))
        except (DriverError, Neo4jError) as error:
            if not _is_away(error) or time.monotonic() - began > _QUICK_SECONDS:
                raise
        return None

    def run_schema(self, statement: str) -> None:
        """Run one schema statement in its own implicit transaction, again when another's locks were in its way."""
        deadline = time.monotonic() + _SCHEMA_SECONDS
        while True:
            try:
                with self._driver.session(database=self.database) as session:
                    session.run(neo4j.Query(statement)).consume()
                return
            except Neo4jError as error:
                if not error.is_retryable() or time.monotonic() > deadline:
                    raise
            time.sleep(_SCHEMA_PAUSE_SECONDS)

    @contextmanager
    def session(self) -> Iterator[neo4j.Session]:
        """A driver session for explicit transactions (`graph/transactions.py`)."""
        with self._driver.session(database=self.database, bookmark_manager=None) as session:
            yield session


def was_ended_by_server(error: Exception) -> bool:
    """Whether the server ended a healthy transaction (it shuts down, an operator): not the fault of what it did.

    The driver calls these the client's fault; another try may well pass.
    """
    code = (error.code or "") if isinstance(error, Neo4jError) else ""
    return any(word in code for word in _ENDED_BY_SERVER)


def _is_away(error: DriverError | Neo4jError) -> bool:
    """Whether another try may better it."""
    is_lost = isinstance(error, (ServiceUnavailable, SessionExpired))
    return is_lost or error.is_retryable() or was_ended_by_server(error)
