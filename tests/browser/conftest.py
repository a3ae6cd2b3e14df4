"""A real browser (Debian's chromium, installed when it is missing), and a shop of another origin that it visits."""

import fcntl
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.integration.api.conftest import new_tenant, service, tenant

__all__ = ["new_tenant", "service", "tenant"]

_NAMES = ("chromium", "chromium-browser")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
)  # fmt: skip
_INSTALL_SECONDS = 600


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The program; installed with apt where that is possible, else a failure that says what to do."""
    found = _find()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        # Workers of one run must not install side by side.
        with (Path(tempfile.gettempdir()) / "constintel-chromium.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            found = _find() or _install()
    if found is None:
        pytest.fail("chromium is missing: install it (Debian: apt-get install chromium) and run the tests again")
    return found


def _find() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def _install() -> str | None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        done = subprocess.run(
            [str(shutil.which("apt-get")), *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
            check=False,
        )
        if done.returncode and words[0] == "install":
            pytest.fail(f"chromium cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
    return _find()


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    """One browser for the tests of a file: while it is open nothing else of the process can run an event loop."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium_path, args=list(_FLAGS))
        yield running
        running.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[BrowserContext]:
    """A visitor who was never here before."""
    context = browser.new_context()
    yield context
    context.close()


@dataclass
class Shop:
    """A web server of its own origin: pages by path, and an event address that refuses before it passes on."""

    url: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    service_url: str = ""
    refusals: list[int] = field(default_factory=list)
    """Statuses to answer first, before messages are passed on to the service."""
    bodies: list[bytes] = field(default_factory=list)


@pytest.fixture
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A shop with no pages yet."""
    shop = Shop()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = shop.pages.get(self.path.partition("?")[0])
            self._answer(200 if page is not None else 404, (page or "").encode(), "text/html; charset=utf-8")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            shop.bodies.append(body)
            if shop.refusals:
                self._answer(shop.refusals.pop(0), b"", "text/plain")
                return
            passed = httpx.post(f"{shop.service_url}/v1/batch", content=body, timeout=30)
            self._answer(passed.status_code, passed.content, "application/json")

        def _answer(self, status: int, content: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Tests say what happened."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    shop.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield shop
    server.shutdown()
    thread.join()
    server.server_close()
