"""A small model of the whole identity service in plain Python: events, merges, unmerges, reviews, links by hand.

Shares no code with `resolver/`. It keeps everything and computes everything anew: who is one person is the fold over
the merges that hold, money is the fold over all events of an order. It knows strong and high identifiers only; where
devices and cookies come in, `weak_oracle` answers.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from core.events import IncomingEvent
from tests.oracle import facts_by_order, money_of, owner_of_order

BEST_FIRST = ("phone", "email", "loyalty_id")
UNIQUE = {"loyalty_id"}
THRESHOLD = 3
NEVER = float("inf")


@dataclass(frozen=True)
class Person:
    """A live profile as the model sees it; money in minor units."""

    id: str
    identifiers: frozenset[str]
    events: int
    orders: int
    ltv_minor: int
    strength: int


@dataclass(frozen=True)
class Answer:
    """What the sender of an event is told."""

    decision: str
    profile_id: str | None
    merged: frozenset[str] = frozenset()
    proposed: frozenset[str] = frozenset()
    """Live profiles that a person is asked about."""


@dataclass(frozen=True)
class Joined:
    """A merge that holds: its pointers (absorbed persona, survivor), and who owned what caused it (nobody: by hand)."""

    id: str
    pointers: tuple[tuple[str, str], ...]
    causes: frozenset[str] = frozenset()


@dataclass
class IdentityModel:
    """Everything that was told, and what follows from it."""

    owners: dict[str, str] = field(default_factory=dict)
    """Identifier → the persona that holds it."""
    personas: list[str] = field(default_factory=list)
    events: dict[str, IncomingEvent] = field(default_factory=dict)
    doers: dict[str, str | None] = field(default_factory=dict)
    """Event → the persona that its own identifiers, or a person, gave it to."""
    answers: dict[str, Answer] = field(default_factory=dict)
    merges: list[Joined] = field(default_factory=list)
    apart: set[frozenset[str]] = field(default_factory=set)
    """Pairs of personas that a person told apart."""
    reviews: dict[str, set[str]] = field(default_factory=dict)
    """Pending review → the personas it proposes."""

    # What is

    def live(self, persona: str) -> str:
        """The live profile of a persona."""
        return _Forest([pointer for merge in self.merges for pointer in merge.pointers]).top(persona)

    def profiles(self) -> dict[str, set[str]]:
        """Live profile → its personas."""
        forest = _Forest([pointer for merge in self.merges for pointer in merge.pointers])
        found: dict[str, set[str]] = {}
        for persona in self.personas:
            found.setdefault(forest.top(persona), set()).add(persona)
        return found

    def people(self) -> dict[str, Person]:
        """Every live profile with what it comes to."""
        doers = self._doers()
        owners = {
            key: owner_of_order(facts, self.doers.get) for key, facts in facts_by_order(self.events.values()).items()
        }
        money = money_of(self.events.values(), owners)
        found = {}
        for head, personas in self.profiles().items():
            held = frozenset(identifier for identifier, owner in self.owners.items() if owner in personas)
            orders = sum(money.get(one, (0, 0))[0] for one in personas)
            minor = sum(money.get(one, (0, 0))[1] for one in personas)
            events = sum(1 for doer in doers.values() if doer in personas)
            found[head] = Person(head, held, events, orders, minor, _strength(held, orders))
        return found

    def _doers(self) -> dict[str, str | None]:
        """Event → who performed it: an event without identifiers follows its order."""
        owners = {
            key: owner_of_order(facts, self.doers.get) for key, facts in facts_by_order(self.events.values()).items()
        }
        found = dict(self.doers)
        for event in self.events.values():
            if found[event.id] is None and event.order is not None:
                found[event.id] = owners[event.order.key]
        return found

    def first_seen(self, personas: Collection[str]) -> float:
        """The earliest event time of these personas."""
        doers = self._doers()
        times = [self.events[one].occurred_at.timestamp() for one, doer in doers.items() if doer in personas]
        return min(times, default=NEVER)

    def are_apart(self, one: str, other: str) -> bool:
        """Whether a person told two live profiles apart."""
        profiles = self.profiles()
        return any(frozenset((left, right)) in self.apart for left in profiles[one] for right in profiles[other])

    # Events

    def take(self, event: IncomingEvent, new_persona: str) -> Answer:
        """Store an event once; its answer."""
        if event.id in self.events:
            doer = self._doers()[event.id]
            return replace(self.answers[event.id], profile_id=None if doer is None else self.live(doer))
        identifiers = [f"{found.type}:{found.value}" for found in event.identifiers]
        self.answers[event.id] = self._decide(event, identifiers, new_persona)
        return self.answers[event.id]

    def _decide(self, event: IncomingEvent, identifiers: list[str], new_persona: str) -> Answer:
        if not identifiers:
            self._store(event, None)
            doer = self._doers()[event.id]
            return Answer("unattached", None) if doer is None else Answer("attached", self.live(doer))
        sides = self._sides(identifiers)
        fresh = [one for one in identifiers if one not in self.owners]
        if self._brings_another_unique(fresh, sides):
            self._create(new_persona)
            self._store(event, new_persona, fresh)
            return Answer("review", new_persona, proposed=frozenset({new_persona, *sides}))
        if not sides:
            self._create(new_persona)
            self._store(event, new_persona, fresh)
            return Answer("created", new_persona)
        conflict = self._differ_in_unique(sides)
        if len(sides) > 1 and not conflict and len(sides) <= THRESHOLD:
            return self._join_by(event, sides, fresh)
        order = self._receiving_order(sides, prefer_unique=conflict)
        receiver = self._best_owner(sides[order[0]])
        self._store(event, receiver, fresh)
        if len(sides) == 1:
            return Answer("attached", order[0])
        return Answer("review", order[0], proposed=frozenset(sides))

    def _join_by(self, event: IncomingEvent, sides: dict[str, list[str]], fresh: list[str]) -> Answer:
        receiver = self._best_owner(sides[self._receiving_order(sides)[0]])
        causes = frozenset(self.owners[one] for held in sides.values() for one in held)
        survivor, *absorbed = self._by_survival(sides)
        merge_id = "mrg_" + event.id.removeprefix("evt_")
        self.merges.append(Joined(merge_id, tuple((one, survivor) for one in absorbed), causes))
        self._store(event, receiver, fresh)
        return Answer("merged", survivor, frozenset(absorbed))

    def _sides(self, identifiers: Iterable[str]) -> dict[str, list[str]]:
        """Live profiles that hold some of these, each with them; those told apart from a better one are left out."""
        found: dict[str, list[str]] = {}
        for one in identifiers:
            if one in self.owners:
                found.setdefault(self.live(self.owners[one]), []).append(one)
        kept: dict[str, list[str]] = {}
        is_split = any(self.are_apart(one, other) for one in found for other in found if one != other)
        for one in self._receiving_order(found, prefer_unique=is_split):
            if not any(self.are_apart(one, other) for other in kept):
                kept[one] = found[one]
        return kept

    def _receiving_order(self, sides: dict[str, list[str]], *, prefer_unique: bool = False) -> list[str]:
        """The side with the event's unique value, then the best identifier's type, then the survivor rule."""
        survival = self._by_survival(sides)

        def place(head: str) -> tuple[bool, int, int]:
            kinds = [_kind(one) for one in sides[head]]
            return (
                prefer_unique and not UNIQUE & set(kinds),
                min(BEST_FIRST.index(kind) for kind in kinds),
                survival.index(head),
            )

        return sorted(sides, key=place)

    def _by_survival(self, heads: Iterable[str]) -> list[str]:
        people, profiles = self.people(), self.profiles()
        return sorted(heads, key=lambda one: (-people[one].strength, self.first_seen(profiles[one]), one))

    def _best_owner(self, held: Sequence[str]) -> str:
        return self.owners[min(held, key=lambda one: (BEST_FIRST.index(_kind(one)), one))]

    def _brings_another_unique(self, fresh: Sequence[str], sides: Iterable[str]) -> bool:
        return any(_kind(one) in UNIQUE for one in fresh) and any(self._unique_values(side) for side in sides)

    def _differ_in_unique(self, sides: Iterable[str]) -> bool:
        values = [held for side in sides if (held := self._unique_values(side))]
        return any(not left & right for place, left in enumerate(values) for right in values[place + 1 :])

    def _unique_values(self, head: str) -> frozenset[str]:
        return frozenset(one for one in self.people()[head].identifiers if _kind(one) in UNIQUE)

    def _create(self, persona: str) -> None:
        self.personas.append(persona)

    def _store(self, event: IncomingEvent, persona: str | None, fresh: Iterable[str] = ()) -> None:
        self.events[event.id], self.doers[event.id] = event, persona
        if persona is not None:
            self.owners.update(dict.fromkeys(fresh, persona))

    # A person's commands

    def merge(self, merge_id: str, heads: Iterable[str]) -> str:
        """Merge live profiles by hand; marks between them end."""
        survivor, *absorbed = self._by_survival(heads)
        profiles = self.profiles()
        together = {persona for head in (survivor, *absorbed) for persona in profiles[head]}
        self.apart = {pair for pair in self.apart if not pair <= together}
        self.merges.append(Joined(merge_id, tuple((one, survivor) for one in absorbed)))
        return survivor

    def tell_apart(self, personas: Iterable[str], together: Collection[str] = ()) -> None:
        """Mark these personas and their live profiles, where they are apart now and not all in `together`."""
        ends = {(one, self.live(one)) for one in personas} | {(self.live(one), self.live(one)) for one in personas}
        for one, root in ends:
            for other, further in ends:
                if root != further and not (root in together and further in together):
                    self.apart.add(frozenset((one, other)))

    def unmerge(self, merge_id: str) -> set[str]:
        """Take a merge back; the live profiles that its group is now."""
        reverted = next(merge for merge in self.merges if merge.id == merge_id)
        group = self.profiles()[self.live(reverted.pointers[0][1])]
        before, after = _Forest([]), _Forest([])
        kept: list[Joined] = []
        for merge in self.merges:
            if merge is not reverted:
                pointers = []
                for pointer in merge.pointers:
                    child, top = (_part(end, merge, group, reverted, before, after) for end in pointer)
                    if child != top:
                        after.up[child] = top
                        pointers.append((child, top))
                if pointers:
                    kept.append(Joined(merge.id, tuple(pointers), merge.causes))
            for child, top in merge.pointers:
                before.up[before.top(child)] = before.top(top)
        self.merges = kept
        ends = sorted({end for pointer in reverted.pointers for end in pointer})
        self.apart |= {frozenset((one, other)) for one in ends for other in ends if one < other}
        return {self.live(persona) for persona in group}

    def unlink(self, identifier: str) -> None:
        """Take an identifier from whoever holds it."""
        del self.owners[identifier]

    def link(self, identifier: str, head: str) -> None:
        """Give an identifier that nobody holds to a live profile."""
        self.owners[identifier] = head

    def attach(self, event_id: str, head: str) -> None:
        """Give an unattached event to a live profile."""
        self.doers[event_id] = head


class _Forest:
    """Who was absorbed by whom."""

    def __init__(self, pointers: Iterable[tuple[str, str]]) -> None:
        self.up = dict(pointers)

    def top(self, persona: str) -> str:
        while persona in self.up:
            persona = self.up[persona]
        return persona


def _part(end: str, merge: Joined, group: set[str], reverted: Joined, before: _Forest, after: _Forest) -> str:
    """The part of a fallen-apart profile that takes part in a later merge in its place.

    It goes with the absorbed side when all that caused the later merge is there; else, and when made by hand, it stays.
    """
    members = {persona for persona in group if before.top(persona) == before.top(end)} | {end}
    survivor = reverted.pointers[0][1]
    stays = after.top(survivor if survivor in members else end)
    parts = {after.top(one) for one in merge.causes & members}
    return stays if not parts or stays in parts else after.top(min(merge.causes & members))


def _strength(held: Iterable[str], orders: int) -> int:
    kinds = {_kind(one) for one in held}
    strong = len(kinds & {"phone", "email"})
    known = (0, 40, 75)[strong]
    if "loyalty_id" in kinds:
        known = known + 10 if strong else 40
    bought = (0, 40, 50, 60, 70, 80)[min(orders, 5)] if kinds else 0
    return max(known, bought)


def _kind(identifier: str) -> str:
    return identifier.partition(":")[0]
