"""Chains of evidence, their weakest link and what a cut leaves, without a graph."""

from insight.why_cluster import Cluster, evidence_graph
from insight.why_evidence import LINK, MERGE, Evidence, EvidenceGraph, event_evidence, weakest_of
from insight.why_not import review_rule, rule_detail

EMAIL, OTHER_EMAIL, PHONE, USER = "email:a@x.io", "email:b@x.io", "phone:+1", "user_id:u"
COOKIE, DEVICE, CARD = "cookie_id:c", "device_id:d", "card_last4:1234"


def seen(*nodes, at=1, trust="transaction", count=1):
    return event_evidence(f"evt_{at}", nodes, at, source="shop", trust=trust, count=count)


def graph_of(*evidence, current=None):
    nodes = {node for one in evidence for node in one.left | one.right} if current is None else current
    return EvidenceGraph(evidence, nodes)


def chain_of(graph, start, end):
    chain = graph.chain(start, end)
    assert chain is not None
    return chain


def weakest(graph, start, end):
    step = weakest_of(chain_of(graph, start, end))
    assert step is not None
    return step


def walk(chain):
    return [(step.start, step.end) for step in chain]


def test_the_chain_with_the_fewest_steps_is_taken():
    graph = graph_of(
        seen(EMAIL, COOKIE), seen(COOKIE, DEVICE), seen(DEVICE, PHONE), seen(EMAIL, USER), seen(USER, PHONE)
    )
    assert walk(chain_of(graph, EMAIL, PHONE)) == [(EMAIL, USER), (USER, PHONE)]


def test_of_chains_of_equal_length_the_stronger_is_taken():
    graph = graph_of(seen(EMAIL, COOKIE), seen(COOKIE, PHONE), seen(EMAIL, USER), seen(USER, PHONE))
    assert walk(chain_of(graph, EMAIL, PHONE)) == [(EMAIL, USER), (USER, PHONE)]


def test_supporting_identifiers_end_a_chain_and_never_carry_one():
    graph = graph_of(seen(EMAIL, CARD), seen(CARD, PHONE))
    assert graph.chain(EMAIL, PHONE) is None
    assert walk(chain_of(graph, EMAIL, CARD)) == [(EMAIL, CARD)]


def test_an_identifier_is_itself_without_a_step():
    assert graph_of(seen(EMAIL, PHONE)).chain(EMAIL, EMAIL) == []
    assert weakest_of([]) is None


def test_what_a_profile_held_once_serves_only_where_nothing_of_now_does():
    events = (seen(EMAIL, COOKIE), seen(COOKIE, PHONE))
    assert walk(chain_of(graph_of(*events, current={EMAIL, PHONE}), EMAIL, PHONE)) == [(EMAIL, COOKIE), (COOKIE, PHONE)]
    longer = (*events, seen(EMAIL, DEVICE), seen(DEVICE, USER), seen(USER, PHONE))
    assert len(chain_of(graph_of(*longer, current={EMAIL, PHONE, DEVICE, USER}), EMAIL, PHONE)) == 3


def test_derived_evidence_serves_only_where_nothing_else_is_left():
    merge = Evidence(MERGE, "mrg", frozenset({EMAIL}), frozenset({PHONE}), 5, "rules", is_derived=True)
    assert [step.evidence.via for step in chain_of(graph_of(merge), EMAIL, PHONE)] == [MERGE]
    around = chain_of(graph_of(merge, seen(EMAIL, USER), seen(USER, PHONE)), EMAIL, PHONE)
    assert [step.evidence.via for step in around] == ["event", "event"]


def test_a_step_shows_its_best_proven_then_earliest_event_and_counts_all():
    events = (
        seen(EMAIL, PHONE, at=1, trust="declared", count=4),
        seen(EMAIL, PHONE, USER, at=3, trust="verified"),
        seen(EMAIL, PHONE, COOKIE, at=2, trust="verified", count=2),
    )
    [step] = chain_of(graph_of(*events), EMAIL, PHONE)
    assert (step.evidence.id, step.evidence.trust, step.count) == ("evt_2", "verified", 7)


def test_the_weakest_link_goes_by_tier_then_trust_then_count():
    tier = graph_of(seen(EMAIL, COOKIE, trust="verified", count=9), seen(COOKIE, USER), seen(EMAIL, PHONE, count=1))
    assert COOKIE in {weakest(tier, PHONE, USER).start, weakest(tier, PHONE, USER).end}
    trust = graph_of(seen(EMAIL, PHONE, trust="declared", count=9), seen(PHONE, OTHER_EMAIL, trust="verified"))
    assert weakest(trust, EMAIL, OTHER_EMAIL).end == PHONE
    count = graph_of(seen(EMAIL, PHONE, count=9), seen(PHONE, OTHER_EMAIL, count=2))
    assert weakest(count, EMAIL, OTHER_EMAIL).end == OTHER_EMAIL


def test_a_decision_of_a_person_is_never_weaker_than_an_event_of_its_tier():
    merge = Evidence(MERGE, "mrg", frozenset({EMAIL}), frozenset({PHONE}), 5, "steward", anchors=(EMAIL, PHONE))
    graph = graph_of(merge, seen(PHONE, OTHER_EMAIL, trust="verified", count=50))
    assert weakest(graph, EMAIL, OTHER_EMAIL).evidence.via == "event"


def cut_of(graph, start, end):
    [step] = chain_of(graph, start, end)
    return graph.cut(step)


def test_a_cut_names_both_sides():
    graph = graph_of(seen(EMAIL, PHONE), seen(EMAIL, COOKIE), seen(PHONE, USER, CARD))
    cut = cut_of(graph, EMAIL, PHONE)
    assert (cut.holds, cut.sides, cut.loose) == (False, ([COOKIE, EMAIL], [CARD, PHONE, USER]), [])


def test_a_cut_that_other_evidence_bridges_holds():
    cut = cut_of(graph_of(seen(EMAIL, PHONE), seen(EMAIL, USER), seen(USER, PHONE)), EMAIL, PHONE)
    assert (cut.holds, cut.sides) == (True, ([EMAIL, PHONE, USER], []))


def test_a_cut_takes_whole_events_away_and_names_what_only_they_tied():
    cut = cut_of(graph_of(seen(EMAIL, PHONE, COOKIE)), EMAIL, PHONE)
    assert (cut.sides, cut.loose) == (([EMAIL], [PHONE]), [COOKIE])


def test_weak_evidence_does_not_hold_together_what_contradicts():
    weak = (seen(EMAIL, COOKIE, at=2), seen(OTHER_EMAIL, COOKIE, at=3))
    cut = cut_of(graph_of(seen(EMAIL, OTHER_EMAIL), *weak), EMAIL, OTHER_EMAIL)
    assert (cut.holds, cut.sides) == (False, ([EMAIL], [COOKIE, OTHER_EMAIL]))
    assert cut_of(graph_of(seen(EMAIL, PHONE), seen(EMAIL, COOKIE), seen(PHONE, COOKIE)), EMAIL, PHONE).holds


def test_a_merge_by_hand_does_not_tie_what_an_event_within_one_side_tied():
    merge = Evidence(MERGE, "mrg", frozenset({EMAIL, PHONE}), frozenset({USER}), 5, "steward", anchors=(EMAIL, USER))
    cut = cut_of(graph_of(seen(EMAIL, PHONE), merge), EMAIL, PHONE)
    assert (cut.holds, cut.sides) == (False, ([EMAIL, USER], [PHONE]))


def row(persona, node, *, since=1, until=None, source="shop"):
    return {"persona_id": persona, "node": node, "key": f"b|{node}", "tier": 1, "since": since, "until": until,
            "trust": "transaction", "source": source, "event_id": "evt_1", "events": 1}  # fmt: skip


def test_a_link_by_hand_ties_its_identifier_to_the_persona():
    cluster = Cluster("p", ["p"], [row("p", EMAIL), row("p", PHONE, since=2, source="by_hand")])
    [step] = chain_of(evidence_graph(cluster), EMAIL, PHONE)
    assert (step.evidence.via, step.evidence.source, step.evidence.id) == (LINK, "by_hand", f"p>HAS_IDENTIFIER>{PHONE}")
    assert evidence_graph(cluster).cut(step).sides == ([EMAIL], [PHONE])


def test_where_events_are_gone_the_links_and_merges_they_made_remain():
    pointer = {"from_id": "q", "to_id": "p", "merge_id": "mrg", "at": 7, "decided_by": "rules", "event_id": None}
    links = [row("p", EMAIL), row("p", USER), row("q", PHONE)]
    chain = chain_of(evidence_graph(Cluster("p", ["p", "q"], links, [pointer])), USER, PHONE)
    assert [step.evidence.via for step in chain] == [MERGE]
    [step] = chain_of(evidence_graph(Cluster("p", ["p"], links[:2])), EMAIL, USER)
    assert step.evidence.via == LINK


def test_a_persona_that_lost_its_identifiers_is_reached_through_those_it_absorbed():
    pointers = [
        {"from_id": low, "to_id": top, "merge_id": low + top, "at": 7, "decided_by": "steward", "event_id": None}
        for low, top in (("q", "empty"), ("empty", "p"))
    ]
    cluster = Cluster("p", ["p", "empty", "q"], [row("p", EMAIL), row("q", PHONE)], pointers)
    chain = chain_of(evidence_graph(cluster), EMAIL, PHONE)
    assert [step.evidence.id for step in chain] == ["emptyp"]


def test_the_holder_of_an_identifier_is_who_holds_it_now():
    cluster = Cluster("p", ["p", "q"], [row("p", COOKIE, until=5), row("q", COOKIE)])
    assert (cluster.holder(COOKIE), cluster.holder("p"), cluster.holder(EMAIL)) == ("q", "p", None)
    assert cluster.current == {COOKIE}


def test_a_review_is_named_by_the_rule_that_made_it():
    assert review_rule(["weak_only", "unique_id"]) == "unique_id"
    assert review_rule(["drift", "threshold"]) == "threshold"
    assert review_rule([]) == "threshold"
    assert review_rule([], has_events=False) == "suggestion"


def test_the_detail_of_a_rule_is_the_sentence_of_its_warning():
    assert rule_detail("drift", ["identifiers.email: a junk value", "drift: too many at once"]) == "too many at once"
    assert rule_detail("threshold", []).startswith("An event touched more profiles")
