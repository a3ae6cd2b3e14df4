"""How commands talk to the running service: its address and admin key, brands of their own, and plain JSON calls."""

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self, cast

import httpx

from brands.onboarding import DEMO_BRAND, add_key
from cli.connection import CREDENTIALS_FILE, open_graph
from cli.console import Advance
from core.errors import ConfigurationError, ConstIntelError, UnavailableError
from core.settings import load_settings

_TIMEOUT = httpx.Timeout(120.0, connect=5.0)
_UPLOAD_TIMEOUT = httpx.Timeout(300.0, connect=5.0)
_TRIES = 6
_PAGE = 200
_SCOPES = frozenset({"ingest", "read"})
_TRANSIENT = (429, 503)


class RefusedError(ConstIntelError):
    """The service answered a call with a problem; `detail` is its text, `status` its HTTP status."""

    code = "refused"

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


@dataclass(frozen=True, slots=True)
class Service:
    """A running service: base address without a slash at the end, and an admin key."""

    url: str
    admin_key: str


@dataclass(frozen=True, slots=True)
class BrandAccess:
    """A brand with its secrets, as the service gave them out when the brand was made."""

    id: str
    api_key: str
    webhook_secrets: dict[str, str]
    webhook_urls: dict[str, str]


def find_service(data_dir: Path | None, url: str | None) -> Service:
    """The service that `up` with this data directory runs, at `url` when given; raises ConfigurationError."""
    path = (data_dir or load_settings().data_dir) / CREDENTIALS_FILE
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        return Service(str(url or written["url"]).rstrip("/"), str(written["api_key"]))
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{path} does not exist: run `constintel up` first, or name its --data-dir."
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path} cannot be read: remove it and run `constintel up` again.") from error


def brand_key(service: Service, brand: str, data_dir: Path | None, scopes: frozenset[str] = _SCOPES) -> str:
    """A key of a brand, to send and read without other `scopes`: the operator's for its own, else a new one."""
    if brand == DEMO_BRAND:
        return service.admin_key
    with open_graph(data_dir) as graph:
        return add_key(graph, brand, scopes)


class ServiceClient:
    """JSON calls with one API key; waits and tries again while the service is busy or restarting."""

    def __init__(self, url: str, api_key: str) -> None:
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {api_key}"}, timeout=_TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **params: str | int | None) -> Any:
        """The answer to a GET; raises RefusedError, or UnavailableError when nobody answers."""
        asked = {name: value for name, value in params.items() if value is not None}
        # An empty map would take away what stands behind the path.
        return _answer(self._send(self._http.build_request("GET", path, params=asked or None)))

    def post(self, path: str, body: Any, *, key: str | None = None) -> Any:
        """The answer to a POST of JSON; `key` is its Idempotency-Key; raises as `get`."""
        headers = {"Idempotency-Key": key} if key else {}
        return _answer(self._send(self._http.build_request("POST", path, json=body, headers=headers)))

    def put(self, path: str, body: Any) -> Any:
        """The answer to a PUT of JSON; raises as `get`."""
        return _answer(self._send(self._http.build_request("PUT", path, json=body)))

    def deliver(self, path: str, content: bytes, headers: dict[str, str]) -> Any:
        """The answer to a POST of `content` as it is, with its sender's own proof instead of a key; raises as `get`."""
        request = self._http.build_request("POST", path, content=content, headers=headers)
        del request.headers["Authorization"]
        return _answer(self._send(request))

    def upload(self, path: str, file: Path, fields: dict[str, str], advance: Advance) -> Any:
        """The answer to a multipart POST of `file`; `advance` is told its bytes as they are sent; raises as `get`."""
        for attempt in range(_TRIES):
            with file.open("rb") as content:
                watched = _Watched(content, advance)
                # Built anew each time: a request that was sent has used up its file.
                parts = {"file": (file.name, cast("BinaryIO", watched), "text/csv")}
                request = self._http.build_request("POST", path, data=fields, files=parts, timeout=_UPLOAD_TIMEOUT)
                try:
                    response = self._http.send(request)
                except httpx.TransportError as error:
                    raise UnavailableError("The service does not answer: is `constintel up` running?") from error
            if response.status_code not in _TRANSIENT or attempt == _TRIES - 1:
                return _answer(response)
            watched.take_back()
            time.sleep(_pause(response, attempt))
        raise AssertionError("unreachable")

    def download(self, path: str, file: Path) -> None:
        """Write the answer to a GET into `file`; raises as `get`."""
        with self._http.stream("GET", path) as response:
            if not response.is_success:
                response.read()
                _answer(response)
            with file.open("wb") as target:
                for piece in response.iter_bytes():
                    target.write(piece)

    def pages(self, path: str, **params: str | int | None) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        cursor: str | None = None
        while True:
            page = self.get(path, limit=_PAGE, cursor=cursor, **params)
            yield from page["items"]
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def _send(self, request: httpx.Request) -> httpx.Response:
        # Every call of ours may be sent again: reads, events with their ids, commands with their keys.
        for attempt in range(_TRIES):
            last = attempt == _TRIES - 1
            try:
                response = self._http.send(request)
            except httpx.TransportError as error:
                if last:
                    raise UnavailableError("The service does not answer: is `constintel up` running?") from error
                time.sleep(0.2 * 2**attempt)
                continue
            if response.status_code not in _TRANSIENT or last:
                return response
            time.sleep(_pause(response, attempt))
        raise AssertionError("unreachable")


class _Watched:
    """A file that tells how much of it was read, for the HTTP client; what it has besides is the file's own."""

    def __init__(self, file: BinaryIO, advance: Advance) -> None:
        self._file, self._advance, self._told = file, advance, 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        piece = self._file.read(size)
        self._told += len(piece)
        self._advance(len(piece))
        return piece

    def take_back(self) -> None:
        """All of it has to be sent again."""
        self._advance(-self._told)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def new_brand(service: Service, prefix: str) -> Iterator[tuple[BrandAccess, ServiceClient]]:
    """A brand made for one run, `<prefix>-<random>`, and a client with its key."""
    body = {"id": f"{prefix}-{secrets.token_hex(4)}", "name": prefix}
    with ServiceClient(service.url, service.admin_key) as admin:
        made = admin.post("/api/admin/brands", body, key=secrets.token_hex(16))
    access = BrandAccess(made["id"], made["api_key"], made["webhook_secrets"], made["webhook_urls"])
    with ServiceClient(service.url, access.api_key) as client:
        yield access, client


def _pause(response: httpx.Response, attempt: int) -> float:
    stated = response.headers.get("Retry-After", "")
    return min(10.0, float(stated)) if stated.isdigit() else 0.2 * 2**attempt


def _answer(response: httpx.Response) -> Any:
    if response.is_success:
        return response.json()
    try:
        problem = response.json()
        detail = f"{problem.get('title') or 'refused'}: {problem.get('detail') or ''}"
    except (ValueError, AttributeError):
        detail = "refused without a reason"
    raise RefusedError(response.status_code, f"{response.status_code} {detail}")
