"""Taking a merge back: the remaining merges of a group are replayed, so what depended on it comes apart too."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MergeLink:
    """A live merge as it stands in the graph: its pointers (absorbed persona, survivor persona) and its evidence.

    `cause_persona_ids` own the identifiers that caused it; empty for a merge made by hand.
    """

    merge_id: str
    order: tuple[int, int]
    """When it was made: commit time and place in its batch."""
    pointers: tuple[tuple[str, str], ...]
    cause_persona_ids: frozenset[str] = frozenset()
    is_weak: bool = False
    """Whether only weak evidence holds its pointers."""


@dataclass(slots=True)
class Forest:
    """Personas grouped by replayed merges; every group has one root."""

    parent: dict[str, str] = field(default_factory=dict)
    pointers: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Absorbed persona → (survivor persona, merge id): one pointer out of each, at most."""

    def root(self, persona_id: str) -> str:
        """The live profile of a persona."""
        while (up := self.parent.get(persona_id, persona_id)) != persona_id:
            persona_id = up
        return persona_id

    def point(self, absorbed: str, survivor: str, merge_id: str) -> None:
        """Let the group of `absorbed` follow the group of `survivor`; nothing when they are one already."""
        child, top = self.root(absorbed), self.root(survivor)
        if child != top:
            self.parent[child] = top
            self.pointers[child] = (top, merge_id)


def replay_without(personas: Collection[str], links: Sequence[MergeLink], reverted_id: str) -> Forest:
    """The group as it is without merge `reverted_id`.

    A later merge whose causing identifiers all belong to absorbed personas goes with them; all others, and manual
    ones, stay with the survivor. `links` are the live merges of the group, the reverted one included.
    """
    history = sorted(links, key=lambda link: link.order)
    reverted = next(link for link in history if link.merge_id == reverted_id)
    kept_root = reverted.pointers[0][1] if reverted.pointers else ""
    before, after = Forest(), Forest()
    for link in history:
        if link is reverted:
            _point_all(before, link)
            continue
        for absorbed, survivor in link.pointers:
            sides = [_side(end, link, personas, before, after, kept_root) for end in (absorbed, survivor)]
            after.point(sides[0], sides[1], link.merge_id)
        _point_all(before, link)
    return after


def _point_all(forest: Forest, link: MergeLink) -> None:
    for absorbed, survivor in link.pointers:
        forest.point(absorbed, survivor, link.merge_id)


def _side(end: str, link: MergeLink, personas: Collection[str], before: Forest, after: Forest, kept_root: str) -> str:
    """Which part of the profile that `end` headed takes its place now that the profile has come apart."""
    group = [persona for persona in personas if before.root(persona) == before.root(end)]
    if len({after.root(persona) for persona in group}) == 1:
        return end
    stays = after.root(kept_root) if kept_root in group else after.root(end)
    causes = sorted(link.cause_persona_ids.intersection(group))
    if causes and all(after.root(cause) != stays for cause in causes):
        return after.root(causes[0])
    return stays
