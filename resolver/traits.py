"""One value for each trait out of all that sources ever said; nothing is thrown away, arrival never matters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

LATEST, OLDEST, MOST_FREQUENT, SOURCE_PRIORITY = "latest", "oldest", "most_frequent", "source_priority"
STRATEGIES = (LATEST, OLDEST, MOST_FREQUENT, SOURCE_PRIORITY)
EVERY_TRAIT = "*"


@dataclass(frozen=True, slots=True)
class TraitValue:
    """A value that a source gave to a trait: first and last event time in microseconds, and how many events said it."""

    name: str
    value: str
    """JSON text."""
    source: str
    first_at: int
    last_at: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class TraitStrategy:
    """How the one value of a trait is chosen; `sources` best first, for `source_priority`."""

    strategy: str = LATEST
    sources: tuple[str, ...] = ()


def choose(values: Sequence[TraitValue], strategy: TraitStrategy) -> TraitValue:
    """The value that counts; ties go by event time, then source, then value."""
    if strategy.strategy == OLDEST:
        return min(values, key=lambda one: (one.first_at, one.source, one.value))
    if strategy.strategy == MOST_FREQUENT:
        total: dict[str, int] = {}
        for one in values:
            total[one.value] = total.get(one.value, 0) + one.count
        return max(values, key=lambda one: (total[one.value], one.last_at, one.source, one.value))
    if strategy.strategy == SOURCE_PRIORITY:
        place = {source: number for number, source in enumerate(strategy.sources)}
        return max(values, key=lambda one: (-place.get(one.source, len(place)), one.last_at, one.source, one.value))
    return max(values, key=lambda one: (one.last_at, one.source, one.value))


def combine(values: Iterable[TraitValue]) -> dict[str, list[TraitValue]]:
    """Values by trait name, those of several personas that say the same counted together."""
    found: dict[tuple[str, str, str], TraitValue] = {}
    for one in values:
        key = (one.name, one.source, one.value)
        known = found.get(key)
        found[key] = one if known is None else TraitValue(
            one.name, one.value, one.source, min(one.first_at, known.first_at), max(one.last_at, known.last_at),
            one.count + known.count,
        )  # fmt: skip
    by_name: dict[str, list[TraitValue]] = {}
    for key in sorted(found):
        by_name.setdefault(key[0], []).append(found[key])
    return by_name


def strategy_for(name: str, strategies: Mapping[str, TraitStrategy]) -> TraitStrategy:
    """The brand's strategy for a trait, its strategy for all, else the latest value."""
    return strategies.get(name) or strategies.get(EVERY_TRAIT) or TraitStrategy()
