"""What an evaluation says of itself: `model.json` for programs, `report.md` with pictures for people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from ml.evaluation.plots import plot_churn, plot_months, plot_spend
from ml.evaluation.shelves import Shelves
from ml.models.choose import Choice
from ml.models.intervals import HIGH, LOW, coverage
from ml.models.segments import fit_scale, realised, segment_names
from ml.models.targets import Target
from ml.orders.read import day_of
from ml.training import Training

DAY_ONE_VERSION = "day-one-1"
_DIGITS = 10
_COLUMNS = {
    Target.CHURN: ("roc_auc", "pr_auc", "brier", "log_loss", "ece", "predicted", "actual"),
    Target.ORDERS: ("rmse", "mae", "r2", "spearman", "gini", "decile_mape", "bias"),
    Target.SPEND: ("rmse", "mae", "r2", "spearman", "gini", "decile_mape", "bias"),
}
_NAMES = {
    "day_one": "fixed formulas (day one)",
    "btyd": "BG/NBD and Gamma-Gamma",
    "glm": "regularised GLM on BG/NBD",
    "boosted": "LightGBM started from the GLM",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read."""

    cutoff: date
    customers: int
    orders: int
    lines: int
    currency: str | None


def write_model(training: Training, facts: Facts, shelves: Shelves | None, out: Path) -> list[str]:
    """`model.json`, and the LightGBM texts that it names by digest; the names of the files."""
    for old in out.glob("*.lightgbm.txt"):
        old.unlink()
    texts = training.bundle.texts()
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
    content = _rounded(_model(training, facts, shelves))
    (out / "model.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return ["model.json", *texts]


def write_report(training: Training, facts: Facts, shelves: Shelves | None, out: Path) -> list[str]:
    """`report.md` and its pictures; the names of the files."""
    pictures = _plot(training, out)
    parts = [
        _head(training, facts),
        *(_target(training.choices[target], training) for target in training.choices),
        _levels(training),
        _ranges(training),
        _segments(training),
        _shelves(shelves),
        "\n".join(f"![{name.split('.')[0].replace('_', ' ')}]({name})" for name in pictures),
    ]
    (out / "report.md").write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")
    return ["report.md", *pictures]


def model_version(training: Training) -> str:
    """Name of what predicts: `day-one-1`, or the grade of the history with the cutoff."""
    return (
        DAY_ONE_VERSION
        if training.bundle.is_day_one
        else f"{training.graded.grade.value}-{day_of(training.job.cutoff).isoformat()}"
    )


def _model(training: Training, facts: Facts, shelves: Shelves | None) -> dict[str, Any]:
    windows = [
        {
            "origin": day_of(one.snapshot.origin).isoformat(),
            "days": one.snapshot.length,
            "customers": len(one.snapshot),
            "months": [{"days": m.days, "actual": m.actual, "foretold": dict(m.foretold)} for m in one.months],
        }
        for one in training.judged
    ]
    return {
        "model_version": model_version(training),
        "grade": training.graded.grade.value,
        "confidence": training.graded.confidence,
        "grade_reasons": list(training.graded.reasons),
        "cutoff": facts.cutoff.isoformat(),
        "horizon_days": training.job.horizon,
        "seed": training.job.seed,
        "customers": facts.customers,
        "orders": facts.orders,
        "lines": facts.lines,
        "currency": facts.currency,
        "history": {"first_day": day_of(training.windows.start).isoformat(), "days": training.windows.span},
        "judged_windows": windows,
        "choices": {target.value: choice.as_dict() for target, choice in training.choices.items()},
        "recommendations": None if shelves is None else shelves.as_dict(),
        "models": training.bundle.as_dict(),
    }


def _head(training: Training, facts: Facts) -> str:
    job, graded = training.job, training.graded
    end = day_of(job.cutoff + job.horizon)
    size = f"{facts.customers} customers with {facts.orders} orders ({facts.lines} lines)"
    lines = [
        "# Evaluation",
        "",
        f"{size} before {facts.cutoff.isoformat()}; "
        f"predicted: {job.horizon} days, up to and without {end.isoformat()}. "
        f"History begins {day_of(training.windows.start).isoformat()} ({training.windows.span} days).",
        "",
        f"Model version `{model_version(training)}`, confidence {graded.confidence}.",
    ]
    if training.bundle.is_day_one:
        lines.append(f"**The day-one model answers**: {'; '.join(graded.reasons)}. Its formulas are fixed, not learnt.")
    elif graded.reasons:
        lines.append(f"Fewer candidates compete: {'; '.join(graded.reasons)}.")
    chosen = [f"{target.value}: {_called(choice.candidate)}" for target, choice in training.choices.items()]
    if chosen:
        lines += ["", "Chosen by backtest: " + "; ".join(chosen) + "."]
    return "\n".join(lines)


def _target(choice: Choice, training: Training) -> str:
    columns = _COLUMNS[choice.target]
    lines = [
        f"## {choice.target.value.capitalize()}",
        "",
        f"Mean over {len(training.judged)} judged windows; every candidate learnt only from days before the window.",
        "",
        "| candidate | loss | " + " | ".join(columns) + " |",
        "| --- |" + " --: |" * (len(columns) + 1),
    ]
    for name, rows in choice.metrics.items():
        means = [_figure(float(np.mean([row[column] for row in rows]))) for column in columns]
        loss = _figure(float(np.mean(choice.losses[name]))) if name in choice.losses else ""
        mark = "**" if name == choice.candidate else ""
        lines.append(f"| {mark}{_called(name)}{mark} | {loss} | " + " | ".join(means) + " |")
    lines += ["", f"Taken: {_called(choice.candidate)} ({choice.reason})."]
    gaps = ", ".join(f"{gap:+.3f}" for gap in choice.gaps)
    lines.append(f"Level: gaps by window {gaps} on the score; all scores are moved by {choice.shift:+.3f}.")
    return "\n".join(lines)


def _levels(training: Training) -> str:
    """Spend foretold and come, in steps of about 30 days after each judged origin."""
    if Target.SPEND not in training.choices or not any(one.months for one in training.judged):
        return ""
    choice = training.choices[Target.SPEND]
    lines = [
        "## Levels by month",
        "",
        "| origin | days | actual | foretold | difference |",
        "| --- | --: | --: | --: | --: |",
    ]
    for one in training.judged:
        for month in one.months:
            said = month.foretold[choice.candidate] * float(np.exp(choice.shift))
            off = f"{said / month.actual - 1.0:+.1%}" if month.actual > 0 else ""
            origin = day_of(one.snapshot.origin).isoformat()
            lines.append(f"| {origin} | {month.days} | {month.actual:.2f} | {said:.2f} | {off} |")
    return "\n".join(lines)


def _ranges(training: Training) -> str:
    if not training.judged:
        return ""
    lines = [
        "## Ranges of spend",
        "",
        "`spend_low` and `spend_high` are the 10th and 90th percentiles. Where more than a tenth of the chance lies on",
        "no spend at all, the 10th percentile is 0 and nobody can fall below it; about 90 % lie inside, 10 % above.",
        "",
        "| origin | below | inside | above | inside, of likely buyers |",
        "| --- | --: | --: | --: | --: |",
    ]
    for one, said in zip(training.judged, training.foretold, strict=True):
        low, high = (training.bundle.spread.quantile(said, level) for level in (LOW, HIGH))
        found = coverage(low, high, one.snapshot.spend)
        likely = said.silence < LOW
        inside = f"{coverage(low[likely], high[likely], one.snapshot.spend[likely]).inside:.1%}" if likely.any() else ""
        origin = day_of(one.snapshot.origin).isoformat()
        lines.append(f"| {origin} | {found.below:.1%} | {found.inside:.1%} | {found.above:.1%} | {inside} |")
    return "\n".join(lines)


def _segments(training: Training) -> str:
    if not training.judged:
        return ""
    one = training.judged[0].snapshot
    rows = realised(segment_names(one.known.features, fit_scale(one.known.features)), one.silent, one.spend)
    lines = [
        "## Segments",
        "",
        f"Given on {day_of(one.origin).isoformat()}, and what became of them in the {one.length} days after.",
        "",
        "| segment | customers | churn | mean spend | share of spend |",
        "| --- | --: | --: | --: | --: |",
    ]
    lines += [
        f"| {row.segment} | {row.customers} | {row.churn:.3f} | {row.spend_mean:.2f} | {row.spend_share:.1%} |"
        for row in rows
    ]
    return "\n".join(lines)


def _shelves(shelves: Shelves | None) -> str:
    if shelves is None or not shelves.metrics:
        return ""
    lines = [
        "## Recommendations",
        "",
        f"{shelves.judged} customers who bought in the last {shelves.days} days before the cutoff. Own products come",
        "first, then popular ones or those bought together; `new first` puts own ones last.",
        "",
        "| products | shelf | recall@10 | NDCG@10 | products shown |",
        "| --- | --- | --: | --: | --: |",
    ]
    for name, by_shelf in shelves.metrics.items():
        for shelf, found in by_shelf.items():
            mark = "**" if shelves.chosen[name] == shelf else ""
            figures = " | ".join(f"{found[key]:.4f}" for key in ("recall", "ndcg", "coverage"))
            lines.append(f"| {name} | {mark}{shelf}{mark} | {figures} |")
    return "\n".join(lines)


def _plot(training: Training, out: Path) -> list[str]:
    for name in ("calibration.png", "calibration_spend.png", "levels.png"):
        (out / name).unlink(missing_ok=True)
    if not training.judged:
        return []
    labels = [f"from {day_of(one.snapshot.origin).isoformat()}, {one.snapshot.length} days" for one in training.judged]
    pairs = list(zip(labels, training.foretold, training.judged, strict=True))
    plot_churn([(label, said.silence, one.snapshot.silent) for label, said, one in pairs], out / "calibration.png")
    plot_spend([(label, said.spend, one.snapshot.spend) for label, said, one in pairs], out / "calibration_spend.png")
    names = ["calibration.png", "calibration_spend.png"]
    longest = max(training.judged, key=lambda one: one.snapshot.length)
    if longest.months:
        choice = training.choices[Target.SPEND]
        said = [month.foretold[choice.candidate] * float(np.exp(choice.shift)) for month in longest.months]
        came = [month.actual for month in longest.months]
        days = [f"to day {month.days}" for month in longest.months]
        plot_months(days, _steps(said), _steps(came), out / "levels.png")
        names.append("levels.png")
    return names


def _steps(cumulative: Sequence[float]) -> list[float]:
    return [float(value) for value in np.diff([0.0, *cumulative])]


def _called(name: str) -> str:
    """A candidate in words."""
    plain, _, rest = name.partition(",")
    return " and ".join(_NAMES.get(part, part) for part in plain.split("+")) + (f",{rest}" if rest else "")


def _figure(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 100 else f"{value:.2f}"  # noqa: PLR2004 (only how it looks)


def _rounded(value: Any) -> Any:
    """Plain JSON with figures of ten significant digits."""
    if isinstance(value, Mapping):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{float(value):.{_DIGITS}g}") if np.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value
