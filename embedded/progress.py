"""How long work of `embedded` shows itself: a moving line on a terminal, a plain line now and then elsewhere."""

import sys
import threading
from typing import TextIO

_STEP_PERCENT = 10


class Progress:
    """Counts bytes of one download towards `total`; safe to call from several threads."""

    def __init__(self, title: str, total: int, stream: TextIO | None = None) -> None:
        self._title = title
        self._total = max(total, 1)
        self._stream = stream or sys.stderr
        self._done = 0
        self._shown = -1
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        """Take note of `count` more bytes (negative when a part is fetched again)."""
        with self._lock:
            self._done += count
            percent = min(100, self._done * 100 // self._total)
            step = 1 if self._stream.isatty() else _STEP_PERCENT
            if percent // step != self._shown // step:
                self._shown = percent
                self._show(percent)

    def close(self) -> None:
        """End the moving line, so that the next text starts on its own."""
        if self._stream.isatty():
            self._stream.write("\n")
            self._stream.flush()

    def _show(self, percent: int) -> None:
        done, total = self._done / 1e6, self._total / 1e6
        text = f"{self._title}: {percent:3d} % ({done:.0f} of {total:.0f} MB)"
        self._stream.write(f"\r{text}" if self._stream.isatty() else f"{text}\n")
        self._stream.flush()


def say(text: str) -> None:
    """One line of news for whoever watches the start."""
    sys.stderr.write(f"constintel: {text}\n")
    sys.stderr.flush()
