"""Predictions of changed profiles on the real graph: made, attached, shown in the 360, taken away, never set back."""

from datetime import timedelta
from pathlib import Path

import pytest

from graph.repositories.outbox import read_marks
from insight.predictions import churn_band
from insight.profile360 import etag, get_profile360
from ml.serving.active import ActiveModels
from ml.serving.store import refresh_profiles
from ml.tasks import work_off_marks
from tests.integration.read_side.conftest import START

NOW = START + timedelta(days=100)
KIND = "test"
DAY = 24 * 60


@pytest.fixture
def models(tmp_path: Path) -> ActiveModels:
    return ActiveModels(tmp_path)


def place(small, persona: str, *days_ago: int, **more) -> None:
    for number, ago in enumerate(days_ago):
        small.order(f"{persona}-{number}", persona, 5000, minutes=(100 - ago) * DAY, **more)


def predict(small, models, *ids, at=NOW):
    return refresh_profiles(small.graph, models, small.brand.id, ids, at)


def stored(small):
    query = """MATCH (c:Customer)-[:HAS_PREDICTION]->(p:Prediction)-[:BY_MODEL]->(m:ModelVersion)
    WHERE c.brand = $brand RETURN c.id AS id, m.version AS model, c.segment AS segment, c.churn_probability AS churn"""
    with small.graph.session() as session:
        return {row["id"]: row.data() for row in session.run(query, brand=small.brand.id)}


@pytest.mark.parametrize(
    ("days_ago", "churn", "segments"),
    [
        ((1, 9), 0.15, {"loyal", "champion", "potential"}),
        ((1, 2, 4, 5, 7), 0.08, {"champion"}),
        ((45, 60, 90), 0.75, {"at_risk"}),
        ((0, 45, 60, 90), 0.25, {"loyal"}),
    ],
)
def test_reference_customers_come_out_as_documented(small, models, days_ago, churn, segments) -> None:
    a = small.customer("a")
    place(small, "a", *days_ago)
    small.save()
    at = NOW + timedelta(minutes=1)
    found = predict(small, models, a, at=at).sections[a]
    assert found["churn"]["probability"] == pytest.approx(churn, abs=0.05)
    assert found["segment"]["name"] in segments
    assert found["churn"]["band"] == churn_band(found["churn"]["probability"])
    assert (found["churn"]["model_version"], found["churn"]["confidence"]) == ("day-one-1", "low")
    assert found["churn"]["reasons"]
    assert float(found["ltv"]["low"]) <= float(found["ltv"]["expected"]) <= float(found["ltv"]["high"])


@pytest.mark.parametrize(
    ("probability", "band"), [(0.0, "low"), (0.2999, "low"), (0.3, "medium"), (0.6999, "medium"), (0.7, "high")]
)
def test_bands_begin_at_their_lower_end(probability, band) -> None:
    assert churn_band(probability) == band


def test_the_360_shows_the_prediction_with_its_age_and_the_card_its_headline(small, models) -> None:
    a = small.customer("a", version=3)
    place(small, "a", 45, 60, 90, lines='[{"product_id": "TSH-1", "category": "Apparel"}]')
    small.save()
    before = get_profile360(small.graph, small.brand.id, a)
    assert before["predictions"] is None
    predict(small, models, a)
    whole = get_profile360(small.graph, small.brand.id, a, clock=lambda: NOW + timedelta(seconds=90))
    found = whole["predictions"]
    assert set(found) == {"churn", "ltv", "segment", "recommendations", "age_seconds", "is_current"}
    assert (found["age_seconds"], found["is_current"]) == (90, True)
    assert found["churn"]["at"] == "2027-02-09T12:00:00Z"
    assert found["ltv"]["horizon_days"] == 90
    [product] = found["recommendations"]
    assert (product["product_id"], product["reason"]) == ("TSH-1", "bought 3 times, last 45 days ago")
    assert whole["overview"]["segment"] == "at_risk"
    assert stored(small)[a] == {
        "id": a, "model": "day-one-1", "segment": "at_risk", "churn": found["churn"]["probability"],
    }  # fmt: skip
    assert etag(before) != etag(whole)


def test_absorbed_profiles_and_profiles_without_an_order_have_no_prediction(small, models) -> None:
    a, b, c = small.customer("a"), small.customer("b"), small.customer("c")
    place(small, "a", 3)
    place(small, "b", 5)
    small.save()
    assert predict(small, models, a, b, c).sections[c] is None
    assert set(stored(small)) == {a, b}
    with small.graph.session() as session:
        session.run("MATCH (b:Customer {id: $b}) SET b.root_id = $a", a=a, b=b).consume()
        session.run("MATCH (a:Customer {id: $a}) SET a.persona_count = 2, a.version = 2", a=a).consume()
    found = predict(small, models, b).sections
    assert list(found) == [a]
    assert set(stored(small)) == {a}
    with small.graph.session() as session:
        session.run("MATCH (:Customer {root_id: $a})-[:PLACED]->(o) SET o.counts = false", a=a).consume()
    assert predict(small, models, a).sections == {a: None}
    assert stored(small) == {}
    assert get_profile360(small.graph, small.brand.id, a)["overview"]["segment"] is None


def test_a_newer_prediction_is_never_set_back(small, models) -> None:
    a = small.customer("a", version=2)
    place(small, "a", 3, 30)
    small.save()
    newest = predict(small, models, a).sections[a]["churn"]["probability"]
    predict(small, models, a, at=NOW - timedelta(hours=60))
    assert stored(small)[a]["churn"] == newest


def test_orders_after_the_moment_have_no_influence(small, models) -> None:
    a = small.customer("a")
    place(small, "a", 20, 50)
    small.save()
    early = predict(small, models, a, at=NOW - timedelta(days=10)).sections[a]
    small.rows.clear()
    small.order("late", "a", 99900, minutes=95 * DAY)
    small.save()
    again = predict(small, models, a, at=NOW - timedelta(days=10)).sections[a]
    assert {**early, "recommendations": 0} == {**again, "recommendations": 0}


def test_money_of_other_currencies_is_left_out_and_orders_of_them_count(small, models) -> None:
    a, b = small.customer("a"), small.customer("b")
    place(small, "a", 3, 30)
    place(small, "b", 3)
    small.order("foreign", "b", 10**9, minutes=70 * DAY, currency="JPY")
    small.save()
    found = predict(small, models, a, b).sections
    assert found[a]["churn"]["probability"] == found[b]["churn"]["probability"]
    assert float(found[b]["ltv"]["expected"]) < float(found[a]["ltv"]["expected"])


def test_a_mark_goes_only_when_the_prediction_is_stored(small) -> None:
    a = small.customer("a")
    place(small, "a", 3)
    mark = small.mark("m1", KIND, "a")
    small.save()
    work_off_marks(small.graph, [mark], lambda: NOW)
    assert read_marks(small.graph, [mark]) == []
    assert set(stored(small)) == {a}


def test_a_customer_that_cannot_be_read_keeps_its_mark_and_nobody_elses(small) -> None:
    bad, good = small.customer("a"), small.customer("b")
    small.order("o", "a", 1, placed_at="not a time")
    place(small, "b", 3)
    with_bad, with_good = small.mark("m1", KIND, "a"), small.mark("m2", KIND, "b")
    small.save()
    work_off_marks(small.graph, [with_bad, with_good], lambda: NOW)
    assert [mark.mark_id for mark in read_marks(small.graph, [with_bad, with_good])] == [with_bad]
    assert set(stored(small)) == {good}
    assert bad not in stored(small)
