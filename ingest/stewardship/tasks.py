"""Celery tasks of the review queue: thin; beat calls them, and a call that is lost or doubled does no harm."""

from datetime import timedelta

import structlog
from celery import shared_task

from core.clock import utc_now
from core.errors import UnavailableError
from graph.process import process_graph
from graph.repositories.review_batches import forget_batches
from ingest.stewardship.bulk_reviews import run_waiting_batches
from ingest.stewardship.review_sweep import sweep_reviews

log = structlog.get_logger(__name__)

DECIDE_TASK = "ingest.decide_reviews"
SWEEP_TASK = "ingest.sweep_reviews"
# The relays share the queue: they must not wait long behind a batch.
_WORK_SECONDS = 10.0
_BATCHES_KEPT = timedelta(days=30)
_FORGOTTEN_AT_ONCE = 200


@shared_task(name=DECIDE_TASK, ignore_result=True)
def decide_reviews_task() -> None:
    """Go on with bulk decisions that their requests have left; cheap when there are none."""
    try:
        run_waiting_batches(process_graph(), seconds=_WORK_SECONDS)
    except UnavailableError as error:
        # The batches stay in the graph and the next call finds them.
        log.warning("bulk_reviews_wait", reason=type(error).__name__)


@shared_task(name=SWEEP_TASK, ignore_result=True)
def sweep_reviews_task() -> None:
    """Close reviews that nothing is left to decide about, and forget bulk decisions of long ago."""
    try:
        sweep_reviews(process_graph())
        forget_batches(process_graph(), utc_now() - _BATCHES_KEPT, _FORGOTTEN_AT_ONCE)
    except UnavailableError as error:
        log.warning("review_sweep_waits", reason=type(error).__name__)
