"""Events that carry nothing strong: which of them belong to another persona than the one that has them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from core.identifiers import Identifier
from resolver.neighbourhood import Arrangement, Neighbourhood
from resolver.weak_links import Rank


@dataclass(frozen=True, slots=True)
class WeakEvent:
    """A stored event with one weak identifier and nothing else that links."""

    rank: Rank
    persona_id: str | None
    """None: it belongs to nobody."""
    identifier: Identifier
    order_key: str | None = None


class Move(NamedTuple):
    """An event changes hands, with the order it speaks of; None is nobody."""

    was: str | None
    to: str | None
    order_key: str | None = None


def misplaced(found: Neighbourhood, arrangement: Arrangement, events: Iterable[WeakEvent]) -> dict[str, Move]:
    """Event id → the persona that has it and the one that should: nobody from when on its identifier is shared."""
    moves: dict[str, Move] = {}
    for event in events:
        since = arrangement.fold.shared_since.get(event.identifier)
        if event.persona_id is not None and event.persona_id not in found.members:
            continue
        is_shared = since is not None and event.rank >= since
        target = None if is_shared else arrangement.owner(event.identifier, event.rank, event.persona_id)
        if target != event.persona_id:
            moves[event.rank[1]] = Move(event.persona_id, target, event.order_key)
    for seen in found.sightings:
        if seen.signs_in or not seen.weak or seen.persona_id not in found.members:
            continue
        node = arrangement.fold.given_to[seen.rank[1]]
        target = arrangement.persona_for(node, min(seen.weak), seen.persona_id)
        if target != seen.persona_id:
            moves[seen.rank[1]] = Move(seen.persona_id, target, seen.order_key)
    return moves
