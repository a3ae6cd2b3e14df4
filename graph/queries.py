"""The catalogue of `cypher/`: query text by name, read once; the only way a query reaches the driver."""

from functools import lru_cache
from importlib import resources
from typing import LiteralString


class UnknownQueryError(KeyError):
    """A query name that has no file in `cypher/`: a bug, found at first use or by the catalogue test."""


@lru_cache(maxsize=512)
def query_text(name: str) -> LiteralString:
    """The text of `cypher/<name>.cypher` without its comment lines; raises UnknownQueryError."""
    path = resources.files("cypher").joinpath(f"{name}.cypher")
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UnknownQueryError(name) from error
    body = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//"))
    return body.strip()
