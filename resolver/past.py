"""The evidence of a neighbourhood cut at a moment, and what a profile was made of then; pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.identifiers import WEAK_TYPES, Identifier
from resolver.neighbourhood import Arrangement, Held, Member, Neighbourhood, arrange
from resolver.rules import RuleSet
from resolver.weak_events import WeakEvent, misplaced

_LAST_ID = "\uffff"


@dataclass(slots=True)
class PastProfile:
    """A profile as it was: its personas, what they held, and which events were theirs beside or instead of others'."""

    id: str
    persona_ids: tuple[str, ...]
    held: list[Held]
    contested: frozenset[Identifier]
    merge_ids: tuple[str, ...] = ()
    came: tuple[str, ...] = ()
    """Events that another persona has today and that were this profile's then."""
    left: tuple[str, ...] = ()
    """Events that its personas have today and that were somebody else's then."""
    owners: dict[str, str | None] = field(default_factory=dict)
    """Event id → persona that had it then, for those that have another one today."""


def cut(found: Neighbourhood, at: int) -> Neighbourhood:
    """The evidence with an event time up to `at` (microseconds); merges by hand count from when they were made."""
    first: dict[Identifier, Held] = {}
    for link in (link for member in found.members.values() for link in member.held):
        if link.identifier not in first or link.since < first[link.identifier].since:
            first[link.identifier] = link
    return Neighbourhood(
        {member.id: _cut_member(member, first, at) for member in found.members.values()},
        [merge for merge in found.merges if merge.at <= at],
        found.pointers,
        found.not_same,
        {pair: since for pair, since in found.joined.items() if since <= at},
        [seen for seen in found.sightings if seen.rank[0] <= at],
        [waiting for waiting in found.pending if waiting.at <= at],
        [(rank, identifier) for rank, identifier in found.taken if rank[0] <= at],
    )


def _cut_member(member: Member, first: Mapping[Identifier, Held], at: int) -> Member:
    held = []
    for link in member.held:
        # Before it changes hands for the first time a weak identifier is its first owner's, however early it is seen.
        is_handed_on = link.identifier.type in WEAK_TYPES and link is not first[link.identifier]
        since = link.since[0] if is_handed_on else link.seen_from
        if since > at or (link.is_unlinked and link.until is not None and link.until <= at):
            continue
        held.append(replace(link, until=None) if link.until is not None and link.until > at else link)
    return replace(member, held=held)


@dataclass(slots=True)
class Past:
    """A neighbourhood as it was at a moment."""

    at: int
    found: Neighbourhood
    arrangement: Arrangement
    live_today: frozenset[str]
    _links: dict[Identifier, list[tuple[str, Held]]] = field(default_factory=lambda: defaultdict(list))
    """Identifier → (persona, link), oldest first."""

    @classmethod
    def of(cls, found: Neighbourhood, rules: RuleSet, at: int) -> "Past":
        """The neighbourhood `found` as of `at`."""
        then = cut(found, at)
        past = cls(at, then, arrange(then, rules), frozenset(m.root_id for m in found.members.values()))
        links = [(link, member.id) for member in then.members.values() for link in member.held]
        for link, persona in sorted(links, key=lambda pair: (pair[0].since, pair[1])):
            past._links[link.identifier].append((persona, link))
        return past

    def holder(self, identifier: Identifier) -> str | None:
        """The persona that held the identifier then; None when nobody did."""
        is_weak = identifier.type in WEAK_TYPES
        holding = [one for one, link in self._links.get(identifier, ()) if is_weak or link.until is None]
        if not holding:
            return None
        node = self.arrangement.fold.owner_at(identifier, (self.at, _LAST_ID))
        return holding[0] if node is None else self.arrangement.persona_for(node, identifier, holding[0])

    def is_known(self, persona_id: str) -> bool:
        """Whether anything had been seen of the persona by then."""
        member = self.found.members[persona_id]
        return bool(member.held) or member.own.first_seen <= self.at

    def profile(self, persona_id: str, weak_events: Iterable[WeakEvent]) -> PastProfile:
        """The profile that the persona was part of; `weak_events` are those of its neighbourhood until then."""
        group_of = self.arrangement.group_of
        mine = sorted(one for one in group_of if group_of[one] == group_of[persona_id] and self.is_known(one))
        held = self._held_by(mine)
        moves = misplaced(self.found, self.arrangement, weak_events)
        ours = set(mine)
        return PastProfile(
            self._answering(mine),
            tuple(mine),
            held,
            frozenset(one.identifier for one in held if len(self.arrangement.fold.runs(one.identifier)) > 1),
            tuple(merge.id for merge in self.found.merges if {merge.survivor_id, *merge.absorbed_ids} <= ours),
            tuple(sorted(one for one, move in moves.items() if move.to in ours and move.was not in ours)),
            tuple(sorted(one for one, move in moves.items() if move.was in ours and move.to not in ours)),
            {one: move.to for one, move in moves.items()},
        )

    @property
    def is_divided(self) -> bool:
        """Whether it falls into several profiles: only then an event could have been somebody else's."""
        return len(set(self.arrangement.group_of.values())) > 1

    def _answering(self, mine: Sequence[str]) -> str:
        """Today's live profile when it is one of them, else the oldest persona."""
        members = self.found.members
        return min(mine, key=lambda one: (one not in self.live_today, members[one].own.first_seen, one))

    def _held_by(self, mine: Sequence[str]) -> list[Held]:
        found = []
        for identifier, links in sorted(self._links.items()):
            if identifier.type in WEAK_TYPES:
                ours = [link for _, link in links] if self.holder(identifier) in mine else []
            else:
                ours = [link for persona, link in links if persona in mine and link.until is None]
            found += ours[:1]
        return found
