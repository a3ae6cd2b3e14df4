"""Profiles like others as a pure function, beside an oracle in plain Python; where RFM scores begin."""

import math
from statistics import fmean, pstdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.audiences.lookalike import COLUMNS, compare
from ml.audiences.rfm import scale_in_words
from ml.features.purchases import purchase_features
from ml.models.segments import RfmScale, fit_scale
from ml.orders.history import UNITS, History

WIDTH = len(COLUMNS)
UNKNOWN = float("nan")


def oracle(seeds: list[list[float]], candidates: list[list[float]]) -> list[float]:
    """Similarity of each candidate, by the words of the documentation."""

    def spread_out(row: list[float]) -> list[float]:
        return [v if c.is_share else math.log1p(max(v, 0.0)) for v, c in zip(row, COLUMNS, strict=True)]

    shown = [spread_out(row) for row in candidates]
    scale = []
    for column in zip(*shown, strict=True):
        known = [value for value in column if not math.isnan(value)]
        spread = pstdev(known) if known else 0.0
        scale.append((fmean(known) if known else 0.0, spread if spread >= 1e-9 else 1.0))

    def standard(row: list[float]) -> list[float]:
        return [0.0 if math.isnan(v) else (v - mean) / sd for v, (mean, sd) in zip(row, scale, strict=True)]

    given_ = [standard(spread_out(row)) for row in seeds]
    found = []
    for row in map(standard, shown):
        distances = sorted(math.sqrt(fmean((a - b) ** 2 for a, b in zip(row, one, strict=True))) for one in given_)
        found.append(1 / (1 + fmean(distances[:3])))
    return found


value = st.one_of(st.floats(0, 5_000), st.just(UNKNOWN))
rows = st.lists(st.lists(value, min_size=WIDTH, max_size=WIDTH), min_size=1, max_size=12)


@given(rows, rows, st.integers(1, 12), st.floats(0, 1))
def test_ranking_is_that_of_the_oracle(seeds: list, candidates: list, most: int, least: float) -> None:
    expected = oracle(seeds, candidates)
    found = compare(np.array(seeds), np.array(candidates), most, least)
    assert found.similarity == sorted(found.similarity, reverse=True)
    assert found.similarity == pytest.approx([expected[row] for row in found.rows], abs=2e-4)
    assert len(found.rows) == len(set(found.rows)) <= most
    enough = sorted((value for value in expected if value >= least + 2e-4), reverse=True)[:most]
    assert len(found.rows) >= len(enough)
    assert found.similarity[: len(enough)] == pytest.approx(enough, abs=2e-4)


def test_a_copy_of_a_seed_comes_first_and_another_kind_last() -> None:
    seed = [3.0, 9, 90_000, 10_000, 30, 300, 0, 1, 40]
    other = [300.0, 1, 900, 900, UNKNOWN, 300, 0, 0, 2]
    found = compare(np.array([seed]), np.array([other, seed, [4.0, *seed[1:]]]), 10, 0.0)
    assert found.rows == [1, 2, 0]
    assert found.similarity[0] == 1.0


def test_scores_say_where_they_begin() -> None:
    assert scale_in_words(RfmScale())["by"] == "steps"
    count = 1_000
    ones = np.ones(count)
    money = (np.arange(count) * UNITS).astype(np.float64)
    history = History(count, np.arange(count), np.arange(count), ones, money, np.zeros(count), ones)
    features = purchase_features(history, count)
    scale = fit_scale(features)
    words, scores = scale_in_words(scale), scale.scores(features)
    assert words["by"] == "quintiles"
    for place, edge in enumerate(words["recency_days"]):
        inside = features["recency_days"] < edge - 6
        assert scores.recency[inside].min() >= 5 - place
    for place, edge in enumerate(words["money"]):
        assert scores.money[features["monetary"] < edge - 6].max() <= place + 1
