"""Events that carry nothing strong: which of them belong to another persona than the one that has them."""

from collections.abc import Iterable
from dataclasses import dataclass

from core.identifiers import Identifier
from resolver.neighbourhood import Arrangement, Neighbourhood
from resolver.weak_links import Rank


@dataclass(frozen=True, slots=True)
class WeakEvent:
    """A stored event with one weak identifier and nothing else that links."""

    rank: Rank
    persona_id: str
    identifier: Identifier
    order_key: str | None = None


def misplaced(
    found: Neighbourhood, arrangement: Arrangement, events: Iterable[WeakEvent]
) -> tuple[dict[str, tuple[str, str]], set[str]]:
    """Event id → (persona that has it, persona that should), and the orders that these events speak of."""
    moves: dict[str, tuple[str, str]] = {}
    orders: set[str] = set()
    for event in events:
        since = arrangement.fold.shared_since.get(event.identifier)
        if event.persona_id not in found.members or (since is not None and event.rank >= since):
            continue
        target = arrangement.owner(event.identifier, event.rank, event.persona_id)
        if target != event.persona_id:
            moves[event.rank[1]] = (event.persona_id, target)
            orders.update([event.order_key] if event.order_key else [])
    for seen in found.sightings:
        if seen.signs_in or not seen.weak or seen.persona_id not in found.members:
            continue
        node = arrangement.fold.given_to[seen.rank[1]]
        target = arrangement.persona_for(node, min(seen.weak), seen.persona_id)
        if target != seen.persona_id:
            moves[seen.rank[1]] = (seen.persona_id, target)
            orders.update([seen.order_key] if seen.order_key else [])
    return moves, orders
