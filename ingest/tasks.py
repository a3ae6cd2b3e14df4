"""Celery tasks of `ingest`: thin; beat calls the relay, the drainer and the mover of events every two seconds."""

import os

import redis
import structlog
from celery import current_app, shared_task
from celery.signals import worker_process_shutdown

from core.errors import ConfigurationError, UnavailableError
from core.settings import load_settings
from graph.process import close_process_graph, process_graph
from ingest.drain import drain_inbox, drain_plan
from ingest.inbox import inbox_length
from ingest.recomputing import move_waiting
from ingest.redis_clients import open_redis
from ingest.relay import FEATURES_TASK, relay_marks

log = structlog.get_logger(__name__)

RELAY_TASK = "ingest.relay_marks"
MOVE_TASK = "ingest.move_events"
DRAIN_TASK = "ingest.drain_inbox"
# Without limits a broker that accepts and never answers blocks for ever.
_CONNECT_SECONDS = 2.0
_ANSWER_SECONDS = 5.0


class _Held:
    """The Redis connection of this process; a forked child opens its own."""

    client: redis.Redis | None = None
    pid: int = 0


@shared_task(name=RELAY_TASK, ignore_result=True)
def relay_marks_task() -> None:
    """Relay what commits have marked; cheap when there is nothing, harmless when several run at once."""
    try:
        relay_marks(process_graph(), process_redis(), wake_features, max_entries=load_settings().stream_max_entries)
    except (UnavailableError, redis.ConnectionError, redis.TimeoutError) as error:
        # Nothing is lost: the marks stay in the graph and the next call finds them.
        log.warning("relay_waits", reason=type(error).__name__)


@shared_task(name=MOVE_TASK, ignore_result=True)
def move_events_task() -> None:
    """Move events that a late sign-in gave to somebody else; cheap when there are none, harmless when several run."""
    try:
        move_waiting(process_graph(), process_redis(), at_once=load_settings().moved_at_once)
    except (UnavailableError, redis.ConnectionError, redis.TimeoutError) as error:
        # Nothing is lost: the follow-up stays in the graph and the next call goes on with it.
        log.warning("moving_waits", reason=type(error).__name__)


@shared_task(name=DRAIN_TASK, ignore_result=True)
def drain_inbox_task() -> None:
    """Commit what waits in the inbox; cheap when it is empty, harmless when several run at once."""
    try:
        if inbox_length(process_redis()):
            drain_inbox(process_graph(), process_redis(), drain_plan(load_settings()))
    except (UnavailableError, redis.ConnectionError, redis.TimeoutError) as error:
        # Nothing is lost: what was not committed is still there, and the next call finds it.
        log.warning("inbox_waits", reason=type(error).__name__)


def wake_features(mark_ids: list[str]) -> None:
    """Send the features task by its name: this layer knows no model code."""
    current_app.send_task(FEATURES_TASK, args=[mark_ids], ignore_result=True)


@worker_process_shutdown.connect(weak=False)
def _on_process_shutdown(**_: object) -> None:
    """Let go of this process's connections; both are opened on first use, after the fork."""
    close_process_graph()
    if _Held.client is not None and _Held.pid == os.getpid():
        _Held.client.close()


def process_redis() -> redis.Redis:
    """This process's Redis connection; raises ConfigurationError."""
    if _Held.client is None or _Held.pid != os.getpid():
        url = load_settings().redis_url
        if url is None:
            raise ConfigurationError("Redis is not configured: set REDIS_URL, or run `constintel up`.")
        _Held.client = open_redis(url, connect_seconds=_CONNECT_SECONDS, answer_seconds=_ANSWER_SECONDS)
        _Held.pid = os.getpid()
    return _Held.client
