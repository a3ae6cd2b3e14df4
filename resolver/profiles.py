"""What the resolver knows of personas and live profiles: plain mutable state of one working set."""

from collections import Counter
from dataclasses import dataclass, field

from core.identifiers import CORE_TYPES, Identifier

# Times are microseconds since 1970 UTC: integers fold faster than datetimes and pack without conversion.
NEVER_FIRST = 1 << 62
NEVER_LAST = -1


@dataclass(slots=True)
class Statistics:
    """Events, orders and money of a persona (own) or of a live profile (aggregate); money in minor units."""

    event_count: int = 0
    total_orders: int = 0
    ltv: dict[str, int] = field(default_factory=dict)
    first_seen: int = NEVER_FIRST
    last_seen: int = NEVER_LAST

    def saw(self, at: int) -> None:
        """Count one event at `at`."""
        self.event_count += 1
        self.first_seen = min(self.first_seen, at)
        self.last_seen = max(self.last_seen, at)

    def add_order(self, orders: int, currency: str, minor: int) -> None:
        """Change orders and money by these differences."""
        self.total_orders += orders
        if minor:
            self.ltv[currency] = self.ltv.get(currency, 0) + minor

    def add(self, other: "Statistics") -> None:
        """Fold another one's numbers into this."""
        self.event_count += other.event_count
        self.total_orders += other.total_orders
        for currency, minor in other.ltv.items():
            self.ltv[currency] = self.ltv.get(currency, 0) + minor
        self.first_seen = min(self.first_seen, other.first_seen)
        self.last_seen = max(self.last_seen, other.last_seen)


@dataclass(slots=True)
class Persona:
    """One Customer node with its own statistics; `root_id` is its live profile."""

    id: str
    root_id: str
    own: Statistics = field(default_factory=Statistics)
    channels: Counter[str] = field(default_factory=Counter)
    """Its events by channel."""
    sales: str = ""
    """Its counted orders as a stored tally (`resolver/tallies.py`)."""
    is_new: bool = False
    is_changed: bool = False


@dataclass(slots=True)
class Profile:
    """A live profile: the aggregate over its personas."""

    id: str
    totals: Statistics = field(default_factory=Statistics)
    identifier_types: set[str] = field(default_factory=set)
    strength: int = 0
    persona_count: int = 1
    merge_count: int = 0
    version: int = 0
    is_new: bool = False
    is_changed: bool = False
    identifiers: set[tuple[str, str]] | None = None
    """All (type, value) pairs; None when they were not loaded (no merge is possible in this batch)."""
    not_same: set[str] = field(default_factory=set)
    """Live profiles that a NOT_SAME mark keeps apart from this one."""
    identifier_count: int = 0
    verified: set[tuple[str, str]] = field(default_factory=set)
    """The (type, value) pairs that a login, payment or one-time code proved."""
    absorbed_at: list[int] = field(default_factory=list)
    """Event time of each automatic absorption, in microseconds: what the drift rule counts."""
    crowds: set[Identifier] = field(default_factory=set)
    """Shared strong identifiers that it carried: who is one person with it changes how many people there are."""
    is_tied: bool = False
    """Weak pointers between cores or contested identifiers hang on it: more evidence may move them."""
    has_neighbours: bool = False
    """Weak identifiers or an open review lead, or led, from it to somebody else, or a person decided something about
    it: what follows from more evidence is only in the graph. False: nothing but its own evidence counts."""

    @property
    def is_anonymous(self) -> bool:
        """Whether nothing strong is known of it."""
        return CORE_TYPES.isdisjoint(self.identifier_types)


def survivor_key(profile: Profile) -> tuple[int, int, str]:
    """Sort key of the survivor rule: highest strength, then oldest (earliest first seen), then smallest id."""
    return (-profile.strength, profile.totals.first_seen, profile.id)
