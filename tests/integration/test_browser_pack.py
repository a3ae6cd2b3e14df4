"""The pack for Neo4j Browser: every saved query runs on a brand with history, draws what it says, and links open."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

import cypher
from cli.browser_link import first_look
from core.brand import BrandSettings
from graph.commit import commit_batch
from graph.driver import Graph
from graph.queries import query_text
from tests.factories import event, fact

PACK = Path(cypher.__file__).parent / "browser"
QUERIES = sorted(path.stem for path in PACK.glob("*.cypher"))
# These need something that a small sound history does not have.
MAY_BE_EMPTY = {"told_apart"}


@pytest.fixture
def history(graph: Graph, brand_id: str) -> dict[str, str]:
    """Parameters for every query over a brand with a merge, a review, a contested cookie and an order."""
    brand = BrandSettings(brand_id)
    names = ("email:a@x.io", "phone:+14155550101", "loyalty_id:L", "user_id:u", "email:z@x.io")
    commit_batch(graph, brand, [event(brand_id, name) for name in names])
    results = commit_batch(
        graph,
        brand,
        [
            event(brand_id, "email:a@x.io", "phone:+14155550101", "cookie_id:c", minute=1, order=fact(brand_id, "o")),
            event(brand_id, "email:z@x.io", "cookie_id:c", minute=2),
            event(brand_id, "email:a@x.io", "loyalty_id:L", "user_id:u", "email:z@x.io", minute=3),
            event(brand_id, "device_id:d", minute=1),
            event(brand_id, "device_id:d", "email:w@x.io", minute=2),
            event(brand_id, "device_id:d", "loyalty_id:LW", minute=3),
        ],
    )
    return {
        "brand": brand_id, "type": "email", "value": "a@x.io", "id": results[0].profile_id or "", "type_a": "email",
        "value_a": "a@x.io", "type_b": "phone", "value_b": "+14155550101",
    }  # fmt: skip


@pytest.mark.parametrize("name", QUERIES)
def test_every_saved_query_draws_something(graph: Graph, history: dict[str, str], name: str) -> None:
    rows = graph.read(f"browser/{name}", **history)
    assert rows or name in MAY_BE_EMPTY


@pytest.mark.parametrize("name", QUERIES)
def test_a_saved_query_is_named_by_its_first_line_and_the_readme_lists_it(name: str) -> None:
    first = (PACK / f"{name}.cypher").read_text().splitlines()[0]
    assert first.startswith("// ")
    assert not first.startswith("// params")
    assert f"`{name}`" in (PACK / "README.md").read_text()


def test_the_printed_link_opens_the_server_with_the_query_for_the_demo_brand() -> None:
    link = urlsplit(first_look("http://127.0.0.1:7474/browser/", "bolt://127.0.0.1:7687"))
    words = {name: values[0] for name, values in parse_qs(link.query).items()}
    assert (words["dbms"], words["cmd"]) == ("bolt://127.0.0.1:7687", "edit")
    assert "'demo'" in words["arg"]
    assert "$" not in words["arg"]


def test_the_guide_shows_only_queries_that_run(graph: Graph, history: dict[str, str]) -> None:
    guide = (PACK / "guide.html").read_text().replace("&lt;", "<")
    shown = [part.split("</pre>")[0] for part in guide.split('runnable">')[1:]]
    with graph.session() as session:
        for query in shown:
            if not query.startswith(":"):
                session.run(query, dict(history)).consume()
    assert len(shown) > 5


@pytest.mark.parametrize("name", ["one_customer", "open_reviews"])
def test_a_saved_query_stays_within_its_brand(graph: Graph, history: dict[str, str], name: str) -> None:
    assert query_text(f"browser/{name}")
    assert graph.read(f"browser/{name}", **{**history, "brand": "otherbrand"}) == []
