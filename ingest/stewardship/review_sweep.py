"""Closes pending reviews that nothing is left to decide about; a Celery beat tick calls it once a minute."""

import structlog

from core.brand import BrandSettings
from core.errors import NotFoundError
from graph.driver import Graph
from graph.repositories.brands import find_brand, list_brands
from graph.stewardship import Command
from graph.transactions import Transaction
from ingest.stewardship.merging import new_command
from ingest.stewardship.reviewing import (
    MERGED,
    REJECTED,
    Decided,
    ReviewSettledError,
    Standing,
    settle,
)

log = structlog.get_logger(__name__)

SWEPT_BY = "rules"
_AT_ONCE = 500


class _StillOpenError(Exception):
    """Under its locks the review turned out to propose something after all."""


def sweep_reviews(graph: Graph) -> int:
    """Close what is left over in every brand; how many reviews were closed."""
    closed = 0
    for brand in list_brands(graph):
        settings = find_brand(graph, brand["id"])
        if settings is not None:
            closed += sweep_brand(graph, settings)
    return closed


def sweep_brand(graph: Graph, brand: BrandSettings) -> int:
    """Close pending reviews whose profiles have become one, are gone, or were all told apart; how many."""
    closed = 0
    for row in graph.read("reviews/list_left_over", brand=brand.id, limit=_AT_ONCE):
        try:
            settle(graph, new_command(brand, "swp", SWEPT_BY, ""), row["id"], _close)
        except (_StillOpenError, ReviewSettledError, NotFoundError):
            # Somebody else came first, or the profiles changed since they were listed.
            continue
        closed += 1
    if closed:
        log.info("reviews_closed", brand=brand.id, count=closed)
    return closed


def _close(_tx: Transaction, _command: Command, standing: Standing) -> Decided:
    if len(standing.live) <= 1:
        return Decided(REJECTED, None, "Fewer than two of its profiles are left: there was nothing to decide.")
    if len(standing.roots) == 1:
        return Decided(MERGED, None, "The profiles of this review had become one by other ways.")
    if _all_apart(standing):
        return Decided(REJECTED, None, "All its profiles were told apart by other ways.")
    raise _StillOpenError


def _all_apart(standing: Standing) -> bool:
    apart = {frozenset(sides) for sides in standing.marks.values()}
    pairs = len(standing.roots) * (len(standing.roots) - 1) // 2
    return len(apart) == pairs
