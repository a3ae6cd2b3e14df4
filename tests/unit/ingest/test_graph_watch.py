"""The watch over the graph: away from the first failed answer to the next good one, asked by one caller at a time."""

import asyncio
import threading
from collections.abc import Callable

from core.errors import UnavailableError
from ingest.graph_watch import GraphWatch


class Graph:
    """Fails so many times, then answers."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.asked = 0
        self.noted: Callable[[], object] = lambda: None
        self.answered = threading.Event()

    def probe(self) -> None:
        self.asked += 1
        self.noted()
        if self.asked <= self.failures:
            raise UnavailableError("away")
        self.answered.set()


def run(failures: int, suspicions: int = 1) -> tuple[list[bool], Graph, int]:
    """What the watch said at each question and at the end, the graph, and how often a return was told."""
    graph = Graph(failures)
    said: list[bool] = []
    returns: list[None] = []

    async def watch() -> None:
        back = asyncio.Event()
        watched = GraphWatch(graph.probe, pause_seconds=0.0)
        watched.on_return(lambda: returns.append(None))
        watched.on_return(back.set)
        graph.noted = lambda: said.append(watched.is_away)
        for _ in range(suspicions):
            watched.suspect()
        if failures:
            await back.wait()
        else:
            await asyncio.to_thread(graph.answered.wait, 10)
        said.append(watched.is_away)
        await watched.close()

    asyncio.run(watch())
    return said, graph, len(returns)


def test_a_graph_that_answers_is_not_away_and_nobody_is_told() -> None:
    said, graph, returns = run(0)
    assert (said, graph.asked, returns) == ([False, False], 1, 0)


def test_a_graph_that_does_not_answer_is_away_until_it_does_and_its_return_is_told_once() -> None:
    said, graph, returns = run(3)
    assert said == [False, True, True, True, False]
    assert (graph.asked, returns) == (4, 1)


def test_many_suspicions_at_once_ask_once() -> None:
    _, graph, _ = run(2, suspicions=50)
    assert graph.asked == 3
