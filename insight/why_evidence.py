"""The pure part of *why*: what ties the identifiers of one profile as a graph, its shortest chain and its cut.

A node is an identifier (`type:value`) or, at an end of a chain, a persona's id. A piece of evidence is an event that
carries several identifiers, a merge, or a link between a persona and an identifier.
"""

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from core.identifiers import CORE_TYPES, LINKING_TYPES, TIERS, TRUST_ORDER
from resolver.weak_links import contradict

EVENT, MERGE, LINK = "event", "merge", "link"
_VIA_ORDER = {EVENT: 0, MERGE: 1, LINK: 2}
_BY_HAND = -1
_UNKNOWN_TRUST = len(TRUST_ORDER)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something that ties every node of `left` to every node of `right`; times in microseconds."""

    via: str
    id: str
    left: frozenset[str]
    right: frozenset[str]
    at: int | None = None
    source: str | None = None
    trust: str | None = None
    """None: a person decided, which no data outweighs."""
    count: int = 1
    """Events that say the same."""
    anchors: tuple[str, ...] = ()
    """Of a merge or link: the identifiers that the personas it ties began with; a cut elsewhere leaves these tied."""
    is_derived: bool = False
    """Follows from other evidence: only taken where that is gone."""

    @property
    def trust_rank(self) -> int:
        """Place of its trust, best first."""
        return _BY_HAND if self.trust is None else TRUST_ORDER.get(self.trust, _UNKNOWN_TRUST)

    def beyond(self, node: str) -> Iterator[str]:
        """The nodes that it ties `node` to."""
        if node in self.left:
            yield from self.right - {node}
        if node in self.right and self.right is not self.left:
            yield from self.left - {node}

    def ties(self, one: str, other: str) -> bool:
        """Whether it ties these two nodes."""
        return (one in self.left and other in self.right) or (other in self.left and one in self.right)


def event_evidence(id_: str, nodes: Iterable[str], at: int, **facts: object) -> Evidence:
    """The evidence of an event: all that it carries belongs together."""
    members = frozenset(nodes)
    return Evidence(EVENT, id_, members, members, at, **facts)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Step:
    """One link of a chain: the best evidence for it, and how many events say the same."""

    start: str
    end: str
    evidence: Evidence
    count: int

    @property
    def tier(self) -> int:
        """That of the weaker of the two identifiers it ties."""
        return max(tier_of(self.start), tier_of(self.end))

    @property
    def weakness(self) -> tuple[int, int, int]:
        """Sort key, weakest last: tier, then trust, then events that say the same."""
        return (self.tier, self.evidence.trust_rank, -self.count)


@dataclass(frozen=True, slots=True)
class Cut:
    """What stays together when a step's evidence is taken away: the sides of its ends, and what neither side holds."""

    holds: bool
    sides: tuple[list[str], list[str]]
    loose: list[str]


def tier_of(node: str) -> int:
    """The tier of an identifier; a persona weakens nothing."""
    tier = TIERS.get(node.partition(":")[0])
    return 0 if tier is None else int(tier)


def pair_of(node: str) -> tuple[str, str]:
    """(type, value) of an identifier."""
    kind, _, value = node.partition(":")
    return kind, value


def _is_passable(node: str) -> bool:
    """Whether a chain may lead through it: supporting identifiers and personas only end one."""
    return node.partition(":")[0] in LINKING_TYPES


@dataclass(slots=True)
class EvidenceGraph:
    """The evidence of one live profile; `current` are the identifiers it holds now, `held` those of each persona."""

    evidence: Sequence[Evidence]
    current: Collection[str] = ()
    held: dict[str, set[str]] = field(default_factory=dict)

    def chain(self, start: str, end: str) -> list[Step] | None:
        """The shortest chain, the strongest of several; None when nothing ties the two.

        Identifiers that the profile held once serve only where those of now are not enough, derived evidence only
        where nothing else is left.
        """
        first_hand = [one for one in self.evidence if not one.is_derived]
        ends = {start, end}
        now = {node for node in self.current if _is_passable(node)} | ends
        for evidence, nodes in ((first_hand, now), (first_hand, None), (self.evidence, None)):
            path = _shortest(evidence, start, end, nodes)
            if path is not None:
                return [self._step(one, other, evidence) for one, other in pairwise(path)]
        return None

    def _step(self, start: str, end: str, evidence: Sequence[Evidence]) -> Step:
        saying = [one for one in evidence if one.ties(start, end)]
        best = min(saying, key=lambda one: (_VIA_ORDER[one.via], one.trust_rank, one.at or 0, one.id))
        return Step(start, end, best, sum(one.count for one in saying if one.via == best.via))

    def cut(self, step: Step) -> Cut:
        """Take away all evidence between the ends of `step`; what is left joins as the rules would join it."""
        taken = [one for one in self.evidence if step.evidence.is_derived or not one.is_derived]
        groups = _Groups([one for one in taken if not one.ties(step.start, step.end)])
        anchors = [self._anchors(node, other) for node, other in ((step.start, step.end), (step.end, step.start))]
        for nodes in anchors:
            groups.unite_all(nodes)
        sides: tuple[list[str], list[str]] = ([], [])
        loose: list[str] = []
        roots = [groups.find(nodes[0]) if nodes else None for nodes in anchors]
        for node in sorted(self.current):
            root = groups.find(node)
            (sides[0] if root == roots[0] else sides[1] if root == roots[1] else loose).append(node)
        return Cut(roots[0] is not None and roots[0] == roots[1], sides, loose)

    def _anchors(self, node: str, other: str) -> list[str]:
        """What stands for an end of a cut: the identifier itself, or all others of a persona."""
        if node in self.held:
            return sorted(self.held[node] - {other})
        return [node]


def weakest_of(chain: Sequence[Step]) -> Step | None:
    """The step that says least; of equals the first."""
    return max(chain, key=lambda step: step.weakness, default=None)


def _shortest(evidence: Sequence[Evidence], start: str, end: str, nodes: Collection[str] | None) -> list[str] | None:
    """Nodes from start to end with the fewest steps, then the strongest tiers; `nodes` are all that may be used."""
    at: dict[str, list[Evidence]] = defaultdict(list)
    for one in evidence:
        for node in one.left | one.right:
            at[node].append(one)
    waiting: list[tuple[tuple[int, int], str, str | None]] = [((0, 0), start, None)]
    came_from: dict[str, str | None] = {}
    while waiting:
        cost, node, before = heapq.heappop(waiting)
        if node in came_from:
            continue
        came_from[node] = before
        if node == end:
            return _walk_back(came_from, end)
        if node != start and not _is_passable(node):
            continue
        for one in at[node]:
            for further in one.beyond(node):
                if further in came_from or (nodes is not None and further not in nodes):
                    continue
                worse = 16 ** max(tier_of(node), tier_of(further))
                heapq.heappush(waiting, ((cost[0] + 1, cost[1] + worse), further, node))
    return None


def _walk_back(came_from: dict[str, str | None], end: str) -> list[str]:
    path = [end]
    while (before := came_from[path[-1]]) is not None:
        path.append(before)
    return path[::-1]


class _Groups:
    """Identifiers as the rules join them: over strong ones for good, over weak ones unless that contradicts."""

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        self._parent: dict[str, str] = {}
        self._strong: dict[str, set[tuple[str, str]]] = {}
        weak = []
        for one in evidence:
            if one.via != EVENT:
                self.unite_all(one.anchors)
                continue
            strong = sorted(node for node in one.left if node.partition(":")[0] in CORE_TYPES)
            self.unite_all(strong)
            if len(strong) < len(one.left):
                weak.append((one, strong))
        # The last to sign in owns a weak identifier.
        weak.sort(key=lambda pair: (-(pair[0].at or 0), pair[0].id))
        for one, strong in weak:
            self._join_weak(one, strong)
        for one, strong in weak:
            self._join_supporting(one, strong)

    def find(self, node: str) -> str:
        """The group of a node."""
        while (up := self._parent.get(node, node)) != node:
            node = up
        return node

    def unite_all(self, nodes: Sequence[str]) -> None:
        """Put these nodes in one group."""
        for node in nodes[1:]:
            self._unite(nodes[0], node)

    def _unite(self, one: str, other: str) -> None:
        left, right = sorted((self.find(one), self.find(other)))
        if left != right:
            strong = self._held(left) | self._held(right)
            self._parent[right] = left
            self._strong[left] = strong

    def _held(self, root: str) -> set[tuple[str, str]]:
        if root in self._strong:
            return self._strong[root]
        return {pair_of(root)} if pair_of(root)[0] in CORE_TYPES else set()

    def _join_weak(self, one: Evidence, strong: Sequence[str]) -> None:
        weak = sorted((node for node in one.left if _is_passable(node) and node not in strong), key=tier_of)
        base = strong[0] if strong else (weak[0] if weak else None)
        for node in weak:
            if base is not None and not contradict(self._held(self.find(base)), self._held(self.find(node))):
                self._unite(base, node)

    def _join_supporting(self, one: Evidence, strong: Sequence[str]) -> None:
        base = strong[0] if strong else min((node for node in one.left if _is_passable(node)), default=None)
        for node in one.left:
            if base is not None and not _is_passable(node) and self.find(node) == node:
                self._unite_leaf(base, node)

    def _unite_leaf(self, base: str, leaf: str) -> None:
        self._parent[leaf] = self.find(base)
