"""Generated histories repeat by their seed, and the score counts pairs of identifiers."""

from datetime import UTC, datetime

from cli.generator.score import score, true_identities
from core.brand import BrandSettings
from ingest.generator import HistoryPlan, make_histories
from ingest.steps.normalise import to_incoming
from ingest.steps.validate import parse_event

UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
BRAND = BrandSettings("b")


def test_the_same_seed_gives_the_same_events_and_another_seed_others() -> None:
    plan = HistoryPlan(UNTIL, orders=60)
    assert make_histories(plan) == make_histories(plan)
    assert make_histories(plan) != make_histories(HistoryPlan(UNTIL, orders=60, seed=1))


def test_every_order_is_one_sale_and_lies_within_the_days() -> None:
    events = make_histories(HistoryPlan(UNTIL, orders=80, days=30))
    sales = [event for event in events if event.body["type"] in {"purchase", "pos_transaction"}]
    assert len({event.body["payload"]["order_id"] for event in sales}) == len(sales) == 80
    assert all(0 <= (UNTIL - event.at).days <= 30 for event in sales)


def test_every_event_is_taken_by_the_pipeline_with_the_identifiers_it_claims() -> None:
    for event in make_histories(HistoryPlan(UNTIL, orders=60)):
        incoming = to_incoming(parse_event(event.body, BRAND, UNTIL), BRAND, UNTIL)
        assert incoming.warnings == ()
        [held] = true_identities([event], BRAND).values()
        assert held == {(found.type, found.value) for found in incoming.identifiers}


def test_shared_devices_appear_only_when_asked_for() -> None:
    def owners(rate: float) -> int:
        people = true_identities(make_histories(HistoryPlan(UNTIL, orders=300, shared_device_rate=rate)), BRAND)
        held = [name for names in people.values() for name in names]
        return len(held) - len(set(held))

    assert owners(0.0) == 0
    assert owners(0.3) > 0


def test_score_counts_right_wrong_and_missed_pairs() -> None:
    a, b, c, d = ("email", "a"), ("phone", "b"), ("email", "c"), ("cookie_id", "d")
    profiles = [{"identifiers": {"email": ["a", "c"], "phone": ["b"]}}, {"identifiers": {"cookie_id": ["d"]}}]
    found = score({1: {a, b, d}, 2: {c}}, profiles)
    assert (found.true_pairs, found.found_pairs, found.right_pairs) == (3, 3, 1)
    assert (found.precision, found.recall, found.f1) == (1 / 3, 1 / 3, 1 / 3)


def test_identifiers_of_strangers_do_not_count() -> None:
    profiles = [{"identifiers": {"email": ["a", "stranger"], "phone": ["b"]}}]
    found = score({1: {("email", "a"), ("phone", "b")}}, profiles)
    assert (found.precision, found.recall) == (1.0, 1.0)
