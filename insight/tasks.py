"""Celery tasks of `insight`: what lists over many customers need, refreshed by the clock."""

import structlog
from celery import shared_task

from core.errors import UnavailableError
from graph.process import process_graph
from graph.repositories.brands import list_brands
from insight.customer_journey import refresh_effects
from insight.shop_floor import work_off

log = structlog.get_logger(__name__)


@shared_task(name="insight.refresh_attribution", ignore_result=True)
def refresh_attribution_task() -> None:
    """The removal effects of every brand's channels; safe to run twice."""
    graph = process_graph()
    for brand in list_brands(graph):
        refresh_effects(graph, brand["id"])


@shared_task(name="insight.watch_shop_floor", ignore_result=True)
def watch_shop_floor_task() -> None:
    """Alerts, stores and counts of products after commits; cheap when there is nothing, harmless when several run."""
    try:
        work_off(process_graph())
    except UnavailableError as error:
        # Nothing is lost: the marks stay in the graph and the next call finds them.
        log.warning("shop_floor_waits", reason=type(error).__name__)
