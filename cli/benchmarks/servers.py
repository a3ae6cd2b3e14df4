"""Bench, set-up: a Neo4j, a Redis and API processes of the bench's own, in a directory that goes away with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from core.settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class Servers:
    """What the measurements run against; `api_url` is empty when no measurement needs HTTP."""

    settings: Settings
    neo4j_pid: int | None = None
    api_url: str = ""
    api_pids: tuple[int, ...] = ()


@contextmanager
def bench_servers(api_processes: int) -> Iterator[Servers]:
    """Servers for one bench run; `api_processes` 0 starts no API."""
    yield Servers(load_settings())
