"""Turns the marks of identity changes into entries of each brand's feed; one leased caller at a time does the work."""

import redis
import structlog

from graph.driver import Graph
from graph.repositories.changes import append_waiting, waiting_brands
from ingest.leases import lease

log = structlog.get_logger(__name__)

LEASE_KEY = "constintel:changes:lease"
# Longer than one call can take; a relay that dies is replaced after it.
_LEASE_MS = 30_000
_MARKS_AT_ONCE = 50
_MAX_ROUNDS = 40


def relay_changes(graph: Graph, client: redis.Redis) -> int:
    """Write what waits into the feeds, oldest first, each brand in turn; how many marks; nothing when others do.

    The lease only spares work: the lock of a brand's counter keeps its numbers gapless whoever calls. Raises
    UnavailableError or redis' errors when one of the two is away; the marks stay.
    """
    marks = 0
    with lease(client, LEASE_KEY, _LEASE_MS) as is_mine:
        for _ in range(_MAX_ROUNDS if is_mine else 0):
            taken = sum(append_waiting(graph, brand, _MARKS_AT_ONCE) for brand in waiting_brands(graph))
            marks += taken
            if not taken:
                break
    if marks:
        log.info("changes_relayed", marks=marks)
    return marks
