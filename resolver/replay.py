"""A history folded again under other rules, in memory: who ends in one profile, what waits for a person."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.events import IncomingEvent
from core.identifiers import CORE_TYPES, LINKING_TYPES, WEAK_TYPES, Identifier
from resolver.neighbourhood import Arrangement, Held, Member, Neighbourhood, PastMerge, Seen, arrange
from resolver.records import DecidedEvent
from resolver.rules import RuleSet
from resolver.working_set import WorkingSet


@dataclass(slots=True)
class Replayed:
    """How a history ends: identifier (`type:value`) → the people it stands for, reviews that wait."""

    people: dict[str, frozenset[str]] = field(default_factory=dict)
    pending_reviews: int = 0
    rule_hits: dict[str, int] = field(default_factory=dict)
    shared: int = 0

    @property
    def largest(self) -> int:
        """Identifiers of the largest profile."""
        return max((len(held) for held in self.people.values()), default=0)

    @property
    def profiles(self) -> int:
        """How many profiles with identifiers there are."""
        return len(set(self.people.values()))


def replay(events: Sequence[IncomingEvent], rules: RuleSet) -> Replayed:
    """Fold `events` in their order under `rules`; reads and writes nothing."""
    working = WorkingSet(rules, "")
    for event in events:
        working.take(event)
        # Weak links follow from all sightings together, at the end: until then, who met others is not tied to anybody.
        if working.unsettled is not None:
            working.note_neighbours(working.unsettled.profile_ids)
        working.unsettled = None
        for crowded in working.crowding:
            working.holdings.shared_since.setdefault(crowded, event.micros)
        working.crowding.clear()
    arrangement = _arrange(working, rules)
    holders = _holders(working, arrangement)
    grouped: dict[str, set[str]] = {}
    for identifier, group in holders.items():
        grouped.setdefault(group, set()).add(identifier)
    frozen = {group: frozenset(held) for group, held in grouped.items()}
    outcome = Replayed({identifier: frozen[group] for identifier, group in holders.items()})
    outcome.pending_reviews = sum(1 for review in working.reviews if review.superseded_by is None)
    outcome.shared = len(arrangement.fold.shared_since) + len(working.holdings.shared_since)
    for decided in working.decided:
        for rule in decided.rules:
            outcome.rule_hits[rule] = outcome.rule_hits.get(rule, 0) + 1
    return outcome


def _arrange(working: WorkingSet, rules: RuleSet) -> Arrangement:
    members = {one: Member(one, one, persona.own, []) for one, persona in working.personas.items()}
    for link in working.links:
        rank = (link.event.micros, link.event.id)
        members[link.persona_id].held.append(Held(link.identifier, rank, None, link.event.trust, ""))
    merges = [
        PastMerge(merge.id, merge.survivor_id, merge.absorbed_ids, merge.strong_cause_ids, True)
        for merge in working.merges
    ]
    sightings = [
        _seen(decided)
        for decided in working.decided
        if decided.persona_id and decided.event.is_sighting and not decided.asks_about_weak
    ]
    return arrange(Neighbourhood(members, merges, {}, [], dict.fromkeys(sorted(working.joined), 0), sightings), rules)


def _seen(decided: DecidedEvent) -> Seen:
    event = decided.event
    persona = decided.persona_id or ""
    return Seen(
        (event.micros, event.id), persona, persona,
        any(found.type in CORE_TYPES for found in event.identifiers),
        tuple(found for found in event.identifiers if found.type in WEAK_TYPES),
    )  # fmt: skip


def _holders(working: WorkingSet, arrangement: Arrangement) -> dict[str, str]:
    """Identifier → group that holds it at the end."""
    holders: dict[str, str] = {}
    for link in working.links:
        found = link.identifier
        if found.type in LINKING_TYPES:
            holders[f"{found.type}:{found.value}"] = _group(found, link.persona_id, arrangement)
    return holders


def _group(identifier: Identifier, persona_id: str, arrangement: Arrangement) -> str:
    if identifier.type in WEAK_TYPES:
        runs = arrangement.fold.runs(identifier)
        if runs and (last := runs[-1][1]) is not None:
            return arrangement.fold.part(last)
    return arrangement.group_of[persona_id]
