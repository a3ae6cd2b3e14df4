"""What every test may ask for: the real Neo4j and Redis (one of each for a whole run) and a brand of its own.

Found in this order: NEO4J_URI / REDIS_URL; containers when CONSTINTEL_TEST_BACKEND=containers; else embedded servers.
"""

import fcntl
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from core.settings import Settings, load_settings
from graph.driver import Graph
from graph.migrations import migrate

_STACK = pytest.StashKey[ExitStack]()
_SERVERS = pytest.StashKey["Servers"]()
_MIGRATED = pytest.StashKey[bool]()
_WORKER_KEY = "constintel_servers"


@dataclass(frozen=True, slots=True)
class Neo4jAddress:
    """How to reach the run's Neo4j."""

    uri: str
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """How to reach the run's Redis."""

    url: str


@dataclass(slots=True)
class Servers:
    """The servers of this run, started when first asked for."""

    neo4j: Neo4jAddress | None = None
    redis: RedisAddress | None = None


def _find_neo4j(stack: ExitStack) -> Neo4jAddress:
    settings = load_settings()
    if settings.neo4j_uri:
        password = settings.neo4j_password.get_secret_value() if settings.neo4j_password else ""
        return Neo4jAddress(settings.neo4j_uri, settings.neo4j_user, password)
    if settings.test_backend == "containers":
        from testcontainers.neo4j import Neo4jContainer  # noqa: PLC0415 - only where containers are asked for

        container = stack.enter_context(Neo4jContainer("neo4j:5.26-community"))
        return Neo4jAddress(container.get_connection_url(), container.username, container.password)
    from embedded.neo4j import launch_neo4j  # noqa: PLC0415 - only where nothing else is given

    server = stack.enter_context(launch_neo4j(_scratch(stack) / "neo4j"))
    return Neo4jAddress(server.uri, server.user, server.password)


def _find_redis(stack: ExitStack) -> RedisAddress:
    settings = load_settings()
    if settings.redis_url:
        return RedisAddress(settings.redis_url)
    if settings.test_backend == "containers":
        from testcontainers.redis import RedisContainer  # noqa: PLC0415 - only where containers are asked for

        container = stack.enter_context(RedisContainer("redis:7"))
        return RedisAddress(f"redis://{container.get_container_host_ip()}:{container.get_exposed_port(6379)}/0")
    from embedded.redis import launch_redis  # noqa: PLC0415 - only where nothing else is given

    return RedisAddress(stack.enter_context(launch_redis(_scratch(stack) / "redis")).url)


def _scratch(stack: ExitStack) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="constintel-test-", ignore_cleanup_errors=True)))


def pytest_configure(config: pytest.Config) -> None:
    """Make room for the servers of this run; a worker of pytest-xdist takes those of its controller."""
    config.stash[_STACK] = ExitStack()
    given = getattr(config, "workerinput", {}).get(_WORKER_KEY)
    config.stash[_SERVERS] = (
        Servers(Neo4jAddress(**given["neo4j"]), RedisAddress(**given["redis"])) if given else Servers()
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what this run started."""
    config.stash[_STACK].close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Before pytest-xdist starts a worker: the servers are the controller's, so that they outlive every worker."""
    servers = _servers(node.config, needs_neo4j=True, needs_redis=True)
    assert servers.neo4j is not None
    assert servers.redis is not None
    if _MIGRATED not in node.config.stash:
        with Graph.connect(load_settings().model_copy(update=neo4j_update(servers.neo4j))) as opened:
            migrate(opened)
        node.config.stash[_MIGRATED] = True
    node.workerinput[_WORKER_KEY] = {"neo4j": asdict(servers.neo4j), "redis": asdict(servers.redis)}


def _servers(config: pytest.Config, *, needs_neo4j: bool = False, needs_redis: bool = False) -> Servers:
    servers, stack = config.stash[_SERVERS], config.stash[_STACK]
    if needs_neo4j and servers.neo4j is None:
        servers.neo4j = _find_neo4j(stack)
    if needs_redis and servers.redis is None:
        servers.redis = _find_redis(stack)
    return servers


@pytest.fixture(scope="session")
def neo4j_server(request: pytest.FixtureRequest) -> Neo4jAddress:
    """The run's Neo4j: uri, user, password."""
    address = _servers(request.config, needs_neo4j=True).neo4j
    assert address is not None
    return address


@pytest.fixture(scope="session")
def redis_server(request: pytest.FixtureRequest) -> RedisAddress:
    """The run's Redis: url."""
    address = _servers(request.config, needs_redis=True).redis
    assert address is not None
    return address


@pytest.fixture(scope="session")
def graph_settings(neo4j_server: Neo4jAddress) -> Settings:
    """Settings that reach the run's Neo4j and nothing else."""
    update = {**neo4j_update(neo4j_server), "secret_key": SecretStr("the key of all installations of the tests")}
    return load_settings().model_copy(update=update)


@pytest.fixture(scope="session")
def service_settings(
    graph_settings: Settings, redis_server: RedisAddress, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """Settings that reach the run's Neo4j and Redis, with a data directory of their own."""
    return graph_settings.model_copy(
        update={
            "redis_url": redis_server.url,
            "data_dir": tmp_path_factory.mktemp("data"),
            # A cold database on a busy machine takes its time.
            "csv_patience_seconds": 120,
        }
    )


def neo4j_update(address: Neo4jAddress) -> dict[str, object]:
    """The settings that name `address`."""
    return {
        "neo4j_uri": address.uri,
        "neo4j_user": address.user,
        "neo4j_password": SecretStr(address.password),
    }


@pytest.fixture(scope="session")
def graph(graph_settings: Settings) -> Iterator[Graph]:
    """The run's graph, migrated."""
    with Graph.connect(graph_settings) as opened:
        migrate(opened)
        yield opened


@pytest.fixture
def suggestions_slot(graph: Graph, neo4j_server: Neo4jAddress) -> Iterator[None]:
    """Runs of the suggestions for this test alone: an installation computes one at a time, and tests share one."""
    name = "".join(char if char.isalnum() else "-" for char in neo4j_server.uri)
    with (Path(tempfile.gettempdir()) / f"constintel-suggestions-{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with graph.session() as session:
            session.run("MATCH (r:SuggestionRun) WHERE r.active IS NOT NULL SET r.active = null").consume()
            session.run("MATCH (s:SuggestionSlot) SET s.until = null").consume()
        yield


@pytest.fixture
def brand_id() -> str:
    """A brand that no other test has: nothing needs to be wiped."""
    return f"t{uuid.uuid4().hex[:12]}"
