"""Bench, the conductor: a warm-up that is dropped, then rounds in alternating order, then medians and ratios."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cli.benchmarks.measure import BATCH, KINDS, Measured, measure
from cli.benchmarks.mix import make_samples, to_events
from cli.benchmarks.plan import MixFacts, describe_mix
from cli.benchmarks.servers import Servers
from core.brand import BrandSettings
from graph.driver import Graph
from graph.migrations import migrate

# (ratio, of, to at least): what a release has to reach.
TARGETS = (("c", "a", 0.35), ("c", "b", 7.0), ("d", "a", 0.20), ("e", "b", 2.0), ("c", "f", 0.85))
_MIX_SAMPLE = 20_000


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """What to measure: letters, rounds that count, seconds that each measurement is to take (or a fixed size)."""

    letters: tuple[str, ...] = ("a", "b", "c", "d", "e")
    rounds: int = 3
    warm_ups: int = 2
    seconds: float = 5.0
    events: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Ratio:
    """One measured ratio of rates, the median over the rounds with the smallest and the largest, beside its target."""

    over: str
    under: str
    value: float
    low: float
    high: float
    target: float

    @property
    def is_reached(self) -> bool:
        """Whether the median reaches the target."""
        return self.value >= self.target


@dataclass(frozen=True, slots=True)
class BenchResult:
    """Everything a report shows."""

    mix: MixFacts
    rounds: list[dict[str, Measured]]
    ratios: list[Ratio]


def run_bench(plan: BenchPlan, servers: Servers, tell: Callable[[str], None]) -> BenchResult:
    """Measure `plan` against `servers`; `tell` gets one line for each finished measurement."""
    sizes = {letter: plan.events or KINDS[letter].first_events for letter in plan.letters}
    done: list[dict[str, Measured]] = []
    with Graph.connect(servers.settings) as graph:
        migrate(graph)
        for number in range(1 - plan.warm_ups, plan.rounds + 1):
            # Every other round runs backwards, so that a drift of the machine favours nobody.
            letters = plan.letters if number % 2 == 0 else plan.letters[::-1]
            found = {}
            for letter in letters:
                found[letter] = measure(letter, sizes[letter], plan.seed, servers, graph)
                tell(_line(number, found[letter]))
                if plan.events is None:
                    sizes[letter] = max(BATCH * 4, round(found[letter].rate * plan.seconds / BATCH) * BATCH)
            if number > 0:
                done.append(found)
    settings = BrandSettings("bench")
    mix = describe_mix(to_events(make_samples(_MIX_SAMPLE, plan.seed), settings), settings)
    return BenchResult(mix, done, find_ratios(done))


def find_ratios(rounds: Sequence[dict[str, Measured]]) -> list[Ratio]:
    """The ratios that have a target, taken round by round so that only neighbours in time are compared."""
    ratios = []
    for over, under, target in TARGETS:
        values = [found[over].rate / found[under].rate for found in rounds if over in found and under in found]
        if values:
            ratios.append(Ratio(over, under, statistics.median(values), min(values), max(values), target))
    return ratios


def _line(number: int, found: Measured) -> str:
    name = f"round {number}" if number > 0 else "warm-up"
    refused = f", {found.refused} REFUSED" if found.refused else ""
    return (
        f"{name} ({found.letter}) {found.events} events in {found.seconds:.2f} s: {found.rate:,.0f} events/s{refused}"
    )
