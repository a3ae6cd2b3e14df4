"""How commands reach the databases: addresses of the environment, else those that the running `up` wrote down."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from core.errors import ConfigurationError
from core.settings import Settings, load_settings
from graph.driver import Graph
from graph.migrations import migrate

CREDENTIALS_FILE = "credentials.json"


def connection_settings(data_dir: Path | None = None) -> Settings:
    """Settings with Neo4j's and Redis' addresses; raises ConfigurationError when nothing says where Neo4j is."""
    settings = load_settings()
    if data_dir is not None:
        settings = settings.model_copy(update={"data_dir": data_dir})
    if settings.neo4j_uri is not None:
        return settings
    return settings.model_copy(update=_addresses(settings.data_dir / CREDENTIALS_FILE))


@contextmanager
def open_graph(data_dir: Path | None = None) -> Iterator[Graph]:
    """A checked and migrated connection to Neo4j for one command."""
    with Graph.connect(connection_settings(data_dir)) as graph:
        graph.verify()
        migrate(graph)
        yield graph


def _addresses(path: Path) -> dict[str, object]:
    """What `up` wrote down, as fields of the settings."""
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        neo4j = written["neo4j"]
        return {
            "neo4j_uri": neo4j["uri"],
            "neo4j_user": neo4j["user"],
            "neo4j_password": SecretStr(neo4j["password"]),
            "redis_url": written["redis"]["url"],
        }
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"Neo4j is not configured and {path} is missing: run `constintel up`, name its --data-dir or set NEO4J_URI."
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path} cannot be read: remove it and run `constintel up` again.") from error
