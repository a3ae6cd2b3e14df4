"""The model's numbers: priors, and what a brand's own records teach by Splink's random sampling and EM.

What is learnt is blended with the priors by how much was seen, so that a small or odd brand gets a sober model.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ml.suggestions.fields import FIELDS, Field

# Expected same-person partners of one record, before anything is compared.
_PARTNERS = 0.1
# A brand of fewer customers is a sample of a larger world: chance does not get rarer with it.
_LEAST_CUSTOMERS = 1_000
# What a prior weighs, in pairs seen: strangers for u, expected same-person pairs for m.
_PRIOR_STRANGERS = 100_000
_PRIOR_MATCHES = 100.0
_FEWEST = 1e-9


@dataclass(frozen=True, slots=True)
class LevelNumbers:
    """m and u of one level."""

    m: float
    u: float

    @property
    def weight(self) -> float:
        """log2 of how much likelier this level is for one person than for strangers."""
        return math.log2(self.m / self.u)


@dataclass(frozen=True, slots=True)
class Model:
    """All numbers: the chance that two records are one person before comparing, and the levels of each field."""

    customers: int
    chance: float
    numbers: dict[str, tuple[LevelNumbers, ...]]
    learnt_u: bool = False
    learnt_m: tuple[str, ...] = ()
    """Fields whose m comes from the brand's own data too."""

    @property
    def starting_weight(self) -> float:
        """The match weight before anything is compared."""
        return math.log2(self.chance / (1 - self.chance))

    def as_dict(self) -> dict[str, Any]:
        """The numbers in the words of the comparison table."""
        return {
            "starting_weight": round(self.starting_weight, 2),
            "records": self.customers,
            "learnt": {"u": self.learnt_u, "m": list(self.learnt_m)},
            "fields": {
                field.name: [
                    {"level": level.words, "m": _short(one.m), "u": _short(one.u), "weight": round(one.weight, 2)}
                    for level, one in zip(field.levels, self.numbers[field.name], strict=True)
                ]
                for field in FIELDS
            },
        }


def prior_model(records: int) -> Model:
    """The model that knows nothing of a brand but how many records it has."""
    customers = max(records, _LEAST_CUSTOMERS)
    numbers = {
        field.name: tuple(
            LevelNumbers(*pair)
            for pair in zip(
                _shares([level.m for level in field.levels]),
                _shares([level.u_among(customers) for level in field.levels]),
                strict=True,
            )
        )
        for field in FIELDS
    }
    return Model(records, _PARTNERS / customers, numbers)


def learn_u(model: Model, seen: dict[str, Sequence[float | None]], pairs: float) -> Model:
    """The model with the shares of strangers seen among `pairs` random pairs."""
    numbers = {}
    for field in FIELDS:
        before = model.numbers[field.name]
        learnt = [
            LevelNumbers(one.m, _blend(one.u, share, pairs, _PRIOR_STRANGERS) if level.is_trained else one.u)
            for level, one, share in zip(field.levels, before, seen[field.name], strict=True)
        ]
        numbers[field.name] = tuple(learnt) if _is_sensible(field, learnt) else before
    return replace(model, numbers=numbers, learnt_u=True)


def learn_m(model: Model, sessions: Sequence[tuple[dict[str, Sequence[float | None]], float]]) -> Model:
    """The model with the shares of same-person pairs of each EM session and how many such pairs it expected.

    A field whose levels come out in no sensible order keeps its priors: EM found something else than persons.
    """
    numbers = dict(model.numbers)
    learnt_fields = []
    for field in FIELDS:
        before = model.numbers[field.name]
        taught = [(seen[field.name], matches) for seen, matches in sessions if field.name in seen]
        if not taught:
            continue
        learnt = list(before)
        for seen, matches in taught:
            learnt = [
                LevelNumbers(_blend(one.m, share, matches, _PRIOR_MATCHES) if level.is_trained else one.m, one.u)
                for level, one, share in zip(field.levels, learnt, seen, strict=True)
            ]
        if _is_sensible(field, learnt):
            numbers[field.name] = tuple(learnt)
            learnt_fields.append(field.name)
    return replace(model, numbers=numbers, learnt_m=tuple(learnt_fields))


def _is_sensible(field: Field, learnt: Sequence[LevelNumbers]) -> bool:
    """Whether the best trained level speaks for one person more than any other, and the last against it."""
    weights = [one.weight for level, one in zip(field.levels, learnt, strict=True) if level.is_trained]
    return weights[0] > 0 > weights[-1] and min(weights) >= weights[-1] - 1


def _blend(prior: float, share: float | None, seen: float, weight: float) -> float:
    """The prior as if it came from `weight` pairs, with what `seen` pairs showed; levels never seen count as 0."""
    return max(_FEWEST, (prior * weight + (share or 0.0) * seen) / (weight + seen))


def _shares(numbers: Sequence[float]) -> list[float]:
    """Numbers whose last one takes what is left of 1: the levels of a field exclude each other."""
    first = list(numbers[:-1])
    return [*first, max(_FEWEST, 1 - sum(first))]


def _short(number: float) -> float:
    return float(f"{number:.3g}")
