"""After a late sign-in that moved many events: works through what the commit left to do, a bounded step at a time."""

import time
from dataclasses import replace

import redis
import structlog

from core.clock import Clock, utc_now
from core.errors import UnavailableError
from graph.driver import Graph
from graph.recompute import list_waiting, move_some
from graph.repositories.brands import find_brand
from ingest.leases import lease

log = structlog.get_logger(__name__)

LEASE_KEY = "constintel:recompute:lease"
# Longer than a call: its own time and one last transaction with all its tries.
_LEASE_MS = 60_000
_SECONDS = 20.0


def move_waiting(graph: Graph, client: redis.Redis, *, at_once: int, clock: Clock = utc_now) -> int:
    """Move events of follow-ups, oldest first, for some seconds; the steps made, none when another process is at it.

    Whoever dies leaves the rest to the next call: each step is a transaction and begins from the evidence.
    """
    steps = 0
    with lease(client, LEASE_KEY, _LEASE_MS) as is_mine:
        deadline = time.monotonic() + _SECONDS
        for waiting in list_waiting(graph, clock()) if is_mine else ():
            settings = find_brand(graph, waiting.brand)
            if settings is None:
                continue
            settings = replace(settings, moved_at_once=at_once)
            try:
                while time.monotonic() < deadline:
                    steps += 1
                    if not move_some(graph, settings, waiting.id):
                        break
            except UnavailableError:
                # Locked for too long: it must not keep those behind it waiting.
                log.warning("move_postponed", brand=waiting.brand, recompute_id=waiting.id)
    if steps:
        log.info("events_moved", steps=steps)
    return steps
