"""Command `up`: everything on one machine, from nothing to a served API; the order of the start reads top to bottom."""

import os
import signal
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from json import JSONDecodeError, loads
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from brands.onboarding import DEMO_BRAND, ensure_demo_brand
from cli.browser_link import first_look
from cli.data_dir import DataDir
from cli.supervisor import Signals, StopRequestedError, Supervisor
from cli.worker import Queue, beat_words, worker_words
from core.errors import ConfigurationError
from core.logs import configure_logs
from core.settings import Settings, child_environment, load_settings
from embedded.jars import ensure_jars
from embedded.machine import MEBIBYTE, available_memory
from embedded.neo4j import Neo4jOptions, Neo4jServer, jar_store, start_neo4j
from embedded.process import LOOPBACK, Command, Process, describe_taken_port, free_port
from embedded.progress import say
from embedded.redis import RedisServer, start_redis
from graph.driver import Graph
from graph.migrations import migrate

_BACKLOG = 2048
_START_SECONDS = 240
_POLL_SECONDS = 0.1
_LEAST_MEMORY = 1200 * MEBIBYTE
_LARGEST_LOG = 50 * MEBIBYTE
_WORKER_CONCURRENCY = 2
_DEMO_CUSTOMERS = "200"
_ANY_ADDRESS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, not bound to


@dataclass(frozen=True, slots=True)
class UpOptions:
    """The options of the command; a port of 0 takes a free one."""

    data: DataDir
    host: str = LOOPBACK
    port: int = 8000
    neo4j_port: int = 7687
    neo4j_http_port: int = 7474
    api_processes: int = 1
    with_demo: bool = False


def up(  # noqa: PLR0913, PLR0917 - one for each option
    host: Annotated[str, typer.Option(help="Address that the API listens on.")] = LOOPBACK,
    port: Annotated[int, typer.Option(help="Port of the API; 0 takes a free one.")] = 8000,
    data_dir: Annotated[Path | None, typer.Option(help="Where all data lives; default .constintel.")] = None,
    neo4j_port: Annotated[int, typer.Option(help="Bolt port of the embedded Neo4j; 0 takes a free one.")] = 7687,
    neo4j_http_port: Annotated[int, typer.Option(help="Port of Neo4j Browser; 0 takes a free one.")] = 7474,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Number of API processes.")] = 1,
    demo: Annotated[
        bool, typer.Option("--demo", help="Load the try-out data: `constintel demo` with 200 customers.")
    ] = False,
) -> None:
    """Start Neo4j, Redis, the API and the workers, keep them running, and end them all on Ctrl-C."""
    settings = load_settings()
    configure_logs(level="WARNING", as_json=False)
    data = DataDir(data_dir or settings.data_dir)
    options = UpOptions(data, host, port, neo4j_port, neo4j_http_port, workers, demo)
    with data.hold(), Signals() as signals:
        supervisor = Supervisor(signals, say)
        installation = Installation(options, settings, supervisor, signals)
        try:
            installation.start()
            supervisor.run(changed=installation.write_credentials)
        except StopRequestedError:
            pass
        finally:
            say("ending; this takes some seconds")
            supervisor.stop()
    say("everything has ended")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a download that was under way in a thread must not hold the end


@dataclass(slots=True)
class Installation:
    """One running installation: what was started and how it is reached."""

    options: UpOptions
    settings: Settings
    supervisor: Supervisor
    signals: Signals
    _neo4j: Neo4jServer | None = field(default=None, repr=False)
    _redis: RedisServer | None = field(default=None, repr=False)
    _listener: socket.socket | None = None
    _api_key: str = field(default="", repr=False)

    def start(self) -> None:
        """Bring everything up and print the addresses; raises ConfigurationError saying what to do."""
        self.options.data.end_leftovers()
        self._listener = _listen(self.options.host, self.options.port)
        self._complete_settings()
        self._start_databases()
        with Graph.connect(self.settings) as graph:
            graph.verify()
            if names := migrate(graph):
                say(f"schema brought up to date: {', '.join(names)}")
            known = self.options.data.read_credentials().get("api_key")
            self._api_key = ensure_demo_brand(graph, known if isinstance(known, str) else None)
        self._start_services()
        self.write_credentials()
        self._wait_for("the API", self._is_healthy)
        self._print_addresses()
        if self.options.with_demo:
            self._load_demo()

    @property
    def url(self) -> str:
        """Where this machine reaches the API."""
        assert self._listener is not None  # noqa: S101 - bound first of all
        host = LOOPBACK if self.options.host in _ANY_ADDRESS else self.options.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self._listener.getsockname()[1]}"

    def write_credentials(self) -> None:
        """Write down how to reach everything, and which process is what."""
        pids = self.supervisor.pid
        names = self._api_names()
        self.options.data.write_credentials({
            "brand": DEMO_BRAND,
            "api_key": self._api_key,
            "url": self.url,
            "neo4j": {
                "uri": self.settings.neo4j_uri,
                "user": self.settings.neo4j_user,
                "password": self.settings.neo4j_password.get_secret_value() if self.settings.neo4j_password else "",
                "browser": self._neo4j.browser_url if self._neo4j else None,
            },
            "redis": {"url": self.settings.redis_url},
            "pids": {
                "supervisor": os.getpid(),
                "api": [pids(name) for name in names],
                "workers": [pids("worker"), pids("beat"), pids("learner")],
                "neo4j": pids("neo4j"),
                "redis": pids("redis"),
            },
        })  # fmt: skip

    def _complete_settings(self) -> None:
        update: dict[str, object] = {"data_dir": self.options.data.path}
        if "public_url" not in self.settings.model_fields_set:
            update["public_url"] = self.url
        self.settings = self.settings.model_copy(update=update)

    # Databases

    def _start_databases(self) -> None:
        if self.settings.neo4j_uri is None:
            if available_memory() < _LEAST_MEMORY:
                say(f"only {available_memory() // MEBIBYTE} MB of memory are free; Neo4j wants about 1200")
            # Fetched here, where a Ctrl-C may interrupt it; the start itself is quick and must not lose its child.
            ensure_jars(jar_store())
            say("starting Neo4j")
            self.supervisor.add_database("neo4j", self._start_neo4j)
        if self.settings.redis_url is None:
            self.supervisor.add_database("redis", self._start_redis)
        if self._redis is not None:
            self._wait_for("Redis", self._redis.is_started)
            self.settings = self.settings.model_copy(update={"redis_url": self._redis.url})
        if self._neo4j is not None:
            self._wait_for("Neo4j", self._neo4j.is_started)
            server = {"neo4j_uri": self._neo4j.uri, "neo4j_user": self._neo4j.user}
            password = SecretStr(self._neo4j.password)
            self.settings = self.settings.model_copy(update={**server, "neo4j_password": password})

    def _start_neo4j(self) -> Process:
        before = self._neo4j
        bolt_port = before.bolt_port if before else self.options.neo4j_port
        http_port = before.http_port if before else self.options.neo4j_http_port
        self._neo4j = start_neo4j(
            Neo4jOptions(
                self.options.data.neo4j, bolt_port, http_port,
                log=self._log("neo4j"), environment=self._database_environment(),
            )
        )  # fmt: skip
        return self._neo4j.process

    def _start_redis(self) -> Process:
        port = self._redis.port if self._redis else free_port()
        self._redis = start_redis(self.options.data.redis, port, self._log("redis"), self._database_environment())
        return self._redis.process

    def _database_environment(self) -> dict[str, str]:
        """The data directory marks the process as ours; the databases need nothing else of the settings."""
        bare = load_settings().model_copy(update={"neo4j_password": None, "redis_url": None, "secret_key": None})
        return child_environment(bare.model_copy(update={"data_dir": self.options.data.path}))

    # Services

    def _start_services(self) -> None:
        for name in self._api_names():
            self.supervisor.add_service(name, self._api_starter(name))
        python, level = [sys.executable, "-P", "-m"], self.settings.log_level
        worker = [*python, *worker_words(_WORKER_CONCURRENCY, level, Queue.DEFAULT)]
        learner = [*python, *worker_words(1, level, Queue.ML)]
        beat = [*python, *beat_words(self.options.data.path / "beat-schedule", level)]
        # Without us its tasks only wait for databases that are going; they are safe to repeat, so it need not linger.
        self.supervisor.add_service("worker", lambda: self._start("worker", worker, orphan_signal=signal.SIGKILL))
        self.supervisor.add_service("learner", lambda: self._start("learner", learner, orphan_signal=signal.SIGKILL))
        self.supervisor.add_service("beat", lambda: self._start("beat", beat))

    def _api_names(self) -> list[str]:
        count = self.options.api_processes
        return ["api"] if count == 1 else [f"api-{number}" for number in range(1, count + 1)]

    def _api_starter(self, name: str) -> Callable[[], Process]:
        assert self._listener is not None  # noqa: S101 - bound first of all
        # We keep the listening socket: while a process is started again, callers queue instead of being refused.
        handle = self._listener.fileno()
        words = [sys.executable, "-P", "-m", "uvicorn", "api.app:create_app", "--factory", "--fd", str(handle)]
        words += ["--timeout-graceful-shutdown", "8", "--no-access-log", "--backlog", str(_BACKLOG)]
        return lambda: self._start(name, words, keep_fds=(handle,))

    def _start(self, name: str, words: list[str], **more: Any) -> Process:
        environment = child_environment(self.settings)
        return Process(name, Command(words, self._log(name), environment, folder=self.options.data.path, **more))

    def _log(self, name: str) -> Path:
        """The child's log; one that has grown large is put aside first."""
        log = self.options.data.logs / f"{name}.log"
        if log.exists() and log.stat().st_size > _LARGEST_LOG:
            log.replace(log.with_suffix(".log.1"))
        return log

    # Waiting and telling

    def _wait_for(self, what: str, is_there: Callable[[], bool]) -> None:
        for _ in range(int(_START_SECONDS / _POLL_SECONDS)):
            if is_there():
                return
            self.supervisor.require_alive()
            self.signals.wait(_POLL_SECONDS)
        raise ConfigurationError(f"{what} did not answer within {_START_SECONDS} s: see {self.options.data.logs}.")

    def _is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/api/monitoring/health", timeout=5) as answer:  # noqa: S310 - ours
                health: dict[str, Any] = loads(answer.read())
        except (urllib.error.URLError, OSError, JSONDecodeError):
            return False
        return health.get("status") == "ok"

    def _print_addresses(self) -> None:
        data = self.options.data
        lines = ["", "ConstIntel is running.", f"  API            {self.url}", f"  Documentation  {self.url}/docs"]
        if self._neo4j is not None:
            lines.append(f"  Neo4j Browser  {self._neo4j.browser_url}")
            lines.append(f"                 user {self._neo4j.user}, password in {data.credentials}")
            lines.append(f"  A first look   {first_look(self._neo4j.browser_url, self._neo4j.uri)}")
        lines += [f"  API key        in {data.credentials} (brand {DEMO_BRAND})", f"  Logs           {data.logs}"]
        typer.echo("\n".join([*lines, "Ctrl-C ends everything.", ""]))
        sys.stdout.flush()

    def _load_demo(self) -> None:
        """Send the try-out data, once for a data directory, while everything already runs."""
        done = self.options.data.path / "demo-loaded"
        if done.exists():
            return
        words = [
            str(Path(sys.executable).with_name("constintel")),
            "demo",
            "--customers",
            _DEMO_CUSTOMERS,
            "--wait",
            "0",
            "--url",
            self.url,
        ]
        words += ["--data-dir", str(self.options.data.path)]

        def finished(status: int) -> None:
            if status == 0:
                done.touch()
                say("the try-out data is loaded")
            else:
                say(f"the try-out data could not be loaded: see {self._log('demo')}")

        say("loading the try-out data")
        self.supervisor.add_job("demo", lambda: self._start("demo", words), finished)


def _listen(host: str, port: int) -> socket.socket:
    """The API's listening socket; raises ConfigurationError when somebody else has the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if port and not isinstance(error, socket.gaierror):
            raise ConfigurationError(describe_taken_port(port, "--port")) from error
        raise ConfigurationError(f"--host {host} is no address of this machine.") from error
    return listener
