"""The candidates for each target, simplest first: BG/NBD as it is, the linear model on it, boosted trees on that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml.models.boosted import Boosted, fit_boosted
from ml.models.design import BOOSTED, LINEAR, usable
from ml.models.glm import Glm, Sample, fit_glm
from ml.models.snapshots import Snapshot, row_weights
from ml.models.targets import FAMILY, Target, base_score, learnt_outcome, stacked
from ml.orders.history import Floats, Ints

BTYD, GLM, BOOSTED_GLM = "btyd", "glm", "boosted"
BLENDS: dict[str, tuple[str, ...]] = {
    BTYD: (BTYD,),
    GLM: (GLM,),
    f"{BTYD}+{GLM}": (BTYD, GLM),
    BOOSTED_GLM: (BOOSTED_GLM,),
    f"{GLM}+{BOOSTED_GLM}": (GLM, BOOSTED_GLM),
}
"""Candidate → the models whose scores it averages; simpler ones first."""

_RIDGE = {Target.CHURN: None, Target.ORDERS: 1e-3, Target.SPEND: 1.5e-3}
_CHURN_RIDGE = 20.0
_BOOSTED_TARGETS = frozenset({Target.CHURN, Target.SPEND})


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is fitted, and how: `kinds` of models, days that count fully, most rows for trees, seed."""

    kinds: tuple[str, ...]
    horizon: int
    most_rows: int = 40_000
    seed: int = 0


@dataclass(frozen=True)
class Fitted:
    """The models of one target; `score` answers for any snapshot."""

    target: Target
    glm: Glm | None = None
    trees: Boosted | None = None

    def scores(self, snapshot: Snapshot) -> dict[str, Floats]:
        """Score of each kind of model for the snapshot's customers and window."""
        found = {BTYD: base_score(self.target, snapshot)}
        if self.glm is not None:
            rows = snapshot.known.linear[:, [LINEAR.index(name) for name in self.glm.names]]
            found[GLM] = self.glm.raw(rows, found[BTYD])
            if self.trees is not None:
                rows = snapshot.known.boosted[:, [BOOSTED.index(name) for name in self.trees.names]]
                found[BOOSTED_GLM] = found[GLM] + self.trees.raw(rows)
        return found

    def as_dict(self) -> dict[str, Any]:
        """As JSON; trees are named by their digest, their text is a file of its own."""
        return {
            "glm": None if self.glm is None else self.glm.as_dict(),
            "boosted": None if self.trees is None else self.trees.as_dict(),
        }


def blend(scores: Mapping[str, Floats], candidate: str) -> Floats:
    """Score of a candidate: the mean of its models' scores."""
    found: Floats = np.mean([scores[kind] for kind in BLENDS[candidate]], axis=0)
    return found


def fit_target(target: Target, snapshots: Sequence[Snapshot], start: int, recipe: Recipe) -> Fitted:
    """Fit every kind of model that the recipe names; `start` is the day on which the known history begins."""
    shortest = min((one.origin for one in snapshots), default=start) - start
    columns = usable(LINEAR, shortest, recipe.horizon)
    rows = stacked([learnt_outcome(target, one) for one in snapshots])
    if not {GLM, BOOSTED_GLM} & set(recipe.kinds) or not len(rows) or rows.max() == rows.min():
        return Fitted(target)
    base = stacked([base_score(target, one) for one in snapshots])
    weight = row_weights(snapshots, recipe.horizon)
    scale = float(np.log(weight @ rows / weight.sum())) if target is Target.SPEND else 0.0
    inputs = np.vstack([one.known.linear[:, columns] for one in snapshots])
    ridge = _RIDGE[target] or _CHURN_RIDGE / len(rows)
    names = tuple(LINEAR[place] for place in columns)
    # Money is measured in its mean, offset included: the penalty then weighs the same in every currency.
    glm = fit_glm(FAMILY[target], names, Sample(inputs, rows / np.exp(scale), base - scale, weight), ridge)
    if BOOSTED_GLM not in recipe.kinds or target not in _BOOSTED_TARGETS:
        return Fitted(target, glm)
    tree_columns = usable(BOOSTED, shortest, recipe.horizon)
    kept = _thin(len(rows), recipe)
    sample = Sample(
        np.vstack([one.known.boosted[:, tree_columns] for one in snapshots])[kept],
        rows[kept] / np.exp(scale),
        glm.raw(inputs[kept], base[kept]) - scale,
        weight[kept],
    )
    trees = fit_boosted(FAMILY[target], tuple(BOOSTED[place] for place in tree_columns), sample, recipe.seed)
    return Fitted(target, glm, trees)


def _thin(rows: int, recipe: Recipe) -> Ints:
    """Which rows the trees learn from: at most so many, drawn once."""
    if rows <= recipe.most_rows:
        return np.arange(rows)
    return np.sort(np.random.default_rng(recipe.seed).choice(rows, recipe.most_rows, replace=False))
