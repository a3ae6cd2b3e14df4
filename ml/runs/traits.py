"""Computing the traits of everybody after a brand changed its definitions, page by page under the run's lease."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from core.clock import EARLIEST, format_time, parse_time
from graph.driver import Graph
from graph.repositories import computed_traits as repository
from graph.repositories.suggestions import count_profiles
from graph.repositories.trait_definitions import TraitSet, find_set, finish_pass
from graph.values import to_time
from insight.computed_traits.refresh import compute_traits
from ml.runs.heart import Heart

STAGE = "computing traits"
_PAGE = 500


@dataclass(frozen=True, slots=True)
class _Position:
    """Where a pass is: the set of definitions that it began with, and the profile after which it goes on."""

    version: int
    at: datetime = EARLIEST
    profile_id: str = ""

    def __str__(self) -> str:
        return f"{self.version} {format_time(self.at)} {self.profile_id}"

    @classmethod
    def read(cls, text: str | None) -> Self | None:
        """The stored position; None where none was stored."""
        if not text:
            return None
        version, at, profile_id = text.split(" ", 2)
        return cls(int(version), parse_time(at) or EARLIEST, profile_id)


def compute_all_traits(graph: Graph, brand: str, stored: dict[str, Any], heart: Heart, now: datetime) -> dict[str, Any]:
    """Pass over all live profiles until each has the values of the brand's definitions as they are at the end.

    Definitions may change meanwhile: then the pass begins again, and leaves alone who has the new values already.
    Returns the facts of the run; raises RunLostError.
    """
    progress, failed, computed = heart.progress, set[str](), 0
    progress.total, progress.done = count_profiles(graph, brand), stored.get("done") or 0
    position = _Position.read(stored.get("position"))
    while True:
        traits = find_set(graph, brand)
        if position is None or position.version != traits.version:
            position, progress.done = _Position(traits.version), 0
        rows = repository.page_profiles(graph, brand, (position.at, position.profile_id), _PAGE)
        if rows:
            computed += _page(graph, traits, rows, now, failed)
            last = rows[-1]
            position = _Position(traits.version, to_time(last["created_at"]) or EARLIEST, last["id"])
            progress.done += len(rows)
        elif finish_pass(graph, brand, traits.version):
            return {"result": json.dumps({"computed": computed, "failed": len(failed), "version": traits.version})}
        progress.position = str(position)
        heart.tell(STAGE)


def _page(graph: Graph, traits: TraitSet, rows: list[dict[str, Any]], now: datetime, failed: set[str]) -> int:
    """Bring one page of profiles up to date; how many were computed."""
    stale = [row["id"] for row in rows if not traits.definitions or row["set_version"] < traits.needed]
    if traits.forgotten and traits.definitions:
        current = [row["id"] for row in rows if row["set_version"] >= traits.needed]
        if current:
            repository.forget_values(graph, traits.brand, current, traits.forgotten)
    if stale:
        failed |= compute_traits(graph, traits, stale, now)
    return len(stale)
