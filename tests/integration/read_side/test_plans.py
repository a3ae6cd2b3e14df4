"""Plans of the read queries: each finds its nodes by an index, and pages come in index order without a sort."""

import re
from datetime import timedelta

import neo4j
import pytest

from core.clock import EARLIEST
from graph.queries import query_text
from graph.values import LAST_ID, LATEST
from tests.integration.read_side.conftest import START

QUERIES = [
    "profiles/get_profiles", "profiles/find_owners", "profiles/list_profiles", "profiles/search_profiles",
    "profiles/list_merges", "reviews/list_reviews", "reviews/get_review", "events/get_event",
    "reviews/list_oldest_reviews", "reviews/list_reviews_of_profile", "reviews/list_causes", "reviews/find_group",
    "reviews/count_waiting", "reviews/list_left_over", "reviews/list_marks", "reviews/list_proposed",
    "reviews/read_sides", "reviews/get_batch", "reviews/forget_batches",
    "insight/list_timeline", "insight/read_customers", "insight/read_identity_graph",
    "insight/why_cluster", "insight/why_evidence", "insight/read_conversions",
    "intents/list_intents", "catalogue/read_names", "stores/read_last_stores",
    "stores/read_shop_events", "intents/replace_intents", "attribution/sample_paths",
    "suggestions/list_profiles", "suggestions/read_profiles", "suggestions/count_profiles", "suggestions/list_runs",
    "suggestions/list_suggestions", "suggestions/list_suggestions_of_profile", "suggestions/list_due_runs",
    "outbox/list_unstreamed", "outbox/count_marks",
    "outbox/read_events", "outbox/set_streamed", "changes/list_unstreamed",
    "outbox/list_marks", "outbox/take_marks", "outbox/read_marks", "outbox/delete_marks",
    "predictions/count_messages",
    "audiences/count_cells", "audiences/list_members", "audiences/read_seeds", "audiences/read_candidates",
    "features/store_features", "features/remove_stale", "features/get_features",
    "predictions/read_customers", "predictions/page_customers", "predictions/store_predictions",
    "csv_imports/create_import", "csv_imports/list_imports", "csv_imports/list_due", "csv_imports/find_received",
    "event_schemas/create_schema", "event_schemas/list_schemas", "transformations/create_set", "brands/get_brand",
    "sessions/list_before", "sessions/list_after",
    "computed_traits/put_definition", "computed_traits/delete_definition", "computed_traits/get_set",
    "computed_traits/list_definitions", "computed_traits/get_definition", "computed_traits/page_profiles",
    "computed_traits/read_profiles", "computed_traits/read_events", "computed_traits/read_orders",
    "computed_traits/store_values", "computed_traits/forget_values", "computed_traits/remove_values",
    "computed_traits/take_due", "computed_traits/finish_pass", "computed_traits/remove_absorbed",
]  # fmt: skip


def operators(graph, name):
    """Operator names of the plan of a query, outermost first."""
    text = query_text(name)
    params = dict.fromkeys(re.findall(r"\$(\w+)", text))
    with graph.session() as session:
        plan = session.run(neo4j.Query("EXPLAIN " + text), params).consume().plan
    found, waiting = [], [plan]
    while waiting:
        node = waiting.pop()
        found.append(node["operatorType"].partition("@")[0])
        waiting += node.get("children", [])
    return found


@pytest.mark.parametrize("name", QUERIES)
def test_no_read_scans_a_label(read_graph, name):
    assert {"AllNodesScan", "NodeByLabelScan", "CartesianProduct"}.isdisjoint(operators(read_graph, name))


# Independent parts of one row each stand side by side in these.
@pytest.mark.parametrize(
    "name",
    ["insight/why_sides", "insight/why_steps", "insight/why_between", "insight/why_blocks", "insight/read_past_told"],
)
def test_no_read_of_several_parts_scans_a_label(read_graph, name):
    assert {"AllNodesScan", "NodeByLabelScan"}.isdisjoint(operators(read_graph, name))


@pytest.mark.parametrize("name", ["audiences/list_members", "predictions/page_customers"])
def test_a_page_of_what_is_foretold_comes_in_index_order(read_graph, name):
    assert {"Sort", "Top", "PartialTop"}.isdisjoint(operators(read_graph, name))


def test_a_page_of_profiles_comes_in_index_order(read_graph):
    assert {"Sort", "Top", "PartialTop"}.isdisjoint(operators(read_graph, "profiles/list_profiles"))


@pytest.mark.parametrize("name", ["suggestions/list_profiles", "suggestions/list_suggestions", "suggestions/list_runs"])
def test_pages_of_the_suggestions_come_in_index_order(read_graph, name):
    # The lists inside one row are sorted on their own.
    found = operators(read_graph, name)
    assert {"PartialTop", "PartialSort"}.isdisjoint(found)


def test_a_timeline_sorts_one_page_only(read_graph):
    # One Top merges the pages of the personas; inside a persona the index gives the order.
    found = operators(read_graph, "insight/list_timeline")
    assert found.count("Top") == 1
    assert {"Sort", "Union"}.isdisjoint(found)


def db_hits(graph, name, **params):
    """What the query touched in the store."""
    with graph.session() as session:
        plan = session.run(neo4j.Query("PROFILE " + query_text(name)), params).consume().profile
    hits, waiting = 0, [plan]
    while waiting:
        node = waiting.pop()
        hits += node.get("dbHits", 0)
        waiting += node.get("children", [])
    return hits


@pytest.mark.parametrize("name", ["reviews/list_reviews", "reviews/list_oldest_reviews"])
def test_a_page_of_reviews_costs_the_same_however_long_the_queue(small, name):
    params = {
        "brand": small.brand.id, "statuses": ["pending"], "identifier": None, "rule": None, "kind": None,
        "before_at": LATEST, "before_id": LAST_ID, "after_at": EARLIEST, "after_id": "", "limit": 10,
    }  # fmt: skip
    small.customer("a")
    small.customer("b")
    hits = []
    for numbers in (range(20), range(20, 2_000)):
        for number in numbers:
            small.review(f"r{number}", "a", "b", minutes=number)
        small.save()
        hits.append(db_hits(small.graph, name, **params))
    assert hits[1] <= hits[0] + 10


def test_signs_of_presence_cost_the_same_however_long_the_history(small):
    hits: list[list[int]] = []
    for numbers in (range(20), range(20, 2_000)):
        for number in numbers:
            at = START + timedelta(minutes=number)
            small.event(f"e{number}", "a", minutes=number, visit_at=at if number % 2 else None)
        if not hits:
            small.customer("a")
        small.save()
        params = {"brand": small.brand.id, "seen_before": LATEST, "signs": 5}
        hits.append([
            db_hits(small.graph, "predictions/read_customers", ids=[small.name("a")], **params),
            db_hits(
                small.graph, "predictions/page_customers", after_at=EARLIEST, after_id="", limit=10, **params
            ),
        ])  # fmt: skip
    assert all(long <= short + 10 for short, long in zip(*hits, strict=True)), hits


def test_a_timeline_page_costs_the_same_however_long_the_history(small):
    small.customer("long")
    small.customer("short")
    for number in range(2_000):
        small.event(f"l{number}", "long", minutes=number)
    for number in range(20):
        small.event(f"s{number}", "short", minutes=number)
    small.save()
    common = {
        "brand": small.brand.id, "from_at": EARLIEST, "before_at": LATEST, "before_id": LAST_ID, "channels": None,
        "types": None, "payload_bytes": 1_000, "limit": 10,
    }  # fmt: skip
    long, short = (
        db_hits(small.graph, "insight/list_timeline", id=small.name(id_), **common) for id_ in ("long", "short")
    )
    assert long <= short + 10
