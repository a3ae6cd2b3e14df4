"""Maintainer's tool, `python -m embedded.relock`: resolves Neo4j anew and rewrites `neo4j.lock`."""

import tempfile
from pathlib import Path

from embedded import maven
from embedded.jars import write_lock
from embedded.progress import say

NEO4J_VERSION = "5.26.31"
BROWSER_VERSION = "5.24.0"
ENDPOINTS = (
    f"org.neo4j:neo4j:{NEO4J_VERSION}",
    f"org.neo4j.app:neo4j-server:{NEO4J_VERSION}",
    f"org.neo4j.client:neo4j-browser:{BROWSER_VERSION}",
)
_HEADER = """# Every jar that Neo4j Community runs from: Maven coordinate, SHA-256, size in bytes; in class path order.
# Written by `python -m embedded.relock`, which says how; checked after each download and before each start.
"""


def main() -> None:
    """Resolve, fetch into a fresh place, hash, write; the old lock stays when anything fails."""
    with tempfile.TemporaryDirectory() as store:
        text = write_lock(maven.resolve(ENDPOINTS, Path(store)), _HEADER)
    target = Path(__file__).with_name("neo4j.lock")
    target.write_text(text, encoding="utf-8")
    say(f"{target.name}: {len(text.splitlines()) - 2} jars")


if __name__ == "__main__":
    main()
