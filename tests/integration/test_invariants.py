"""Each invariant finds the violation planted for it, and a sound history has none."""

import pytest

from core.brand import BrandSettings
from core.clock import now_micros
from graph.commit import commit_batch
from graph.driver import Graph
from graph.invariants import INVARIANTS, broken_invariants
from tests.factories import event, fact

PLANTED = {
    "cached_roots": "MATCH (c:Customer {brand: $brand}) WHERE c.root_id <> c.id SET c.root_id = c.id",
    "aggregates": "MATCH (c:Customer {brand: $brand}) WHERE c.root_id = c.id SET c.event_count = c.event_count + 1",
    "performed_events": "MATCH (:Customer {brand: $brand})-[p:PERFORMED]->() WITH p LIMIT 1 DELETE p",
    "event_owners": "MATCH (:Customer {brand: $brand})-[:PERFORMED]->(e) WITH e LIMIT 1 SET e.persona_id = 'nobody'",
    "order_sums": "MATCH (:Customer {brand: $brand})-[:PLACED]->(o) SET o.counted_minor = 1",
    "identifier_holders": "MATCH (c:Customer {brand: $brand})-[:HAS_IDENTIFIER]->(i {value: 'a@x.io'}), "
    "(d:Customer {brand: $brand})-[:HAS_IDENTIFIER]->({value: 'z@x.io'}) "
    "CREATE (d)-[:HAS_IDENTIFIER {trust: 'declared'}]->(i)",
    "told_apart": "MATCH (a:Customer {brand: $brand})-[:MERGED_INTO]->(b) "
    "CREATE (a)-[:NOT_SAME {pair: a.id + b.id}]->(b)",
    "merge_records": "MATCH (:Customer {brand: $brand})<-[:JOINED]-(m:Merge) SET m.reverted_at = datetime()",
    "strength_inputs": "MATCH (c:Customer {brand: $brand}) WHERE c.root_id = c.id SET c.identifier_types = ['qr_id']",
    "change_feed": "MERGE (f:ChangeFeed {brand: $brand}) SET f.seq = 3, f.pruned_seq = 1 "
    "CREATE (:Change {id: 'chg_' + $brand, brand: $brand, seq: 3})",
}


def _history(graph: Graph, brand: str) -> None:
    commit_batch(
        graph,
        BrandSettings(brand),
        [
            event(brand, "email:a@x.io", order=fact(brand, f"o{now_micros()}", total=900)),
            event(brand, "phone:+14155550101"),
            event(brand, "email:a@x.io", "phone:+14155550101", "cookie_id:c"),
            event(brand, "email:z@x.io", "cookie_id:c", minute=5),
            event(brand, "cookie_id:c", minute=6),
        ],
    )


def test_a_sound_history_breaks_no_invariant(graph: Graph, brand_id: str) -> None:
    _history(graph, brand_id)
    assert broken_invariants(graph, brand_id) == []


@pytest.mark.parametrize("name", INVARIANTS)
def test_a_planted_violation_is_found(graph: Graph, brand_id: str, name: str) -> None:
    _history(graph, brand_id)
    with graph.session() as session:
        session.run(PLANTED[name], brand=brand_id).consume()
    assert name in {violation.invariant for violation in broken_invariants(graph, brand_id)}
