"""A worker of its own process that reads a CRM and dies at a named point, as by a power cut.

Its words: brand, sync, point, number of the commit. Points: `before-commit`, `after-commit` (nothing is counted yet).
"""

import os
import signal
import sys
from collections.abc import Sequence

from core.brand import BrandSettings
from core.events import RawEvent
from core.settings import load_settings
from graph.commit import commit_batch
from graph.driver import Graph
from ingest.committer import Outcome
from ingest.crm.client import Policy
from ingest.crm.run import Desk, work_on
from ingest.steps import to_incoming


def main() -> None:
    """Read until the named point."""
    brand_id, sync_id, point, number = sys.argv[1:]
    commits = 0
    with Graph.connect(load_settings()) as graph:

        def take(brand: BrandSettings, raws: Sequence[RawEvent]) -> Sequence[Outcome]:
            nonlocal commits
            commits += 1
            if (point, commits) == ("before-commit", int(number)):
                os.kill(os.getpid(), signal.SIGKILL)
            now = desk.clock()
            results = commit_batch(graph, brand, [to_incoming(raw, brand, now) for raw in raws], budget_seconds=60)
            if (point, commits) == ("after-commit", int(number)):
                os.kill(os.getpid(), signal.SIGKILL)
            return results

        desk = Desk(graph, take, "test:child", Policy(allow_private=True))
        work_on(desk, BrandSettings(brand_id), sync_id, 600)


if __name__ == "__main__":
    main()
