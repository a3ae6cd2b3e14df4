"""Each invariant finds the violations planted for it, and a sound history has none."""

from pathlib import Path

import pytest

import cypher
from core.brand import BrandSettings
from graph.commit import commit_batch
from graph.driver import Graph
from graph.invariants import INVARIANTS, broken_invariants
from tests.factories import event, fact

PERSONA = "MATCH (c:Customer {brand: $brand}) "
ROOT = "MATCH (c:Customer {brand: $brand}) WHERE c.root_id = c.id "
PERFORMED = "MATCH (c:Customer {brand: $brand})-[p:PERFORMED]->(e:Event) WITH c, p, e ORDER BY e.id LIMIT 1 "
HOLDS = "MATCH (c:Customer {brand: $brand})-[h:HAS_IDENTIFIER]->(i:Identifier) "
PLACED = "MATCH (c:Customer {brand: $brand})-[p:PLACED]->(o:Order) "
POINTS = "MATCH (a:Customer {brand: $brand})-[p:MERGED_INTO]->(b) "
MERGED = "MATCH (:Customer {brand: $brand})<-[:JOINED]-(m:Merge) "
TRAIT = "MATCH (c:Customer {brand: $brand})-[:HAS_TRAIT]->(t:Trait) "
ANOTHER = "MATCH (d:Customer {brand: $brand}) WHERE d <> c "
REVIEW = "CREATE (v:Review {id: 'v_' + $brand, brand: $brand, created_at: datetime()}) "
OTHER_HOLDER = (
    "MATCH (i:Identifier {brand: $brand, value: 'a@x.io'}), "
    "(d:Customer {brand: $brand})-[:HAS_IDENTIFIER]->({value: 'z@x.io'}) "
)
OTHER_BRAND = "CREATE (x:Customer {id: 'x_' + $brand, brand: $brand + '-other', root_id: 'x_' + $brand}) "

# (invariant, what is broken, how it is planted): every clause of every invariant has one.
PLANTED = [
    (
        "channel_tallies",
        "a tally of channels is not what was performed",
        PERSONA + "SET c.own_channels = ['website:77']",
    ),
    ("cached_roots", "a persona forgot its live profile", PERSONA + "WHERE c.root_id <> c.id SET c.root_id = c.id"),
    ("cached_roots", "a live profile names another one", ROOT + "SET c.root_id = 'nobody'"),
    (
        "cached_roots",
        "a persona points at two",
        POINTS + "CREATE (a)-[:MERGED_INTO {link: 'second' + a.id, merge_id: 'm'}]->(b)",
    ),
    ("aggregates", "the profile counts an event too many", ROOT + "SET c.event_count = c.event_count + 1"),
    ("aggregates", "the profile counts an order too many", ROOT + "SET c.total_orders = c.total_orders + 1"),
    ("aggregates", "the profile has a cent too much", ROOT + "SET c.ltv_minor = c.ltv_minor + 1"),
    ("aggregates", "the profile has money of another currency", ROOT + "SET c.ltv_other = ['EUR:5']"),
    ("aggregates", "the profile counts a persona too many", ROOT + "SET c.persona_count = c.persona_count + 1"),
    (
        "aggregates",
        "the profile counts an identifier too many",
        ROOT + "SET c.identifier_count = c.identifier_count + 1",
    ),
    ("aggregates", "the profile was first seen too early", ROOT + "SET c.first_seen = c.first_seen - duration('P1D')"),
    ("aggregates", "the profile was never last seen", ROOT + "SET c.last_seen = null"),
    ("performed_events", "an event got lost", PERFORMED + "DELETE p"),
    (
        "performed_events",
        "an event names who did not perform it",
        PERFORMED + "DELETE p SET c.own_event_count = c.own_event_count - 1",
    ),
    ("event_owners", "an event names nobody", PERFORMED + "SET e.persona_id = null"),
    ("event_owners", "an event names another", PERFORMED + "SET e.persona_id = 'nobody'"),
    (
        "event_owners",
        "an event was performed twice",
        PERFORMED + ANOTHER + "WITH d, e LIMIT 1 CREATE (d)-[:PERFORMED]->(e)",
    ),
    (
        "event_spans",
        "a persona was seen before its first event",
        PERSONA + "SET c.own_first_seen = c.own_first_seen - duration('P1D')",
    ),
    ("event_spans", "a persona was never last seen", PERSONA + "SET c.own_last_seen = null"),
    ("order_sums", "an order counts for another amount", PLACED + "SET o.counted_minor = 1"),
    ("order_sums", "an order counts no more", PLACED + "SET o.counts = false"),
    ("order_sums", "an order is another's", PLACED + "SET o.persona_id = 'nobody'"),
    ("placed_orders", "an order is placed twice", PLACED + "CREATE (c)-[:PLACED]->(o)"),
    ("placed_orders", "an order is placed by nobody", PLACED + "DELETE p"),
    ("placed_orders", "an order names nobody", PLACED + "SET o.persona_id = null"),
    (
        "identifier_holders",
        "two profiles hold an address",
        OTHER_HOLDER + "CREATE (d)-[:HAS_IDENTIFIER {trust: 'declared', since: datetime()}]->(i)",
    ),
    ("link_times", "a link ends before it begins", HOLDS + "SET h.until = h.since - duration('PT1S')"),
    ("link_times", "a link begins at no time", HOLDS + "SET h.since = null"),
    (
        "link_times",
        "a link is there twice",
        HOLDS + "WITH c, i LIMIT 1 CREATE (c)-[:HAS_IDENTIFIER {since: datetime()}]->(i)",
    ),
    (
        "told_apart",
        "a person told two personas of one profile apart",
        POINTS + "CREATE (a)-[:NOT_SAME {pair: a.id + b.id}]->(b)",
    ),
    (
        "lone_profiles",
        "who shares a cookie is held to have no neighbours",
        ROOT + "SET c.has_neighbours = null",
    ),
    (
        "lone_profiles",
        "who waits for a person is held to have no neighbours",
        "CREATE (c:Customer {id: 'x_' + $brand, brand: $brand, root_id: 'x_' + $brand}) "
        "CREATE (:Review {id: 'v_' + $brand, brand: $brand, status: 'pending'})-[:PROPOSES]->(c)",
    ),
    ("merge_records", "a pointer of a merge that was taken back", MERGED + "SET m.reverted_at = datetime()"),
    ("merge_records", "a merge that holds and holds nothing", POINTS + "DELETE p SET a.root_id = a.id"),
    ("open_reviews", "a decided review waits", REVIEW + "SET v.status = 'pending', v.decided_at = datetime()"),
    ("open_reviews", "a settled review does not say when", REVIEW + "SET v.status = 'rejected'"),
    ("strength_inputs", "a profile lists a type that it does not hold", ROOT + "SET c.identifier_types = ['qr_id']"),
    ("trait_owners", "a trait names another", TRAIT + "SET t.persona_id = 'nobody'"),
    ("trait_owners", "two have a trait", TRAIT + ANOTHER + "CREATE (d)-[:HAS_TRAIT]->(t)"),
    (
        "trait_owners",
        "a trait was last said before it was first said",
        TRAIT + "SET t.last_at = t.first_at - duration('PT1S')",
    ),
    ("trait_owners", "nobody said a trait", TRAIT + "SET t.count = 0"),
    (
        "brand_borders",
        "a pointer into another brand",
        OTHER_BRAND + "WITH x " + ROOT + "CREATE (c)-[:NOT_SAME {pair: c.id + x.id}]->(x)",
    ),
    (
        "change_feed",
        "an entry of the feed is missing",
        "MERGE (f:ChangeFeed {brand: $brand}) SET f.seq = 3, f.pruned_seq = 1 "
        "CREATE (:Change {id: 'chg_' + $brand, brand: $brand, seq: 3})",
    ),
]


def _history(graph: Graph, brand: str) -> None:
    commit_batch(
        graph,
        BrandSettings(brand),
        [
            event(brand, "email:a@x.io", order=fact(brand, "o1", total=900), traits='{"name": "Ann"}'),
            event(brand, "phone:+14155550101"),
            event(brand, "email:a@x.io", "phone:+14155550101", "cookie_id:c"),
            event(brand, "email:z@x.io", "cookie_id:c", minute=5),
            event(brand, "cookie_id:c", minute=6),
        ],
    )


def test_a_sound_history_breaks_no_invariant(graph: Graph, brand_id: str) -> None:
    _history(graph, brand_id)
    assert broken_invariants(graph, brand_id) == []


@pytest.mark.parametrize(("name", "what", "plant"), PLANTED, ids=[f"{name}: {what}" for name, what, _ in PLANTED])
def test_a_planted_violation_is_found(graph: Graph, brand_id: str, name: str, what: str, plant: str) -> None:
    _history(graph, brand_id)
    with graph.session() as session:
        counters = session.run(plant, brand=brand_id).consume().counters
    assert counters.contains_updates, what
    assert name in {violation.invariant for violation in broken_invariants(graph, brand_id)}


def test_every_invariant_is_checked_and_has_a_planted_violation() -> None:
    files = {path.stem for path in (Path(cypher.__file__).parent / "invariants").glob("*.cypher")}
    # The list of live profiles with their numbers is what tests compare with; it is no invariant.
    assert files - {"live_profiles"} == set(INVARIANTS) == {name for name, _, _ in PLANTED}
