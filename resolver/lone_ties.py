"""When the outcome of drawing weak links anew is known without the evidence in the graph: nobody else is near.

The fold over sightings (`resolver/weak_links.py`) ties groups unless their strong identifiers contradict each other.
Where a live profile has no neighbours, all sightings of its weak identifiers are its own, so (ARCHITECTURE, "Lone
profiles"): a sign-in of somebody new that is their last sighting and contradicts nothing is the last step of that fold
and ties; and strong evidence within or between such profiles that brings no second value of a type moves nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.events import IncomingEvent
from core.identifiers import CORE_TYPES, WEAK_TYPES, Identifier
from resolver.matching import Holdings, Matched
from resolver.profiles import Profile
from resolver.resolve import Match
from resolver.rules import RuleSet

REASON_WEAK_LINK = "weak_link"
_FEWEST_TO_ASK_ABOUT = 2


@dataclass(frozen=True, slots=True)
class Told:
    """What an event says of who uses its weak identifiers, and what is known of them."""

    event: IncomingEvent
    holdings: Holdings
    rules: RuleSet

    @property
    def weak(self) -> list[Identifier]:
        """Its weak identifiers."""
        return [found for found in self.event.identifiers if found.type in WEAK_TYPES]

    @property
    def meets_others(self) -> bool:
        """Whether somebody else has to do with a weak identifier of it, or had."""
        return not self.holdings.used.isdisjoint(self.event.identifiers)

    @property
    def asks_the_graph(self) -> bool:
        """Whether no shortcut holds: others are near, or one tie is already too many."""
        return self.meets_others or self.rules.merge_threshold < _FEWEST_TO_ASK_ABOUT

    def is_late(self, profiles: Iterable[Profile]) -> bool:
        """Whether what was decided after its time may change: it is a sighting before the last of an identifier of it.

        With so many weak identifiers that owners of its time may wait for a person, everything of these live profiles
        counts.
        """
        if not self.event.is_sighting:
            return False
        at, weak = self.event.micros, self.weak
        if any(at <= self.holdings.last_sighting.get(found, at - 1) for found in weak):
            return True
        return len(weak) >= self.rules.merge_threshold and any(at <= one.totals.last_seen for one in profiles)

    def may_change_what_was_decided(self, profiles: Sequence[Profile]) -> bool:
        """Whether it is late and the order of sightings can matter to these live profiles.

        It cannot where nobody else is near and they hold fewer weak identifiers than would make a person be asked:
        no sighting ever ties so many at once, and what ties one after the other ends as one in any order.
        """
        if not self.is_late(profiles):
            return False
        if self.asks_the_graph or any(one.has_neighbours for one in profiles):
            return True
        held = sum(one.identifier_count - len(one.identifier_types & CORE_TYPES) for one in profiles)
        return held + len(self.weak) >= self.rules.merge_threshold


def find_lone_tie(told: Told, matched: Matched) -> Match | None:
    """The known profile that weak identifiers tie a new person's event to; None when evidence must be read."""
    if len(matched.known_over_weak) != 1 or matched.plain or matched.shared or not matched.signs_in:
        return None
    [match] = matched.known_over_weak
    profile, holdings = match.profile, told.holdings
    if profile.has_neighbours or told.asks_the_graph or told.is_late([profile]):
        return None
    if any(found in holdings.timelines or len(holdings.owners.get(found, ())) != 1 for found, _ in match.owned):
        return None
    return match if _are_disjoint([_core_types(matched.fresh), profile.identifier_types & CORE_TYPES]) else None


def moves_no_tie(told: Told, profiles: Sequence[Profile], fresh: Iterable[Identifier]) -> bool:
    """Whether joining these live profiles, with what the event brings, leaves all weak ties among them as they are."""
    if any(profile.has_neighbours for profile in profiles) or told.asks_the_graph:
        return False
    if told.may_change_what_was_decided(profiles):
        return False
    held = [profile.identifier_types & CORE_TYPES for profile in profiles]
    new = _core_types(fresh)
    if len(profiles) == 1 and not new:
        return True
    return _are_disjoint([*held, new])


def _core_types(identifiers: Iterable[Identifier]) -> set[str]:
    return {found.type for found in identifiers if found.type in CORE_TYPES}


def _are_disjoint(groups: Sequence[Iterable[str]]) -> bool:
    """Whether no type is in two of them: two values of one type may contradict each other."""
    seen: set[str] = set()
    for types in groups:
        if not seen.isdisjoint(types):
            return False
        seen.update(types)
    return True
