"""Which weak links stand: a pure fold over the sightings of weak identifiers in event time (ARCHITECTURE, Identity)."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.identifiers import CORE_TYPES, PRIORITY, Identifier

Rank = tuple[int, str]
"""Event time in microseconds, made total by the event id."""
BEGINNING: Rank = (-(1 << 62), "")


@dataclass(frozen=True, slots=True)
class Sighting:
    """An event with a weak identifier and something beside it: `core` signed in (None: nobody did)."""

    rank: Rank
    core: str | None
    weak: tuple[Identifier, ...]
    """Best first."""


@dataclass(slots=True)
class Core:
    """What strong evidence or a person joined: its strong and high identifiers, and what holds without a sighting."""

    id: str
    identifiers: set[tuple[str, str]] = field(default_factory=set)
    pinned: tuple[Identifier, ...] = ()
    """Weak identifiers it holds from the beginning: it has nothing else."""
    vouched: set[tuple[Rank, Identifier]] = field(default_factory=set)
    """Weak identifiers that a person's decision made its own, from when on: each counts as a sign-in."""


@dataclass(frozen=True, slots=True)
class Tie:
    """Two groups became one at `rank` because of `identifier`; ends are cores (or anonymous groups) on each side."""

    rank: Rank
    identifier: Identifier
    ends: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Crowd:
    """A sighting that would tie more groups than a person must be asked for: one node of each."""

    rank: Rank
    identifiers: tuple[Identifier, ...]
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that decides the weak links of one neighbourhood."""

    cores: Mapping[str, Core]
    sightings: Sequence[Sighting]
    not_same: Collection[frozenset[str]] = ()
    """Pairs of cores that a person told apart."""
    shared_limits: Mapping[str, int] = field(default_factory=dict)
    merge_threshold: int = 3
    pending: Collection[frozenset[str]] = ()
    """Sets of cores that strong evidence would join, were not a person asked first: they count as one."""
    taken: Collection[tuple[Rank, Identifier]] = ()
    """Weak identifiers that a person took from somebody, with the rank at which that one's time began."""
    outsiders: frozenset[str] = frozenset()
    """People beyond the neighbourhood: they count as users of an identifier and are never tied."""


def comparable(kind: str, value: str) -> str:
    """The type within which two values contradict each other; external ids only within one source instance."""
    return f"{kind}/{value.rpartition(':')[0]}" if kind == "external_id" else kind


def contradict(left: Iterable[tuple[str, str]], right: Iterable[tuple[str, str]]) -> bool:
    """Whether some strong or high type is on both sides and no value of any such type is on both."""
    left, right = _strong(left), _strong(right)
    types = {comparable(*pair) for pair in left} & {comparable(*pair) for pair in right}
    return bool(types) and not left & right


def _strong(pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    return {(kind, value) for kind, value in pairs if kind in CORE_TYPES}


def weak_order(identifier: Identifier) -> tuple[int, str, str]:
    """Sort key: best weak identifier first."""
    return (PRIORITY[identifier.type], identifier.type, identifier.value)


class WeakFold:
    """The folded evidence: groups of cores, owners of weak identifiers in time, ties, and what became shared."""

    def __init__(self, evidence: Evidence) -> None:
        self.ties: list[Tie] = []
        self.shared_since: dict[Identifier, Rank] = {}
        self.crowds: list[Crowd] = []
        self.given_to: dict[str, str] = {}
        """Event id of a sighting without a core → the node that owned it then."""
        self._evidence = evidence
        self._parent: dict[str, str] = {}
        self._part_of: dict[str, str] = {}
        self._held: dict[str, set[tuple[str, str]]] = {}
        self._apart: dict[str, set[str]] = {}
        self._timeline: dict[Identifier, list[tuple[Rank, str | None]]] = {}
        self._people: dict[Identifier, list[str]] = {}
        for core in sorted(evidence.cores.values(), key=lambda core: core.id):
            self._held[core.id] = _strong(core.identifiers)
            for identifier in core.pinned:
                self._timeline.setdefault(identifier, []).append((BEGINNING, core.id))
        for pair in evidence.not_same:
            left, right = sorted(pair)
            self._apart.setdefault(left, set()).add(right)
            self._apart.setdefault(right, set()).add(left)
        for cores in sorted(sorted(cores) for cores in evidence.pending):
            self._count_as_one(cores)
        vouched = [
            Sighting(rank, core.id, (identifier,))
            for core in sorted(evidence.cores.values(), key=lambda core: core.id)
            for rank, identifier in sorted(core.vouched)
        ]
        # At one rank a person's word goes first: the event of that rank may be one that it speaks for.
        taken = sorted(evidence.taken)
        for sighting in sorted([*vouched, *evidence.sightings], key=lambda sighting: sighting.rank):
            while taken and taken[0][0] <= sighting.rank:
                self._release(*taken.pop(0))
            self._see(sighting)
        for rank, identifier in taken:
            self._release(rank, identifier)

    def group(self, node: str) -> str:
        """The group that a core or anonymous node ends in; cores that wait for a person together are one group."""
        while (up := self._parent.get(node, node)) != node:
            node = up
        return node

    def part(self, node: str) -> str:
        """The part of the group that is one profile: what weak links tied to one core."""
        while (up := self._part_of.get(node, node)) != node:
            node = up
        return node

    def owner_at(self, identifier: Identifier, rank: Rank) -> str | None:
        """Who owns the identifier at `rank`: the last to sign in, before the first sighting the first owner.

        None when the evidence does not say: nobody was seen with it, or a person took it from who had it then.
        """
        timeline = self._timeline.get(identifier)
        if not timeline:
            return None
        place = bisect_right(timeline, rank, key=lambda entry: entry[0])
        return timeline[max(place - 1, 0)][1]

    def runs(self, identifier: Identifier) -> list[tuple[Rank, str | None]]:
        """The owners in time, one entry for each change of the person: from when, and the core that signed in first.

        None stands for a time of which the evidence does not speak because a person took the identifier away.
        """
        runs: list[tuple[Rank, str | None]] = []
        before: str | None = None
        for rank, node in self._timeline.get(identifier, ()):
            part = None if node is None else self.part(node)
            if not runs or part != before:
                runs.append((rank, node))
            before = part
        return runs

    def _release(self, rank: Rank, identifier: Identifier) -> None:
        """Who had it before lost it to the one from whom a person took it."""
        if self._owner(identifier) is not None:
            self._timeline[identifier].append((rank, None))

    def _see(self, sighting: Sighting) -> None:
        weak = [identifier for identifier in sighting.weak if identifier not in self.shared_since]
        owners = [(identifier, owner) for identifier in weak if (owner := self._owner(identifier)) is not None]
        base = sighting.core
        if base is None:
            base = owners[0][1] if owners else sighting.rank[1]
            self.given_to[sighting.rank[1]] = base
        self._tie_all(sighting, base, owners)
        for identifier in weak:
            if sighting.core is not None:
                self._sign_in(identifier, sighting.rank, base)
            elif self._owner(identifier) is None:
                self._timeline.setdefault(identifier, []).append((sighting.rank, base))

    def _tie_all(self, sighting: Sighting, base: str, owners: Sequence[tuple[Identifier, str]]) -> None:
        others = {self.group(owner) for _, owner in owners} - {self.group(base)}
        tying = [other for other in others if self._may_tie(self.group(base), other)]
        if len(tying) >= self._evidence.merge_threshold:
            nodes = {self.group(owner): owner for _, owner in owners if self.group(owner) in tying}
            weak = tuple(identifier for identifier, owner in owners if self.group(owner) in tying)
            self.crowds.append(Crowd(sighting.rank, weak, (base, *sorted(nodes.values()))))
            return
        for identifier, owner in owners:
            left, right = self.group(base), self.group(owner)
            if left != right and self._may_tie(left, right):
                self.ties.append(Tie(sighting.rank, identifier, (base, owner)))
                self._unite(left, right)
                self._join_parts(base, owner)

    def _sign_in(self, identifier: Identifier, rank: Rank, base: str) -> None:
        owner = self._owner(identifier)
        if (
            owner is not None
            and not self._held.get(self.group(owner))
            and self._is_apart(self.group(base), self.group(owner))
        ):
            # An anonymous profile that a person told apart keeps what it has: nothing else speaks for it.
            return
        people = {self.group(core) for core in self._people.setdefault(identifier, [])}
        limit = self._evidence.shared_limits.get(identifier.type)
        if limit is not None and len(people) >= limit and self.group(base) not in people:
            self.shared_since[identifier] = rank
            return
        self._people[identifier].append(base)
        timeline = self._timeline.setdefault(identifier, [])
        if not timeline or timeline[-1][1] != base:
            timeline.append((rank, base))

    def _owner(self, identifier: Identifier) -> str | None:
        timeline = self._timeline.get(identifier)
        return timeline[-1][1] if timeline else None

    def _may_tie(self, left: str, right: str) -> bool:
        if self._is_apart(left, right) or not self._evidence.outsiders.isdisjoint((left, right)):
            return False
        return not contradict(self._held.get(left, ()), self._held.get(right, ()))

    def _is_apart(self, left: str, right: str) -> bool:
        return right in self._apart.get(left, ())

    def _count_as_one(self, cores: Sequence[str]) -> None:
        for other in cores[1:]:
            left, right = self.group(cores[0]), self.group(other)
            if left != right and not self._is_apart(left, right):
                self._unite(left, right)

    def _join_parts(self, base: str, owner: str) -> None:
        left, right = self.part(base), self.part(owner)
        top, below = (left, right) if left in self._evidence.cores else (right, left)
        self._part_of[below] = top

    def _unite(self, left: str, right: str) -> None:
        top, below = (left, right) if left in self._held else (right, left)
        self._parent[below] = top
        self._held.setdefault(top, set()).update(self._held.pop(below, ()))
        for other in self._apart.pop(below, set()):
            self._apart[other].discard(below)
            self._apart[other].add(top)
            self._apart.setdefault(top, set()).add(other)
