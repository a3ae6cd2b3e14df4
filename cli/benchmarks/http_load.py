"""Bench, measurements (d) and (e): a load generator so cheap that it leaves the cores to the service it measures."""

import asyncio
import gc
import multiprocessing
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_OK = b" 200 "
# Part of a batch answer in which nothing was refused.
_NONE_REJECTED = b'"rejected":0'


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What the senders saw: begin and end on the machine's monotonic clock, seconds per request, requests not taken."""

    began: float
    ended: float
    seconds: list[float]
    refused: int


def build_request(url: str, path: str, api_key: str, body: bytes) -> bytes:
    """A whole HTTP/1.1 POST of JSON with an API key as it goes over the wire."""
    return build_post(url, path, {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}, body)


def build_post(url: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """The same with headers of one's own."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {urlsplit(url).netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


async def read_answer(reader: asyncio.StreamReader) -> bool:
    """Read one whole answer of a kept-open connection; whether it was a 200."""
    head = await reader.readuntil(_HEAD_END)
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(_LENGTH))
    await reader.readexactly(int(length.split(b":")[1]))
    return _OK in head[:20]


def run_load(url: str, requests: Sequence[bytes], connections: int, *, batched: bool) -> LoadReport:
    """Send `requests` over `connections` kept-open connections from a process of its own; each waits for its answer."""
    context = multiprocessing.get_context("spawn")
    results: Any = context.Queue()
    process = context.Process(target=_send_all, args=(url, list(requests), connections, batched, results))
    process.start()
    try:
        answer = results.get()
    finally:
        process.join()
    if isinstance(answer, str):
        raise RuntimeError(f"the load generator failed: {answer}")
    report: LoadReport = answer
    return report


def _send_all(url: str, requests: list[bytes], connections: int, batched: bool, results: Any) -> None:
    try:
        results.put(asyncio.run(_drive(url, requests, connections, batched)))
    except Exception as error:  # noqa: BLE001 (edge of a process: the parent reports it)
        results.put(f"{type(error).__name__}: {error}")


async def _drive(url: str, requests: list[bytes], connections: int, batched: bool) -> LoadReport:
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    loop = asyncio.get_running_loop()
    waiting = iter(requests)
    senders = []
    for _ in range(connections):
        _, sender = await loop.create_connection(lambda: _Sender(waiting, loop.create_future(), batched), host, port)
        senders.append(sender)
    gc.collect()
    gc.freeze()
    began = time.perf_counter()
    for sender in senders:
        sender.send_next()
    await asyncio.gather(*(sender.done for sender in senders))
    ended = time.perf_counter()
    for sender in senders:
        sender.transport.close()
    return LoadReport(
        began, ended, [s for sender in senders for s in sender.seconds], sum(sender.refused for sender in senders)
    )


class _Sender(asyncio.Protocol):
    """One connection: sends, waits for the whole answer, sends the next."""

    transport: asyncio.Transport

    def __init__(self, waiting: Iterator[bytes], done: "asyncio.Future[None]", batched: bool) -> None:
        self._waiting = waiting
        self._batched = batched
        self._buffer = b""
        self._expected = 0
        self._sent_at = 0.0
        self.done = done
        self.seconds: list[float] = []
        self.refused = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self.transport = transport

    def send_next(self) -> None:
        """Send the next waiting request, or finish when there is none."""
        request = next(self._waiting, None)
        if request is None:
            self.done.set_result(None)
            return
        self._sent_at = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._expected:
            head_end = self._buffer.find(_HEAD_END)
            if head_end < 0:
                return
            head = self._buffer[:head_end].lower()
            at = head.find(_LENGTH) + len(_LENGTH)
            self._expected = head_end + len(_HEAD_END) + int(head[at:].split(b"\r\n", 1)[0])
        if len(self._buffer) < self._expected:
            return
        self.seconds.append(time.perf_counter() - self._sent_at)
        taken = _OK in self._buffer[:20] and (not self._batched or _NONE_REJECTED in self._buffer.replace(b" ", b""))
        self.refused += not taken
        self._buffer, self._expected = b"", 0
        self.send_next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the service closed the connection"))
