"""The link to Neo4j Browser that `up` prints: a prepared query on the demo brand stands in its editor."""

import urllib.parse

from brands.onboarding import DEMO_BRAND
from graph.queries import query_text


def first_look(browser_url: str, uri: str) -> str:
    """Address of Neo4j Browser at `browser_url` for the server at `uri`, with the query prefilled, not yet run."""
    query = query_text("browser/first_look").replace("$brand", f"'{DEMO_BRAND}'")
    words = {"dbms": uri, "cmd": "edit", "arg": query}
    return f"{browser_url}?{urllib.parse.urlencode(words, quote_via=urllib.parse.quote)}"
