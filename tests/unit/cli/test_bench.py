"""The bench compares like with like: one mix, the same rows for all, ratios round by round."""

from cli.benchmarks.measure import Measured
from cli.benchmarks.mix import make_samples, to_events
from cli.benchmarks.ml import MlPlan, measure_ml, ml_markdown
from cli.benchmarks.plan import describe_mix, plan_naive, plan_raw
from cli.benchmarks.report import to_json, to_markdown
from cli.benchmarks.rounds import BenchResult, find_ratios
from core.brand import BrandSettings

BRAND = BrandSettings("bench")


def measured(letter: str, events: int, seconds: float) -> Measured:
    rows = {"customers": 1, "events": events, "carried": 2, "links": 1}
    return Measured(letter, events, seconds, 1.0, 2.0, 3.0, {}, 0, rows, None, None)


def test_the_mix_is_what_the_targets_were_set_for() -> None:
    facts = describe_mix(to_events(make_samples(4_000, 0), BRAND), BRAND)
    assert 2.1 <= facts.identifiers_per_event <= 2.3
    assert 0.70 <= facts.known_share <= 0.80
    assert set(facts.decisions) == {"created", "attached", "merged"}


def test_raw_and_naive_write_the_same_rows() -> None:
    events = to_events(make_samples(1_200, 0), BRAND)
    raw = plan_raw(events, BRAND, 500)
    naive = plan_naive(events, BRAND)
    assert [len(batch.events) for batch in raw] == [500, 500, 200]
    assert [row["persona_id"] for batch in raw for row in batch.events] == [row["persona_id"] for row in naive]
    carried = sum(len(places) for batch in raw for _, places in batch.carried)
    assert carried == sum(len(row["identifiers"]) for row in naive)


def test_raw_creates_before_it_matches() -> None:
    customers: set[str] = set()
    identifiers: set[str] = set()
    for batch in plan_raw(to_events(make_samples(1_200, 0), BRAND), BRAND, 500):
        customers |= {row["id"] for row in batch.customers}
        identifiers |= {row["key"] for row in batch.identifiers}
        assert {name for name, _ in batch.performed} | {row["persona_id"] for row in batch.links} <= customers
        assert {name for name, _ in batch.carried} | {row["key"] for row in batch.links} <= identifiers


def test_ratios_are_medians_of_neighbours_in_time() -> None:
    rounds = [
        {"a": measured("a", 1000, 1.0), "c": measured("c", 400, 1.0)},
        {"a": measured("a", 1000, 2.0), "c": measured("c", 100, 1.0)},
        {"a": measured("a", 1000, 1.0), "c": measured("c", 300, 1.0)},
    ]
    [ratio] = find_ratios(rounds)
    assert (ratio.value, ratio.low, ratio.high, ratio.is_reached) == (0.3, 0.2, 0.4, False)


def test_report_shows_ratios_beside_their_targets() -> None:
    facts = describe_mix(to_events(make_samples(400, 0), BRAND), BRAND)
    rounds = [{"a": measured("a", 1000, 1.0), "c": measured("c", 400, 1.0)}]
    result = BenchResult(facts, rounds, find_ratios(rounds))
    assert "| (c) / (a) | 0.40 | 0.40 | 0.40 | 0.35 | reached |" in to_markdown(result)
    assert to_json(result)["ratios"][0]["is_reached"] is True


def test_learning_is_measured_beside_the_plain_tools_in_the_same_rounds() -> None:
    result = measure_ml(MlPlan(2_000, 1_200, rounds=1), lambda _: None)
    assert result.evaluate_ratio == result.evaluate[0] / (result.file_group_by[0] + result.lightgbm[0])
    assert 0 < result.evaluate_gib < 3
    assert "| 8 (bar 12) |" in ml_markdown(result)
