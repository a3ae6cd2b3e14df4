"""What a process counts of its work: plain numbers, a fraction of a microsecond each; shown by `/metrics` and stats."""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.decisions import EventResult
from core.errors import ConstIntelError
from graph.transactions import retry_stats

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2500.0)


@dataclass(slots=True)
class Histogram:
    """Counts of values by upper bounds; `counts` has one more for what is over the last."""

    bounds: tuple[float, ...] = SECONDS
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = self.counts or [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def quantile(self, share: float) -> float | None:
        """About the value below which `share` of all lie, by its bucket's upper bound; None without values."""
        return quantile(self.bounds, self.counts, share)


def quantile(bounds: Sequence[float], counts: Sequence[int], share: float) -> float | None:
    """As `Histogram.quantile`; what is over the last bound counts as that."""
    wanted = share * sum(counts)
    seen = 0
    for place, count in enumerate(counts):
        seen += count
        if count and seen >= wanted:
            return bounds[min(place, len(bounds) - 1)]
    return None


class Meters:
    """The numbers of one process; counted on the event loop, commits under a lock by the writer threads."""

    def __init__(self) -> None:
        self.decisions: Counter[tuple[str, str]] = Counter()
        """(source, decision) → events taken."""
        self.rejected: Counter[str] = Counter()
        self.duplicates: Counter[str] = Counter()
        self.taking: dict[str, Histogram] = {}
        self.requests: Counter[tuple[str, str, int]] = Counter()
        """(method, route, status) → requests."""
        self.serving: dict[str, Histogram] = {}
        self.commit_sizes = Histogram(SIZES)
        self.commits = Histogram()
        self._guard = threading.Lock()

    def took(self, source: str, outcomes: Sequence[EventResult | ConstIntelError], seconds: float) -> None:
        """Events of one request came to these ends after so long."""
        for outcome in outcomes:
            if isinstance(outcome, EventResult):
                self.decisions[source, outcome.decision] += 1
                if outcome.duplicate:
                    self.duplicates[source] += 1
            else:
                self.rejected[source] += 1
        _of(self.taking, source).add(seconds)

    def refused(self, source: str, events: int = 1) -> None:
        """Events could not even be read."""
        self.rejected[source] += events

    def served(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request was answered."""
        self.requests[method, route, status] += 1
        _of(self.serving, route).add(seconds)

    def committed(self, events: int, seconds: float) -> None:
        """One transaction of so many events went through."""
        with self._guard:
            self.commit_sizes.add(events)
            self.commits.add(seconds)

    def snapshot(self) -> dict[str, Any]:
        """Everything as plain data, for another process."""
        stats = {name: getattr(retry_stats, name) for name in retry_stats.__dataclass_fields__}
        return {
            "decisions": [[*key, count] for key, count in self.decisions.items()],
            "rejected": dict(self.rejected),
            "duplicates": dict(self.duplicates),
            "taking": {name: _plain(histogram) for name, histogram in self.taking.items()},
            "requests": [[*key, count] for key, count in self.requests.items()],
            "serving": {name: _plain(histogram) for name, histogram in self.serving.items()},
            "commit_sizes": _plain(self.commit_sizes),
            "commits": _plain(self.commits),
            "retries": stats,
        }


def _of(histograms: dict[str, Histogram], name: str) -> Histogram:
    found = histograms.get(name)
    if found is None:
        found = histograms[name] = Histogram()
    return found


def _plain(histogram: Histogram) -> list[Any]:
    return [list(histogram.counts), histogram.total]
