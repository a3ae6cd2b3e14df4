"""Celery tasks of `ml`: thin; woken with mark ids, they store features and predictions, then the marks go."""

from celery import shared_task

from core.clock import Clock, utc_now
from graph.driver import Graph
from graph.process import process_graph
from graph.repositories.outbox import ChangedProfiles, delete_marks, read_marks
from insight.intent_lists import refresh_intents
from ml.serving.active import process_models
from ml.serving.store import refresh_profiles


@shared_task(name="ml.compute_features", ignore_result=True)
def compute_features_task(mark_ids: list[str]) -> None:
    """Features and predictions for the profiles of these marks; safe to run twice, finished marks cost one look-up."""
    work_off_marks(process_graph(), mark_ids)


def work_off_marks(graph: Graph, mark_ids: list[str], clock: Clock = utc_now) -> None:
    """Store features and predictions of all profiles that the marks name; then, and only then, delete the marks."""
    by_brand: dict[str, list[ChangedProfiles]] = {}
    for mark in read_marks(graph, mark_ids):
        by_brand.setdefault(mark.brand, []).append(mark)
    for brand, marks in by_brand.items():
        changed = sorted({profile_id for mark in marks for profile_id in mark.profile_ids})
        now = clock()
        failed = refresh_profiles(graph, process_models(), brand, changed, now).failed
        refresh_intents(graph, brand, [id_ for id_ in changed if id_ not in failed], now)
        done = [mark.mark_id for mark in marks if failed.isdisjoint(mark.profile_ids)]
        delete_marks(graph, brand, done)
