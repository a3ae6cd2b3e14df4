"""An importer of its own process that dies at a named point, as by a power cut; its words: point, number of the batch.

Points: `before-commit`, `after-commit` (nothing of the batch is counted yet) and `never`.
"""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from core.brand import BrandSettings
from core.events import RawEvent
from core.settings import load_settings
from graph.commit import commit_batch
from graph.driver import Graph
from ingest.committer import Outcome
from ingest.csv_files.run import Desk, work_on
from ingest.steps import to_incoming


def main() -> None:
    """Import until the named point."""
    brand_id, import_id, folder, point, number = sys.argv[1:]
    batches = 0
    with Graph.connect(load_settings()) as graph:
        graph.verify()

        def take(brand: BrandSettings, raws: Sequence[RawEvent]) -> Sequence[Outcome]:
            nonlocal batches
            batches += 1
            if (point, batches) == ("before-commit", int(number)):
                os.kill(os.getpid(), signal.SIGKILL)
            now = desk.clock()
            results = commit_batch(graph, brand, [to_incoming(raw, brand, now) for raw in raws], budget_seconds=60)
            if (point, batches) == ("after-commit", int(number)):
                os.kill(os.getpid(), signal.SIGKILL)
            return results

        desk = Desk(graph, Path(folder), take, "test:child")
        work_on(desk, BrandSettings(brand_id), import_id, 600)


if __name__ == "__main__":
    main()
