"""Measures the model on a labelled file without a service: scores every labelled pair and counts right and wrong."""

import bisect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from core.errors import InvalidInputError
from ml.suggestions.blocking import rules_that_join
from ml.suggestions.labelled import LabelledPair, read_pairs, read_records
from ml.suggestions.model import Model
from ml.suggestions.records import Record
from ml.suggestions.scoring import ScoredPair, score_blocked, score_given, train
from ml.suggestions.table import RecordTable, open_database

_PAGE = 1_000
# Far below what anybody would propose, low enough for the table of thresholds.
_LEAST_WEIGHT = -20.0

T = TypeVar("T")
Progress = Callable[[str, int], None]
"""Told a stage and how many more of it are done."""
Take = Callable[[ScoredPair, bool], None]
"""Given each scored pair and whether it is one person."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Right and wrong at one threshold."""

    threshold: float
    found: int
    right: int
    true_pairs: int

    @property
    def precision(self) -> float | None:
        """Share of the pairs found that are one person; None when none was found."""
        return self.right / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """Share of the same-person pairs that were found; None when there are none."""
        return self.right / self.true_pairs if self.true_pairs else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both; None when neither can be said."""
        return 2 * self.right / (self.found + self.true_pairs) if self.found + self.true_pairs else None


@dataclass(slots=True)
class Evaluation:
    """What a labelled file says of the model."""

    model: Model
    records: int
    true_pairs: int
    joined: int = 0
    """Same-person pairs that some blocking rule brings together: the service sees no others."""
    weights: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})
    """Whether one person → the match weights of those pairs, sorted once all are in."""
    unread: Counter[str] = field(default_factory=Counter)
    """Column → values in it that could not be read and count as missing."""

    @property
    def pairs(self) -> int:
        """How many pairs were scored."""
        return len(self.weights[True]) + len(self.weights[False])

    def at(self, threshold: float) -> Quality:
        """Precision and recall when every pair of at least this weight is called one person."""
        right, wrong = (
            len(self.weights[truth]) - bisect.bisect_left(self.weights[truth], threshold) for truth in (True, False)
        )
        return Quality(threshold, right + wrong, right, self.true_pairs)


def evaluate_pairs(path: Path, region: str, take: Take, progress: Progress) -> Evaluation:
    """Score the labelled pairs of a file; raises InvalidInputError naming row and column."""
    labels: dict[str, bool] = {}
    joined = 0
    unread: Counter[str] = Counter()
    with open_database() as database:
        known, given = RecordTable(database), RecordTable(database, "given")
        seen: set[tuple[Any, ...]] = set()
        for page in _pages(read_pairs(path, region, unread)):
            sides = [side for pair in page for side in (pair.left, pair.right)]
            given.add(sides, [str(pair.row) for pair in page for _ in (0, 1)])
            known.add(_new_ones(sides, seen))
            labels |= {str(pair.row): pair.is_match for pair in page}
            joined += _count_joined(page)
            progress("read", len(page))
        if not labels:
            raise InvalidInputError("row 2, column is_match: the file has no rows.", field="is_match")
        model = train(known, lambda stage: progress(f"learn: {stage}", 0))
        evaluation = Evaluation(model, known.count, sum(labels.values()), joined, unread=+unread)
        for scored in score_given(given, model, known):
            row = scored.left[:-1]
            _count(evaluation, scored, labels[row], take)
            progress("score", 1)
    return _sorted(evaluation)


def evaluate_records(path: Path, region: str, take: Take, progress: Progress) -> Evaluation:
    """Score all pairs that blocking joins among labelled records; same-person pairs it misses count as not found."""
    entities: dict[str, str] = {}
    unread: Counter[str] = Counter()
    with open_database() as database:
        table = RecordTable(database)
        for page in _pages(read_records(path, region, unread)):
            table.add(labelled.record for labelled in page)
            entities |= {labelled.record.id: labelled.entity for labelled in page}
            progress("read", len(page))
        if not entities:
            raise InvalidInputError("row 2, column record_id: the file has no rows.", field="record_id")
        table.drop_crowded_keys()
        model = train(table, lambda stage: progress(f"learn: {stage}", 0))
        sizes = Counter(entities.values()).values()
        true_pairs = sum(size * (size - 1) // 2 for size in sizes)
        evaluation = Evaluation(model, len(entities), true_pairs, unread=+unread)
        for scored in score_blocked(table, model, _LEAST_WEIGHT):
            is_match = entities[scored.left] == entities[scored.right]
            evaluation.joined += is_match
            _count(evaluation, scored, is_match, take)
            progress("score", 1)
    return _sorted(evaluation)


def describe(scored: ScoredPair, *, is_match: bool) -> dict[str, Any]:
    """A row of the file of scored pairs: no values of the records, only their ids, levels and weights."""
    row: dict[str, Any] = {
        "left": scored.left,
        "right": scored.right,
        "is_match": int(is_match),
        "match_weight": f"{scored.weight:.3f}",
        "match_probability": f"{scored.probability:.6f}",
        "blocking_rule": scored.rule or "",
    }
    for one in scored.comparison:
        row[f"{one.field}_level"] = one.level
        row[f"{one.field}_weight"] = f"{one.weight:.3f}"
    return row


def _count(evaluation: Evaluation, scored: ScoredPair, is_match: bool, take: Take) -> None:
    evaluation.weights[is_match].append(scored.weight)
    take(scored, is_match)


def _sorted(evaluation: Evaluation) -> Evaluation:
    for weights in evaluation.weights.values():
        weights.sort()
    return evaluation


def _count_joined(pairs: Iterable[LabelledPair]) -> int:
    return sum(1 for pair in pairs if pair.is_match and rules_that_join(pair.left, pair.right))


def _new_ones(records: Iterable[Record], seen: set[tuple[Any, ...]]) -> Iterator[Record]:
    """Records that say something which none before said: a person may stand in many pairs."""
    for record in records:
        content = record.content()
        if content not in seen:
            seen.add(content)
            yield record


def _pages(rows: Iterator[T]) -> Iterator[list[T]]:
    while page := list(islice(rows, _PAGE)):
        yield page
