"""What a brand may set about suggestions, with the defaults."""

from dataclasses import dataclass

DEFAULT_MIN_WEIGHT = 6.0


@dataclass(frozen=True, slots=True)
class SuggestionSettings:
    """From which match weight a pair is proposed, and from which it merges by itself: never unless the brand says."""

    min_match_weight: float = DEFAULT_MIN_WEIGHT
    auto_merge_weight: float | None = None
