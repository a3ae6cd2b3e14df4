"""What a writer process of the concurrency tests does; a module of its own, because a new process imports it."""

from typing import Protocol

from core.brand import BrandSettings
from core.events import IncomingEvent
from core.settings import Settings
from graph.commit import commit_batch
from graph.driver import Graph


class Barrier(Protocol):
    """Of threads or of processes."""

    def wait(self, timeout: float) -> int:
        """Return when everybody waits."""


_held: list[Barrier] = []


def take_barrier(barrier: Barrier) -> None:
    """Keep the barrier that lets all writers begin together."""
    _held[:] = [barrier]


Written = list[tuple[str, str | None, bool]]
"""(event id, profile id, whether it was a repeat) of every event."""


def write_batches(settings: Settings, brand: BrandSettings, batches: list[list[IncomingEvent]]) -> Written:
    """Commit `batches` one after the other; what was answered."""
    with Graph.connect(settings) as graph:
        graph.verify()
        _held[0].wait(60)
        return [
            (result.event_id, result.profile_id, result.duplicate)
            for batch in batches
            for result in commit_batch(graph, brand, batch, budget_seconds=60)
        ]
