"""Bench, set-up: a Neo4j, a Redis and an API of the bench's own, in a directory that goes away with it."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from pydantic import SecretStr

from cli.worker import worker_words
from core.errors import ConfigurationError
from core.settings import Settings, load_settings
from embedded.neo4j import launch_neo4j
from embedded.neo4j_conf import service_sizes
from embedded.redis import launch_redis
from graph.driver import Graph
from graph.migrations import migrate

_READY_PATH = "/api/monitoring/health/ready"
_START_SECONDS = 60.0
_STOP_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Servers:
    """What the measurements run against; `api_url` is empty when no measurement needs HTTP."""

    settings: Settings
    neo4j_pid: int | None = None
    api_url: str = ""
    api_pids: tuple[int, ...] = ()
    worker_pids: tuple[int, ...] = ()
    redis_pid: int | None = None


@contextmanager
def bench_servers(*, with_api: bool, with_worker: bool = False, folder: Path | None = None) -> Iterator[Servers]:
    """Servers for one run: embedded ones, or those that NEO4J_URI and REDIS_URL name; raises ConfigurationError.

    `with_worker` adds a Celery worker with its beat, which empties what the API leaves to it.
    """
    with ExitStack() as stack:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="constintel-bench-", dir=folder)))
        settings = load_settings()
        pid = redis_pid = None
        if settings.neo4j_uri is None:
            neo4j = stack.enter_context(launch_neo4j(directory / "neo4j", sizes=service_sizes()))
            pid = neo4j.pid
            settings = settings.model_copy(
                update={"neo4j_uri": neo4j.uri, "neo4j_user": neo4j.user, "neo4j_password": SecretStr(neo4j.password)}
            )
        if with_api and settings.redis_url is None:
            redis = stack.enter_context(launch_redis(directory / "redis"))
            settings = settings.model_copy(update={"redis_url": redis.url})
            redis_pid = redis.pid
        with Graph.connect(settings) as graph:
            graph.verify()
            migrate(graph)
        if not with_api:
            yield Servers(settings, pid)
            return
        url, api = stack.enter_context(_api(settings, directory / "api.log"))
        workers: tuple[int, ...] = ()
        if with_worker:
            workers = (stack.enter_context(_worker(settings, directory)).pid,)
        yield Servers(settings, pid, url, (api.pid,), workers, redis_pid)


@contextmanager
def _api(settings: Settings, log: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """One API process as `serve` runs it, on a free port; its log tells why when it does not start."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        sys.executable, "-m", "uvicorn", "api.app:create_app", "--factory",
        "--host", "127.0.0.1", "--port", str(port), "--no-access-log",
    ]  # fmt: skip
    with _running(command, settings, log) as process:
        _wait_until_ready(url, process, log)
        yield url, process


@contextmanager
def _worker(settings: Settings, directory: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """One worker of all queues with its beat; one task at a time, as its memory is measured."""
    words = [*worker_words(1, "WARNING"), "--beat", "--schedule", str(directory / "beat")]
    with _running([sys.executable, "-m", *words], settings, directory / "worker.log") as process:
        yield process


@contextmanager
def _running(command: list[str], settings: Settings, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 (our own program)
            command, env=_environment(settings), stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment(settings: Settings) -> dict[str, str]:
    """The environment of a child: ours, with the addresses that it is to use."""
    password = settings.neo4j_password.get_secret_value() if settings.neo4j_password else ""
    return os.environ | {
        "NEO4J_URI": settings.neo4j_uri or "",
        "NEO4J_USER": settings.neo4j_user,
        "NEO4J_PASSWORD": password,
        "REDIS_URL": settings.redis_url or "",
    }


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url + _READY_PATH, timeout=2.0).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-1:]
    raise ConfigurationError(f"The API of the bench did not start: {' '.join(last)}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
