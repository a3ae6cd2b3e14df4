"""Style sheet and guide are served to Neo4j Browser, which fetches them from another origin."""

import httpx
import pytest

from tests.integration.api.conftest import Service


@pytest.mark.parametrize(("name", "kind"), [("constintel.grass", "text/plain"), ("guide.html", "text/html")])
def test_neo4j_browser_may_fetch_the_file(service: Service, name: str, kind: str) -> None:
    answer = httpx.get(f"{service.url}/browser/{name}", headers={"Origin": "http://127.0.0.1:7474"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-type"].startswith(kind)


@pytest.mark.parametrize("name", ["one_customer.cypher", "..%2Fschema%2FV0001__keys_and_paths.cypher", "README.md"])
def test_nothing_else_is_served(service: Service, name: str) -> None:
    assert httpx.get(f"{service.url}/browser/{name}").status_code == 404
