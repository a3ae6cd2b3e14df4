"""Celery tasks of `insight`: what lists over many customers need, refreshed by the clock."""

from celery import shared_task

from graph.process import process_graph
from graph.repositories.brands import list_brands
from insight.customer_journey import refresh_effects


@shared_task(name="insight.refresh_attribution", ignore_result=True)
def refresh_attribution_task() -> None:
    """The removal effects of every brand's channels; safe to run twice."""
    graph = process_graph()
    for brand in list_brands(graph):
        refresh_effects(graph, brand["id"])
