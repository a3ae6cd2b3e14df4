"""Nothing breaks and nothing is shown where a read finds something that is deleted before its properties are read.

The database is read committed: of such a node the index alone still tells, and its other properties are null. Here that
is written down as nodes and links that have nothing else, so that every reader meets it each time; one test reads
while others really delete.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from core.brand import BrandSettings
from core.clock import utc_now
from core.errors import NotFoundError
from graph.driver import Graph
from graph.repositories import changes, outbox, shop_floor
from graph.repositories.change_hooks import get_hook, list_hooks
from graph.repositories.changes import read_changes, waiting_brands
from graph.repositories.crm import claim_sync, get_connection, list_connections
from graph.repositories.csv_imports import Lease
from graph.repositories.links import list_links
from graph.repositories.outbox import list_unstreamed, read_marks
from graph.repositories.predictions import page_customers, read_customers
from graph.repositories.profiles import Page, find_profile_id, get_profile
from graph.repositories.review_batches import get_batch
from graph.repositories.shop_floor import list_shop_marks
from graph.repositories.traits import list_traits
from insight.demand import read_demand
from insight.identity_graph import get_identity_graph
from insight.intent_lists import IntentFilter, list_product_intents
from ml.audiences.lookalike import find_lookalikes
from ml.audiences.rfm import rfm_members
from ml.features.store import get_features

CUSTOMER = "CREATE (c:Customer {id: $id, brand: $brand, root_id: $id, created_at: $now, currency: 'USD'}) "
CONNECTION = "CREATE (:CrmConnection {key: $brand + '|crm', brand: $brand, name: 'crm'})"
SYNC = (
    "CREATE (:CrmSync {id: $id, brand: $brand, connection_key: $brand + '|crm', connection: 'crm', kind: 'rest', "
    "state: 'queued', created_by: 'ann', created_at: $now, updated_at: datetime('9000-01-01T00:00Z')}) "
)
# Nobody else's turn comes with what is left of a test.
NEVER = datetime(9000, 1, 1, tzinfo=UTC)
FEED = "CREATE (:ChangeFeed {brand: $brand, seq: 1, pruned_seq: 0}) "
LIKE_OTHERS = """
    UNWIND [$id, $brand + '-2', $brand + '-3'] AS one
    CREATE (c:Customer {id: one, brand: $brand, root_id: one})
    CREATE (c)-[:HAS_PREDICTION]->(p:Prediction {id: one, brand: $brand, rfm_cell: '555'})
    CREATE (c)-[:HAS_FEATURES]->(f:FeatureSet {id: one})
    FOREACH (_ IN CASE WHEN one <> $brand + '-2' THEN [1] ELSE [] END | SET p.segment = 'champions')
    FOREACH (_ IN CASE WHEN one <> $brand + '-3' THEN [1] ELSE [] END | SET f.frequency = 3, f.recency_days = 1.0)
"""
Read = Callable[[Graph, str, str], Any]


def write(graph: Graph, text: str, brand: str, **params: Any) -> None:
    with graph.session() as session:
        session.run(text, brand=brand, id=f"{brand}-1", now=utc_now(), **params).consume()


def wants(rows: list[Any]) -> Any:
    [row] = rows
    return row.wants


def claimed_connection(graph: Graph, brand: str, id_: str) -> Any:
    now = utc_now()
    claimed = claim_sync(graph, brand, id_, Lease("me", NEVER), now)
    assert claimed is not None
    return claimed[1]


def sections_of_graph(graph: Graph, brand: str, id_: str) -> Any:
    drawn = get_identity_graph(graph, brand, id_)
    return [node["caption"] for node in drawn["nodes"] if node["label"] == "Customer"], drawn["edges"]


LEFT_OUT: dict[str, tuple[str, Read, Any]] = {
    "webhooks": (
        "CREATE (:ChangeHook {brand: $brand, created_at: $now})",
        lambda g, brand, _: list_hooks(g, brand), [],
    ),
    "connections": (CONNECTION, lambda g, brand, _: list_connections(g, brand), []),
    "the connection of a sync": (SYNC + CONNECTION, claimed_connection, None),
    "changes": (
        FEED + "CREATE (:Change {brand: $brand, seq: 1})",
        lambda g, brand, _: read_changes(g, brand, None, 10).items, [],
    ),
    "changes of a kind": (
        FEED + "CREATE (:Change {brand: $brand, seq: 1})",
        lambda g, brand, _: (page := read_changes(g, brand, None, 10, frozenset({"merged"}))).items or page.cursor, 0,
    ),
    "marks by id": ("CREATE (:Mark {id: $id})", lambda g, _, id_: read_marks(g, [id_]), []),
    "intents": (
        "CREATE (:Intent {brand: $brand, last_at: $now})",
        lambda g, brand, _: list_product_intents(g, brand, IntentFilter(), Page())["items"], [],
    ),
    "intents of a product": (
        "CREATE (:Intent {brand: $brand, last_at: $now, product_id: 'P1'})",
        lambda g, brand, _: list_product_intents(g, brand, IntentFilter("P1"), Page())["items"], [],
    ),
    "demand": (
        "CREATE (:Intent {brand: $brand, last_at: $now})",
        lambda g, brand, _: read_demand(g, brand, utc_now()), [],
    ),
    "what a customer wants": (
        CUSTOMER + "CREATE (c)-[:WANTS]->(:Intent)",
        lambda g, brand, id_: wants(read_customers(g, brand, [id_], None)), [],
    ),
    "what customers of a page want": (
        CUSTOMER + "CREATE (c)-[:WANTS]->(:Intent)",
        lambda g, brand, _: wants(page_customers(g, brand, (datetime(1970, 1, 1, tzinfo=UTC), ""), 9, None)), [],
    ),
    "features": (
        CUSTOMER + "CREATE (:FeatureSet {id: $id})",
        lambda g, brand, id_: get_features(g, brand, id_)["features"], None,
    ),
    "customers of a cell": (
        CUSTOMER + "CREATE (c)-[:HAS_PREDICTION]->(:Prediction {brand: $brand, rfm_cell: '555', id: $id})",
        lambda g, brand, _: rfm_members(g, brand, (5, 5, None), None, None), {"items": [], "next_cursor": None},
    ),
    "customers like others": (
        LIKE_OTHERS,
        lambda g, brand, id_: [one["profile_id"] for one in find_lookalikes(g, brand, [id_], 9)["items"]], [],
    ),
    "traits": (CUSTOMER + "CREATE (c)-[:HAS_TRAIT]->(:Trait)", list_traits, []),
    "traits of a profile": (
        CUSTOMER + "CREATE (c)-[:HAS_TRAIT]->(:Trait)",
        lambda g, brand, id_: get_profile(g, brand, id_)["traits"], {},
    ),
    "links": (
        CUSTOMER + "CREATE (c)-[:HAS_IDENTIFIER]->(:Identifier {key: $brand + '|email|a', type: 'email', value: 'a'})",
        list_links, [],
    ),
    "links that are drawn": (
        CUSTOMER + "CREATE (c)-[:HAS_IDENTIFIER]->(:Identifier {key: $brand + '|email|a', type: 'email', value: 'a'}) "
        "CREATE (c)-[:HAS_TRAIT]->(:Trait)",
        lambda g, brand, id_: sections_of_graph(g, brand, id_)[1], [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", LEFT_OUT)
def test_what_is_deleted_while_it_is_read_is_left_out(graph: Graph, brand_id: str, what: str) -> None:
    text, read, expected = LEFT_OUT[what]
    write(graph, text, brand_id)
    assert read(graph, brand_id, f"{brand_id}-1") == expected


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("CREATE (:ChangeHook {id: $id, brand: $brand})", get_hook),
        (CONNECTION, lambda g, brand, _: get_connection(g, brand, "crm")),
        ("CREATE (:ReviewBatch {id: $id, brand: $brand})", lambda g, brand, id_: get_batch(g, brand, id_, Page())),
    ],
    ids=["webhook", "connection", "bulk decision"],
)
def test_what_is_deleted_while_it_is_asked_for_is_not_there(graph: Graph, brand_id: str, text: str, read: Read) -> None:
    write(graph, text, brand_id)
    with pytest.raises(NotFoundError):
        read(graph, brand_id, f"{brand_id}-1")


@pytest.mark.parametrize(
    ("module", "kind", "read"),
    [
        (shop_floor, "MARK_SHOP_FLOOR", lambda g: list_shop_marks(g, 10)),
        (outbox, "PROFILES_CHANGED", lambda g: list_unstreamed(g, 10)),
        (changes, "MARK_IDENTITY_CHANGED", waiting_brands),
    ],
    ids=["shops", "streams", "changes"],
)
def test_a_mark_whose_work_is_done_while_marks_are_listed_is_left_out(
    graph: Graph, brand_id: str, monkeypatch: pytest.MonkeyPatch, module: Any, kind: str, read: Callable[[Graph], Any]
) -> None:
    monkeypatch.setattr(module, kind, brand_id)
    write(graph, "CREATE (:Mark {kind: $brand, created_at: $now})", brand_id)
    assert read(graph) == []


INTENTS = (
    "CREATE (:Intent {key: $brand + n, brand: $brand, profile_id: 'p', product_id: 'x', full: 900, status: 'active', "
    "first_at: $now, last_at: $now, signals: '{}'})"
)
MARKS = "CREATE (:Mark {id: $brand + n, kind: $brand, brand: $brand, created_at: $now, event_ids: ['e']})"
MANY: dict[str, tuple[str, str, Callable[[Graph, str], Any]]] = {
    "intents": (
        INTENTS, "MATCH (one:Intent {key: $brand + n})",
        lambda g, brand: list_product_intents(g, brand, IntentFilter(), Page()),
    ),
    "marks": (
        MARKS, "MATCH (one:Mark {id: $brand + n})",
        lambda g, brand: [sorted((mark["brand"], *mark["event_ids"])) for mark in list_shop_marks(g, 500)],
    ),
}  # fmt: skip
ROUNDS, READERS = 25, 3


@pytest.mark.parametrize("what", MANY)
def test_lists_can_be_read_while_what_they_list_comes_and_goes(
    graph: Graph, brand_id: str, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(shop_floor, "MARK_SHOP_FLOOR", brand_id)
    make, find, read = MANY[what]
    done = threading.Event()

    def keep_reading() -> None:
        while not done.is_set():
            read(graph, brand_id)

    with ThreadPoolExecutor(READERS) as pool:
        reading = [pool.submit(keep_reading) for _ in range(READERS)]
        try:
            for _ in range(ROUNDS):
                write(graph, f"UNWIND range(1, 300) AS n {make}", brand_id)
                write(graph, f"UNWIND range(1, 300) AS n {find} DETACH DELETE one", brand_id)
        finally:
            done.set()
    for one in reading:
        one.result()


def test_a_look_up_goes_by_links_that_are_there_and_not_by_one_that_is_just_drawn_anew(
    graph: Graph, brand_id: str
) -> None:
    people = """
        CREATE (i:Identifier {key: $brand + '|device_id|d1', brand: $brand, type: 'device_id', value: 'd1', tier: 3})
        CREATE (a:Customer {id: $id, brand: $brand, root_id: $id, strength: 90})-[:HAS_IDENTIFIER]->(i)
        CREATE (b:Customer {id: $brand + '-2', brand: $brand, root_id: $brand + '-2', strength: 10})
        CREATE (b)-[:HAS_IDENTIFIER {since: $now, trust: 'transaction'}]->(i)
    """
    write(graph, people, brand_id)
    assert find_profile_id(graph, BrandSettings(brand_id), "device_id", "d1") == f"{brand_id}-2"


def test_a_look_up_that_met_a_link_while_it_was_drawn_anew_looks_again(
    graph: Graph, brand_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = """
        CREATE (i:Identifier {key: $brand + '|device_id|d1', brand: $brand, type: 'device_id', value: 'd1', tier: 3})
        CREATE (b:Customer {id: $id, brand: $brand, root_id: $id})-[:HAS_IDENTIFIER {since: $now}]->(i)
    """
    write(graph, there, brand_id)
    answers = [[{"key": "k", "profile_id": "somebody", "is_gone": True}]] * 2
    read = graph.read

    def torn_first(query: str, /, **params: object) -> list[dict[str, Any]]:
        return answers.pop() if answers else read(query, **params)

    monkeypatch.setattr(graph, "read", torn_first)
    assert find_profile_id(graph, BrandSettings(brand_id), "device_id", "d1") == f"{brand_id}-1"
    assert answers == []
