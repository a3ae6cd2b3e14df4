"""Starts the real `up` as a process and watches it from outside, as its operator does."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 90


def wait_until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """The first true answer of `condition`; an AssertionError naming `what` when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain until {what}")


def is_alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class RunningUp:
    """One `constintel up` on free ports."""

    def __init__(self, data_dir: Path, *options: str, addresses: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.output = data_dir.parent / f"{data_dir.name}-{uuid.uuid4().hex}.out"
        free = ["--port", "0", "--neo4j-port", "0", "--neo4j-http-port", "0"]
        with self.output.open("ab") as file:
            self.process = subprocess.Popen(
                [str(Path(sys.executable).with_name("constintel")), "up", "--data-dir", str(data_dir), *free, *options],
                stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                env={**own_environment(), **(addresses or {})},
            )  # fmt: skip

    def wait_until_running(self, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """credentials.json once the addresses are printed."""
        wait_until(lambda: "Ctrl-C ends" in self.text() or self.process.poll() is not None, "up is running", seconds)
        assert self.process.poll() is None, self.text()
        return self.credentials()

    def text(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def credentials(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.data_dir / "credentials.json").read_text(encoding="utf-8"))
        return content

    def pids(self) -> list[int]:
        pids = self.credentials()["pids"]
        return [*pids["api"], *pids["workers"], pids["neo4j"], pids["redis"]]

    def descendants(self) -> set[int]:
        """Every process of this installation, found by what was handed to it: pool processes of Celery too."""
        mark = f"CONSTINTEL_DATA_DIR={self.data_dir}".encode()
        found = set()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if mark in (entry / "environ").read_bytes().split(b"\0") and is_alive(int(entry.name)):
                        found.add(int(entry.name))
                except OSError:
                    continue
        return found

    def terminate(self, number: int = signal.SIGTERM, seconds: float = 30) -> int:
        """Send one signal; the exit status, which must come within `seconds`."""
        self.process.send_signal(number)
        return self.process.wait(seconds)


def own_environment() -> dict[str, str]:
    """This process's environment without addresses of other servers."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("NEO4J_", "REDIS_", "CONSTINTEL_"))
    }


@contextmanager
def running_up(data_dir: Path, *options: str, addresses: Mapping[str, str] | None = None) -> Iterator[RunningUp]:
    """An `up` that has ended when the block ends, however it ends; `addresses` name servers that are not its own."""
    up = RunningUp(data_dir, *options, addresses=addresses)
    try:
        yield up
    finally:
        if up.process.poll() is None:
            up.process.terminate()
            try:
                up.process.wait(40)
            except subprocess.TimeoutExpired:
                up.process.kill()
