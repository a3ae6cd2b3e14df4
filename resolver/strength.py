"""Profile strength 0-100: the one table and the one function that reads it."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

STRONG_TYPES = frozenset({"email", "phone"})
# A whatsapp number is also a phone and adds nothing of its own.
HIGH_TYPES = frozenset({"whatsapp", "loyalty_id", "user_id", "external_id"})


@dataclass(frozen=True, slots=True)
class StrengthTable:
    """The numbers of the strength formula; a brand may bring its own."""

    first_strong: int = 40
    second_strong: int = 35
    beside_strong: tuple[tuple[str, int], ...] = (
        ("loyalty_id", 10), ("device_id", 5), ("cookie_id", 5), ("qr_id", 5), ("upi_id", 5),
    )  # fmt: skip
    without_strong: tuple[tuple[str, int], ...] = (
        ("loyalty_id", 40), ("user_id", 40), ("device_id", 25), ("cookie_id", 20),
        ("external_id", 10), ("qr_id", 10), ("upi_id", 10),
    )  # fmt: skip
    further_type: int = 5
    orders: tuple[int, ...] = (0, 40, 50, 60, 70, 80)
    """Relationship score by number of completed orders; the last holds for all above."""


DEFAULT_TABLE = StrengthTable()


def profile_strength(types: Collection[str], orders: int, table: StrengthTable = DEFAULT_TABLE) -> int:
    """`max(identity score, relationship score)` capped at 100, from identifier types present and completed orders."""
    return _strength(frozenset(types), min(max(orders, 0), len(table.orders) - 1), table)


# Asked at each new link and order; there are few sets of types.
@lru_cache(maxsize=8192)
def _strength(types: frozenset[str], orders: int, table: StrengthTable) -> int:
    return min(100, max(identity_score(types, table), relationship_score(types, orders, table)))


def identity_score(types: Collection[str], table: StrengthTable = DEFAULT_TABLE) -> int:
    """The score of what is known of a person; the sum without strong types counts where it is the higher."""
    weak_sum = _score_without_strong(types, table)
    strong = sum(1 for kind in STRONG_TYPES if kind in types)
    if strong == 0:
        return weak_sum
    score = table.first_strong + (table.second_strong if strong > 1 else 0)
    score += sum(points for kind, points in table.beside_strong if kind in types)
    return max(score, weak_sum)


def _score_without_strong(types: Collection[str], table: StrengthTable) -> int:
    points = sorted((points for kind, points in table.without_strong if kind in types), reverse=True)
    if not points:
        return 0
    return points[0] + table.further_type * (len(points) - 1)


def relationship_score(types: Collection[str], orders: int, table: StrengthTable = DEFAULT_TABLE) -> int:
    """The score of completed orders; needs a strong or high identifier."""
    if not any(kind in STRONG_TYPES or kind in HIGH_TYPES for kind in types):
        return 0
    return table.orders[min(max(orders, 0), len(table.orders) - 1)]
