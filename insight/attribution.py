"""Credits of a conversion to its touchpoints by six models, each of which sums to the conversion to the minor unit.

First, last and linear touch are as their names say; time decay halves every seven days before the conversion; position
based gives 40 % to the first, 40 % to the last and 20 % to those between; data driven weighs channels by their removal
effect in a Markov chain over the brand's own paths (Anderl et al. 2016, doi 10.1016/j.ijresmar.2016.03.001).
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MODELS = ("first", "last", "linear", "time_decay", "position_based", "data_driven")
HALF_LIFE_DAYS = 7.0
ENDS, BETWEEN = 0.4, 0.2
DEFAULT_WINDOW = timedelta(days=30)
_START, _CONVERSION, _NOTHING = "(start)", "(conversion)", "(nothing)"
_ROUNDS = 200
_CLOSE = 1e-12


@dataclass(frozen=True, slots=True)
class Touchpoint:
    """One event that may deserve credit."""

    event_id: str
    channel: str
    at: datetime
    type: str = ""


@dataclass(frozen=True, slots=True)
class Credit:
    """A touchpoint's share of a conversion, in minor units."""

    touchpoint: Touchpoint
    minor: int


def path_to(touchpoints: Iterable[Touchpoint], converted_at: datetime, window: timedelta) -> list[Touchpoint]:
    """The touchpoints within `window` before a conversion and up to it, oldest first."""
    found = [point for point in touchpoints if converted_at - window <= point.at <= converted_at]
    return sorted(found, key=lambda point: (point.at, point.event_id))


def attribute(
    path: Sequence[Touchpoint],
    minor: int,
    converted_at: datetime,
    model: str,
    effects: Mapping[str, float] | None = None,
) -> list[Credit]:
    """Split `minor` over `path` (oldest first); empty for an empty path; raises ValueError for an unknown model.

    `effects` are the removal effects of channels for the data-driven model, which is linear without them.
    """
    if not path:
        return []
    weights = _weights(path, converted_at, model, effects)
    return [Credit(point, share) for point, share in zip(path, split_exactly(minor, weights), strict=True)]


def _weights(
    path: Sequence[Touchpoint], converted_at: datetime, model: str, effects: Mapping[str, float] | None
) -> list[float]:
    last = len(path) - 1
    if model == "first":
        return [float(place == 0) for place in range(len(path))]
    if model == "last":
        return [float(place == last) for place in range(len(path))]
    if model == "linear":
        return [1.0] * len(path)
    if model == "time_decay":
        return [0.5 ** ((converted_at - point.at) / timedelta(days=HALF_LIFE_DAYS)) for point in path]
    if model == "position_based":
        return _by_position(len(path))
    if model == "data_driven":
        return _by_effect(path, effects or {})
    raise ValueError(f"no such model: {model}")


def _by_position(count: int) -> list[float]:
    if count == 1:
        return [1.0]
    if count == 2:  # noqa: PLR2004 (nothing stands between the two ends)
        return [0.5, 0.5]
    return [ENDS, *[BETWEEN / (count - 2)] * (count - 2), ENDS]


def _by_effect(path: Sequence[Touchpoint], effects: Mapping[str, float]) -> list[float]:
    """A channel's effect, shared by its touchpoints of this path."""
    times = Counter(point.channel for point in path)
    weights = [effects.get(point.channel, 0.0) / times[point.channel] for point in path]
    return weights if sum(weights) > 0 else [1.0] * len(path)


def split_exactly(minor: int, weights: Sequence[float]) -> list[int]:
    """Whole parts of `minor` in proportion to `weights`; what rounding leaves goes to the largest remainders."""
    total = sum(weights)
    exact = [abs(minor) * weight / total for weight in weights]
    parts = [int(share) for share in exact]
    left = abs(minor) - sum(parts)
    order = sorted(range(len(parts)), key=lambda place: (parts[place] - exact[place], place))
    for place in order[:left]:
        parts[place] += 1
    return parts if minor >= 0 else [-part for part in parts]


def removal_effects(paths: Iterable[tuple[Sequence[str], bool]]) -> dict[str, float]:
    """The share of conversions that would be lost without each channel, from (channels in order, converted) paths."""
    moves: dict[str, Counter[str]] = defaultdict(Counter)
    for channels, converted in paths:
        states = [_START, *channels, _CONVERSION if converted else _NOTHING]
        for here, there in itertools.pairwise(states):
            moves[here][there] += 1
    whole = _conversion_rate(moves, None)
    if whole <= 0:
        return {}
    channels_seen = sorted(state for state in moves if state != _START)
    return {channel: max(0.0, 1 - _conversion_rate(moves, channel) / whole) for channel in channels_seen}


def _conversion_rate(moves: Mapping[str, Counter[str]], removed: str | None) -> float:
    """Chance to end in a conversion from the start, with one channel leading nowhere."""
    rate = dict.fromkeys(moves, 0.0)
    for _ in range(_ROUNDS):
        change = 0.0
        for state, following in moves.items():
            if state == removed:
                continue
            total = sum(following.values())
            fresh = (
                sum(
                    count * (1.0 if there == _CONVERSION else 0.0 if there == removed else rate.get(there, 0.0))
                    for there, count in following.items()
                )
                / total
            )
            change = max(change, abs(fresh - rate[state]))
            rate[state] = fresh
        if change < _CLOSE:
            break
    return rate.get(_START, 0.0)
