"""How commands send many events: batches over several connections at once, everything that was refused counted."""

import itertools
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from cli.console import Advance
from cli.service import ServiceClient

MAX_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Sent:
    """How sending went: events taken and refused, repeats among those taken, and the time in seconds."""

    accepted: int
    rejected: int
    duplicates: int
    seconds: float
    first_problem: str | None = None

    @property
    def rate(self) -> float:
        """Events taken in a second."""
        return self.accepted / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where events go: address, key of the brand, connections used at once, events of one request."""

    url: str
    api_key: str
    connections: int = 4
    batch: int = 500


def send_events(target: Target, events: Sequence[dict[str, Any]], advance: Advance) -> Sent:
    """Send `events` in order, batch by batch, over all connections; returns when every batch is answered."""
    batches = iter([events[place : place + target.batch] for place in range(0, len(events), target.batch)])
    lock = threading.Lock()
    began = time.perf_counter()

    def connection() -> list[dict[str, Any]]:
        answers: list[dict[str, Any]] = []
        with ServiceClient(target.url, target.api_key) as client:
            while True:
                with lock:
                    batch = next(batches, None)
                if batch is None:
                    return answers
                answers.append(client.post("/api/events/batch", {"events": list(batch)}))
                with lock:
                    advance(len(batch))

    with ThreadPoolExecutor(target.connections) as pool:
        running = [pool.submit(connection) for _ in range(target.connections)]
        answers = list(itertools.chain.from_iterable(future.result() for future in running))
    return _summary(answers, time.perf_counter() - began)


def _summary(answers: list[dict[str, Any]], seconds: float) -> Sent:
    results = [result for answer in answers for result in answer["results"]]
    problems = [result["error"] for result in results if "error" in result]
    return Sent(
        accepted=sum(answer["accepted"] for answer in answers),
        rejected=sum(answer["rejected"] for answer in answers),
        duplicates=sum(bool(result.get("duplicate")) for result in results),
        seconds=seconds,
        first_problem=str(problems[0].get("detail")) if problems else None,
    )
