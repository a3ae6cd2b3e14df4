"""What a process counts of itself, and how percentiles are read off buckets."""

from core.decisions import EventResult
from core.errors import ConstIntelError, InvalidInputError
from ingest.meters import Histogram, Meters


def test_events_are_counted_by_source_and_decision_and_repeats_besides() -> None:
    meters = Meters()
    outcomes: list[EventResult | ConstIntelError] = [
        EventResult("a", "created"), EventResult("a", "created", duplicate=True), EventResult("b", "queued"),
        InvalidInputError("x"),
    ]  # fmt: skip
    meters.took("api", outcomes, 0.02)
    meters.refused("api", 2)
    meters.took("pos", [EventResult("c", "attached")], 0.3)
    numbers = meters.snapshot()
    assert sorted(numbers["decisions"]) == [["api", "created", 2], ["api", "queued", 1], ["pos", "attached", 1]]
    assert (numbers["rejected"], numbers["duplicates"]) == ({"api": 3}, {"api": 1})
    assert {name: sum(counts) for name, (counts, _) in numbers["taking"].items()} == {"api": 1, "pos": 1}


def test_a_percentile_is_the_upper_bound_of_the_bucket_that_holds_it() -> None:
    histogram = Histogram((1.0, 2.0, 5.0))
    assert histogram.quantile(0.5) is None
    for value in [0.5] * 90 + [1.5] * 9 + [100.0]:
        histogram.add(value)
    assert [histogram.quantile(share) for share in (0.5, 0.9, 0.95, 0.99, 1.0)] == [1.0, 1.0, 2.0, 2.0, 5.0]
    assert histogram.total == 0.5 * 90 + 1.5 * 9 + 100.0


def test_a_value_on_a_bound_belongs_below_it() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (1.0, 2.0, 2.1):
        histogram.add(value)
    assert histogram.counts == [1, 1, 1]
