"""What a brand may set about suggestions, with the defaults."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from core.errors import InvalidInputError
from graph.driver import Graph
from graph.repositories.suggestions import read_stored_settings, store_settings

DEFAULT_MIN_WEIGHT = 5.0
"""A pair of this weight is one person with a probability of 0.97: good enough to ask a person."""
DEFAULT_MAX_PROPOSALS = 1_000
_WEIGHTS = (0.0, 100.0)
_MOST_PROPOSALS = 100_000
_MOST_HOURS = 24 * 31


@dataclass(frozen=True, slots=True)
class SuggestionSettings:
    """When a pair is proposed, when it merges by itself (never unless the brand says), how many, how often."""

    min_match_weight: float = DEFAULT_MIN_WEIGHT
    auto_merge_weight: float | None = None
    max_proposals: int = DEFAULT_MAX_PROPOSALS
    """Most new proposals of one run, the likeliest first."""
    every_hours: int | None = None
    """How often a run begins by itself; None: only when asked for."""

    def as_dict(self) -> dict[str, Any]:
        """The settings as plain data."""
        return asdict(self)


def read_settings(graph: Graph, brand: str) -> SuggestionSettings:
    """The brand's settings; raises NotFoundError."""
    stored = {name: value for name, value in read_stored_settings(graph, brand).items() if value is not None}
    return SuggestionSettings(**stored)


def save_settings(graph: Graph, brand: str, settings: SuggestionSettings) -> None:
    """Replace the brand's settings; raises NotFoundError."""
    store_settings(graph, brand, settings.as_dict())


def settings_from(data: Mapping[str, Any], before: SuggestionSettings) -> SuggestionSettings:
    """`before` with what `data` names, None for off; raises InvalidInputError naming the field that does not fit."""
    stated = {**before.as_dict(), **data}
    settings = SuggestionSettings(
        _weight(stated["min_match_weight"], "min_match_weight"),
        None if stated["auto_merge_weight"] is None else _weight(stated["auto_merge_weight"], "auto_merge_weight"),
        _count(stated["max_proposals"], "max_proposals", _MOST_PROPOSALS),
        None if stated["every_hours"] is None else _count(stated["every_hours"], "every_hours", _MOST_HOURS),
    )
    if settings.auto_merge_weight is not None and settings.auto_merge_weight < settings.min_match_weight:
        raise InvalidInputError("Must not be below min_match_weight.", field="auto_merge_weight")
    return settings


def _weight(value: Any, field: str) -> float:
    is_number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not _WEIGHTS[0] <= value <= _WEIGHTS[1]:
        raise InvalidInputError(f"Must be a number from {_WEIGHTS[0]:g} to {_WEIGHTS[1]:g}.", field=field)
    return float(value)


def _count(value: Any, field: str, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise InvalidInputError(f"Must be a whole number from 1 to {most}.", field=field)
    return value
