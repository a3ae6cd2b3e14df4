"""The Celery app: settings, schedule and the worker's sign of life; its tasks live in `ingest` and `ml`."""

import logging
import os
from typing import Any

import redis
import structlog
from celery import Celery
from celery.signals import heartbeat_sent, setup_logging, worker_process_init, worker_ready, worker_shutdown
from redis.exceptions import RedisError

from api.health import WORKER_KEY
from core.collector import settle_collector
from core.errors import ConfigurationError
from core.logs import configure_logs
from core.settings import Settings, load_settings

log = structlog.get_logger(__name__)

TASK_PACKAGES = (
    "insight",
    "ingest",
    "ingest.changes",
    "ingest.crm",
    "ingest.csv_files",
    "ingest.stewardship",
    "ml",
    "ml.runs",
    "ml.suggestions",
)
LONG_TASKS = ("ml.carry_out_run", "ml.run_suggestions", "ml.refresh_due_traits")
"""They take minutes, on a queue of their own: what follows a commit never waits behind them."""
ALIVE_SECONDS = 30
# Longer than the longest task: a task that runs past it is given to a second worker.
VISIBILITY_SECONDS = 3600
_RELAY_SECONDS = 2.0
_CHANGES_SECONDS = 1.0
_DRAIN_SECONDS = 2.0
_RETENTION_SECONDS = 3600.0
_ATTRIBUTION_SECONDS = 21_600.0
_BULK_SECONDS = 2.0
_SWEEP_SECONDS = 60.0
_SUGGESTIONS_SECONDS = 2.0
_SCHEDULE_SECONDS = 60.0
_IMPORT_SECONDS = 2.0
_TRANSPORT: dict[str, Any] = {
    "visibility_timeout": VISIBILITY_SECONDS,
    # Without these two a lost task is looked for every hundred seconds only.
    "unacked_restore_throttle": 1,
    "unacked_restore_interval": 10,
    # A broker that accepts and never answers would block a publisher for ever.
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
}


def create_worker_app(settings: Settings | None = None) -> Celery:
    """The Celery app of this installation; raises ConfigurationError without a Redis address."""
    settings = settings or load_settings()
    if settings.redis_url is None:
        raise ConfigurationError("Redis is not configured: set REDIS_URL, or run `constintel up`.")
    celery = Celery("constintel", broker=settings.redis_url)
    celery.conf.update(
        accept_content=["json"],
        task_serializer="json",
        result_serializer="json",
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_time_limit=1800,
        task_soft_time_limit=1500,
        task_default_queue="default",
        task_routes={name: {"queue": "ml"} for name in LONG_TASKS},
        task_publish_retry_policy={"max_retries": 3, "interval_start": 0.1, "interval_max": 1.0},
        broker_transport_options=dict(_TRANSPORT),
        result_backend_transport_options={"visibility_timeout": VISIBILITY_SECONDS},
        visibility_timeout=VISIBILITY_SECONDS,
        broker_connection_retry_on_startup=True,
        worker_prefetch_multiplier=1,
        worker_max_tasks_per_child=10_000,
        worker_hijack_root_logger=False,
        worker_soft_shutdown_timeout=10.0,
        timezone="UTC",
        beat_schedule=_schedule(),
        beat_schedule_filename=str(settings.data_dir / "beat-schedule"),
    )
    # Read by OpenMP when a library with it is loaded, in whichever task comes first: one thread for each process.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    celery.autodiscover_tasks(list(TASK_PACKAGES))
    return celery


def _schedule() -> dict[str, Any]:
    """What beat sends: a tick that waited longer than it lives is as good as the next one."""
    ticks = {
        "ingest.relay_marks": (_RELAY_SECONDS, 10),
        "ingest.move_events": (_RELAY_SECONDS, 10),
        "ingest.drain_inbox": (_DRAIN_SECONDS, 10),
        "ingest.relay_changes": (_CHANGES_SECONDS, 10),
        "ingest.prune_changes": (_RETENTION_SECONDS, 1),
        "ingest.decide_reviews": (_BULK_SECONDS, 1),
        "ingest.sweep_reviews": (_SWEEP_SECONDS, 1),
        "ml.sweep_suggestions": (_SUGGESTIONS_SECONDS, 10),
        "ml.sweep_runs": (_SUGGESTIONS_SECONDS, 10),
        "ml.schedule_runs": (_SCHEDULE_SECONDS, 1),
        "ml.schedule_suggestions": (_SCHEDULE_SECONDS, 1),
        "ml.refresh_due_traits": (_SCHEDULE_SECONDS, 1),
        "ingest.import_csv": (_IMPORT_SECONDS, 10),
        "insight.watch_shop_floor": (_RELAY_SECONDS, 10),
        "ingest.sync_crm": (_IMPORT_SECONDS, 10),
        "insight.refresh_attribution": (_ATTRIBUTION_SECONDS, 1),
        "ingest.tidy_csv_files": (_RETENTION_SECONDS, 1),
    }
    return {
        task.partition(".")[2].replace("_", "-"): {
            "task": task, "schedule": seconds, "options": {"expires": lives * seconds, "ignore_result": True},
        }
        for task, (seconds, lives) in ticks.items()
    }  # fmt: skip


class _Pulse:
    """The sign of life that health asks for: a key in Redis with a short life, renewed with each heartbeat."""

    def __init__(self) -> None:
        self._client: redis.Redis | None = None

    def beat(self) -> None:
        """Renew the key; a Redis that is away for a moment only makes health say so."""
        url = app.conf.broker_url
        if self._client is None:
            self._client = redis.Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0)
        try:
            self._client.set(WORKER_KEY, "1", ex=ALIVE_SECONDS)
        except RedisError as error:
            log.warning("heartbeat_not_written", reason=type(error).__name__)

    def stop(self) -> None:
        """Let go of the connection; the key dies by itself, for another worker may live."""
        if self._client is not None:
            self._client.close()
            self._client = None


_pulse = _Pulse()


@worker_ready.connect(weak=False)
@heartbeat_sent.connect(weak=False)
def _on_heartbeat(**_: object) -> None:
    _pulse.beat()


@worker_process_init.connect(weak=False)
@worker_ready.connect(weak=False)
def _on_start(**_: object) -> None:
    """In each process of a pool, and in the one that is its own pool."""
    settle_collector()


@worker_shutdown.connect(weak=False)
def _on_shutdown(**_: object) -> None:
    _pulse.stop()


@setup_logging.connect(weak=False)
def _on_setup_logging(**_: object) -> None:
    """Celery leaves logging to us when this signal has a receiver."""
    settings = load_settings()
    configure_logs(level=settings.log_level, as_json=settings.log_json)
    # Three lines for each tick of the schedule would hide everything else; failures are warnings and stay.
    for name in ("celery.beat", "celery.app.trace", "celery.worker.strategy"):
        logging.getLogger(name).setLevel(logging.WARNING)


app = create_worker_app()
