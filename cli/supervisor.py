"""Keeps the children of `up` alive: starts a dead one again with back-off, ends all of them in order."""

import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Self

from core.errors import ConfigurationError
from embedded.process import Process

_FIRST_DELAY = 0.2
_LONGEST_DELAY = 10.0
# A child that lived this long has recovered; before that each death doubles the wait.
_STABLE_SECONDS = 60.0
_TICK_SECONDS = 0.5
_POLL_SECONDS = 0.05
_SERVICE, _DATABASE = 0, 1
# Together under the 30 seconds in which everything has ended.
_STOP_SECONDS = {_SERVICE: 12.0, _DATABASE: 14.0}


class StopRequestedError(BaseException):
    """SIGTERM, Ctrl-C or a closed terminal came while starting; not an error of ours, so no handler swallows it."""


class Signals:
    """Turns SIGTERM, SIGINT and SIGHUP into a count, and wakes the main loop for them and for dead children."""

    def __init__(self) -> None:
        self.requests = 0
        self.interrupts = True
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def __enter__(self) -> Self:
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._request)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup wants us to live on
            signal.signal(signal.SIGHUP, self._request)
        signal.signal(signal.SIGCHLD, _ignore)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        signal.set_wakeup_fd(-1)
        os.close(self._reader)
        os.close(self._writer)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let nothing interrupt the block: a child born in it must not get lost; a request counts at its end."""
        before, self.interrupts = self.interrupts, False
        try:
            yield
        finally:
            self.interrupts = before
        if before and self.requests:
            raise StopRequestedError

    def wait(self, seconds: float) -> None:
        """Sleep until `seconds` are over or a signal came."""
        ready, _, _ = select.select([self._reader], [], [], seconds)
        if ready:
            os.read(self._reader, 4096)

    def _request(self, _number: int, _frame: FrameType | None) -> None:
        self.requests += 1
        if self.interrupts and self.requests == 1:
            raise StopRequestedError


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """A handler that only wakes the loop: an ignored SIGCHLD would lose exit statuses."""


@dataclass(slots=True)
class _Child:
    name: str
    start: Callable[[], Process]
    stage: int
    process: Process
    finished: Callable[[int], None] | None = None
    """Set for a job that runs once: it is told the exit status instead of being started again."""
    failures: int = 0
    due: float = field(default=0.0)


class Supervisor:
    """The children of one `up`; `say` takes news, `changed` is called after a child was started again."""

    def __init__(self, signals: Signals, say: Callable[[str], None]) -> None:
        self._signals = signals
        self._say = say
        self._children: list[_Child] = []

    def add_database(self, name: str, start: Callable[[], Process]) -> None:
        """Start a database now; it ends after everything that uses it."""
        self._add(name, start, _DATABASE)

    def add_service(self, name: str, start: Callable[[], Process]) -> None:
        """Start a process of ours now."""
        self._add(name, start, _SERVICE)

    def add_job(self, name: str, start: Callable[[], Process], finished: Callable[[int], None]) -> None:
        """Start a job that runs once; `finished` is told its exit status."""
        with self._signals.held():
            self._children.append(_Child(name, start, _SERVICE, start(), finished))

    def _add(self, name: str, start: Callable[[], Process], stage: int) -> None:
        with self._signals.held():
            self._children.append(_Child(name, start, stage, start()))

    def pid(self, name: str) -> int | None:
        """Process id of the child `name`; None when there is none, as of an external database."""
        return next((child.process.pid for child in self._children if child.name == name), None)

    def require_alive(self) -> None:
        """Raise ConfigurationError with the log's end when a child has died: while starting, that is final."""
        for child in self._children:
            status = child.process.poll()
            if status is not None:
                tail = "\n".join(child.process.read_log().strip().splitlines()[-10:])
                raise ConfigurationError(f"{child.name} {describe_exit(status)} while starting. Its log ends:\n{tail}")

    def run(self, changed: Callable[[], None]) -> None:
        """Guard the children until a stop is requested."""
        self._signals.interrupts = False
        while not self._signals.requests:
            if self._revive():
                changed()
            self._signals.wait(self._seconds_to_next())

    def _seconds_to_next(self) -> float:
        now = time.monotonic()
        return max(0.01, min([_TICK_SECONDS, *(child.due - now for child in self._children if child.due)]))

    def _revive(self) -> bool:
        """Start what is due; whether anything was started."""
        started = False
        now = time.monotonic()
        for child in list(self._children):
            if child.due:
                if now >= child.due:
                    started = self._start_again(child) or started
            elif (status := child.process.poll()) is not None:
                child.process.kill_group()
                if child.finished is not None:
                    self._children.remove(child)
                    child.finished(status)
                    continue
                lived = now - child.process.started_at
                child.failures = 0 if lived > _STABLE_SECONDS else child.failures + 1
                self._postpone(child, describe_exit(status))
        return started

    def _postpone(self, child: _Child, what: str) -> None:
        delay = min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** max(0, child.failures - 1))
        child.due = time.monotonic() + delay
        self._say(f"{child.name} (process {child.process.pid}) {what}; starting it again in {delay:.1f} s")

    def _start_again(self, child: _Child) -> bool:
        try:
            child.process = child.start()
        except ConfigurationError as error:
            child.failures += 1
            self._postpone(child, f"cannot start: {error.detail}")
            return False
        child.due = 0.0
        self._say(f"{child.name} runs again (process {child.process.pid})")
        return True

    def stop(self) -> None:
        """End all children, services before databases; by force when they take too long or a second request comes."""
        self._signals.interrupts = False
        for stage in (_SERVICE, _DATABASE):
            children = [child for child in self._children if child.stage == stage]
            for child in children:
                child.process.terminate()
            deadline = time.monotonic() + _STOP_SECONDS[stage]
            while any(child.process.poll() is None for child in children):
                if time.monotonic() > deadline or self._signals.requests > 1:
                    break
                self._signals.wait(_POLL_SECONDS)
            for child in children:
                if child.process.poll() is None:
                    self._say(f"{child.name} did not end in time and was killed")
                child.process.kill_group()


def describe_exit(status: int) -> str:
    """How a process ended, in words."""
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
