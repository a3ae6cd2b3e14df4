"""A connection lost during COMMIT, a transaction that the server ended: the replay makes it right."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from core.brand import BrandSettings
from core.decisions import EventResult
from core.settings import Settings
from graph.commit import commit_batch
from graph.driver import Graph
from graph.queries import query_text
from graph.transactions import retry_stats
from ingest.stewardship import merge_profiles, unmerge_profile
from tests.factories import event, fact
from tests.integration.cutting_proxy import cutting_proxy
from tests.integration.graph_state import live_profiles


def through(settings: Settings, port: int) -> Settings:
    return settings.model_copy(update={"neo4j_uri": f"bolt://127.0.0.1:{port}"})


def test_an_unknown_commit_is_replayed_and_counts_once(graph: Graph, graph_settings: Settings, brand_id: str) -> None:
    uri = graph_settings.neo4j_uri or ""
    with cutting_proxy(uri) as proxy, Graph.connect(through(graph_settings, proxy.port)) as cut:
        before = retry_stats.unknown_commits
        proxy.cuts = 1
        events = [event(brand_id, f"email:{n}@x.io", order=fact(brand_id, f"o{n}")) for n in range(5)]
        results = commit_batch(cut, BrandSettings(brand_id), events)
    assert (proxy.commits_cut, retry_stats.unknown_commits - before) == (1, 1)
    assert [(result.decision, result.duplicate) for result in results] == [("created", False)] * 5
    assert [(live.event_count, live.performed, live.ltv_minor) for live in live_profiles(graph, brand_id)] == [
        (1, 1, 1000)
    ] * 5


def test_an_unknown_commit_of_a_command_is_carried_out_once(
    graph: Graph, graph_settings: Settings, brand_id: str
) -> None:
    brand = BrandSettings(brand_id)
    ids = [
        commit_batch(graph, brand, [event(brand_id, f"email:{n}@x.io", minute=n)])[0].profile_id or "" for n in range(3)
    ]
    with (
        cutting_proxy(graph_settings.neo4j_uri or "") as proxy,
        Graph.connect(through(graph_settings, proxy.port)) as cut,
    ):
        for others in (ids[1:2], ids[2:]):
            proxy.cuts = 1
            assert merge_profiles(cut, brand, ids[0], others, by="steward").survivor_id == ids[0]
        proxy.cuts = 1
        assert sorted(unmerge_profile(cut, brand, ids[0], by="steward")) == [ids[0], ids[2]]
    assert proxy.commits_cut == 3
    assert len(live_profiles(graph, brand_id)) == 2


def test_a_transaction_that_the_server_ends_while_it_waits_is_tried_again(
    graph: Graph, graph_settings: Settings, brand_id: str
) -> None:
    brand = BrandSettings(brand_id)
    commit_batch(graph, brand, [event(brand_id, "email:a@x.io", key="1")])
    with Graph.connect(graph_settings) as other, ThreadPoolExecutor(1) as pool, graph.session() as session:
        with session.begin_transaction() as holder:
            holder.run("MATCH (c:Customer {brand: $brand}) SET c.brand = c.brand", brand=brand_id).consume()
            waiting = pool.submit(commit_batch, other, brand, [event(brand_id, "email:a@x.io", key="2")])
            _end_the_waiting_one(graph, waiting)
        [result] = waiting.result()
    assert (result.decision, result.duplicate) == ("attached", False)
    assert [(live.event_count, live.performed) for live in live_profiles(graph, brand_id)] == [(2, 2)]


def _end_the_waiting_one(graph: Graph, waiting: Future[list[EventResult]]) -> None:
    """As an operator, a time limit or a server that shuts down does."""
    ended: list[list[Any]] = []
    while not ended:
        assert not waiting.done()
        with graph.session() as session:
            ended = session.run(
                "SHOW TRANSACTIONS YIELD transactionId, currentQuery, status WHERE currentQuery STARTS WITH $text "
                "AND status STARTS WITH 'Blocked' TERMINATE TRANSACTIONS transactionId YIELD message RETURN message",
                text=query_text("commit/lock_customers")[:80],
            ).values()
