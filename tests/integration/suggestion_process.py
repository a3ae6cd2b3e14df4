"""A worker in a process of its own that a test may kill: carries out one run with a short lease."""

import sys
from datetime import timedelta

from core.settings import load_settings
from graph.driver import Graph
from ml.suggestions.run import run_suggestions

if __name__ == "__main__":
    with Graph.connect(load_settings()) as graph:
        run_suggestions(graph, sys.argv[1], sys.argv[2], lease=timedelta(seconds=float(sys.argv[3])))
