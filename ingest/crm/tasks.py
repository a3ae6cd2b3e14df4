"""Celery task of CRM syncs: beat asks every two seconds which are due by their schedule and whether one waits."""

import os
import uuid

import structlog
from celery import shared_task

from core.clock import utc_now
from core.errors import NotFoundError, UnavailableError
from core.settings import Settings, load_settings
from graph.driver import Graph
from graph.process import process_graph
from graph.repositories.brands import find_brand
from graph.repositories.crm import NewSync, create_sync, find_due_sync, list_scheduled
from ingest.crm.client import policy_from
from ingest.crm.run import Desk, work_on
from ingest.jobs import taking

log = structlog.get_logger(__name__)

SYNC_TASK = "ingest.sync_crm"
SCHEDULE = "schedule"
# One stretch of work: the next sync gets its turn, and Celery's limits are far away.
_STRETCH_SECONDS = 120.0


@shared_task(name=SYNC_TASK, ignore_result=True)
def sync_crm_task() -> None:
    """Begin syncs whose time has come and work on the one that waits longest; one at a time."""
    try:
        begin_scheduled(process_graph())
        run_due_sync(process_graph(), load_settings(), _STRETCH_SECONDS)
    except UnavailableError as error:
        # What is settled stays; the lease runs out and a later call goes on.
        log.warning("crm_sync_waits", reason=type(error).__name__)


def begin_scheduled(graph: Graph) -> int:
    """Begin a sync of each connection whose time has come; how many connections that were."""
    at = utc_now()
    due = list_scheduled(graph, at)
    for brand, name in due:
        try:
            create_sync(graph, brand, NewSync(f"syn_{uuid.uuid4().hex}", name, SCHEDULE, at))
        except NotFoundError:
            # It was taken away this moment.
            continue
    return len(due)


def run_due_sync(graph: Graph, settings: Settings, seconds: float) -> bool:
    """Work for `seconds` on the sync that waits longest; whether there was one. Raises UnavailableError."""
    due = find_due_sync(graph, utc_now())
    if due is None:
        return False
    brand_id, sync_id = due
    brand = find_brand(graph, brand_id)
    if brand is None:
        return False
    with taking(graph, settings) as take:
        owner = f"worker:{os.getpid()}:{os.urandom(4).hex()}"
        work_on(Desk(graph, take, owner, policy_from(settings)), brand, sync_id, seconds)
    return True
