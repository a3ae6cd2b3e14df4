"""An independent answer for histories with devices and cookies: who is who by the written rules, over all events.

Shares no code with `resolver/`. Strong identifiers of one event are one person. Then events that show a device or a
cookie together with something else are walked in event time: whoever signs in ties in the owner before, unless both
sides know a different value of the same strong kind; then the device follows the one who signed in.

People who wait for a decision together count as one. A strong identifier of too many people links nobody from the time
of the one over its limit on; its own events are nobody's from then on. (Its people are told apart by another strong
identifier in the same event.)
"""

from collections import defaultdict
from collections.abc import Sequence

from core.events import IncomingEvent

_STRONG = {"phone", "email", "whatsapp", "loyalty_id", "user_id", "external_id"}
_ORDER = ["device_id", "qr_id", "upi_id", "cookie_id"]
Person = tuple[frozenset[str], int, int, int]


def people_with_devices(
    events: Sequence[IncomingEvent], shared_limit: int = 5, crowded: str = "", crowd_limit: int = 10
) -> set[Person]:
    """(identifiers held now, events, orders, money) of everybody; orders are single purchases without refunds.

    `crowded` is a strong identifier that several people may carry, `crowd_limit` how many of them before it is shared.
    """
    told = sorted({event.id: event for event in events}.values(), key=lambda event: (event.occurred_at, event.id))
    crowd = _Crowd(told, crowded, crowd_limit)
    strong_of = _strong_people(told, crowd)
    walk = _Walk(strong_of, shared_limit, crowd)
    for event in told:
        walk.see(event)
    counts: dict[object, list[int]] = defaultdict(lambda: [0, 0, 0])
    for event in told:
        person = walk.whose(event)
        if person is not None:
            entry = counts[person]
            entry[0] += 1
            if event.order is not None:
                entry[1] += 1
                entry[2] += event.order.total_minor
    held: dict[object, set[str]] = defaultdict(set)
    for name, person in strong_of.items():
        held[walk.top(person)].add(name)
    for name in {found for event in told for found in _weak(event)}:
        last = walk.last_owner(name)
        if last is not None:
            held[last].add(name)
    return {(frozenset(held[person]), *numbers) for person, numbers in counts.items() if numbers[0]}  # type: ignore[misc]


def _names(event: IncomingEvent) -> list[str]:
    return [f"{found.type}:{found.value}" for found in event.identifiers]


def _strong(event: IncomingEvent) -> list[str]:
    return [name for name in _names(event) if name.split(":")[0] in _STRONG]


def _weak(event: IncomingEvent) -> list[str]:
    weak = [name for name in _names(event) if name.split(":")[0] in _ORDER]
    return sorted(weak, key=lambda name: (_ORDER.index(name.split(":")[0]), name))


class _Crowd:
    """One strong identifier that may belong to many: the time from which on it is shared."""

    def __init__(self, told: Sequence[IncomingEvent], name: str, limit: int) -> None:
        self.name = name
        own = _strong_people(told, None, without=name)
        firsts: dict[str, IncomingEvent] = {}
        for event in told:
            others = [one for one in _strong(event) if one != name]
            if name in _names(event) and others:
                firsts.setdefault(own[others[0]], event)
        # However soon others follow, the first one holds it.
        self.first = next(iter(firsts.values())).id if firsts else ""
        times = [event.occurred_at for event in firsts.values()]
        self.since = times[limit] if len(times) > limit else None

    def linking(self, event: IncomingEvent) -> list[str]:
        """The strong identifiers of the event that link at its time."""
        is_shared = self.since is not None and event.occurred_at >= self.since and event.id != self.first
        return [one for one in _strong(event) if not (is_shared and one == self.name)]


def _strong_people(told: Sequence[IncomingEvent], crowd: _Crowd | None, without: str = "") -> dict[str, str]:
    """Strong identifier → the smallest one it is connected with."""
    groups: list[set[str]] = []
    for event in told:
        mine = set(crowd.linking(event) if crowd else _strong(event)) - {without}
        if not mine:
            continue
        touching = [group for group in groups if group & mine]
        groups = [group for group in groups if not group & mine] + [mine.union(*touching)]
    return {name: min(group) for group in groups for name in group}


class _Walk:
    def __init__(self, strong_of: dict[str, str], shared_limit: int, crowd: _Crowd) -> None:
        self.strong_of = strong_of
        self.crowd = crowd
        self.limit = shared_limit
        self.parent: dict[str, str] = {}
        self.kinds: dict[str, set[str]] = defaultdict(set)
        for name, person in strong_of.items():
            self.kinds[person].add(name.split(":")[0])
        self.owners: dict[str, list[tuple[tuple[object, str], str]]] = defaultdict(list)
        self.users: dict[str, list[str]] = defaultdict(list)
        self.shared_from: dict[str, tuple[object, str]] = {}
        self.given: dict[str, str] = {}

    def top(self, person: str) -> str:
        while person in self.parent:
            person = self.parent[person]
        return person

    def see(self, event: IncomingEvent) -> None:
        weak = [name for name in _weak(event) if name not in self.shared_from]
        strong = self.crowd.linking(event)
        if not weak or (not strong and len(_weak(event)) < 2):
            return
        rank = (event.occurred_at, event.id)
        owners = [self.owners[name][-1][1] for name in weak if self.owners[name]]
        base = self.strong_of[strong[0]] if strong else (owners[0] if owners else f"nobody:{event.id}")
        for owner in owners:
            one, other = self.top(base), self.top(owner)
            if one != other and not self.kinds[one] & self.kinds[other]:
                self.parent[other] = one
                self.kinds[one] |= self.kinds[other]
        if not strong:
            self.given[event.id] = base
        for name in weak:
            if strong:
                users = {self.top(user) for user in self.users[name]}
                if self.top(base) not in users and len(users) >= self.limit:
                    self.shared_from[name] = rank
                    continue
                self.users[name].append(base)
                self.owners[name].append((rank, base))
            elif not self.owners[name]:
                self.owners[name].append((rank, base))

    def whose(self, event: IncomingEvent) -> str | None:
        strong, weak = self.crowd.linking(event), _weak(event)
        if strong:
            return self.top(self.strong_of[strong[0]])
        if event.id in self.given:
            return self.top(self.given[event.id])
        rank = (event.occurred_at, event.id)
        weak = [name for name in weak if name not in self.shared_from or rank < self.shared_from[name]]
        if not weak:
            return None
        owned = self.owners[weak[0]]
        if not owned:
            return f"anonymous:{weak[0]}"
        before = [person for since, person in owned if since <= rank]
        return self.top(before[-1] if before else owned[0][1])

    def last_owner(self, name: str) -> str | None:
        if self.owners[name]:
            return self.top(self.owners[name][-1][1])
        return f"anonymous:{name}"
