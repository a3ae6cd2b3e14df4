"""Command `doctor`: looks at machine, downloads, data, ports and databases; for each fault it says what to do."""

import fcntl
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import redis
import typer
from redis.exceptions import AuthenticationError, RedisError

from cli.connection import connection_settings
from cli.data_dir import DataDir
from cli.options import DataDirOption
from core.errors import ConfigurationError, ConstIntelError
from core.settings import Settings, load_settings
from embedded import maven
from embedded.jars import examine_jars
from embedded.machine import MEBIBYTE, available_memory, free_disk, total_memory
from embedded.neo4j import jar_store
from embedded.process import LOOPBACK, process_name, require_port
from graph.driver import Graph
from graph.invariants import INVARIANTS, broken_invariants
from graph.repositories.brands import list_brands

_OLDEST_PYTHON = (3, 11)
_OLDEST_REDIS = (6, 2)
_LEAST_MEMORY = 1200 * MEBIBYTE
_LEAST_DISK = 2048 * MEBIBYTE
_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `advice` is what to do about it and empty when all is well."""

    text: str
    advice: str = ""


def doctor(
    data_dir: DataDirOption = None,
    port: Annotated[int, typer.Option(help="Port that the API is to have.")] = 8000,
    neo4j_port: Annotated[int, typer.Option(help="Bolt port that the embedded Neo4j is to have.")] = 7687,
    neo4j_http_port: Annotated[int, typer.Option(help="Port that Neo4j Browser is to have.")] = 7474,
) -> None:
    """Say what is wrong and what to do about it; exit status 1 when something is."""
    settings = load_settings()
    data = DataDir(data_dir or settings.data_dir)
    ports = {"--port": port, "--neo4j-port": neo4j_port, "--neo4j-http-port": neo4j_http_port}
    faults = 0
    for finding in _examine(settings, data, ports):
        faults += bool(finding.advice)
        typer.echo(f"{'BAD ' if finding.advice else 'ok  '} {finding.text}")
        if finding.advice:
            typer.echo(f"     → {finding.advice}")
    typer.echo(f"\n{faults} fault{'s' if faults > 1 else ''} found" if faults else "\nall is well")
    raise typer.Exit(1 if faults else 0)


def _examine(settings: Settings, data: DataDir, ports: dict[str, int]) -> Iterator[Finding]:
    """All findings, cheap ones first."""
    is_embedded = settings.neo4j_uri is None
    running = data.holder()
    yield check_python()
    yield check_disk(data.path)
    yield check_folder(data.path)
    if is_embedded:
        if running is None:
            yield check_memory()
        yield from check_downloads()
    if running is not None:
        yield Finding(f"`constintel up` runs on {data.path} (process {running})")
    else:
        yield check_store_lock(data.neo4j)
        for option, port in ports.items():
            if is_embedded or option == "--port":
                yield check_port(port, option)
    if running is not None or not is_embedded:
        yield from check_databases(settings, data)


def check_python() -> Finding:
    """The interpreter is new enough."""
    text = f"Python {platform.python_version()}"
    if sys.version_info >= _OLDEST_PYTHON:
        return Finding(text)
    return Finding(text, "install Python 3.11 or newer, remove .venv and start again.")


def check_memory() -> Finding:
    """The embedded databases and the service fit."""
    free, total = available_memory(), total_memory()
    text = f"memory: {free // MEBIBYTE} of {total // MEBIBYTE} MB available"
    if free >= _LEAST_MEMORY:
        return Finding(text)
    return Finding(text, "end other programs, or set NEO4J_URI to a server elsewhere: Neo4j alone wants about 1200 MB.")


def check_disk(folder: Path) -> Finding:
    """There is room for the data."""
    free = free_disk(folder)
    text = f"disk: {free // MEBIBYTE} MB free for {folder}"
    return Finding(text, "" if free >= _LEAST_DISK else "free some space or choose another --data-dir: 2 GB is little.")


def check_folder(folder: Path) -> Finding:
    """The data directory can be written."""
    place = folder
    while not place.exists():
        place = place.parent
    probe = place / ".constintel-probe"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        return Finding(
            f"{place} cannot be written ({error.strerror})", "change its owner or choose another --data-dir."
        )
    return Finding(f"{folder} can be written")


def check_downloads() -> Iterator[Finding]:
    """The jars are whole, or can be fetched."""
    store = jar_store()
    damaged, missing = examine_jars(store)
    if damaged:
        names = ", ".join(name.split(":")[1] for name in damaged[:3])
        yield Finding(
            f"{len(damaged)} of Neo4j's jars in {store} are damaged or half downloaded: {names}",
            "start `constintel up`: it fetches them again.",
        )
    if missing:
        yield Finding(f"{len(missing)} of Neo4j's jars are still to be fetched (the first `up` does it)")
    if not damaged and not missing:
        yield Finding(f"Neo4j's jars in {store} match the lock")
        return
    problem = maven.why_unreachable()
    yield (
        Finding("Maven Central can be reached")
        if problem is None
        else Finding(
            f"Maven Central cannot be reached ({problem})",
            "connect to the network, set HTTPS_PROXY, name a mirror in ~/.m2/settings.xml, or set NEO4J_URI.",
        )
    )


def check_store_lock(home: Path) -> Finding:
    """No other server has the database files."""
    lock = home / "data" / "databases" / "store_lock"
    try:
        with lock.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return Finding("no database yet")
    except OSError:
        holder = _lock_holder(lock)
        who = f"process {holder} ({process_name(holder)})" if holder else "another process"
        return Finding(f"the database in {home} is locked by {who}", "stop that process, or choose another --data-dir.")
    return Finding(f"the database in {home} is free")


def _lock_holder(path: Path) -> int | None:
    """Process that holds a POSIX lock on `path`, from the kernel's table."""
    inode = str(path.stat().st_ino)
    try:
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        fields = line.split()
        if fields[1] == "POSIX" and fields[5].rsplit(":", 1)[-1] == inode:
            return int(fields[4])
    return None


def check_port(port: int, option: str) -> Finding:
    """The port is free."""
    try:
        require_port(port, LOOPBACK, option)
    except ConfigurationError as error:
        text, _, advice = error.detail.partition(": ")
        return Finding(text, advice)
    return Finding(f"port {port} is free ({option})")


def check_databases(settings: Settings, data: DataDir) -> Iterator[Finding]:
    """Both databases answer, with the right password and policy."""
    try:
        settings = connection_settings(data.path)
    except ConfigurationError as error:
        yield Finding("the addresses of the databases are unknown", error.detail)
        return
    found = check_neo4j(settings)
    yield found
    if not found.advice:
        yield from check_invariants(settings)
    yield from check_redis(settings)


def check_neo4j(settings: Settings) -> Finding:
    """Neo4j takes our user and answers."""
    if settings.neo4j_password is None:
        return Finding("NEO4J_PASSWORD is not set", "set it beside NEO4J_URI.")
    try:
        with Graph.connect(settings) as graph:
            graph.verify()
    except ConstIntelError as error:
        return Finding(f"Neo4j: {error.detail}", "check NEO4J_URI, the network to it, NEO4J_USER and NEO4J_PASSWORD.")
    return Finding("Neo4j answers")


def check_invariants(settings: Settings) -> Iterator[Finding]:
    """What must hold in every brand's graph holds."""
    try:
        with Graph.connect(settings) as graph:
            for brand in list_brands(graph):
                broken = broken_invariants(graph, brand["id"])
                for one in broken:
                    text = f"brand {brand['id']}: invariant {one.invariant} is broken by {', '.join(one.ids[:3])}"
                    yield Finding(
                        text, f"look at cypher/invariants/{one.invariant}.cypher and report it with these ids."
                    )
                if not broken:
                    yield Finding(f"brand {brand['id']}: {len(INVARIANTS)} invariants hold")
    except ConstIntelError:
        # The finding about Neo4j itself says why.
        return


def check_redis(settings: Settings) -> Iterator[Finding]:
    """Redis answers, is new enough, never evicts and keeps what it has on disk."""
    if settings.redis_url is None:
        yield Finding("REDIS_URL is not set", "set it: tasks and the inbox live in Redis.")
        return
    try:
        with redis.Redis.from_url(
            settings.redis_url, socket_timeout=_PATIENCE_SECONDS, socket_connect_timeout=_PATIENCE_SECONDS
        ) as client:
            info = client.info()
            policy = client.config_get("maxmemory-policy").get("maxmemory-policy", "unknown")
    except AuthenticationError:
        yield Finding("Redis refuses the password", "check the password in REDIS_URL.")
        return
    except (RedisError, ValueError) as error:
        yield Finding(f"Redis is not reachable ({type(error).__name__})", "check REDIS_URL and the network to it.")
        return
    version = str(info["redis_version"])
    is_new = tuple(int(part) for part in version.split(".")[:2]) >= _OLDEST_REDIS
    yield Finding(f"Redis {version} answers", "" if is_new else "upgrade it to 6.2 or newer.")
    yield Finding(f"Redis' maxmemory-policy is {policy}", "" if policy == "noeviction" else "set it to noeviction.")
    is_durable = bool(info.get("aof_enabled"))
    text = f"Redis' append-only file is {'on' if is_durable else 'off'}"
    yield Finding(text, "" if is_durable else "set appendonly yes: events that wait for Neo4j must survive a restart.")
