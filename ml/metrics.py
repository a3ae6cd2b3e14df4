"""How good predictions were, once what they foretold has happened: the figures of every backtest and report."""

import numpy as np
from scipy.stats import rankdata

from ml.orders.history import Floats, Ints

DECILES = 10


def churn_metrics(probability: Floats, silent: Floats) -> dict[str, float]:
    """Quality of churn probabilities; `silent` is 1 for customers without an order, else 0."""
    sure = np.clip(probability, 1e-12, 1.0 - 1e-12)
    losses = -(silent * np.log(sure) + (1.0 - silent) * np.log(1.0 - sure))
    return {
        "roc_auc": roc_auc(silent, probability),
        "pr_auc": average_precision(silent, probability),
        "brier": float(np.mean((probability - silent) ** 2)),
        "log_loss": float(np.mean(losses)),
        "ece": calibration_error(probability, silent),
        "predicted": float(np.mean(probability)),
        "actual": float(np.mean(silent)),
    }


def amount_metrics(predicted: Floats, actual: Floats) -> dict[str, float]:
    """Quality of expected orders or spend."""
    total = float(actual.sum())
    variance = float(np.mean((actual - actual.mean()) ** 2))
    squared = float(np.mean((predicted - actual) ** 2))
    return {
        "rmse": squared**0.5,
        "mae": float(np.mean(np.abs(predicted - actual))),
        "r2": 1.0 - squared / variance if variance > 0 else 0.0,
        "spearman": spearman(predicted, actual),
        "gini": normalised_gini(predicted, actual),
        "decile_mape": decile_mape(predicted, actual),
        "bias": float(predicted.sum()) / total - 1.0 if total > 0 else 0.0,
        "predicted": float(predicted.sum()),
        "actual": total,
    }


def roc_auc(truth: Floats, score: Floats) -> float:
    """Chance that a random 1 has a higher score than a random 0; 0.5 when there is only one kind."""
    ones = float(truth.sum())
    zeros = len(truth) - ones
    if not ones or not zeros:
        return 0.5
    ranks = rankdata(score)
    return float((ranks @ truth - ones * (ones + 1) / 2) / (ones * zeros))


def average_precision(truth: Floats, score: Floats) -> float:
    """Area under precision over recall, as a step function; equal scores count together."""
    if not truth.sum():
        return 0.0
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(truth[order])
    last = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    precision, recall = hits[last] / (last + 1), hits[last] / hits[-1]
    return float(np.sum(precision * np.diff(recall, prepend=0.0)))


def calibration_error(probability: Floats, truth: Floats) -> float:
    """Mean distance between predicted and actual shares over deciles of the prediction."""
    groups = deciles(probability)
    gaps = [len(group) * abs(float(probability[group].mean() - truth[group].mean())) for group in groups]
    return sum(gaps) / max(len(truth), 1)


def decile_mape(predicted: Floats, actual: Floats) -> float:
    """Mean of |predicted - actual| / actual over deciles of the prediction; deciles of no actual spend are left out."""
    pairs = [(float(predicted[group].mean()), float(actual[group].mean())) for group in deciles(predicted)]
    found = [abs(said - came) / came for said, came in pairs if came > 0]
    return sum(found) / len(found) if found else 0.0


def normalised_gini(score: Floats, actual: Floats) -> float:
    """Gain area of the score's order over that of the perfect order; equal scores share what they hold."""
    if len(actual) == 0 or actual.sum() <= 0:
        return 0.0
    best = _gain(actual, actual)
    return _gain(score, actual) / best if best > 0 else 0.0


def spearman(left: Floats, right: Floats) -> float:
    """Correlation of ranks; 0 when one side does not vary."""
    if len(left) == 0 or np.ptp(left) == 0 or np.ptp(right) == 0:
        return 0.0
    return float(np.corrcoef(rankdata(left), rankdata(right))[0, 1])


def deciles(score: Floats) -> list[Ints]:
    """Places of the rows in ten groups of equal size, lowest scores first."""
    order = np.argsort(score, kind="stable")
    return [group for group in np.array_split(order, DECILES) if len(group)]


def _gain(score: Floats, actual: Floats) -> float:
    """Area between the cumulative share of `actual`, highest scores first, and the diagonal."""
    _, place = np.unique(-score, return_inverse=True)
    counts = np.bincount(place)
    shares = np.append(0.0, np.cumsum(np.bincount(place, actual)) / actual.sum())
    people = np.append(0.0, np.cumsum(counts) / len(actual))
    return float(np.sum(np.diff(people) * (shares[1:] + shares[:-1]) / 2.0)) - 0.5
