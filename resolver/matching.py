"""From an event's identifiers to the live profiles that own them at its time, sorted by how strong the tie is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.events import IncomingEvent
from core.identifiers import CORE_TYPES, LINKING_TYPES, WEAK_TYPES, Identifier
from resolver.profiles import Persona, Profile
from resolver.resolve import Match
from resolver.weak_links import Rank


@dataclass(slots=True)
class Holdings:
    """Who holds which identifier, and since when where that changed hands."""

    owners: dict[Identifier, list[str]] = field(default_factory=dict)
    """Identifier → ids of the personas that hold it now."""
    timelines: dict[Identifier, list[tuple[Rank, str | None]]] = field(default_factory=dict)
    """Contested identifiers only: from when which persona (None: nobody) owned it, oldest first."""
    shared_since: dict[Identifier, int] = field(default_factory=dict)
    """Identifiers that too many people use: from this time (microseconds) on they describe and do not link."""
    people: dict[Identifier, list[str]] = field(default_factory=dict)
    """Strong identifiers: personas that carried one which somebody else holds."""
    trust: dict[tuple[Identifier, str], str] = field(default_factory=dict)
    """Trust of a link by (identifier, persona)."""
    last_sighting: dict[Identifier, int] = field(default_factory=dict)
    """When weak identifiers were last seen beside something else that links (microseconds)."""
    used: set[Identifier] = field(default_factory=set)
    """Weak identifiers that were somebody's before, or that somebody carried who did not take them."""

    def owners_at(self, identifier: Identifier, rank: Rank) -> Sequence[str]:
        """The personas that own it at `rank`; before its first owner, and after nobody's time, the next one does."""
        timeline = self.timelines.get(identifier)
        if timeline is None:
            return self.owners.get(identifier, ())
        owner = timeline[0][1]
        for since, persona in timeline:
            if since > rank and owner is not None:
                break
            owner = persona
        return () if owner is None else (owner,)

    def note_sighting(self, event: IncomingEvent) -> None:
        """Its weak identifiers were seen beside something else at its time."""
        at = event.micros
        for found in event.identifiers:
            if found.type in WEAK_TYPES:
                self.last_sighting[found] = max(at, self.last_sighting.get(found, at))

    def is_shared_at(self, identifier: Identifier, at: int) -> bool:
        """Whether it is too widely used to link an event of that time."""
        since = self.shared_since.get(identifier)
        return since is not None and at >= since


def owners_in_time(
    began: Sequence[tuple[Rank, str]], ended_by_hand: Sequence[tuple[Rank, str]]
) -> list[tuple[Rank, str | None]]:
    """From when which persona owned an identifier: nobody from when a person took it from the one that had it then."""
    steps = [(rank, False, persona) for rank, persona in began] + [(rank, True, one) for rank, one in ended_by_hand]
    found: list[tuple[Rank, str | None]] = []
    for rank, is_end, persona in sorted(steps):
        if not is_end:
            found.append((rank, persona))
        elif found and found[-1][1] == persona:
            found.append((rank, None))
    return found


@dataclass(frozen=True, slots=True)
class Matched:
    """What an event leads to: plain matches, known profiles reached over weak identifiers only, and what is new."""

    plain: tuple[Match, ...] = ()
    known_over_weak: tuple[Match, ...] = ()
    """Profiles with strong identifiers of their own that only weak ones tie to this event: evidence decides."""
    fresh: tuple[Identifier, ...] = ()
    """Linking identifiers that nobody holds."""
    shared: int = 0
    is_linking: bool = False
    signs_in: bool = False
    """Whether it brings a usable strong or high identifier."""


def match_event(
    event: IncomingEvent, holdings: Holdings, personas: Mapping[str, Persona], profiles: Mapping[str, Profile]
) -> Matched:
    """Find the live profiles that own a usable identifier of the event at its time."""
    by_root: dict[str, list[tuple[Identifier, str]]] = {}
    fresh: list[Identifier] = []
    shared = 0
    signs_in = False
    rank = (event.micros, event.id)
    for identifier in event.identifiers:
        if identifier.type not in LINKING_TYPES:
            continue
        if holdings.is_shared_at(identifier, rank[0]):
            shared += 1
            continue
        signs_in = signs_in or identifier.type in CORE_TYPES
        owners = holdings.owners_at(identifier, rank)
        if not owners:
            fresh.append(identifier)
        for persona_id in owners:
            by_root.setdefault(personas[persona_id].root_id, []).append((identifier, persona_id))
    plain: list[Match] = []
    known: list[Match] = []
    for root, owned in by_root.items():
        match = Match(profiles[root], tuple(owned))
        over_weak = all(identifier.type in WEAK_TYPES for identifier, _ in owned)
        (known if over_weak and not match.profile.is_anonymous else plain).append(match)
    if known and not signs_in:
        best = min(known, key=lambda match: match.best)
        plain.append(best)
        known.remove(best)
    return Matched(tuple(plain), tuple(known), tuple(fresh), shared, bool(by_root or fresh), signs_in)


def weak_identifiers(event: IncomingEvent, holdings: Holdings) -> tuple[Identifier, ...]:
    """The usable weak identifiers of an event."""
    at = event.micros
    return tuple(
        found for found in event.identifiers if found.type in WEAK_TYPES and not holdings.is_shared_at(found, at)
    )
