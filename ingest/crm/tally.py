"""Counts of a sync: of the page that is being settled, and of what was written back."""

from dataclasses import replace
from typing import Any

from core.decisions import EventResult
from core.errors import ConstIntelError
from graph.repositories.crm import SyncCounts
from ingest.crm.mapping import Skipped
from ingest.crm.pages import CrmRecord
from ingest.crm.push import Pushed
from ingest.jobs import count_warnings

MOST_PROBLEMS = 20


class Tally:
    """Counts of a page while its batches are settled; written only with the page's cursor."""

    def __init__(self, counts: SyncCounts, name: str) -> None:
        self.name = name
        self._counts = counts
        self._numbers = dict.fromkeys(("read", "accepted", "duplicates", "rejected", "skipped"), 0)
        self._warnings = dict(counts.warnings)
        self._problems = list(counts.problems)

    def add(self, record: CrmRecord, result: EventResult | Skipped | ConstIntelError, own: set[str]) -> None:
        """Count one record; `own` are repeats that nobody counted yet."""
        self._numbers["read"] += 1
        if isinstance(result, Skipped):
            self._numbers["skipped"] += 1
            count_warnings(self._warnings, [result.note] if result.note else [])
        elif isinstance(result, ConstIntelError):
            self._numbers["rejected"] += 1
            if len(self._problems) < MOST_PROBLEMS:
                self._problems.append({"object": self.name, "id": record.id or None, "reason": result.detail})
        else:
            is_repeat = result.duplicate and result.event_id not in own
            own.discard(result.event_id)
            self._numbers["duplicates" if is_repeat else "accepted"] += 1
            count_warnings(self._warnings, result.warnings)

    def result(self) -> SyncCounts:
        """The counts with this page; one that was read ends a row of failures."""
        sums = {name: getattr(self._counts, name) + number for name, number in self._numbers.items()}
        return replace(
            self._counts, **sums, warnings=self._warnings, problems=tuple(self._problems), failures=0
        )  # fmt: skip


def with_object(counts: SyncCounts, name: str, **values: Any) -> SyncCounts:
    """The counts with other numbers of one object."""
    return replace(counts, objects={**counts.objects, name: {**counts.objects.get(name, {}), **values}})


def place_of_push(counts: SyncCounts) -> str:
    """The key behind which it goes on."""
    return str(counts.push.get("after", ""))


def note_pushed(counts: SyncCounts, name: str, pushed: Pushed, after: str) -> SyncCounts:
    """The counts with one more page that was written back, up to the key `after`."""
    numbers = {"pushed": len(pushed.told), "unchanged": pushed.unchanged, "refused": len(pushed.refused)}
    sums = {key: counts.push.get(key, 0) + number for key, number in numbers.items()}
    problems = [{"object": name, "id": one, "reason": reason} for one, reason in sorted(pushed.refused.items())]
    kept = (*counts.problems, *problems)[:MOST_PROBLEMS]
    return replace(counts, push={**sums, "after": after}, problems=kept, failures=0)
