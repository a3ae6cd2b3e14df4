"""Training for one brand: how much history there is, what backtests say, the models that follow from both."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ml.features.purchases import purchase_features
from ml.models.btyd import Btyd
from ml.models.bundle import Bundle, Part, combine
from ml.models.candidates import BLENDS, Recipe, fit_target
from ml.models.choose import DAY_ONE, Choice, Judged, choose, judge, prepare
from ml.models.grade import Graded, grade_history
from ml.models.intervals import Foretold, fit_spread
from ml.models.segments import fit_scale
from ml.models.snapshots import Snapshot, SnapshotMaker, Windows, sample_customers
from ml.models.targets import Target
from ml.orders.history import History

Tell = Callable[[str], None]
MOST_CUSTOMERS = 30_000
"""Models are fitted and judged on at most so many customers, drawn once for the seed."""
JUDGED_WINDOWS = 3
TRAINING_WINDOWS = 7
_EARLY_SHARE = 0.005


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked: models for predictions from the day `cutoff` on, for `horizon` days."""

    cutoff: int
    horizon: int
    seed: int = 0


@dataclass(frozen=True)
class Training:
    """The models and the evidence behind them; `foretold` is what the chosen ones said of each judged window."""

    job: Job
    windows: Windows
    graded: Graded
    choices: dict[Target, Choice]
    judged: list[Judged]
    foretold: list[Foretold]
    bundle: Bundle


def train(history: History, job: Job, tell: Tell, threads: int = 1) -> Training:
    """Choose by backtests inside the history, which must end before the cutoff, then fit on all of it.

    The answer does not depend on how many `threads` judge windows.
    """
    chosen = sample_customers(history, MOST_CUSTOMERS, job.seed)
    sampled = history if len(chosen) == history.customers else history.of(chosen)
    windows = Windows(first_day(sampled, job.cutoff), job.cutoff, job.horizon)
    graded = grade_history(history, windows, windows.training(job.cutoff, TRAINING_WINDOWS))
    tell(f"{history.customers} customers, {windows.span} days of history: {graded.grade.value}")
    maker = SnapshotMaker(sampled)
    judged = []
    asked = windows.judged(JUDGED_WINDOWS)
    trials = [prepare(maker, windows, window, Recipe(graded.kinds, window[1], seed=job.seed)) for window in asked]
    with ThreadPoolExecutor(threads, "backtests") as pool:
        for number, found in enumerate(pool.map(judge, trials), start=1):
            judged += [] if found is None else [found]
            tell(f"backtest: {number} of {len(asked)} windows judged")
    choices = {target: choose(target, judged) for target in Target} if judged else {}
    foretold = [_foretell(choices, one) for one in judged]
    spread = fit_spread([(said, one.snapshot.spend) for said, one in zip(foretold, judged, strict=True)])
    scale = fit_scale(purchase_features(history, job.cutoff))
    if not graded.kinds:
        parts = {target: Part(DAY_ONE, 0.0) for target in Target}
        return Training(
            job, windows, graded, choices, judged, foretold, Bundle(job.horizon, None, parts, spread, scale)
        )
    parts, btyd = _fit(maker, windows, choices, job, threads)
    tell("models fitted on everything known before the cutoff")
    return Training(job, windows, graded, choices, judged, foretold, Bundle(job.horizon, btyd, parts, spread, scale))


def first_day(history: History, cutoff: int) -> int:
    """The day on which history begins: a few stray early orders (1 of 200) do not count."""
    days = np.sort(history.day[history.orders > 0])
    return int(days[int(len(days) * _EARLY_SHARE)]) if len(days) else cutoff


def _foretell(choices: dict[Target, Choice], one: Judged) -> Foretold:
    """What the chosen candidates foretold of a judged window, levels moved as for the real prediction."""
    return combine({target: one.scores[target][choice.candidate] + choice.shift for target, choice in choices.items()})


def _fit(
    maker: SnapshotMaker, windows: Windows, choices: dict[Target, Choice], job: Job, threads: int
) -> tuple[dict[Target, Part], Btyd]:
    """The chosen candidates, fitted on all windows before the cutoff."""
    snapshots: Sequence[Snapshot] = [maker.make(*window) for window in windows.training(job.cutoff, TRAINING_WINDOWS)]
    snapshots = [one for one in snapshots if len(one)]

    def fit(target: Target) -> Part:
        choice = choices[target]
        recipe = Recipe(BLENDS[choice.candidate], job.horizon, seed=job.seed)
        return Part(choice.candidate, choice.shift, fit_target(target, snapshots, windows.start, recipe))

    with ThreadPoolExecutor(threads, "fits") as pool:
        parts = dict(zip(choices, pool.map(fit, choices), strict=True))
    return parts, maker.make(job.cutoff, job.horizon, has_outcome=False).known.btyd
