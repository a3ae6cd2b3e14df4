"""Training: candidates compete on the brand's history; the winner is kept, and active when it beats the active one."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import numpy as np

from core.clock import EARLIEST
from graph.driver import Graph
from graph.repositories.model_runs import RunClaim
from graph.repositories.models import Change, activate_version, create_version, find_active
from ml.drift import reference_of
from ml.features.customers import Moment, history_of
from ml.features.purchases import purchase_features
from ml.models.choose import DAY_ONE, Judged, beats
from ml.models.design import BOOSTED, LINEAR
from ml.models.horizon import horizon_of
from ml.models.segments import realised, segment_names
from ml.models.snapshots import Known, Snapshot
from ml.models.targets import Target, losses
from ml.orders.history import Floats
from ml.runs.gather import Gathered, gather_customers
from ml.runs.heart import Heart
from ml.runs.shelf import build_shelf
from ml.serving.active import ActiveModels
from ml.serving.files import write_files
from ml.serving.model import ServingModel
from ml.serving.reasons import mean_score
from ml.serving.score import foretell, snapshot_of
from ml.training import Job, Training, train

BETTER, WORSE = "better", "worse"
LEAST_HORIZON, MOST_HORIZON = 7, 365
TRAINED_BY = "training"


@dataclass(frozen=True, slots=True)
class TrainOrder:
    """What a training run works with; a horizon of 0 is the active version's, without one what fits the brand."""

    graph: Graph
    data_dir: Path
    claim: RunClaim
    horizon: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the new version takes over, and why; losses by target of both on the same held-out windows."""

    is_better: bool
    reason: str
    compared: dict[str, Any]


def train_brand(order: TrainOrder, heart: Heart) -> dict[str, Any]:
    """Train, keep, judge and perhaps activate a version; the facts of the run. Raises RunLostError."""
    midnight = order.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    moment = Moment(midnight)

    def read(seen: int) -> None:
        heart.progress.done = seen
        heart.tell("reading orders")

    gathered = gather_customers(order.graph, order.claim.brand, read)
    history = history_of(gathered.customers, moment)
    active = find_active(order.graph, order.claim.brand) or {}
    order = replace(order, horizon=order.horizon or active.get("horizon_days") or horizon_of(history))
    heart.tell("training")
    trained = train(history, Job(moment.day, order.horizon), heart.tell)
    heart.tell("keeping the version")
    digest = hashlib.sha256(order.claim.run_id.encode()).hexdigest()
    model = _serving_model(trained, gathered, moment, f"mdl_{digest[:32]}", f"{midnight:%Y-%m-%d}.{digest[:6]}")
    features = purchase_features(history, moment.day)
    reference = reference_of(features, foretell(model, snapshot_of(model, features)).silence)
    verdict = judge_versions(order, trained)
    digests = write_files(order.data_dir, model, {"reference": reference, "choices": _choices(trained)})
    properties = _properties(order, trained, gathered, model) | {
        "files": json.dumps(digests), "run_id": order.claim.run_id, "reference": json.dumps(reference),
    }  # fmt: skip
    heart.tell("keeping the version")
    create_version(order.graph, order.claim.brand, model.id, properties)
    if verdict.is_better:
        activate_version(order.graph, order.claim.brand, model.id, Change(TRAINED_BY, verdict.reason, order.now))
    result = {"activated": verdict.is_better, "reason": verdict.reason, "compared": verdict.compared}
    return {"model_id": model.id, "result": json.dumps(result)}


def judge_versions(order: TrainOrder, trained: Training) -> Verdict:
    """Compare with the active version, or day one, on windows that neither had seen when it was fitted for them."""
    if not trained.graded.kinds or not trained.judged:
        return Verdict(False, "; ".join(trained.graded.reasons) or "too little history to judge anything by", {})
    new = {target: choice.candidate for target, choice in trained.choices.items()}
    stored = find_active(order.graph, order.claim.brand)
    active = None if stored is None else ActiveModels(order.data_dir).of(order.graph, order.claim.brand)
    if active is None or active.bundle.is_day_one:
        return judge_gains("day one", _gains(trained, trained.judged, new, dict.fromkeys(Target, DAY_ONE)))
    if active.horizon != order.horizon:
        return Verdict(False, f"the active version foretells {active.horizon} days: activate by hand to change", {})
    data_to = (stored or {})["data_to"].to_native()
    fresh = [one for one in trained.judged if _day(data_to) <= one.snapshot.origin]
    if fresh:
        return judge_gains("the active version", _gains(trained, fresh, new, active))
    # The active version knows these windows: its kinds of models, fitted before each of them, stand for it.
    kinds = {target: part.candidate for target, part in active.bundle.parts.items()}
    return judge_gains("the kinds of models of the active version", _gains(trained, trained.judged, new, kinds))


def _gains(
    trained: Training, windows: Sequence[Judged], new: dict[Target, str], old: ServingModel | dict[Target, str]
) -> dict[str, Any]:
    """By target, what `compare_losses` says of new and old on the windows."""
    found: dict[str, Any] = {}
    for target in Target:
        pairs = []
        for one in windows:
            score = one.scores[target][new[target]] + trained.choices[target].shift
            if isinstance(old, ServingModel):
                known = Known(one.snapshot.known.features, old.bundle.btyd or one.snapshot.known.btyd)
                past = old.bundle.parts[target].score(target, Snapshot(one.snapshot.origin, one.snapshot.length, known))
            else:
                past = one.scores[target][old[target]]
            pairs.append((losses(target, score, one.snapshot), losses(target, past, one.snapshot)))
        found[target.value] = compare_losses(*zip(*pairs, strict=True))
    return found


def compare_losses(new: Sequence[Floats], old: Sequence[Floats]) -> dict[str, Any]:
    """Mean losses of two versions over the windows, the relative gain, and whether it is more than chance."""
    mine, theirs = (float(np.mean([values.mean() for values in one])) for one in (new, old))
    gain = (theirs - mine) / max(abs(theirs), 1e-9)
    verdict = BETTER if beats(new, old) else WORSE if beats(old, new) else "tie"
    return {"new": mine, "old": theirs, "gain": gain, "windows": len(new), "verdict": verdict}


def judge_gains(rival: str, gains: dict[str, Any]) -> Verdict:
    """Better in one target at least and worse in none, each by the rule that candidates are chosen by."""
    verdicts = {one["verdict"] for one in gains.values()}
    is_better = BETTER in verdicts and WORSE not in verdicts
    words = ", ".join(f"{name} {one['gain']:+.1%} ({one['verdict']})" for name, one in gains.items())
    said = "better than" if is_better else "not better than"
    return Verdict(is_better, f"{said} {rival} on the same held-out windows (losses: {words})", gains)


def _serving_model(trained: Training, gathered: Gathered, moment: Moment, id_: str, version: str) -> ServingModel:
    features = purchase_features(history_of(gathered.customers, moment), moment.day)
    shelf = build_shelf(gathered.customers, moment)
    btyd = trained.bundle.btyd
    if btyd is None:
        return ServingModel(id_, f"day-one-{version}", "low", trained.bundle, shelf=shelf)
    rhythm = mean_score(Snapshot(moment.day, trained.bundle.horizon, Known(features, btyd)))
    return ServingModel(id_, version, trained.graded.confidence, trained.bundle, rhythm, shelf)


def _properties(order: TrainOrder, trained: Training, gathered: Gathered, model: ServingModel) -> dict[str, Any]:
    """What the version says of itself, as node properties."""
    start = EARLIEST + timedelta(days=trained.windows.start)
    return {
        "type": "predictions",
        "version": model.version,
        "grade": trained.graded.grade.value,
        "confidence": model.confidence,
        "horizon_days": order.horizon,
        "samples": len(gathered.customers),
        "data_from": start,
        "data_to": EARLIEST + timedelta(days=trained.job.cutoff),
        "code_version": installed_version("constintel"),
        "created_at": order.now,
        "metrics": json.dumps(_metrics(trained)),
        "windows": json.dumps([[one.snapshot.origin, one.snapshot.length] for one in trained.judged]),
        "features": json.dumps({"linear": LINEAR, "boosted": BOOSTED}),
        "parameters": json.dumps(_parameters(trained, gathered)),
        "choices": json.dumps(_choices(trained)),
        "segments": json.dumps(_segments(trained, model)),
    }


def _parameters(trained: Training, gathered: Gathered) -> dict[str, Any]:
    btyd = trained.bundle.btyd
    return {
        "seed": trained.job.seed,
        "btyd": None if btyd is None else btyd.as_dict(),
        "profiles_seen": gathered.seen,
        "profiles_unreadable": gathered.unreadable,
    }


def _choices(trained: Training) -> dict[str, Any]:
    return {target.value: choice.as_dict() for target, choice in trained.choices.items()}


def _metrics(trained: Training) -> dict[str, Any]:
    """By target, the chosen candidate's metrics as means over the judged windows."""
    found = {}
    for target, choice in trained.choices.items():
        name = f"{choice.candidate}, level moved" if choice.shift else choice.candidate
        windows = choice.metrics.get(name) or choice.metrics[choice.candidate]
        found[target.value] = {key: float(np.mean([one[key] for one in windows])) for key in windows[0]}
    if trained.judged:
        found["churn"] |= _at_threshold(trained)
    return found


def _at_threshold(trained: Training, threshold: float = 0.5) -> dict[str, float]:
    """Accuracy, precision, recall and F1 of calling customers lost from the threshold on, over the judged windows."""
    said = np.concatenate([one.silence for one in trained.foretold]) >= threshold
    true = np.concatenate([one.snapshot.silent for one in trained.judged]) > 0
    hits = float(np.sum(said & true))
    precision, recall = hits / max(float(said.sum()), 1.0), hits / max(float(true.sum()), 1.0)
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    return {
        "threshold": threshold, "accuracy": float(np.mean(said == true)), "precision": precision, "recall": recall,
        "f1": f1,
    }  # fmt: skip


def _segments(trained: Training, model: ServingModel) -> list[dict[str, Any]]:
    """What became of the segments in the latest judged window."""
    if not trained.judged:
        return []
    one = trained.judged[0].snapshot
    names = segment_names(one.known.features, model.bundle.scale)
    return [row.as_dict() for row in realised(names, one.silent, one.spend)]


def _day(at: datetime) -> int:
    return Moment(at).day
