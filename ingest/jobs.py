"""What background work on batches of events shares, be it a file or a CRM that they come from.

A job is a record in the graph that is worked on under a lease; after each batch it says how far it is.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from core.brand import BrandSettings
from core.decisions import EventResult
from core.errors import ConstIntelError
from core.events import RawEvent
from core.settings import Settings
from graph.driver import Graph
from graph.repositories.csv_imports import find_received
from ingest.committer import Outcome
from ingest.pipeline import Ingest

MOST_WARNINGS = 50
OTHER_WARNINGS = "other warnings"

Take = Callable[[BrandSettings, Sequence[RawEvent]], Sequence[Outcome]]
"""Stores events and answers after their commit."""


class LeaseLostError(Exception):
    """Somebody else works on the job now."""


@contextmanager
def taking(graph: Graph, settings: Settings) -> Iterator[Take]:
    """A `Take` of its own for a worker; nothing of it may wait in the inbox, for jobs have their own place to wait."""
    with asyncio.Runner() as runner:
        ingest = Ingest(graph, settings)

        def take(brand: BrandSettings, raws: Sequence[RawEvent]) -> Sequence[Outcome]:
            return runner.run(ingest.take(brand, raws, may_queue=False))

        try:
            yield take
        finally:
            runner.run(ingest.close())


def take_all(take: Take, brand: BrandSettings, raws: Sequence[RawEvent]) -> Sequence[Outcome]:
    """Store `raws`; an outcome that a later try may better is raised: the batch comes again then."""
    outcomes = take(brand, raws) if raws else ()
    for outcome in outcomes:
        if isinstance(outcome, ConstIntelError) and outcome.is_retryable:
            raise outcome
    return outcomes


def received_since(graph: Graph, brand: str, outcomes: Iterable[object], since: datetime) -> set[str]:
    """Events that are repeats only because a job was cut off after it committed and before it counted them."""
    results = [outcome for outcome in outcomes if isinstance(outcome, EventResult)]
    new = {result.event_id for result in results if not result.duplicate}
    known = {result.event_id for result in results if result.duplicate} - new
    received = find_received(graph, brand, sorted(known)) if known else {}
    return {event_id for event_id, at in received.items() if at >= since}


def count_warnings(counts: dict[str, int], warnings: Sequence[str]) -> None:
    """Count each text of `warnings`; beyond some different texts all further ones count together."""
    for text in warnings:
        name = text if text in counts or len(counts) < MOST_WARNINGS else OTHER_WARNINGS
        counts[name] = counts.get(name, 0) + 1
