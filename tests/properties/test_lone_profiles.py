"""What is decided without reading the evidence, where nobody else is near, is what the evidence says."""

import random

import pytest

from cli.benchmarks.mix import make_samples, to_events
from core.brand import BrandSettings
from core.events import IncomingEvent
from core.identifiers import Identifier
from graph.commit import commit_batch
from graph.driver import Graph
from graph.invariants import broken_invariants
from resolver import working_set
from resolver.rules import RuleSet
from tests.factories import event
from tests.integration.graph_state import what_redrawing_changes

_STATE = """
MATCH (c:Customer {brand: $brand})
RETURN substring(c.id, $cut) AS id, substring(c.root_id, $cut) AS root,
  CASE WHEN c.root_id = c.id THEN [c.event_count, c.total_orders, c.ltv_minor, c.persona_count,
    c.merge_count, c.strength, c.identifier_count] END AS aggregate,
  [(c)-[h:HAS_IDENTIFIER]->(i) | [i.type, h.until IS NULL]] AS links,
  [(c)-[p:MERGED_INTO]->(s) | [substring(s.id, $cut), p.weak]] AS pointers,
  [(c)<-[j:JOINED]-(m:Merge) | [j.role, m.reason, m.is_weak, toString(m.tied_at), toString(m.occurred_at)]] AS records,
  [(c)-[:PERFORMED]->(e) | [substring(e.id, $cut), e.decision, e.rules]] AS performed
ORDER BY id
"""
_UNORDERED = {"links", "pointers", "records", "performed"}
_LINKED = {"a": "email", "b": "phone", "c": "loyalty_id", "d": "user_id"}


def _state(graph: Graph, brand: str) -> list[dict[str, object]]:
    with graph.session() as session:
        rows = session.run(_STATE, brand=brand, cut=len("cus_") + len(brand)).data()
    return [
        {name: sorted(map(str, value)) if name in _UNORDERED else value for name, value in row.items()} for row in rows
    ]


def _walkers(brand: str, rng: random.Random) -> list[IncomingEvent]:
    """People who show their identifiers one by one, with a cookie or a tablet beside them, in order of time."""
    events = []
    for number in range(rng.randint(6, 24)):
        who = rng.choice("xyz")
        kinds = rng.sample(sorted(_LINKED), rng.choice([0, 1, 1, 2]))
        strong = [f"{_LINKED[kind]}:{who}{kind}" for kind in kinds]
        own = f"cookie_id:{who}" if rng.random() < 0.9 else "cookie_id:" + rng.choice("xyz")
        weak = [own] if not strong or rng.random() < 0.7 else []
        weak += ["device_id:" + who] if rng.random() < 0.2 else []
        events.append(event(brand, *strong, *weak, key=f"{number:02}", minute=number))
    return events


def _without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Always from the evidence in the graph."""
    monkeypatch.setattr(working_set, "find_lone_tie", lambda *_: None)
    monkeypatch.setattr(working_set, "moves_no_tie", lambda *_: False)


@pytest.mark.parametrize("seed", range(40))
def test_a_tie_decided_at_once_is_the_tie_that_the_evidence_gives(
    graph: Graph, brand_id: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = []
    # Ids that are equally long and sort alike: the survivor rule ends with them.
    brands = [f"{brand_id}{letter}" for letter in "pq"]
    for brand in brands:
        rng = random.Random(seed)
        events = _walkers(brand, rng)
        size = rng.choice([1, 4, len(events)])
        found = []
        for start in range(0, len(events), size):
            found += commit_batch(graph, BrandSettings(brand), events[start : start + size])
        answers.append([(one.decision, (one.profile_id or "")[len(brand) + 4 :]) for one in found])
        assert broken_invariants(graph, brand) == []
        assert what_redrawing_changes(graph, BrandSettings(brand)) == []
        _without(monkeypatch)
    assert answers[0] == answers[1]
    assert _state(graph, brands[0]) == _state(graph, brands[1])


def test_most_events_of_a_common_day_need_no_evidence(
    graph: Graph, brand_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    settle = working_set.WorkingSet._note_unsettled

    def count(self: working_set.WorkingSet, *args: object, **kwargs: object) -> None:
        settle(self, *args, **kwargs)  # type: ignore[arg-type]
        drawn.append(self.must_settle)

    monkeypatch.setattr(working_set.WorkingSet, "_note_unsettled", count)
    settings = BrandSettings(brand_id)
    commit_batch(graph, settings, to_events(make_samples(400, 1), settings))
    assert sum(drawn) < len(drawn) / 100


def test_an_earlier_sign_in_is_decided_on_the_evidence(graph: Graph, brand_id: str) -> None:
    settings = BrandSettings(brand_id)
    commit_batch(graph, settings, [event(brand_id, "phone:+14155550101", "cookie_id:c", minute=10)])
    late = event(brand_id, "email:a@x.io", "cookie_id:c", minute=5)
    working = working_set.WorkingSet(RuleSet(), "USD")
    working.take(event(brand_id, "phone:+14155550101", "cookie_id:c", minute=10))
    working.take(late)
    assert working.unsettled is not None
    assert working.unsettled.weak == (Identifier("cookie_id", "c"),)
    [answer] = commit_batch(graph, settings, [late])
    assert answer.decision == "attached"
