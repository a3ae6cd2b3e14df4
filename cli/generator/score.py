"""Generate, last step: precision, recall and F1 over pairs of identifiers, from what the service answers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from core.brand import BrandSettings
from core.identifiers import LINKING_TYPES
from core.normal_forms import normalise_all
from ingest.generator import TrueEvent

Named = tuple[str, str]
Pair = tuple[Named, Named]


@dataclass(frozen=True, slots=True)
class Score:
    """Pairs of identifiers that really belong together, those that the service put together, and those in both."""

    true_pairs: int
    found_pairs: int
    right_pairs: int

    @property
    def precision(self) -> float:
        """Share of the pairs put together that belong together; 1.0 when there are none."""
        return self.right_pairs / self.found_pairs if self.found_pairs else 1.0

    @property
    def recall(self) -> float:
        """Share of the pairs that belong together that were put together; 1.0 when there are none."""
        return self.right_pairs / self.true_pairs if self.true_pairs else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def true_identities(events: Iterable[TrueEvent], settings: BrandSettings) -> dict[int, set[Named]]:
    """Person → identifiers in normal form that the person really used; a shared one belongs to several."""
    people: dict[int, set[Named]] = {}
    for event in events:
        identifiers, _ = normalise_all(list(event.pairs), settings)
        held = people.setdefault(event.person, set())
        held.update((found.type, found.value) for found in identifiers if found.type in LINKING_TYPES)
    return people


def score(people: dict[int, set[Named]], profiles: Iterable[dict[str, Any]]) -> Score:
    """Compare live `profiles` with the true `people`; identifiers that nobody here used are left out."""
    known = set().union(*people.values()) if people else set()
    true_pairs = set(_pairs(people.values()))
    found_pairs = set(_pairs(_held(profile) & known for profile in profiles))
    return Score(len(true_pairs), len(found_pairs), len(true_pairs & found_pairs))


def _held(profile: dict[str, Any]) -> set[Named]:
    return {(kind, value) for kind, values in profile["identifiers"].items() for value in values}


def _pairs(groups: Iterable[set[Named]]) -> Iterator[Pair]:
    for group in groups:
        yield from combinations(sorted(group), 2)
