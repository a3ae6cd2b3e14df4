"""Celery tasks of CSV imports: beat asks every two seconds whether an import waits, and hourly for old files."""

import os

import structlog
from celery import shared_task

from core.clock import utc_now
from core.errors import UnavailableError
from core.settings import Settings, load_settings
from graph.driver import Graph
from graph.process import process_graph
from graph.repositories.brands import find_brand
from graph.repositories.csv_imports import find_due
from ingest.csv_files.files import remove_old_files, spool_folder
from ingest.csv_files.run import Desk, work_on
from ingest.jobs import taking

log = structlog.get_logger(__name__)

IMPORT_TASK = "ingest.import_csv"
TIDY_TASK = "ingest.tidy_csv_files"
# One stretch of work: the next import gets its turn, and Celery's limits are far away.
_STRETCH_SECONDS = 120.0


@shared_task(name=IMPORT_TASK, ignore_result=True)
def import_csv_task() -> None:
    """Work on the import that waits longest; one at a time, so that other tasks keep their worker."""
    try:
        run_due_import(process_graph(), load_settings(), _STRETCH_SECONDS)
    except UnavailableError as error:
        # What is settled stays; the lease runs out and a later call goes on.
        log.warning("csv_import_waits", reason=type(error).__name__)


@shared_task(name=TIDY_TASK, ignore_result=True)
def tidy_csv_files_task() -> None:
    """Remove files of imports that are kept no longer."""
    settings = load_settings()
    removed = remove_old_files(spool_folder(settings), settings.csv_keep_days)
    if removed:
        log.info("csv_files_removed", count=removed)


def run_due_import(graph: Graph, settings: Settings, seconds: float) -> bool:
    """Work for `seconds` on the import that waits longest; whether there was one. Raises UnavailableError."""
    due = find_due(graph, utc_now())
    if due is None:
        return False
    brand_id, import_id = due
    brand = find_brand(graph, brand_id)
    if brand is None:
        return False
    with taking(graph, settings) as take:
        desk = Desk(graph, spool_folder(settings), take, f"worker:{os.getpid()}:{os.urandom(4).hex()}")
        work_on(desk, brand, import_id, seconds)
    return True
