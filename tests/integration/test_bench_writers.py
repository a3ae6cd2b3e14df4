"""The bench's writers on the real graph: all three leave the same rows, so that their rates can be compared."""

import pytest

from cli.benchmarks.measure import measure
from cli.benchmarks.servers import Servers
from core.settings import Settings
from graph.driver import Graph

EVENTS = 600


@pytest.fixture(scope="module")
def rows(graph: Graph, graph_settings: Settings) -> dict[str, dict[str, int]]:
    """Rows that each measurement wrote for the same events."""
    servers = Servers(graph_settings)
    return {letter: measure(letter, EVENTS, 0, servers, graph).rows for letter in ("a", "b", "c")}


def test_the_resolver_leaves_as_many_rows_as_the_raw_limit(rows: dict[str, dict[str, int]]) -> None:
    assert rows["a"]["events"] == EVENTS
    for name in ("events", "carried", "links"):
        assert rows["c"][name] == rows["a"][name]


def test_the_naive_way_writes_no_less(rows: dict[str, dict[str, int]]) -> None:
    # Knowing nothing of merges, it links what a merged person's other persona already holds once more.
    assert (rows["b"]["events"], rows["b"]["carried"]) == (EVENTS, rows["a"]["carried"])
    assert rows["b"]["links"] >= rows["a"]["links"]
