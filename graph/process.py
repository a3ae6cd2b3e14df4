"""The one `Graph` of a worker process: opened after the fork, because a driver must never cross one."""

import os

from core.settings import load_settings
from graph.driver import Graph


class _Held:
    """What this process holds; a forked child finds its parent's process id here and opens its own."""

    graph: Graph | None = None
    pid: int = 0


def process_graph() -> Graph:
    """This process's graph, opened on first use or by `worker_process_init`; raises ConfigurationError."""
    if _Held.graph is None or _Held.pid != os.getpid():
        _Held.graph, _Held.pid = Graph.connect(load_settings()), os.getpid()
    return _Held.graph


def close_process_graph() -> None:
    """Close it at the end of the process; a graph inherited over a fork is left to its owner."""
    if _Held.graph is not None and _Held.pid == os.getpid():
        _Held.graph.close()
    _Held.graph = None
