"""Plans of the change feed: everything is found by an index; marks come in index order whatever their number."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cypher
from graph.driver import Graph
from graph.queries import query_text

FOLDER = Path(cypher.__file__).parent / "changes"
SCANS = {"AllNodesScan", "NodeByLabelScan", "CartesianProduct"}


def operators(plan: dict[str, Any]) -> Iterator[str]:
    yield plan["operatorType"].split("@")[0]
    for child in plan.get("children", ()):
        yield from operators(child)


def explain(graph: Graph, name: str) -> list[str]:
    with graph.session() as session:
        plan = session.run("EXPLAIN " + query_text(name)).consume().plan
    assert plan is not None
    return list(operators(plan))


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.cypher")))
def test_no_query_of_the_feed_scans(graph: Graph, name: str) -> None:
    assert SCANS.isdisjoint(explain(graph, f"changes/{name}"))


def test_waiting_marks_come_in_index_order(graph: Graph) -> None:
    assert {"Sort", "Top"}.isdisjoint(explain(graph, "changes/take_waiting"))


@pytest.mark.parametrize("name", ["create_hook", "list_hooks", "list_due_hooks"])
def test_webhooks_are_found_by_brand_or_by_time(graph: Graph, name: str) -> None:
    assert "NodeIndexScan" not in explain(graph, f"changes/{name}")
