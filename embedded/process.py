"""A child process under guard: own process group, output to a log file, tied to the life of its parent."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import ConfigurationError

_TETHER = Path(__file__).with_name("tether.py")
_TAIL_BYTES = 8_000
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Command:
    """What to run: words, the log for its output, environment (None: this process's), open files to keep, folder.

    `orphan_signal` is what it gets when its parent is gone without a goodbye.
    """

    words: Sequence[str]
    log: Path
    environment: Mapping[str, str] | None = None
    keep_fds: tuple[int, ...] = ()
    folder: Path | None = None
    orphan_signal: signal.Signals = signal.SIGTERM


class Process:
    """One running child; `name` is what messages call it.

    Start it from a thread that lives as long as the child should: on Linux the child ends with that thread.
    """

    def __init__(self, name: str, command: Command) -> None:
        self.name = name
        self.log = log = command.log
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log_start = log.stat().st_size if log.exists() else 0
        self.started_at = time.monotonic()
        with log.open("ab") as output:
            self._child = subprocess.Popen(  # noqa: S603 - commands come from our own code
                [
                    sys.executable,
                    "-IS",
                    str(_TETHER),
                    str(os.getpid()),
                    str(int(command.orphan_signal)),
                    *command.words,
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=command.environment,
                pass_fds=command.keep_fds,
                cwd=command.folder,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The child's process id, which is its process group's as well."""
        return self._child.pid

    def poll(self) -> int | None:
        """Exit status when it has ended, else None; negative for a signal."""
        return self._child.poll()

    def read_log(self) -> str:
        """The last part of what this child has written since it started."""
        with self.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(self._log_start, size - _TAIL_BYTES))
            return file.read().decode("utf-8", "replace")

    def terminate(self) -> None:
        """Ask the child to end; its own children are its to end."""
        with contextlib.suppress(ProcessLookupError):
            self._child.send_signal(signal.SIGTERM)

    def stop(self, seconds: float) -> int:
        """End the child within `seconds`, then its whole group by force; its exit status."""
        self.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(seconds)
        return self.kill_group()

    def kill_group(self) -> int:
        """End whatever is left of the child's process group; the child's exit status."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        return self._child.wait()


def free_port() -> int:
    """A loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def require_port(port: int, host: str, option: str) -> None:
    """Raise ConfigurationError, naming the holder if it can be known, when `port` cannot be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(describe_taken_port(port, option)) from error


def describe_taken_port(port: int, option: str) -> str:
    """A sentence on who holds `port` and which option chooses another."""
    pid = find_listener(port)
    holder = f"process {pid} ({process_name(pid)})" if pid else "another process"
    return f"Port {port} is taken by {holder}: stop it, or choose another port with {option}."


def find_listener(port: int) -> int | None:
    """Process that listens on TCP `port`; None when it cannot be known (not Linux, another user's)."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    if not inodes:
        return None
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if any(os.readlink(link) in inodes for link in (entry / "fd").iterdir()):
                    return int(entry.name)
    return None


def process_name(pid: int) -> str:
    """Short name of a process; `unknown` when it is gone or not ours to see."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return "unknown"
