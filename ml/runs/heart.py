"""Runs: the lease of a run that a worker computes; a thread renews it, for one fit may take longer than a lease."""

import threading
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from core.clock import utc_now
from core.errors import UnavailableError
from graph.driver import Graph
from graph.repositories.model_runs import RunClaim, renew_run


class RunLostError(Exception):
    """The run is no longer this worker's, or a person stopped it."""


@dataclass(slots=True)
class Progress:
    """How far a run is: profiles done of all, and the profile after which it goes on."""

    stage: str = "starting"
    done: int = 0
    total: int = 0
    position: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """As it is stored."""
        return {"stage": self.stage, "done": self.done, "total": self.total, "position": self.position}


class Heart(threading.Thread):
    """Beats a few times in each lease until the run is over or lost."""

    def __init__(self, graph: Graph, claim: RunClaim, progress: Progress, lease: timedelta) -> None:
        super().__init__(name="model-run-lease", daemon=True)
        self.progress = progress
        self._graph, self._claim, self._lease = graph, claim, lease
        self._is_over = threading.Event()
        self._is_lost = threading.Event()
        self._lives_until = utc_now() + lease

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._is_over.set()
        self.join()

    def run(self) -> None:
        """Beat until the run is over or lost; a short outage is outlived by the lease."""
        while not self._is_over.wait(self._lease.total_seconds() / 4) and not self._is_lost.is_set():
            try:
                self.beat()
            except UnavailableError:
                if utc_now() > self._lives_until:
                    self._is_lost.set()

    def beat(self) -> None:
        """Tell the graph now; raises UnavailableError."""
        until = utc_now() + self._lease
        if renew_run(self._graph, self._claim, self.progress.as_dict(), until=until):
            self._lives_until = until
        else:
            self._is_lost.set()

    def tell(self, stage: str) -> None:
        """A new stage or position: stored at once; raises RunLostError, UnavailableError."""
        self.progress.stage = stage
        self.beat()
        if self._is_lost.is_set() or utc_now() > self._lives_until:
            raise RunLostError
