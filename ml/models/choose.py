"""Choosing by backtest: candidates are fitted on what lay before past origins and judged by what came after them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml.metrics import amount_metrics, churn_metrics
from ml.models.candidates import BLENDS, BTYD, Fitted, Recipe, blend, fit_target
from ml.models.day_one import day_one_scores
from ml.models.snapshots import Snapshot, SnapshotMaker, Windows
from ml.models.targets import Gap, Target, level_gap, losses, to_value
from ml.orders.history import Floats

DAY_ONE = "day_one"
TRAINING_WINDOWS = 4
"""Windows that the candidates of a backtest learn from."""
_BETTER = 0.001
_MONTH, _MOST_MONTHS = 30, 6
_LEVEL_PRIOR, _LEVEL_NOISE, _MOST_LEVEL = 0.10, 0.05, 0.25
_SEASON_NOISE, _MOST_SEASON = 0.10, 0.70


@dataclass(frozen=True)
class Judged:
    """A judged window: the snapshot with its outcome, and each candidate's scores by target."""

    snapshot: Snapshot
    scores: Mapping[Target, Mapping[str, Floats]]
    months: Sequence["Month"] = ()
    is_year_ago: bool = False
    """Whether it saw the same days of the year as the horizon."""


@dataclass(frozen=True)
class Month:
    """Spend of the first `days` days of a judged window: what came, and what each candidate foretold."""

    days: int
    actual: float
    foretold: Mapping[str, float]


@dataclass(frozen=True)
class Choice:
    """What was chosen for a target and why: losses and metrics by candidate and window, level gaps, the shift."""

    target: Target
    candidate: str
    losses: Mapping[str, Sequence[float]]
    metrics: Mapping[str, Sequence[Mapping[str, float]]]
    gaps: Sequence[float]
    shift: float
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "chosen": self.candidate,
            "reason": self.reason,
            "level_shift": self.shift,
            "level_gaps_by_window": list(self.gaps),
            "loss_by_window": {name: list(values) for name, values in self.losses.items()},
            "metrics_by_window": {name: list(values) for name, values in self.metrics.items()},
        }


@dataclass(frozen=True)
class Trial:
    """A window to be judged and the ones before it that its candidates learn from."""

    maker: SnapshotMaker
    snapshot: Snapshot
    before: Sequence[Snapshot]
    windows: Windows
    recipe: Recipe


def prepare(maker: SnapshotMaker, windows: Windows, window: tuple[int, int], recipe: Recipe) -> Trial:
    """Everything `judge` needs; one after the other, for where the fit of a day begins depends on those made before."""
    snapshot = maker.make(*window)
    asked = windows.training(snapshot.origin, TRAINING_WINDOWS) if recipe.kinds and len(snapshot) else []
    before = [maker.make(*earlier) for earlier in asked]
    return Trial(maker, snapshot, [one for one in before if len(one)], windows, recipe)


def judge(trial: Trial) -> Judged | None:
    """Fit every candidate before the window's origin and score the window; None when nobody was known then."""
    snapshot, windows, recipe = trial.snapshot, trial.windows, trial.recipe
    if not len(snapshot):
        return None
    day_one = day_one_scores(snapshot.known.features, snapshot.length)
    scores: dict[Target, dict[str, Floats]] = {target: {DAY_ONE: day_one[target.value]} for target in Target}
    fitted: dict[Target, Fitted] = {}
    if recipe.kinds:
        for target in Target:
            found = fit_target(target, trial.before, windows.start, recipe)
            single = found.scores(snapshot)
            usable = [name for name, parts in BLENDS.items() if set(parts) <= set(single)]
            scores[target] |= {name: blend(single, name) for name in usable}
            fitted[target] = found
    months = _months(trial.maker, snapshot, fitted[Target.SPEND]) if fitted else []
    return Judged(snapshot, scores, months, (snapshot.origin, snapshot.length) in windows.year_ago)


def _months(maker: SnapshotMaker, snapshot: Snapshot, fitted: Fitted) -> list[Month]:
    """Cumulative spend in steps of 30 days (of more when the window is long)."""
    step = _MONTH * max(1, round(snapshot.length / _MONTH / _MOST_MONTHS))
    found = []
    for days in [*range(step, snapshot.length - step // 2, step), snapshot.length]:
        single = fitted.scores(snapshot.ask(days))
        usable = [name for name, parts in BLENDS.items() if set(parts) <= set(single)]
        foretold = {name: float(to_value(Target.SPEND, blend(single, name)).sum()) for name in usable}
        actual = maker.make(snapshot.origin, days).spend.sum()
        found.append(Month(days, float(actual), foretold))
    return found


def choose(target: Target, judged: Sequence[Judged]) -> Choice:
    """The simplest candidate that no other beats on the mean by more than chance, and in most windows."""
    names = [name for name in judged[0].scores[target] if all(name in one.scores[target] for one in judged)]
    each = {name: [losses(target, one.scores[target][name], one.snapshot) for one in judged] for name in names}
    best = BTYD if BTYD in names else DAY_ONE
    for name in names:
        if name not in {DAY_ONE, best} and beats(each[name], each[best]):
            best = name
    means = {name: [float(np.mean(values)) for values in found] for name, found in each.items()}
    gaps = [level_gap(target, one.scores[target][best], one.snapshot) for one in judged]
    shift = 0.0 if best == DAY_ONE else level_shift(gaps, [one.is_year_ago for one in judged])
    metrics = {name: [_metrics(target, one.scores[target][name], one.snapshot) for one in judged] for name in names}
    if shift:
        moved = [_metrics(target, one.scores[target][best] + shift, one.snapshot) for one in judged]
        metrics[f"{best}, level moved"] = moved
    return Choice(target, best, means, metrics, [gap.size for gap in gaps], shift, _reason(best, means))


def level_shift(gaps: Sequence[Gap], year_ago: Sequence[bool]) -> float:
    """How far to move all scores, within limits.

    The mean gap is drawn towards 0 the more the windows disagree. Where one of them saw the same days a year ago, what
    it differs by from the others is taken for the season, the more the larger that is beside the noise.
    """
    sizes = np.array([gap.size for gap in gaps])
    if not len(sizes) or not np.isfinite(sizes).all():
        return 0.0
    season = np.array(year_ago, dtype=bool)
    usual = sizes[~season] if (~season).any() else sizes
    chance = float(np.mean([gap.noise**2 for gap in gaps]))
    noise = max(float(np.var(usual)), _LEVEL_NOISE**2, chance)
    shift = float(usual.mean()) * _LEVEL_PRIOR**2 / (_LEVEL_PRIOR**2 + noise)
    limit = _MOST_LEVEL
    if season.any() and len(usual) > 1:
        differs = float(sizes[season].mean() - usual.mean())
        shift += differs**3 / (differs**2 + 2.0 * max(_SEASON_NOISE**2, noise))
        limit = _MOST_SEASON
    return float(np.clip(shift, -limit, limit))


def beats(challenger: Sequence[Floats], holder: Sequence[Floats]) -> bool:
    """Whether losses fell by a thousandth and by more than a standard error, customer by customer, in most windows.

    Both have one array of losses for each window.
    """
    gains = [old - new for new, old in zip(challenger, holder, strict=True)]
    mean = float(np.mean([gain.mean() for gain in gains]))
    # The windows hold much the same people: taken as one sample of their mean size.
    error = float(np.mean([gain.std() / np.sqrt(len(gain)) for gain in gains]))
    least = _BETTER * abs(float(np.mean([old.mean() for old in holder])))
    return mean > max(least, error) and 2 * sum(gain.mean() > 0 for gain in gains) > len(gains)


def _metrics(target: Target, score: Floats, snapshot: Snapshot) -> dict[str, float]:
    value = to_value(target, score)
    if target is Target.CHURN:
        return churn_metrics(value, snapshot.silent)
    return amount_metrics(value, snapshot.orders if target is Target.ORDERS else snapshot.spend)


def _reason(best: str, losses: Mapping[str, Sequence[float]]) -> str:
    if best == DAY_ONE:
        return "too little history for anything but the fixed formulas"
    means = {name: float(np.mean(values)) for name, values in losses.items()}
    others = ", ".join(f"{name} {mean:.5g}" for name, mean in means.items() if name != best)
    return f"mean loss {means[best]:.5g} over {len(losses[best])} judged windows; {others}"
