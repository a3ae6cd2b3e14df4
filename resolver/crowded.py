"""A strong identifier that many people carry: from when on it is shared, and who has the events it tells of; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from resolver.weak_events import Move
from resolver.weak_links import Rank


@dataclass(frozen=True, slots=True)
class Carrier:
    """A stored event that carries the identifier; `persona_id` and `root_id` are None where it belongs to nobody."""

    rank: Rank
    persona_id: str | None
    root_id: str | None
    signs_in: bool
    """Whether it brings another usable strong identifier: then it tells of a person."""
    is_alone: bool
    """Whether it brings nothing else that links: it belongs to the owner, or to nobody from `since` on.

    One that a person gave to somebody is not: it stays there.
    """
    order_key: str | None = None
    decision: str = ""


@dataclass(slots=True)
class Crowded:
    """What the carriers come to."""

    since: int | None = None
    """From this time on (microseconds) the identifier describes and does not link; None: it links."""
    owner: str | None = None
    """The persona that holds it: of the first person who carried it."""
    owner_root: str | None = None
    first: Rank | None = None
    moves: dict[str, Move] = field(default_factory=dict)
    """Event id → the persona that has it, and the one that should."""


def fold_carriers(carriers: Iterable[Carrier], holder: tuple[str, str], limit: int | None) -> Crowded:
    """Count the people by the first event of each: the one over the limit makes it shared, in whatever order they came.

    `holder` is the persona that holds it now and its live profile.
    """
    told = sorted(carriers, key=lambda carrier: carrier.rank)
    firsts: dict[str, Carrier] = {}
    for carrier in told:
        if carrier.signs_in and carrier.root_id is not None:
            firsts.setdefault(carrier.root_id, carrier)
    people = list(firsts.values())
    found = Crowded(owner=holder[0], owner_root=holder[1])
    if limit is not None and len(people) > limit:
        found.since = people[limit].rank[0]
        if people[0].root_id != holder[1]:
            found.owner, found.owner_root, found.first = people[0].persona_id, people[0].root_id, people[0].rank
    found.moves = _moves(told, found)
    return found


def _moves(told: Sequence[Carrier], found: Crowded) -> dict[str, Move]:
    moves: dict[str, Move] = {}
    for carrier in told:
        if not carrier.is_alone:
            continue
        owner = None if found.since is not None and carrier.rank[0] >= found.since else found.owner
        is_there = carrier.persona_id is None if owner is None else carrier.root_id == found.owner_root
        if not is_there:
            moves[carrier.rank[1]] = Move(carrier.persona_id, owner, carrier.order_key)
    return moves
