"""The watch over the graph: away from the first failed answer to the next good one, asked by one caller at a time."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from core.errors import InvalidInputError, UnavailableError
from ingest import graph_watch
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


def run_work(work: Callable[[], str], probe: Callable[[], None], told: threading.Event | None = None) -> str:
    """The answer of `work`; `told` is set when its caller has one."""

    async def watch() -> str:
        watched = GraphWatch(probe, pause_seconds=0.0)
        try:
            return await watched.run(work)
        finally:
            if told is not None:
                told.set()
            await watched.close()

    return asyncio.run(watch())


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_watch, "SUSPECT_SECONDS", 0.01)


@pytest.mark.usefixtures("impatient")
def test_nobody_waits_for_work_on_a_graph_that_is_found_to_be_away() -> None:
    told = threading.Event()

    def work() -> str:
        # It ends after its caller has gone.
        assert told.wait(60)
        return "late"

    def probe() -> None:
        raise UnavailableError("away")

    with pytest.raises(UnavailableError):
        run_work(work, probe, told)


@pytest.mark.usefixtures("impatient")
def test_work_that_is_only_slow_is_waited_for() -> None:
    asked = threading.Event()

    def work() -> str:
        # It ends when the graph was asked, and answered, while it went on.
        assert asked.wait(60)
        return "done"

    assert run_work(work, asked.set) == "done"


def test_what_is_wrong_with_work_is_told_as_it_is() -> None:
    def work() -> str:
        raise InvalidInputError("no", field="x")

    with pytest.raises(InvalidInputError):
        run_work(work, lambda: None)
