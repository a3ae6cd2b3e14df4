"""First step to the jars: fetches exactly named artifacts with jgo, by the machine's own Maven and jgo settings."""

import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext, PythonResolver

_TIMEOUT_SECONDS = 60
_SETTINGS = Path(".m2") / "settings.xml"
_MIRRORS_OF_CENTRAL = frozenset({"*", "central", "external:*"})

Report = Callable[[int], None]


def find_mirror(settings_file: Path) -> str | None:
    """Address of the mirror of Maven Central that a Maven `settings.xml` names; None without one."""
    try:
        root = ElementTree.parse(settings_file).getroot()  # noqa: S314 - the user's own settings file
    except (OSError, ElementTree.ParseError):
        return None
    for mirror in root.iterfind(".//{*}mirrors/{*}mirror"):
        covered = {part.strip() for part in (mirror.findtext("{*}mirrorOf") or "").split(",")}
        url = (mirror.findtext("{*}url") or "").strip()
        if url and covered & _MIRRORS_OF_CENTRAL and "!central" not in covered:
            return url.rstrip("/")
    return None


def local_repository() -> Path:
    """The machine's own Maven repository, which may hold some of the jars already."""
    return GlobalSettings.load().repo_cache


def _context(store: Path, resolver: PythonResolver | None) -> MavenContext:
    settings = GlobalSettings.load()
    repositories = dict(settings.repositories)
    repositories.setdefault("central", find_mirror(Path.home() / _SETTINGS) or MAVEN_CENTRAL_URL)
    return MavenContext(resolver=resolver, repo_cache=store, remote_repos=repositories, timeout=_TIMEOUT_SECONDS)


def download(coordinate: str, store: Path, report: Report) -> Path:
    """Fetch `group:artifact:version[:classifier]` into the Maven layout below `store`; path of the jar.

    Raises RuntimeError when no repository has it and OSError (requests' errors are such) when the network fails.
    """

    @contextmanager
    def count(_filename: str, _size: int) -> Iterator[Report]:
        yield report

    context = _context(store, PythonResolver(progress_callback=count))
    group, artifact, version, *classifier = coordinate.split(":")
    component = context.project(group, artifact).at_version(version)
    return component.artifact(*classifier).resolve()


def resolve(endpoints: tuple[str, ...], store: Path) -> list[tuple[str, Path]]:
    """All run-time artifacts of `endpoints` (`group:artifact:version`) as (coordinate, jar), fetched below `store`."""
    context = _context(store, None)
    wanted = [context.create_dependency(endpoint) for endpoint in endpoints]
    for dependency in wanted:
        dependency.scope = "compile"
    inputs, transitive = context.resolver.resolve(wanted)
    found = [*inputs, *(item for item in transitive if item.scope in {"compile", "runtime"})]
    artifacts = {dependency.artifact.key: dependency.artifact for dependency in found}
    rows = []
    for artifact_ in artifacts.values():
        parts = [artifact_.groupId, artifact_.artifactId, artifact_.version, artifact_.classifier]
        rows.append((":".join(part for part in parts if part), artifact_.resolve()))
    return rows


def why_unreachable(seconds: float = 5.0) -> str | None:
    """None when a repository answers, else its host and the kind of the failure."""
    settings = _context(Path(), None)
    problem = None
    for url in settings.remote_repos.values():
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{url}/", method="HEAD"), timeout=seconds):  # noqa: S310
                return None
        except urllib.error.HTTPError:
            return None  # it refuses this page, but it is there
        except OSError as error:
            problem = f"{urllib.parse.urlsplit(url).hostname}: {getattr(error, 'reason', None) or type(error).__name__}"
    return problem
