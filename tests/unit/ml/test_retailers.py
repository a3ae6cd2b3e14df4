"""Retailers of different kinds: what is chosen by backtests holds up in the time after, against the textbook model."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from ml.metrics import amount_metrics, churn_metrics
from ml.models.intervals import coverage
from ml.models.snapshots import SnapshotMaker
from ml.models.targets import Target, base_score, to_value
from ml.orders.read import day_number, day_of, open_orders
from ml.training import Job, train
from tests.retailers import make_rows, small, write_file

CASES = {
    "gifts": (date(2024, 3, 1), 90),
    "grocery": (date(2024, 2, 1), 30),
    "fashion": (date(2024, 1, 1), 90),
    "growing": (date(2024, 3, 1), 60),
    "declining": (date(2024, 3, 1), 60),
    "heavy_tail": (date(2024, 1, 1), 90),
}


@pytest.fixture(scope="module", params=CASES)
def judged(request, tmp_path_factory):
    """Foretold, the textbook's, and what came, of one kind of retailer."""
    cutoff, horizon = CASES[request.param]
    file = write_file(
        Path(tmp_path_factory.mktemp("retailer")) / "orders.csv",
        make_rows(small(request.param, customers=350 if request.param == "grocery" else 900), seed=11),
    )
    end = day_number(cutoff)
    with open_orders(file, day_of(end + horizon)) as book:
        history = book.history
    past = history.before(end)
    buyers = np.unique(past.customer[past.orders > 0])
    training = train(past.of(buyers), Job(end, horizon), lambda _: None)
    truth = SnapshotMaker(history).make(end, horizon)
    return training.bundle.predict(truth.known.features, horizon), truth


def test_churn_is_no_worse_than_bg_nbd(judged) -> None:
    said, truth = judged
    ours = churn_metrics(said.foretold.silence, truth.silent)
    textbook = churn_metrics(to_value(Target.CHURN, base_score(Target.CHURN, truth)), truth.silent)
    assert ours["roc_auc"] >= textbook["roc_auc"] - 0.01
    assert ours["brier"] <= textbook["brier"] + 0.004
    assert ours["ece"] <= max(0.10, textbook["ece"])


def test_spend_is_ranked_as_well_as_by_gamma_gamma_and_its_level_is_not_lost(judged) -> None:
    said, truth = judged
    ours = amount_metrics(said.foretold.spend, truth.spend)
    textbook = amount_metrics(to_value(Target.SPEND, base_score(Target.SPEND, truth)), truth.spend)
    assert ours["gini"] >= textbook["gini"] - 0.02
    assert abs(ours["bias"]) <= abs(textbook["bias"]) + 0.10


def test_about_one_in_ten_spends_more_than_the_upper_end(judged) -> None:
    said, truth = judged
    found = coverage(said.low, said.high, truth.spend)
    assert 0.03 <= found.above <= 0.17
    assert found.below <= 0.10
