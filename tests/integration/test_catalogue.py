"""Every query file: its header says what it is, the server takes it, and none of the event path scans."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cypher
from graph.driver import Graph
from graph.queries import query_text

ROOT = Path(cypher.__file__).parent
NAMES = sorted(str(path.relative_to(ROOT).with_suffix("")) for path in ROOT.rglob("*.cypher"))
QUERIES = [name for name in NAMES if not name.startswith(("schema/", "migrations/"))]
HOT = [name for name in QUERIES if name.startswith(("commit/", "stewardship/"))]
SCANS = {
    "AllNodesScan",
    "NodeByLabelScan",
    "DirectedAllRelationshipsScan",
    "UndirectedAllRelationshipsScan",
}
# These find the brand or serve all brands at once: there is none to bind to yet.
WITHOUT_BRAND = {
    "brands/create_brand", "brands/find_api_key", "brands/find_endpoint", "brands/get_brand", "brands/list_brands",
    "brands/list_endpoints_by_account", "outbox/read_marks", "outbox/list_marks", "outbox/take_marks",
    "migrations/list_applied",
    "outbox/list_unstreamed", "outbox/set_streamed", "outbox/count_marks", "changes/list_unstreamed",
    "changes/list_due_hooks", "changes/list_feeds", "changes/list_newest", "changes/list_waiting",
    "reviews/forget_batches", "reviews/list_waiting_batches", "recompute/list_waiting", "installation/claim_key",
    "suggestions/list_due_runs", "suggestions/list_scheduled", "suggestions/lock_slot",
    "csv_imports/list_due", "stores/list_shop_marks",
    "model_runs/list_due", "model_runs/list_stale_brands",
    "crm/list_due", "crm/list_scheduled",
    "computed_traits/list_pending", "computed_traits/take_due",
}  # fmt: skip


def operators(plan: dict[str, Any]) -> Iterator[str]:
    yield plan["operatorType"].split("@")[0]
    for child in plan.get("children", ()):
        yield from operators(child)


def explain(graph: Graph, name: str) -> list[str]:
    with graph.session() as session:
        plan = session.run("EXPLAIN " + query_text(name)).consume().plan
    assert plan is not None
    return list(operators(plan))


@pytest.mark.parametrize("name", NAMES)
def test_every_query_says_what_it_is(name: str) -> None:
    head = [line for line in (ROOT / f"{name}.cypher").read_text("utf-8").splitlines() if line.startswith("//")]
    assert head[0] != "//"
    for word in ("// params: ", "// returns: ", "// mode: "):
        assert sum(line.startswith(word) for line in head) == 1


@pytest.mark.parametrize("name", QUERIES)
def test_the_server_takes_every_query(graph: Graph, name: str) -> None:
    assert explain(graph, name)


@pytest.mark.parametrize("name", HOT)
def test_nothing_on_the_event_path_scans(graph: Graph, name: str) -> None:
    assert SCANS.isdisjoint(explain(graph, name))


@pytest.mark.parametrize("name", [name for name in QUERIES if not name.startswith(("bench/", "idempotency/"))])
def test_every_query_is_bound_to_a_brand(name: str) -> None:
    if name not in WITHOUT_BRAND:
        assert re.search(r"\$brand\b", query_text(name))


def test_profiles_are_read_after_all_of_them_are_locked(graph: Graph) -> None:
    found = explain(graph, "commit/lock_customers")
    lock = found.index("SetProperty")
    assert found.index("EagerAggregation") < lock
    assert "CacheProperties" not in found[lock:]


def _assignments(text: str) -> set[str]:
    """What a query sets from its rows, with the white space taken out."""
    packed = re.sub(r"\s+", "", re.sub(r"//.*", "", text))
    return set(re.findall(r"c\.(\w+=(?:r\[\d+\]|CASEWHENr\[\d+\]ISNULLTHENnullELSEdatetime\({.*?}\)END))", packed))


@pytest.mark.parametrize(
    ("name", "rows"), [("commit/update_profiles", "$batch.profiles"), ("commit/update_personas", "$batch.personas")]
)
def test_a_batch_updates_customers_as_the_statements_of_their_own_do(name: str, rows: str) -> None:
    """They stand in the batch as well, because a round trip costs more than they do."""
    part = query_text("commit/write_batch").split(f"UNWIND {rows} AS r")[1].split("RETURN")[0]
    alone = _assignments(query_text(name))
    assert len(alone) >= 8
    assert _assignments(part) == alone
