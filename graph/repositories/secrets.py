"""Secrets on their way into the graph and out of it."""

from core.clock import utc_now
from core.errors import ConfigurationError
from core.sealing import BrokenSealError
from graph.driver import Graph

_OTHER_KEY = "This installation seals secrets with another key: name its --data-dir or set CONSTINTEL_SECRET_KEY."


def seal_secret(graph: Graph, plain: str, about: str) -> str:
    """`plain` as it is stored. Raises ConfigurationError where this process has another key than the installation."""
    if not graph.seals.is_claimed:
        own = graph.seals.mark
        [row] = graph.write("installation/claim_key", mark=own, at=utc_now())
        if row["mark"] != own:
            raise ConfigurationError(_OTHER_KEY)
        graph.seals.is_claimed = True
    return graph.seals.seal(plain, about)


def open_secret(graph: Graph, stored: str, about: str) -> str:
    """What is stored as it was; raises BrokenSealError when it was sealed with another key."""
    return graph.seals.open(stored, about)


def need_secret(graph: Graph, stored: str, about: str) -> str:
    """As `open_secret`, for what nothing works without; raises ConfigurationError for the operator to read."""
    try:
        return graph.seals.open(stored, about)
    except BrokenSealError as error:
        raise ConfigurationError(_OTHER_KEY) from error
