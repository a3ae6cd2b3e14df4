"""One line for each request, written in bundles: each system call waits for its turn behind the writer threads."""

import asyncio
import sys
from typing import BinaryIO

import msgspec

_FLUSH_SECONDS = 0.1
_MAX_WAITING = 1_000

_encoder = msgspec.json.Encoder()


class AccessLog:
    """Collects lines on the event loop and writes them ten times a second, and once more when it is closed.

    It goes past the log processors: callers give it only values that are their own or checked.
    """

    def __init__(self, stream: BinaryIO | None = None) -> None:
        self._stream = stream
        self._waiting: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, line: dict[str, object]) -> None:
        """Write `line` as JSON soon."""
        self._waiting.append(_encoder.encode(line))
        if len(self._waiting) >= _MAX_WAITING:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            stream = self._stream if self._stream is not None else sys.stderr.buffer
            stream.write(b"\n".join(self._waiting) + b"\n")
            stream.flush()
            self._waiting.clear()
