"""The jars Neo4j runs from: exactly those of `neo4j.lock`, fetched once per user, verified before every start."""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from core.errors import ConfigurationError
from embedded.progress import Progress, say

_PARALLEL_DOWNLOADS = 6
_TRIES = 3
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the lock: Maven coordinate `group:artifact:version[:classifier]`, SHA-256 in hex, size in bytes."""

    coordinate: str
    sha256: str
    size: int

    @property
    def path(self) -> Path:
        """Where the jar lies below a store, in Maven's layout."""
        group, artifact, version, *classifier = self.coordinate.split(":")
        name = "-".join([artifact, version, *classifier])
        return Path(*group.split("."), artifact, version, f"{name}.jar")


def read_lock() -> list[Jar]:
    """All jars of the committed lock, in class path order."""
    text = resources.files("embedded").joinpath("neo4j.lock").read_text(encoding="utf-8")
    rows = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return [Jar(coordinate, sha256, int(size)) for coordinate, sha256, size in rows]


def ensure_jars(store: Path) -> list[Path]:
    """Paths of all locked jars below `store`, each one verified; fetches what is missing or damaged.

    A jar that has the size and time of its last verification is not read again, so a warm start costs milliseconds.
    Raises ConfigurationError when a jar cannot be fetched or does not match the lock.
    """
    jars = read_lock()
    verified = _Verified(store)
    if any(not verified.holds(jar) for jar in jars):
        with _hold(store):
            _complete(jars, store)
    return [store / jar.path for jar in jars]


def examine_jars(store: Path) -> tuple[list[str], list[str]]:
    """Coordinates of the locked jars that are damaged and that are missing below `store`; reads every byte."""
    damaged: list[str] = []
    missing: list[str] = []
    for jar in read_lock():
        if not _matches(store / jar.path, jar):
            (damaged if (store / jar.path).exists() else missing).append(jar.coordinate)
    return damaged, missing


def _complete(jars: list[Jar], store: Path) -> None:
    """Bring `store` to the state of the lock; the caller holds its lock."""
    verified = _Verified(store)
    missing = []
    for jar in jars:
        path = store / jar.path
        if verified.holds(jar):
            continue
        if _matches(path, jar):
            verified.note(jar)
            continue
        if path.exists():
            say(f"{path.name} is damaged or was only half downloaded; fetching it again")
            path.unlink()
        missing.append(jar)
    if missing:
        _fetch_all(missing, store)
        for jar in missing:
            verified.note(jar)
    verified.save()


def _fetch_all(jars: list[Jar], store: Path) -> None:
    for leftover in store.glob(".part-*"):  # of a start that was cut off
        shutil.rmtree(leftover, ignore_errors=True)
    progress = Progress("fetching Neo4j", sum(jar.size for jar in jars))
    pool = ThreadPoolExecutor(_PARALLEL_DOWNLOADS)
    with tempfile.TemporaryDirectory(dir=store, prefix=".part-", ignore_cleanup_errors=True) as scratch:
        work = [pool.submit(_fetch, jar, store, Path(scratch), progress) for jar in jars]
        try:
            for item in work:
                item.result()
        finally:
            # Whoever stops the start must not wait for a slow network.
            pool.shutdown(wait=False, cancel_futures=True)
            progress.close()


def _fetch(jar: Jar, store: Path, scratch: Path, progress: Progress) -> None:
    """Put one jar in its place, whole and verified or not at all."""
    from embedded import maven  # noqa: PLC0415 - its libraries cost a third of a second that a warm start saves

    own = maven.local_repository() / jar.path
    if _matches(own, jar):
        part = scratch / jar.path.name
        shutil.copyfile(own, part)
        progress.add(jar.size)
        _put(part, store / jar.path)
        return
    problem = ""
    for attempt in range(_TRIES):
        counted = _Counter(progress)
        try:
            part = maven.download(jar.coordinate, scratch / f"{attempt}", counted.add)
        except (OSError, RuntimeError) as error:
            problem = f"it cannot be reached ({type(error).__name__})"
        else:
            if _matches(part, jar):
                _put(part, store / jar.path)
                return
            problem = "what comes does not match the SHA-256 of the lock"
        shutil.rmtree(scratch / f"{attempt}" / jar.path.parent, ignore_errors=True)
        counted.take_back()
    raise ConfigurationError(
        f"{jar.path.name} could not be fetched from Maven Central: {problem}. Check the network, a proxy (HTTPS_PROXY) "
        "or a mirror (~/.m2/settings.xml) and start again; what has come stays. Or set NEO4J_URI to your own server."
    )


class _Counter:
    """What one attempt has added to the progress, so that a failed one can take it back."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bytes = 0

    def add(self, count: int) -> None:
        self._bytes += count
        self._progress.add(count)

    def take_back(self) -> None:
        self._progress.add(-self._bytes)


def _put(part: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    os.replace(part, place)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _matches(path: Path, jar: Jar) -> bool:
    try:
        return path.stat().st_size == jar.size and sha256_of(path) == jar.sha256
    except OSError:
        return False


class _Verified:
    """Remembers which file was verified against which hash: size and modification time stand for the content."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._file = store / "verified.json"
        try:
            self._known: dict[str, list[object]] = dict(json.loads(self._file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            self._known = {}

    def _state(self, jar: Jar) -> list[object]:
        stat = (self._store / jar.path).stat()
        return [jar.sha256, stat.st_size, stat.st_mtime_ns]

    def holds(self, jar: Jar) -> bool:
        try:
            return self._known.get(jar.coordinate) == self._state(jar)
        except OSError:
            return False

    def note(self, jar: Jar) -> None:
        self._known[jar.coordinate] = self._state(jar)

    def save(self) -> None:
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps(self._known, indent=0), encoding="utf-8")
        os.replace(part, self._file)


@contextmanager
def _hold(store: Path) -> Iterator[None]:
    """One download at a time per user; the kernel frees the lock however its holder ends."""
    store.mkdir(parents=True, exist_ok=True)
    with (store / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another start is fetching Neo4j; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_lock(jars: Iterable[tuple[str, Path]], header: str) -> str:
    """The text of a lock file for (coordinate, jar) pairs."""
    rows = [f"{coordinate} {sha256_of(path)} {path.stat().st_size}" for coordinate, path in jars]
    return header + "\n".join(rows) + "\n"
