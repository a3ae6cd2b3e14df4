"""Celery tasks of `ml`: thin; woken with mark ids, what follows from events is stored, then the marks go."""

import structlog
from celery import shared_task

from core.clock import Clock, utc_now
from core.errors import UnavailableError
from graph.driver import Graph
from graph.process import process_graph
from graph.repositories.outbox import ChangedProfiles, delete_marks, read_marks
from insight.computed_traits.refresh import refresh_due, refresh_traits
from insight.intent_lists import refresh_intents
from ml.serving.active import process_models
from ml.serving.store import refresh_profiles

log = structlog.get_logger(__name__)

# Some ten thousand profiles: other work of the queue has its turn then.
_MOST_ROUNDS = 20


@shared_task(name="ml.compute_features", ignore_result=True)
def compute_features_task(mark_ids: list[str]) -> None:
    """Features, predictions and traits for the profiles of these marks; harmless when repeated."""
    work_off_marks(process_graph(), mark_ids)


@shared_task(name="ml.refresh_due_traits", ignore_result=True)
def refresh_due_traits_task() -> None:
    """Computed traits that change though nothing happens: days pass, events leave their window."""
    graph = process_graph()
    try:
        for _ in range(_MOST_ROUNDS):
            if not refresh_due(graph, utc_now()):
                break
    except UnavailableError as error:
        # Nothing is lost: what is due stays due in the graph.
        log.warning("due_traits_wait", reason=type(error).__name__)


def work_off_marks(graph: Graph, mark_ids: list[str], clock: Clock = utc_now) -> None:
    """Store features, predictions and traits of all profiles that the marks name; then, and only then, delete them."""
    by_brand: dict[str, list[ChangedProfiles]] = {}
    for mark in read_marks(graph, mark_ids):
        by_brand.setdefault(mark.brand, []).append(mark)
    for brand, marks in by_brand.items():
        changed = sorted({profile_id for mark in marks for profile_id in mark.profile_ids})
        now = clock()
        # Features count the intents, so those come first.
        refresh_intents(graph, brand, changed, now)
        failed = refresh_profiles(graph, process_models(), brand, changed, now).failed
        failed |= refresh_traits(graph, brand, changed, now)
        done = [mark.mark_id for mark in marks if failed.isdisjoint(mark.profile_ids)]
        delete_marks(graph, brand, done)
