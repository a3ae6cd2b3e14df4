"""How much history there is to learn from, and so which models may compete."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ml.models.candidates import BOOSTED_GLM, BTYD, GLM
from ml.models.snapshots import Windows
from ml.orders.history import History, outcome

LEAST_BUYERS, LEAST_DAYS = 100, 60
GLM_BUYERS, BOOSTED_BUYERS = 500, 5_000


class Grade(StrEnum):
    """From the fixed formulas to all candidates."""

    INSUFFICIENT = "insufficient"
    STRUCTURAL = "structural"
    BASIC = "basic"
    FULL = "full"


KINDS: dict[Grade, tuple[str, ...]] = {
    Grade.INSUFFICIENT: (),
    Grade.STRUCTURAL: (BTYD,),
    Grade.BASIC: (BTYD, GLM),
    Grade.FULL: (BTYD, GLM, BOOSTED_GLM),
}
CONFIDENCE = {Grade.INSUFFICIENT: "low", Grade.STRUCTURAL: "low", Grade.BASIC: "medium", Grade.FULL: "high"}


@dataclass(frozen=True)
class Graded:
    """The grade, and in words what keeps it from being higher."""

    grade: Grade
    buyers: int
    reasons: tuple[str, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of models that compete."""
        return KINDS[self.grade]

    @property
    def confidence(self) -> str:
        """How far the predictions are to be trusted."""
        return CONFIDENCE[self.grade]


def grade_history(history: History, windows: Windows, origins: Sequence[tuple[int, int]]) -> Graded:
    """Grade the history by buyers, days, repeat orders, and whether anything differs in the windows to learn from."""
    days = np.bincount(history.customer[history.orders > 0], minlength=history.customers)
    buyers = int((days > 0).sum())
    poor = []
    if buyers < LEAST_BUYERS:
        poor.append(f"{buyers} buyers before the cutoff, fewer than {LEAST_BUYERS}")
    if windows.span < LEAST_DAYS:
        poor.append(f"{windows.span} days of history, fewer than {LEAST_DAYS}")
    if not (days > 1).any():
        poor.append("no customer ordered on two days")
    if not poor and not _both_kinds(history, origins):
        poor.append("in every window to learn from all customers did the same: all ordered or none")
    if poor:
        return Graded(Grade.INSUFFICIENT, buyers, tuple(poor))
    if buyers < GLM_BUYERS:
        return Graded(Grade.STRUCTURAL, buyers, (f"{buyers} buyers, fewer than {GLM_BUYERS}",))
    if buyers < BOOSTED_BUYERS:
        return Graded(Grade.BASIC, buyers, (f"{buyers} buyers, fewer than {BOOSTED_BUYERS}",))
    return Graded(Grade.FULL, buyers, ())


def _both_kinds(history: History, origins: Sequence[tuple[int, int]]) -> bool:
    """Whether some known customers ordered in the windows and others did not."""
    seen: set[bool] = set()
    for origin, length in origins:
        known = np.zeros(history.customers, dtype=bool)
        known[history.customer[(history.day < origin) & (history.orders > 0)]] = True
        ordered = outcome(history, origin, origin + length).orders[known] > 0
        seen |= {bool(kind) for kind in np.unique(ordered)}
    return len(seen) > 1
