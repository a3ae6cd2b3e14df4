"""A write that the server ends (it shuts down, an operator did it) is not the fault of what it wrote."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.clock import utc_now
from core.errors import UnavailableError
from core.trait_definitions import definition_from_data
from graph.driver import Graph
from graph.repositories.trait_definitions import Change, find_set, put_definition

VISITS = definition_from_data({"name": "visits", "function": "count"})
BLOCKED = """SHOW TRANSACTIONS YIELD transactionId, parameters, status
    WHERE parameters.brand = $brand AND status STARTS WITH 'Blocked' RETURN transactionId"""
_SECONDS = 30.0


def end_blocked(graph: Graph, brand: str) -> None:
    """Wait until a query of this brand waits for a lock, and end its transaction as an operator does."""

    def blocked() -> list[str]:
        with graph.session() as session:
            return [record["transactionId"] for record in session.run(BLOCKED, brand=brand)]

    pause, tries = threading.Event(), int(_SECONDS / 0.05)
    for _ in range(tries):
        if found := blocked():
            with graph.session() as operator:
                operator.run("TERMINATE TRANSACTIONS $ids", ids=found).consume()
            return
        pause.wait(0.05)
    raise AssertionError("waited in vain")


def test_a_plain_write_that_the_server_ends_is_unavailable_and_nothing_is_stored(graph: Graph, brand_id: str) -> None:
    put_definition(graph, brand_id, VISITS, Change("ann", utc_now()))
    other = definition_from_data({"name": "other", "function": "count"})
    with ThreadPoolExecutor(1) as pool, graph.session() as session, session.begin_transaction() as holder:
        holder.run("MATCH (s:TraitSet {id: $brand}) SET s.brand = s.brand", brand=brand_id).consume()
        waiting = pool.submit(put_definition, graph, brand_id, other, Change("ann", utc_now()))
        end_blocked(graph, brand_id)
        with pytest.raises(UnavailableError):
            waiting.result(_SECONDS)
    assert [one.name for one in find_set(graph, brand_id).definitions] == ["visits"]
