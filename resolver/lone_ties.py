"""When the outcome of drawing weak links anew is known without the evidence in the graph: nobody else is near.

The fold over sightings (`resolver/weak_links.py`) ties groups unless their strong identifiers contradict each other.
Where a live profile has no neighbours, all its sightings are its own, so (ARCHITECTURE, "Lone profiles"):
a later sign-in of somebody new who contradicts nothing is the last step of that fold and ties; and strong evidence
within or between such profiles that brings no second value of a type moves nothing.
"""

from collections.abc import Iterable, Sequence

from core.clock import to_micros
from core.events import IncomingEvent
from core.identifiers import CORE_TYPES, Identifier
from resolver.matching import Holdings, Matched
from resolver.profiles import Profile
from resolver.resolve import Match
from resolver.rules import RuleSet

REASON_WEAK_LINK = "weak_link"
_FEWEST_TO_ASK_ABOUT = 2


def find_lone_tie(event: IncomingEvent, matched: Matched, holdings: Holdings, rules: RuleSet) -> Match | None:
    """The known profile that the weak identifiers of a new person's event tie it to; None when evidence must be read.

    The event must be later than everything that profile did: then nothing that was tied or refused before can change.
    """
    if len(matched.known_over_weak) != 1 or matched.plain or matched.shared or not matched.signs_in:
        return None
    [match] = matched.known_over_weak
    profile = match.profile
    if profile.has_neighbours or rules.merge_threshold < _FEWEST_TO_ASK_ABOUT:
        return None
    if to_micros(event.occurred_at) <= profile.totals.last_seen:
        return None
    if any(found in holdings.timelines or len(holdings.owners.get(found, ())) != 1 for found, _ in match.owned):
        return None
    return match if _are_disjoint([_core_types(matched.fresh), profile.identifier_types & CORE_TYPES]) else None


def moves_no_tie(profiles: Sequence[Profile], fresh: Iterable[Identifier]) -> bool:
    """Whether joining these live profiles, with what is new, leaves all weak ties among them as they are."""
    if any(profile.has_neighbours for profile in profiles):
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
