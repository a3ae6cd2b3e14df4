"""A write that waits for the lock of something that is deleted meanwhile acts as if it had never been there."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from brands.onboarding import NewBrand, create_brand
from core.brand import BrandSettings
from core.clock import utc_now
from core.errors import NotFoundError
from graph.commit import commit_batch
from graph.driver import Graph
from graph.queries import query_text
from graph.recompute import move_some
from graph.repositories.computed_traits import store_values, take_due
from graph.repositories.crm import (
    CrmConnection,
    CrmSync,
    NewSync,
    Step,
    create_sync,
    get_connection,
    save_sync,
    set_connection,
)
from graph.repositories.csv_imports import Lease
from graph.repositories.features import store_features
from graph.repositories.predictions import store_predictions
from graph.transactions import retry_stats
from insight.past360 import get_past360
from tests.factories import T0, event

CONNECTION = (
    "CREATE (:CrmConnection {key: $brand + '|crm', brand: $brand, name: 'crm', kind: 'rest', base_url: 'https://x.io', "
    "options: '{}', secrets: '{}', cursors: '{}', revision: 1})"
)
SYNC = (
    "CREATE (:CrmSync {id: $id, brand: $brand, active: $brand + '|crm', connection_key: $brand + '|crm', "
    "state: 'running', lease_owner: 'me', lease_until: datetime('9000-01-01T00:00Z'), "
    "updated_at: datetime('9000-01-01T00:00Z')}) "
)
PROFILE = "CREATE (c:Customer {id: $id, brand: $brand, root_id: $id, currency: 'USD', created_at: $now}) "
# Nobody else's turn comes with what is left of a test.
NEVER = datetime(9000, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(1971, 1, 1, tzinfo=UTC)


def run(graph: Graph, text: str, brand: str, **params: Any) -> list[dict[str, Any]]:
    with graph.session() as session:
        return session.run(text, brand=brand, id=f"{brand}-1", now=utc_now(), **params).data()


@contextmanager
def deleted_meanwhile(
    graph: Graph, brand: str, label: str, query: str, work: Callable[[], Any]
) -> Iterator[Future[Any]]:
    """`work`, whose `query` waits for the lock of the brand's node while another transaction deletes it."""
    with ThreadPoolExecutor(1) as pool, graph.session() as session, session.begin_transaction() as other:
        other.run(f"MATCH (n:{label}) WHERE n.brand = $brand DETACH DELETE n", brand=brand).consume()
        waiting = pool.submit(work)
        while not is_blocked(graph, query):
            assert not waiting.done(), waiting.result()
        other.commit()
        yield waiting


def is_blocked(graph: Graph, query: str) -> bool:
    blocked = (
        "SHOW TRANSACTIONS YIELD currentQuery, status WHERE currentQuery STARTS WITH $text "
        "AND status STARTS WITH 'Blocked' RETURN status"
    )
    with graph.session() as session:
        return bool(session.run(blocked, text=query_text(query)[:120]).values())


def test_no_sync_begins_of_a_connection_that_is_deleted_meanwhile(graph: Graph, brand_id: str) -> None:
    """One without its brand would be the oldest that waits for ever: no other sync had its turn again."""
    run(graph, CONNECTION, brand_id)
    new = NewSync(f"{brand_id}-1", "crm", "ann", utc_now())
    with deleted_meanwhile(
        graph, brand_id, "CrmConnection", "crm/create_sync", lambda: create_sync(graph, brand_id, new)
    ) as begun, pytest.raises(NotFoundError):  # fmt: skip
        begun.result()
    assert run(graph, "MATCH (s:CrmSync {id: $id}) RETURN s", brand_id) == []


def test_a_sync_hears_that_its_connection_is_deleted_meanwhile(graph: Graph, brand_id: str) -> None:
    run(graph, SYNC + CONNECTION, brand_id)
    now = utc_now()
    job = CrmSync(f"{brand_id}-1", brand_id, "crm", "rest", "running", False, "ann", now)
    with deleted_meanwhile(
        graph, brand_id, "CrmConnection", "crm/save_sync",
        lambda: save_sync(graph, job, Lease("me", NEVER), Step({}, {}, 1), now),
    ) as saved:  # fmt: skip
        assert saved.result().is_removed


def test_a_connection_that_is_deleted_while_it_is_changed_is_made_anew(graph: Graph, brand_id: str) -> None:
    create_brand(graph, NewBrand(brand_id))
    run(graph, CONNECTION, brand_id)
    new = CrmConnection(brand_id, "crm", "rest", "https://y.io", {}, {"token": "t"})
    with deleted_meanwhile(
        graph, brand_id, "CrmConnection", "crm/set_connection",
        lambda: set_connection(graph, new, keeps_secrets=False, at=utc_now()),
    ) as changed:  # fmt: skip
        assert changed.result() == get_connection(graph, brand_id, "crm")
    assert get_connection(graph, brand_id, "crm").secrets == {"token": "t"}


def test_values_that_are_deleted_while_they_are_taken_are_not_due(graph: Graph, brand_id: str) -> None:
    run(graph, "CREATE (:ComputedTraits {id: $id, brand: $brand, due_at: $due})", brand_id, due=LONG_AGO)
    with deleted_meanwhile(
        graph, brand_id, "ComputedTraits", "computed_traits/take_due",
        lambda: take_due(graph, LONG_AGO + timedelta(days=1), utc_now(), 5),
    ) as taken:  # fmt: skip
        assert taken.result() == {}


def test_a_follow_up_that_another_worker_ends_meanwhile_is_done(graph: Graph, brand_id: str) -> None:
    run(
        graph,
        "CREATE (:Recompute {id: $id, brand: $brand, keys: [$brand + '|device_id|t'], persona_ids: []})",
        brand_id,
    )
    with deleted_meanwhile(
        graph, brand_id, "Recompute", "recompute/lock_recompute",
        lambda: move_some(graph, BrandSettings(brand_id), f"{brand_id}-1"),
    ) as moved:  # fmt: skip
        assert moved.result() == 0


STORED: dict[str, tuple[str, str, Callable[[Graph, str, str], object]]] = {
    "FeatureSet": (
        "HAS_FEATURES", "features/store_features",
        lambda g, brand, id_: store_features(g, brand, [{"id": id_, "version": 2, "properties": {}}], utc_now()),
    ),
    "Prediction": (
        "HAS_PREDICTION", "predictions/store_predictions",
        lambda g, brand, id_: store_predictions(
            g, brand, {"id": f"{brand}-model", "brand": brand, "version": "1"},
            [{"id": id_, "version": 2, "segment": "new", "churn": 0.5, "properties": {"version": 2}}], utc_now(),
        ),
    ),
    "ComputedTraits": (
        "HAS_COMPUTED_TRAITS", "computed_traits/store_values",
        lambda g, brand, id_: store_values(g, brand, [{
            "id": id_, "set_version": 1, "version": 2, "computed_at": utc_now(),
            "properties": {"id": id_, "brand": brand, "set_version": 1, "version": 2},
        }]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("label", STORED)
def test_what_is_deleted_while_newer_is_stored_is_stored_anew(graph: Graph, brand_id: str, label: str) -> None:
    link, query, store = STORED[label]
    run(graph, f"{PROFILE} CREATE (c)-[:{link}]->(:{label} {{id: $id, brand: $brand, version: 1}})", brand_id)
    with deleted_meanwhile(graph, brand_id, label, query, lambda: store(graph, brand_id, f"{brand_id}-1")) as stored:
        stored.result()
    [row] = run(graph, f"MATCH (c:Customer {{id: $id}})-[:{link}]->(n:{label}) RETURN n.version AS version", brand_id)
    assert row["version"] == 2


GONE = {
    "link": "MATCH (c:Customer {id: $persona}), (i:Identifier {key: $brand + '|device_id|t'}) "
    "CREATE (c)-[:HAS_IDENTIFIER]->(i)",
    "pointer": "MATCH (c:Customer {id: $persona}) CREATE (c)-[:MERGED_INTO]->(c)",
}
"""What a read finds of something that is deleted before its properties are read."""
REALLY_GONE = (
    "MATCH (c:Customer)-[gone:HAS_IDENTIFIER|MERGED_INTO]->() WHERE c.brand = $brand AND gone.since IS NULL "
    "AND gone.merge_id IS NULL DELETE gone"
)


def after_it_is_gone(graph: Graph, brand: str, work: Callable[[], Any]) -> Any:
    """What `work` answers that is tried again for as long as it meets what is gone."""
    before = retry_stats.stale_reads
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(work)
        while retry_stats.stale_reads == before:
            assert not waiting.done(), waiting.result()
        run(graph, REALLY_GONE, brand)
        return waiting.result()


def two_on_a_device(graph: Graph, brand: BrandSettings) -> str:
    """A device that two persons sign in on; the first one's id."""
    for place, mail in enumerate(("b@x.io", "a@x.io")):
        [one] = commit_batch(graph, brand, [event(brand.id, f"email:{mail}", "device_id:t", minute=place)])
    return one.profile_id or ""


def test_an_event_is_decided_again_when_a_link_is_drawn_anew_while_it_is_read(graph: Graph, brand_id: str) -> None:
    brand = BrandSettings(brand_id)
    persona = two_on_a_device(graph, brand)
    run(graph, GONE["link"], brand_id, persona=persona)
    late = event(brand_id, "device_id:t", minute=9)
    [result] = after_it_is_gone(graph, brand_id, lambda: commit_batch(graph, brand, [late]))
    assert (result.decision, result.profile_id) == ("attached", persona)


@pytest.mark.parametrize("what", GONE)
def test_the_past_is_read_again_when_it_is_drawn_anew_meanwhile(graph: Graph, brand_id: str, what: str) -> None:
    brand = BrandSettings(brand_id)
    persona = two_on_a_device(graph, brand)
    moment = T0 + timedelta(minutes=5)
    before = get_past360(graph, brand, persona, moment)
    run(graph, GONE[what], brand_id, persona=persona)
    again = after_it_is_gone(graph, brand_id, lambda: get_past360(graph, brand, persona, moment))
    assert again["overview"] == before["overview"]
    assert again["identifiers"] == before["identifiers"]
