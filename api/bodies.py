"""Reading request bodies: limits are counted after decompression and enforced while the bytes come in."""

from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope

from core.errors import MalformedBodyError, TooLargeError
from core.strict_json import decompress

EVENT_LIMIT = 1024 * 1024
BATCH_LIMIT = 10 * 1024 * 1024
DEFAULT_LIMIT = 1024 * 1024


async def read_body(request: Request, limit: int) -> bytes:
    """The plain body of `request`; raises TooLargeError past `limit` bytes, MalformedBodyError for broken gzip.

    Compressed bytes are held to the same limit: what is longer than that packed is longer unpacked.
    """
    length, encoding = _headers(request.scope)
    if length is not None and length > limit:
        raise TooLargeError(f"the body is over {limit} bytes")
    message = await request.receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    body: bytes = message.get("body", b"")
    if message.get("more_body", False):
        body = await _read_rest(request, body, limit)
    if len(body) > limit:
        raise TooLargeError(f"the body is over {limit} bytes")
    return decompress(body, encoding, limit)


async def _read_rest(request: Request, first: bytes, limit: int) -> bytes:
    chunks = [first]
    size = len(first)
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise TooLargeError(f"the body is over {limit} bytes")
        if not message.get("more_body", False):
            return b"".join(chunks)


def _headers(scope: Scope) -> tuple[int | None, str | None]:
    """Content-Length and Content-Encoding."""
    length: int | None = None
    encoding: str | None = None
    for name, value in scope["headers"]:
        if name == b"content-length":
            if not value.isdigit():
                raise MalformedBodyError("Content-Length is not a number")
            length = int(value)
        elif name == b"content-encoding":
            encoding = value.decode("latin-1")
    return length, encoding


class ParsedRequest(Request):
    """A request whose body was read and parsed by our own parser; FastAPI takes both from here."""

    def __init__(self, scope: Scope, receive: Receive, body: bytes, value: Any) -> None:
        # Senders label JSON as text or a form; the parser has already said that it is JSON.
        headers = [pair for pair in scope["headers"] if pair[0] != b"content-type"]
        super().__init__({**scope, "headers": [*headers, (b"content-type", b"application/json")]}, receive)
        self._plain_body = body
        self._value = value

    async def body(self) -> bytes:
        """The plain bytes, decompressed."""
        return self._plain_body

    async def json(self) -> Any:
        """The value that the strict parser made of the bytes."""
        return self._value
