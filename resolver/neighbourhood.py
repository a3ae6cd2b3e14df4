"""Weak links of a neighbourhood drawn anew: cores from merges, the fold over sightings, then who belongs where."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace

from core.identifiers import CORE_TYPES, WEAK_TYPES, Identifier
from resolver.profiles import NEVER_FIRST, Statistics
from resolver.rules import RuleSet
from resolver.weak_links import BEGINNING, Core, Evidence, Rank, Sighting, WeakFold, weak_order


@dataclass(frozen=True, slots=True)
class Held:
    """A link of a persona to an identifier as stored; `until` in microseconds, None while it holds."""

    identifier: Identifier
    since: Rank
    until: int | None = None
    trust: str = "transaction"
    source: str = ""
    first_seen: int | None = None
    """When the identifier was first seen anywhere, microseconds."""
    is_unlinked: bool = False
    """Whether a person ended it."""
    is_by_hand: bool = False
    """Whether a person made it."""

    @property
    def seen_from(self) -> int:
        """From when on it is known: a late event may tell of it earlier than the one that made the link."""
        return self.since[0] if self.first_seen is None else min(self.since[0], self.first_seen)


@dataclass(slots=True)
class Member:
    """A persona of the neighbourhood."""

    id: str
    root_id: str
    own: Statistics
    held: list[Held]


@dataclass(frozen=True, slots=True)
class PastMerge:
    """A merge that holds: what it joined for good."""

    id: str
    survivor_id: str
    absorbed_ids: tuple[str, ...]
    strong_cause_ids: tuple[str, ...]
    is_automatic: bool
    at: int = 0
    """From when on it stands: event time of an automatic one, the moment of the decision of one by hand."""
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A sighting as stored: the persona that performed it, and whether the event brought something strong."""

    rank: Rank
    persona_id: str
    root_id: str
    signs_in: bool
    weak: tuple[Identifier, ...]
    order_key: str | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """Personas that strong evidence of an event (at `at`, microseconds) would join, and a person was asked first."""

    at: int
    persona_ids: frozenset[str]


@dataclass(slots=True)
class Neighbourhood:
    """All cores that some weak identifiers reach, with their evidence."""

    members: dict[str, Member]
    merges: list[PastMerge]
    pointers: dict[str, tuple[str, str]]
    """Absorbed persona → (survivor persona, merge id)."""
    not_same: list[tuple[str, str]]
    joined: dict[tuple[str, str], int]
    """Pairs of personas that strong evidence joined within one live profile → event time of it."""
    sightings: list[Seen]
    pending: list[Pending] = field(default_factory=list)
    taken: list[tuple[Rank, Identifier]] = field(default_factory=list)
    """Weak identifiers that a person took from a persona, with the beginning of the link that this ended."""


@dataclass(slots=True)
class Arrangement:
    """Where every persona belongs by the evidence: `core_of` known ones, `group_of` all."""

    fold: WeakFold
    core_of: dict[str, str]
    group_of: dict[str, str]
    members: dict[str, Member] = field(default_factory=dict)

    def owner(self, identifier: Identifier, rank: Rank, current: str | None) -> str | None:
        """The persona that owns the identifier at `rank`: `current` where it is of the right group already."""
        node = self.fold.owner_at(identifier, rank)
        return current if node is None else self.persona_for(node, identifier, current)

    def persona_for(self, node: str, identifier: Identifier, current: str | None) -> str | None:
        """A persona of the node's group: `current`, else one that holds the identifier, else the core itself."""
        group = self.fold.part(node)
        if current is not None and self.group_of.get(current) == group:
            return current
        for persona_id in sorted(self.members):
            if self.group_of[persona_id] == group and any(
                held.identifier == identifier for held in self.members[persona_id].held
            ):
                return persona_id
        if node in self.members:
            return node
        return next((one for one in sorted(self.members) if self.group_of[one] == group), current)


def arrange(found: Neighbourhood, rules: RuleSet) -> Arrangement:
    """Fold the evidence and say which personas are one."""
    core_of, cores = _cores(found)
    outside = {seen.root_id for seen in found.sightings if seen.persona_id not in found.members}
    evidence = Evidence(
        cores=cores,
        sightings=[
            Sighting(seen.rank, _signing(seen, core_of), tuple(sorted(seen.weak, key=weak_order)))
            for seen in found.sightings
        ],
        not_same={
            frozenset((core_of.get(left, left), core_of.get(right, right)))
            for left, right in found.not_same
            if core_of.get(left, left) != core_of.get(right, right)
        },
        shared_limits=rules.shared_limits,
        merge_threshold=rules.merge_threshold,
        pending=[frozenset(core_of[one] for one in waiting.persona_ids if one in core_of) for waiting in found.pending],
        taken=found.taken,
        outsiders=frozenset(outside),
    )
    fold = WeakFold(evidence)
    group_of: dict[str, str] = {}
    for member in found.members.values():
        core = core_of.get(member.id)
        group = fold.part(core) if core is not None else _container_group(member, fold)
        if group is not None:
            group_of[member.id] = group
    for one in found.members:
        group_of.setdefault(one, _group_above(one, found, group_of))
    return Arrangement(fold, core_of, group_of, found.members)


def _signing(seen: Seen, core_of: dict[str, str]) -> str | None:
    return core_of.get(seen.persona_id, seen.root_id) if seen.signs_in else None


def _cores(found: Neighbourhood) -> tuple[dict[str, str], dict[str, Core]]:
    parent: dict[str, str] = {}

    def find(node: str) -> str:
        while (up := parent.get(node, node)) != node:
            node = up
        return node

    def unite(personas: Iterable[str]) -> None:
        present = sorted(one for one in personas if one in found.members)
        for one in present[1:]:
            left, right = sorted((find(present[0]), find(one)))
            if left != right:
                parent[right] = left

    for pair in found.joined:
        unite(pair)
    by_hand: set[str] = set()
    for merge in found.merges:
        joined = merge.strong_cause_ids if merge.is_automatic else (merge.survivor_id, *merge.absorbed_ids)
        unite(joined)
        if not merge.is_automatic:
            by_hand.update(one for one in joined if one in found.members)
    told_apart = {one for pair in found.not_same for one in pair}
    cores = _with_identifiers(found, find, {find(one) for one in by_hand | told_apart})
    _vouch(found, cores, {one: find(one) for one in found.members}, by_hand)
    return {one: find(one) for one in found.members if find(one) in cores}, cores


def _with_identifiers(found: Neighbourhood, find: Callable[[str], str], by_hand: set[str]) -> dict[str, Core]:
    """Components that something strong, or a person, makes a core."""
    cores: dict[str, Core] = {}
    weak: dict[str, set[Identifier]] = {}
    for member in found.members.values():
        core = cores.setdefault(find(member.id), Core(find(member.id)))
        core.identifiers |= {(h.identifier.type, h.identifier.value) for h in member.held if h.until is None}
        # Also what somebody took over while the person's decision held: it may be undone.
        weak.setdefault(core.id, set()).update(h.identifier for h in member.held if h.identifier.type in WEAK_TYPES)
    for core in list(cores.values()):
        if any(kind in CORE_TYPES for kind, _ in core.identifiers):
            continue
        if core.id in by_hand:
            core.pinned = tuple(sorted(weak[core.id]))
        else:
            del cores[core.id]
    return cores


def _vouch(found: Neighbourhood, cores: dict[str, Core], core_of: dict[str, str], by_hand: set[str]) -> None:
    """Links that a person made, and what personas brought into a known core by hand before they had anything strong."""
    signed_in = {(seen.rank, identifier) for seen in found.sightings if seen.signs_in for identifier in seen.weak}
    for persona, core_id in core_of.items():
        core = cores.get(core_id)
        if core is None or not any(kind in CORE_TYPES for kind, _ in core.identifiers):
            continue
        held = found.members[persona].held
        known_since = min((link.since for link in held if link.identifier.type in CORE_TYPES), default=None)
        for link in held:
            is_brought = persona in by_hand and (known_since is None or link.since < known_since)
            is_vouched = link.is_by_hand or (is_brought and (link.since, link.identifier) not in signed_in)
            if link.identifier.type in WEAK_TYPES and is_vouched:
                core.vouched.add((link.since, link.identifier))


def _group_above(persona: str, found: Neighbourhood, group_of: dict[str, str]) -> str:
    """An anonymous persona that nothing speaks of any more stays where it is."""
    top = persona
    while top not in group_of and top in found.pointers:
        top = found.pointers[top][0]
    return group_of.get(top, top)


def _container_group(member: Member, fold: WeakFold) -> str | None:
    """An anonymous persona belongs where its first event does; None when no evidence speaks of its identifiers."""
    first = BEGINNING if member.own.first_seen == NEVER_FIRST else (member.own.first_seen, "")
    weak = sorted({held.identifier for held in member.held if held.identifier.type in WEAK_TYPES}, key=weak_order)
    for identifier in weak:
        node = fold.owner_at(identifier, first)
        if node is not None:
            return fold.part(node)
    return None


def holders_of(
    arrangement: Arrangement, identifier: Identifier, held: Iterable[tuple[str, Held]]
) -> list[tuple[str, Held]]:
    """The links that an identifier should have, oldest first: (persona, link); the last one holds now.

    A link that a person made stays what it is, but for `until`.
    """
    stored = list(held)
    drawn = [(one, link) for one, link in stored if not link.is_by_hand]
    wanted: list[tuple[str, Held]] = []
    runs = arrangement.fold.runs(identifier)
    for place, (rank, node) in enumerate(runs):
        if node is None:
            continue
        group = arrangement.fold.part(node)
        own = [(one, link) for one, link in stored if arrangement.group_of.get(one) == group]
        current = min(own, key=lambda pair: pair[1].since)[0] if own else node
        persona = arrangement.persona_for(node, identifier, current) or current
        if persona not in arrangement.members:
            # Somebody beyond the neighbourhood, who did not take it: the time of whom it was ends all the same.
            continue
        patterns = [link for one, link in drawn if arrangement.group_of.get(one) == group] or [one for _, one in drawn]
        pattern = patterns[0] if patterns else Held(identifier, own[0][1].since if own else rank)
        since = min([rank, *(link.since for _, link in own)]) if place == 0 else rank
        if since == BEGINNING:
            since = pattern.since
        until = runs[place + 1][0][0] if place + 1 < len(runs) else None
        if until is not None and since[0] > until:
            # Held from the beginning, and somebody else signed in before its only event: it was there just before.
            since = (until - 1, since[1])
        wanted.append((persona, Held(identifier, since, until, pattern.trust, pattern.source)))
    for persona, link in sorted((one for one in stored if one[1].is_by_hand), key=lambda one: one[1].since):
        _keep_by_hand(wanted, persona, link, arrangement.group_of)
    return wanted


def _keep_by_hand(wanted: list[tuple[str, Held]], persona: str, link: Held, group_of: dict[str, str]) -> None:
    """Let a link made by a person stand for its part of its owner's time; in another's time it ends as it begins."""
    for place, (owner, run) in enumerate(wanted):
        if run.since <= link.since and (run.until is None or link.since[0] < run.until):
            if group_of.get(owner) == group_of.get(persona):
                before = [(owner, replace(run, until=link.since[0]))] if run.since < link.since else []
                wanted[place : place + 1] = [*before, (persona, replace(link, until=run.until))]
                return
            break
    if wanted:
        wanted.insert(0, (persona, replace(link, until=max(wanted[0][1].since[0], link.since[0]))))


def heads(personas: Collection[str], pointers: dict[str, str]) -> list[str]:
    """Those of the personas that point at nobody."""
    return sorted(one for one in personas if one not in pointers)
