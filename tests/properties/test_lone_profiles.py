"""What is decided without reading the evidence, where nobody else is near, is what the evidence says."""

import random

import pytest

from cli.benchmarks.mix import make_samples, to_events
from core.brand import BrandSettings
from core.events import IncomingEvent
from core.identifiers import Identifier
from core.rules import IdentityRules
from graph.commit import commit_batch
from graph.driver import Graph
from graph.invariants import broken_invariants
from ingest.stewardship.linking import link_by_hand, unlink_by_hand
from resolver import lone_ties, working_set
from resolver.rules import RuleSet
from tests.factories import event
from tests.integration.graph_state import by_identifier, live_profiles, what_redrawing_changes

_STATE = """
MATCH (c:Customer {brand: $brand})
RETURN substring(c.id, $cut) AS id, substring(c.root_id, $cut) AS root,
  CASE WHEN c.root_id = c.id THEN [c.event_count, c.total_orders, c.ltv_minor, c.persona_count,
    c.merge_count, c.strength, c.identifier_count] END AS aggregate,
  [(c)-[h:HAS_IDENTIFIER]->(i) | [i.type, h.until IS NULL]] AS links,
  [(c)-[p:MERGED_INTO]->(s) | [substring(s.id, $cut), p.weak]] AS pointers,
  [(c)<-[j:JOINED]-(m:Merge) | [j.role, m.reason, m.is_weak, toString(m.occurred_at)]] AS records,
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
    """People who show their identifiers one by one, with a cookie or a tablet beside them, mostly in order of time."""
    events = []
    jitter = rng.choice([0, 0, 2])
    for number in range(rng.randint(6, 24)):
        who = rng.choice("xyz")
        kinds = rng.sample(sorted(_LINKED), rng.choice([0, 1, 1, 2]))
        strong = [f"{_LINKED[kind]}:{who}{kind}" for kind in kinds]
        own = f"cookie_id:{who}" if rng.random() < 0.9 else "cookie_id:" + rng.choice("xyz")
        weak = [own] if not strong or rng.random() < 0.7 else []
        weak += ["device_id:" + who] if rng.random() < 0.2 else []
        events.append(event(brand, *strong, *weak, key=f"{number:02}", minute=number - rng.randint(0, jitter)))
    return events


def _without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Always from the evidence in the graph."""
    monkeypatch.setattr(working_set, "find_lone_tie", lambda *_: None)
    monkeypatch.setattr(working_set, "moves_no_tie", lambda *_: False)
    monkeypatch.setattr(lone_ties.Told, "may_change_what_was_decided", lone_ties.Told.is_late)


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


def test_late_events_of_one_request_need_no_evidence(brand_id: str) -> None:
    """All events of a request without times of their own have the moment at which it came."""
    working = working_set.WorkingSet(RuleSet(), "USD")
    for number, names in enumerate(["cookie_id:c", "email:a@x.io cookie_id:c", *["email:a@x.io cookie_id:c"] * 5]):
        working.take(event(brand_id, *names.split(), key=f"{number}", minute=min(number, 2)))
        assert working.unsettled is None


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


# Steps: (minute, identifiers) is an event; ("unlink" or "link", whose identifier, which) a decision of a person.
Step = tuple[int, str] | tuple[str, str, str]
STORIES: dict[str, tuple[IdentityRules, list[Step]]] = {
    "who gets what a person took from another": (
        IdentityRules(),
        [(10, "email:a device_id:d"), (12, "phone:1 device_id:d"), ("unlink", "email:a", "device_id:d"),
         (15, "loyalty_id:L device_id:d"), (20, "user_id:U device_id:d")],
    ),
    "a late sign-in with what a person took": (
        IdentityRules(),
        [(10, "email:a device_id:d"), ("unlink", "email:a", "device_id:d"), (5, "email:b device_id:d"),
         (20, "phone:1 device_id:d")],
    ),
    "what a person took comes beside something new": (
        IdentityRules(),
        [(10, "email:a device_id:d"), ("unlink", "email:a", "device_id:d"), (15, "loyalty_id:L cookie_id:k"),
         (16, "user_id:U cookie_id:k"), (20, "user_id:U external_id:w device_id:d")],
    ),
    "a late sighting makes a crowd where two ask a person": (
        IdentityRules(merge_threshold=2),
        [(10, "email:a cookie_id:c1"), (20, "phone:1 cookie_id:c1 cookie_id:c2"), (30, "loyalty_id:L cookie_id:c2"),
         (15, "loyalty_id:L user_id:U cookie_id:c2")],
    ),
    "late sightings make a crowd one after the other": (
        IdentityRules(),
        [(10, "email:a cookie_id:c1"), (20, "phone:1 cookie_id:c1 cookie_id:c2 cookie_id:c3"),
         (30, "loyalty_id:L cookie_id:c2"), (40, "user_id:U cookie_id:c3"), (15, "loyalty_id:L cookie_id:c2"),
         (16, "user_id:U external_id:w cookie_id:c3")],
    ),
    "a late sign-in meets what was nobody's then": (
        IdentityRules(),
        [(0, "email:a cookie_id:c1"), (1, "phone:1 cookie_id:c1"), (3, "cookie_id:a cookie_id:x1"),
         (4, "cookie_id:b cookie_id:x2"), (5, "cookie_id:e cookie_id:x3"), (7, "cookie_id:a cookie_id:b"),
         (8, "cookie_id:b cookie_id:e"), (9, "cookie_id:x3"), (6, "email:a cookie_id:a cookie_id:b cookie_id:e")],
    ),
    "somebody carried what is over his limit": (
        IdentityRules(type_limits={**IdentityRules().type_limits, "cookie_id": 1}),
        [(1, "email:y cookie_id:own"), (10, "email:y cookie_id:z"), (15, "email:p cookie_id:z"),
         (20, "phone:1 cookie_id:z")],
    ),
    "a person's link and what is told of later": (
        IdentityRules(),
        [(1, "email:p cookie_id:k"), ("link", "email:p", "device_id:d"), (5, "phone:1 cookie_id:k"),
         (20, "loyalty_id:L device_id:d")],
    ),
}  # fmt: skip


def _tell(graph: Graph, settings: BrandSettings, steps: list[Step]) -> None:
    for number, step in enumerate(steps):
        if isinstance(step[0], int):
            names = step[1].split()
            commit_batch(graph, settings, [event(settings.id, *names, key=f"{number:02}", minute=step[0])])
            continue
        command = link_by_hand if step[0] == "link" else unlink_by_hand
        whose = by_identifier(graph, settings.id, step[1]).id
        kind, _, value = step[2].partition(":")
        command(graph, settings, whose, Identifier(kind, value), by="steward")


@pytest.mark.parametrize("name", STORIES)
def test_a_story_ends_the_same_with_and_without_the_shortcut(
    graph: Graph, brand_id: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules, steps = STORIES[name]
    ends = []
    for letter in "pq":
        settings = BrandSettings(f"{brand_id}{letter}", rules=rules)
        _tell(graph, settings, steps)
        assert broken_invariants(graph, settings.id) == []
        assert what_redrawing_changes(graph, settings) == []
        ends.append({(live.identifiers, live.performed) for live in live_profiles(graph, settings.id)})
        _without(monkeypatch)
    assert ends[0] == ends[1]
