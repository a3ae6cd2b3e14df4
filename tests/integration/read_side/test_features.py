"""Features of changed profiles on the real graph: computed, attached, cleaned up, read back."""

from datetime import timedelta

import pytest

from core.errors import NotFoundError
from graph.repositories import predictions
from graph.repositories.outbox import read_marks
from insight.intent_lists import refresh_intents
from ml.features.store import get_features
from ml.runs.gather import customer_pages
from ml.serving.active import ActiveModels
from ml.serving.store import refresh_profiles
from ml.tasks import work_off_marks
from tests.integration.read_side.conftest import START

NOW = START + timedelta(days=7)
# No relay looks for this kind: a worker that runs beside the tests leaves these marks alone.
KIND = "test"
APPAREL = '[{"category": "Apparel"}]'


@pytest.fixture
def models(tmp_path):
    return ActiveModels(tmp_path)


def compute(small, models, ids, at):
    return refresh_profiles(small.graph, models, small.brand.id, ids, at).failed


def feature_sets(small):
    """Ids of the profiles of this brand that have a feature set attached."""
    query = (
        "MATCH (c:Customer)-[:HAS_FEATURES]->(f:FeatureSet) WHERE c.brand = $brand AND f.id = c.id RETURN c.id AS id"
    )
    with small.graph.session() as session:
        return sorted(record["id"] for record in session.run(query, brand=small.brand.id))


def test_features_are_attached_to_the_live_profile(small, models):
    a = small.customer("a", persona_count=2, version=3, strength=75, identifier_types=["email", "phone"], merge_count=1)
    b = small.customer("b", root="a")
    order = small.order("o1", "a", 8999, lines=APPAREL)
    small.order("o2", "b", 12550, minutes=1440, lines='[{"category": "Footwear"}]')
    small.event("e1", "a", type="purchase", order_key=order)
    small.event("e2", "b", type="whatsapp_message", channel="whatsapp", minutes=1440)
    small.save()
    assert compute(small, models, [b], NOW) == set()
    answer = get_features(small.graph, small.brand.id, b)
    assert (answer["profile_id"], answer["answered_for"], answer["is_current"]) == (a, b, True)
    assert answer["as_of"] == "2026-11-08T12:00:00Z"
    found = answer["features"]
    assert (found["frequency"], found["monetary"]) == (2, "215.49")
    assert found["category_affinity"] == {"Apparel": 1, "Footwear": 1}
    assert found["channel_shares"] == {"website": 0.5, "whatsapp": 0.5}
    assert (found["recency_days"], found["tenure_days"], found["order_day_gap_mean"]) == (6.0, 7.0, 1.0)
    assert (found["strength"], found["cluster_size"], found["merges"]) == (75, 2, 1)
    assert found["identifier_types"] == ["email", "phone"]
    assert feature_sets(small) == [a]


def test_feature_set_of_an_absorbed_profile_goes(small, models):
    a, b = small.customer("a"), small.customer("b")
    small.save()
    compute(small, models, [a, b], NOW)
    assert feature_sets(small) == [a, b]
    with small.graph.session() as session:
        session.run("MATCH (b:Customer {id: $b}) SET b.root_id = $a", a=a, b=b).consume()
        session.run("MATCH (a:Customer {id: $a}) SET a.persona_count = 2, a.version = 2", a=a).consume()
    compute(small, models, [b], NOW)
    assert feature_sets(small) == [a]


VISITED: dict[str, tuple[dict[str, list[int]], int, float | None]] = {
    "never in a store": ({}, 0, None),
    "twice a day and once on another": ({"a": [-30, -60, -1500]}, 2, 0.0208),
    "merged: one day by both, another by the absorbed alone": ({"a": [-30], "b": [-60, -3000]}, 2, 0.0208),
    "merged: only the absorbed": ({"b": [-1440]}, 1, 1.0),
    "of another profile": ({"c": [-30]}, 0, None),
    "at the moment and later": ({"a": [0, 30], "b": [1440, -2880]}, 1, 2.0),
    "before the ninety days": ({"a": [-90 * 1440 - 1]}, 0, 90.0007),
}
"""Minutes from the moment to each sign of presence, by persona; days with one, days since the last."""


@pytest.mark.parametrize("case", VISITED)
def test_days_in_stores_are_those_of_all_personas(small, models, case):
    by_persona, days, last = VISITED[case]
    a = small.customer("a", persona_count=2)
    small.customer("b", root="a")
    small.customer("c")
    small.event("e", "a")
    for persona, minutes in by_persona.items():
        for number, minute in enumerate(minutes):
            seen_in(small, f"{persona}{number}", persona, NOW + timedelta(minutes=minute))
    small.save()
    assert told(small, models, a) == (days, last)


def test_only_the_newest_signs_before_the_moment_are_looked_at(small, models, monkeypatch):
    monkeypatch.setattr(predictions, "NEWEST_SIGNS", 3)
    a = small.customer("a")
    for number in range(5):
        seen_in(small, f"past{number}", "a", NOW - timedelta(days=number + 1))
        seen_in(small, f"later{number}", "a", NOW + timedelta(days=number))
    small.save()
    assert told(small, models, a) == (3, 1.0)


def test_signs_of_presence_are_read_for_all_profiles_of_a_page(small):
    for short in ("a", "b"):
        small.customer(short)
    seen_in(small, "e", "b", NOW - timedelta(days=3))
    small.save()
    pages = [list(customer_pages(small.graph, small.brand.id, before)) for before in (NOW, None)]
    assert [[row.seen for row in page] for [page] in pages] == [
        [[], [(NOW - timedelta(days=3)).timestamp() * 1_000]],
        [[], []],
    ]


def seen_in(small, short, persona, at):
    """A sign of presence in a store."""
    small.event(short, persona, type="store_visit", occurred_at=at, visit_at=at, visit='["S1","",null,"wifi",false]')


def told(small, models, profile):
    compute(small, models, [profile], NOW)
    found = get_features(small.graph, small.brand.id, profile)["features"]
    return found["store_visit_days"], found["last_store_visit_days"]


def test_an_older_version_never_replaces_a_newer_one(small, models):
    a = small.customer("a", version=9)
    small.save()
    compute(small, models, [a], NOW)
    with small.graph.session() as session:
        session.run("MATCH (a:Customer {id: $a}) SET a.version = 8", a=a).consume()
    compute(small, models, [a], NOW + timedelta(days=1))
    assert get_features(small.graph, small.brand.id, a)["as_of"] == "2026-11-08T12:00:00Z"


def test_profile_without_features_yet_says_so(small):
    a = small.customer("a")
    small.save()
    answer = get_features(small.graph, small.brand.id, a)
    assert (answer["features"], answer["is_current"]) == (None, False)
    with pytest.raises(NotFoundError):
        get_features(small.graph, "otherbrand", a)


def test_mark_goes_only_when_its_features_are_stored(small):
    good, bad = small.customer("good"), small.customer("bad")
    small.order("o", "bad", 1, placed_at="not a time")
    marks = [small.mark("m1", KIND, "good"), small.mark("m2", KIND, "good", "bad")]
    small.save()
    work_off_marks(small.graph, marks, lambda: NOW)
    assert [mark.mark_id for mark in read_marks(small.graph, marks)] == [small.name("m2")]
    assert feature_sets(small) == [good]
    assert bad not in feature_sets(small)


def test_working_off_twice_is_harmless(small):
    small.customer("a")
    mark = small.mark("m1", KIND, "a")
    small.save()
    for _ in range(2):
        work_off_marks(small.graph, [mark], lambda: NOW)
    assert read_marks(small.graph, [mark]) == []


def test_an_order_that_cannot_be_read_keeps_nobody_else_from_their_intents(small):
    bad, good = small.customer("bad"), small.customer("good")
    small.order("o", "bad", 1, placed_at="not a time")
    small.order("p", "good", 1)
    small.save()
    refresh_intents(small.graph, small.brand.id, [bad, good], NOW)
    with small.graph.session() as session:
        rows = session.run(
            "MATCH (c:Customer) WHERE c.brand = $b AND c.stage IS NOT NULL RETURN c.id", b=small.brand.id
        )
        assert good in rows.value()
