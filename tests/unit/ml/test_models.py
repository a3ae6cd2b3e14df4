"""Models against what is known of them: reference behaviours, other libraries, made-up worlds, their own files."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, TweedieRegressor
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from core.errors import InvalidInputError
from ml.features.definitions import PURCHASE_FEATURES
from ml.features.purchases import purchase_features
from ml.metrics import average_precision, churn_metrics, normalised_gini, roc_auc, spearman
from ml.models.btyd import fit_btyd, look
from ml.models.bundle import Bundle
from ml.models.day_one import day_one_silence
from ml.models.glm import Family, Sample, fit_glm
from ml.models.horizon import horizon_of
from ml.models.intervals import Foretold, coverage, fit_spread
from ml.models.segments import fit_scale, segment_names
from ml.orders.history import UNITS, History
from ml.runs.train import compare_losses, judge_gains
from ml.training import Job, train
from tests.retailers import make_rows, small

AS_OF = 1_000


def history_of(*customers: list[int], value: float = 20.0) -> History:
    """A history in which each customer ordered that many days before `AS_OF`."""
    pairs = sorted((place, AS_OF - ago) for place, days in enumerate(customers) for ago in days)
    who, day = (np.array(values, dtype=np.int64) for values in zip(*pairs, strict=True))
    ones = np.ones(len(pairs))
    return History(len(customers), who, day, ones, ones * value * UNITS, ones * 0, ones)


def made_history(kind: str, customers: int, seed: int = 0) -> tuple[History, int]:
    """The history of a made-up retailer and the day number after its last."""
    rows = make_rows(small(kind, customers=customers), seed)
    base = np.datetime64("1970-01-01")
    keys = sorted({(row[0], int((np.datetime64(row[2][:10]) - base).astype(int))) for row in rows if row[3][0] != "-"})
    names = {name: place for place, name in enumerate(sorted({name for name, _ in keys}))}
    totals = dict.fromkeys(keys, 0.0)
    for row in rows:
        key = row[0], int((np.datetime64(row[2][:10]) - base).astype(int))
        if key in totals and row[3][0] != "-":
            totals[key] += float(row[3])
    who = np.array([names[name] for name, _ in keys], dtype=np.int64)
    day = np.array([day for _, day in keys], dtype=np.int64)
    ones = np.ones(len(keys))
    gross = np.round(np.array([totals[key] for key in keys]) * UNITS)
    return History(len(names), who, day, ones, gross, ones * 0, ones), int(day.max()) + 1


@pytest.mark.parametrize(
    ("days_ago", "silence", "segment"),
    [
        ([1, 9], 0.15, "champion"),
        ([1, 2, 4, 5, 7], 0.08, "champion"),
        ([45, 60, 90], 0.75, "at_risk"),
        ([1, 46, 61, 91], 0.25, "loyal"),
    ],
)
def test_day_one_model_behaves_as_documented(days_ago, silence, segment) -> None:
    features = purchase_features(history_of(days_ago), AS_OF)
    assert float(day_one_silence(features, 90)[0]) == pytest.approx(silence, abs=0.03)
    if len(days_ago) > 2:
        assert segment_names(features, fit_scale(features)) == [segment]


def test_day_one_churn_rises_with_recency_and_falls_with_the_horizon() -> None:
    features = purchase_features(history_of(*([ago, ago + 30] for ago in range(1, 200))), AS_OF)
    risk = day_one_silence(features, 90)
    assert (np.diff(risk) > 0).all()
    assert (day_one_silence(features, 180) < risk).all()


def test_regular_buyers_who_are_late_are_likelier_gone_than_irregular_ones_of_the_same_age() -> None:
    often, seldom = [60, 67, 74, 81], [60, 120, 180, 240]
    crowd = [[ago, ago + 40, ago + 80] for ago in range(1, 200)]
    features = purchase_features(history_of(often, seldom, *crowd), AS_OF)
    view = look(fit_btyd(features), features, 90)
    assert view.alive[0] < view.alive[1]


def test_glm_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(4_000, 3))
    chance = 1 / (1 + np.exp(-(rows @ [1.0, -0.5, 0.2] + 0.3)))
    outcome = (rng.random(4_000) < chance).astype(np.float64)
    ours = fit_glm(Family.LOGISTIC, "abc", Sample(rows, outcome, np.zeros(4_000), np.ones(4_000)), 1 / 4_000)
    theirs = LogisticRegression(C=1.0).fit((rows - ours.centre) / ours.spread, outcome)
    assert ours.weights == pytest.approx(theirs.coef_[0], abs=2e-3)
    money = rng.gamma(2.0, np.exp(rows @ [0.4, 0.1, 0.0])) * (rng.random(4_000) < 0.5)
    ours = fit_glm(Family.TWEEDIE, "abc", Sample(rows, money, np.zeros(4_000), np.ones(4_000)), 0.01)
    other = TweedieRegressor(power=1.4, alpha=0.01, link="log", max_iter=2_000, tol=1e-8)
    other.fit((rows - ours.centre) / ours.spread, money)
    assert ours.weights == pytest.approx(other.coef_, abs=2e-3)
    assert ours.intercept == pytest.approx(other.intercept_, abs=2e-3)


def test_metrics_agree_with_scikit_learn_and_with_their_definitions() -> None:
    rng = np.random.default_rng(5)
    truth = (rng.random(2_000) < 0.3).astype(np.float64)
    score = (np.clip(truth * 0.2 + rng.random(2_000) * 0.8, 0.01, 0.99) * 100).astype(np.int64) / 100.0
    assert roc_auc(truth, score) == pytest.approx(roc_auc_score(truth, score))
    assert average_precision(truth, score) == pytest.approx(average_precision_score(truth, score))
    assert churn_metrics(score, truth)["brier"] == pytest.approx(brier_score_loss(truth, score))
    assert normalised_gini(score, truth) == pytest.approx(2 * roc_auc(truth, score) - 1)
    assert normalised_gini(truth * 5, truth) == pytest.approx(1.0)
    assert spearman(score, -score) == pytest.approx(-1.0)


def test_ranges_hold_their_level_on_other_draws_of_the_same_world() -> None:
    rng = np.random.default_rng(7)

    def window() -> tuple[Foretold, np.ndarray]:
        silence = rng.uniform(0.01, 0.99, 20_000)
        mean = rng.gamma(2.0, 30.0, 20_000)
        spend = np.where(rng.random(20_000) < silence, 0.0, mean * rng.lognormal(-0.32, 0.8, 20_000))
        return Foretold(silence, (1 - silence) * 1.5, mean * (1 - silence)), spend

    spread = fit_spread([window(), window()])
    said, actual = window()
    low, high = spread.quantile(said, 0.1), spread.quantile(said, 0.9)
    found = coverage(low, high, actual)
    assert found.above == pytest.approx(0.1, abs=0.01)
    likely = said.silence < 0.05
    assert coverage(low[likely], high[likely], actual[likely]).inside == pytest.approx(0.8, abs=0.04)


def test_a_bundle_answers_the_same_after_being_written_and_read() -> None:
    history, end = made_history("growing", 5_600)
    training = train(history, Job(end, 60), lambda _: None)
    stored = json.loads(json.dumps(training.bundle.as_dict()))
    again = Bundle.from_dict(stored, training.bundle.texts())
    features = purchase_features(history, end)
    before, after = training.bundle.predict(features, 60), again.predict(features, 60)
    assert np.array_equal(before.foretold.spend, after.foretold.spend)
    assert np.array_equal(before.high, after.high)
    with pytest.raises(InvalidInputError):
        again.predict(features, 90)
    for place in (0, 5, 77):
        alone = again.predict(purchase_features(history.of(features.customer[[place]]), end), 60)
        for name in ("silence", "orders", "spend"):
            among = getattr(before.foretold, name)[place]
            assert getattr(alone.foretold, name)[0] == pytest.approx(among, rel=1e-12), name
        assert alone.segments == [before.segments[place]]


def test_what_is_learnt_does_not_depend_on_the_number_of_threads() -> None:
    history, end = made_history("growing", 5_600)
    alone, beside = (train(history, Job(end, 60), lambda _: None, threads) for threads in (1, 3))
    assert alone.bundle.as_dict() == beside.bundle.as_dict()
    assert alone.bundle.texts() == beside.bundle.texts()
    assert {target: choice.as_dict() for target, choice in alone.choices.items()} == {
        target: choice.as_dict() for target, choice in beside.choices.items()
    }


def test_trees_of_another_text_are_refused() -> None:
    history, end = made_history("growing", 400)
    bundle = train(history, Job(end, 60), lambda _: None).bundle
    stored = bundle.as_dict()
    stored["targets"]["churn"]["models"]["boosted"] = {"names": ["alive"], "sha256": "0" * 64}
    stored["targets"]["churn"]["models"]["glm"] = None
    with pytest.raises(InvalidInputError, match="churn"):
        Bundle.from_dict(stored, {"churn.lightgbm.txt": "tree"})


def test_features_do_not_move_when_the_future_changes() -> None:
    history, end = made_history("gifts", 300)
    cut = end - 120
    later = np.where(history.day >= cut, history.gross * 9 + 1, history.gross)
    changed = replace(history, gross=later)
    whole, past = purchase_features(changed, cut), purchase_features(history.before(cut), cut)
    assert np.array_equal(whole.customer, past.customer)
    for name, values in whole.columns.items():
        assert np.array_equal(values, past.columns[name], equal_nan=True), name


def test_features_equal_plain_sums_over_each_customers_orders() -> None:
    history, end = made_history("grocery", 40)
    features = purchase_features(history, end)
    for place, customer in enumerate(features.customer.tolist()):
        rows = history.customer == customer
        days, values = history.day[rows], history.gross[rows] / UNITS
        gaps = np.diff(days)
        expected = {
            "frequency": len(days), "recency_days": end - days[-1], "first_order_days": end - days[0],
            "order_day_value_mean": values.mean(), "order_day_value_max": values.max(), "monetary_gross": values.sum(),
            "orders_56d": (days >= end - 56).sum(), "spend_91d": values[days >= end - 91].sum(),
            "order_day_value_spread": values.std() if len(days) > 1 else np.nan,
            "order_day_gap_mean": gaps.mean() if len(gaps) else np.nan,
            "order_day_gap_spread": gaps.std() if len(gaps) > 1 else np.nan,
        }  # fmt: skip
        for name, value in expected.items():
            assert features[name][place] == pytest.approx(float(value), abs=1e-6, nan_ok=True), name


def test_the_catalogue_lists_exactly_what_is_made() -> None:
    made = purchase_features(history_of([1, 5, 9]), AS_OF)
    assert set(made.columns) == {feature.name for feature in PURCHASE_FEATURES}


def test_one_customers_features_are_the_same_alone_and_among_all() -> None:
    history, end = made_history("gifts", 200)
    everybody = purchase_features(history, end)
    for place in (0, 17, 150):
        alone = purchase_features(history.of(everybody.customer[[place]]), end)
        for name, values in alone.columns.items():
            assert np.array_equal(values, everybody.columns[name][[place]], equal_nan=True), name


def test_learning_code_is_not_loaded_with_the_worker() -> None:
    code = "import sys, api.worker; print([m for m in ('lightgbm', 'sklearn', 'matplotlib') if m in sys.modules])"
    env = {**os.environ, "REDIS_URL": "redis://127.0.0.1:1/0", "NEO4J_URI": "bolt://127.0.0.1:1"}
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, env=env, check=False)
    assert done.stdout.strip().endswith("[]"), done.stderr


def test_a_version_takes_over_only_when_it_gains_more_than_chance_and_loses_nowhere() -> None:
    rng = np.random.default_rng(3)
    old = [rng.gamma(2.0, 1.0, 400) for _ in range(3)]
    better, same, worse = ([one - moved + rng.normal(0, 0.3, 400) for one in old] for moved in (0.2, 0.0, -0.2))
    found = [compare_losses(one, old) for one in (better, same, worse)]
    assert [one["verdict"] for one in found] == ["better", "tie", "worse"]
    good, tie, bad = found
    assert good["gain"] == pytest.approx(0.1, abs=0.02)
    for gains, expected in (([good, tie], True), ([tie, tie], False), ([good, bad], False), ([bad, tie], False)):
        assert judge_gains("day one", dict(zip(("churn", "spend"), gains, strict=True))).is_better is expected


def gaps_of(gap: int, customers: int, orders: int) -> History:
    """Customers who all buy every `gap` days."""
    who = np.repeat(np.arange(customers), orders)
    days = np.tile(np.arange(orders) * gap, customers)
    ones = np.ones(len(who))
    return History(customers, who, days, ones, UNITS * ones, 0.0 * ones, ones)


@pytest.mark.parametrize(
    ("gap", "orders", "expected"),
    [(7, 30, 30), (45, 12, 60), (75, 12, 90), (110, 12, 120), (300, 6, 365), (300, 3, 180), (75, 3, 30)],
)
def test_the_horizon_is_as_long_as_customers_take_and_leaves_three_windows(
    gap: int, orders: int, expected: int
) -> None:
    assert horizon_of(gaps_of(gap, 100, orders)) == expected


def test_with_few_gaps_the_horizon_is_the_day_one_models() -> None:
    assert horizon_of(gaps_of(7, 3, 30)) == 90
    assert horizon_of(gaps_of(7, 500, 1)) == 90
