"""Celery tasks of the change feed: thin; beat calls the relay every second and retention every hour."""

from datetime import timedelta

import redis
import structlog
from celery import current_app, shared_task

from core.clock import utc_now
from core.errors import UnavailableError
from core.settings import load_settings
from graph.process import process_graph
from graph.repositories.change_hooks import due_hooks
from graph.repositories.changes import prune_changes
from ingest.changes.delivery import deliver_due
from ingest.changes.relay import relay_changes
from ingest.changes.sending import policy_from
from ingest.tasks import process_redis

log = structlog.get_logger(__name__)

RELAY_TASK = "ingest.relay_changes"
DELIVER_TASK = "ingest.deliver_changes"
PRUNE_TASK = "ingest.prune_changes"
# A wake-up that waited longer is as good as the next one.
_WAKE_EXPIRES = 20


@shared_task(name=RELAY_TASK, ignore_result=True)
def relay_changes_task() -> None:
    """Write what changed into the feeds and wake the deliverer; cheap when there is nothing, harmless when repeated."""
    try:
        relay_changes(process_graph(), process_redis())
        if due_hooks(process_graph(), utc_now(), 1):
            current_app.send_task(DELIVER_TASK, ignore_result=True, expires=_WAKE_EXPIRES)
    except (UnavailableError, redis.ConnectionError, redis.TimeoutError) as error:
        # Nothing is lost: the marks stay in the graph and the next call finds them.
        log.warning("change_relay_waits", reason=type(error).__name__)


@shared_task(name=DELIVER_TASK, ignore_result=True)
def deliver_changes_task() -> None:
    """Serve the webhooks that have something to get."""
    try:
        deliver_due(process_graph(), policy_from(load_settings()))
    except UnavailableError as error:
        log.warning("change_delivery_waits", reason=type(error).__name__)


@shared_task(name=PRUNE_TASK, ignore_result=True)
def prune_changes_task() -> None:
    """Remove entries that are older than the installation keeps them."""
    try:
        removed = prune_changes(process_graph(), utc_now() - timedelta(days=load_settings().change_retention_days))
    except UnavailableError as error:
        log.warning("change_retention_waits", reason=type(error).__name__)
        return
    if removed:
        log.info("changes_removed", count=removed)
