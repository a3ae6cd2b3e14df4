"""The folder one installation keeps everything in: its lock, `credentials.json`, and processes an earlier run left."""

import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import ConfigurationError
from embedded.neo4j import write_private
from embedded.progress import say

_LEFTOVER_SECONDS = 25.0
_POLL_SECONDS = 0.1


class DataDir:
    """Paths below one data directory, absolute."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.credentials = self.path / "credentials.json"
        self.neo4j = self.path / "neo4j"
        self.redis = self.path / "redis"
        self.logs = self.path / "logs"

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep every other `up` out; raises ConfigurationError naming the process that is in."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.logs.mkdir(parents=True, exist_ok=True)
            file = (self.path / "lock").open("a+")
        except OSError as error:
            raise ConfigurationError(f"{self.path} cannot be written: choose another --data-dir.") from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                file.seek(0)
                holder = file.read().strip() or "unknown"
                raise ConfigurationError(
                    f"{self.path} is in use by another `constintel up` (process {holder}): stop that one, or choose "
                    "another --data-dir and other ports."
                ) from error
            file.seek(0)
            file.truncate()
            file.write(f"{os.getpid()}\n")
            file.flush()
            yield

    def holder(self) -> int | None:
        """Process id of the `up` that holds this folder now; None when nobody does."""
        try:
            with (self.path / "lock").open("r") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except OSError:
                    return int(file.read().strip() or 0) or None
        except (OSError, ValueError):
            return None
        return None

    def read_credentials(self) -> dict[str, Any]:
        """What the last `up` wrote; empty when there is nothing readable."""
        try:
            found = json.loads(self.credentials.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write_credentials(self, content: dict[str, Any]) -> None:
        """Replace credentials.json in one step, readable by its owner only."""
        write_private(self.credentials, json.dumps(content, indent=2) + "\n")

    def end_leftovers(self) -> None:
        """Wait for the processes of a run that was killed, and end those that stay; the caller holds the folder."""
        left = [pid for pid in self._old_pids() if self._is_ours(pid)]
        if not left:
            return
        say("the last run was cut off; waiting for its processes to end")
        for pid in left:
            _send(pid, signal.SIGTERM)
        deadline = time.monotonic() + _LEFTOVER_SECONDS
        while any(self._is_ours(pid) for pid in left):
            if time.monotonic() > deadline:
                for pid in left:
                    if self._is_ours(pid):
                        _send(pid, signal.SIGKILL)
                deadline += _LEFTOVER_SECONDS
            time.sleep(_POLL_SECONDS)

    def _old_pids(self) -> list[int]:
        pids = self.read_credentials().get("pids") or {}
        values = [pids.get("neo4j"), pids.get("redis"), *(pids.get("api") or []), *(pids.get("workers") or [])]
        return [pid for pid in values if isinstance(pid, int)]

    def _is_ours(self, pid: int) -> bool:
        """Whether `pid` still is a child made for this folder: a number may have gone to a stranger since."""
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            return False
        return f"CONSTINTEL_DATA_DIR={self.path}".encode() in environment


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
