"""Reading under lock for one batch: identifiers, then live profiles, then orders, into the resolver's working set."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from core.brand import BrandSettings
from core.events import IncomingEvent
from core.identifiers import LINKING_TYPES, TIERS, Identifier, Trust
from graph.transactions import StaleReadError, Transaction
from resolver.matching import Holdings, owners_in_time
from resolver.orders import Fact, fold_order
from resolver.profiles import NEVER_FIRST, NEVER_LAST, Persona, Profile, Statistics
from resolver.records import OpenReview, OrderWork
from resolver.rules import rule_set_for
from resolver.tallies import read_channels
from resolver.working_set import WorkingSet


@dataclass(slots=True)
class Found:
    """Who holds which identifier, as read before the profiles are locked."""

    holdings: Holdings = field(default_factory=Holdings)
    roots: dict[str, str] = field(default_factory=dict)
    """Persona → its live profile."""
    links_versions: dict[str, int | None] = field(default_factory=dict)
    """Persona → how often links were taken from it: checked again under its lock."""

    idle: dict[Identifier, int] = field(default_factory=dict)
    """Identifiers that were shared before the first event of this batch, since when (microseconds)."""

    def note(self, rows: Iterable[list[Any]], by_key: dict[str, Identifier], first_seen: dict[Identifier, int]) -> None:
        """Take over what the graph says: key, flags, holders, shared since, people, timeline."""
        for key, _flags, holders, shared_since, people, timeline, sighted, is_used in rows:
            identifier = by_key.get(key)
            if identifier is None:
                # Read for an event that turned out to be stored already.
                continue
            if shared_since is not None:
                self.holdings.shared_since[identifier] = shared_since
                if shared_since <= first_seen[identifier]:
                    # No event of this batch is tied by it: whoever holds it need not be locked.
                    self.idle[identifier] = shared_since
                    continue
            self._note_use(identifier, sighted, is_used)
            if people:
                self.holdings.people[identifier] = list(people)
            if timeline:
                self._note_timeline(identifier, timeline)
            if holders:
                self.holdings.owners[identifier] = [holder[0] for holder in holders]
                if identifier.type in LINKING_TYPES:
                    for persona, root, trust, version, is_gone in holders:
                        self._note_holder(persona, root, version, is_gone=is_gone)
                        self.holdings.trust[identifier, persona] = trust

    def _note_use(self, identifier: Identifier, sighted: int | None, is_used: bool | None) -> None:
        if sighted is not None:
            self.holdings.last_sighting[identifier] = sighted
        if is_used:
            self.holdings.used.add(identifier)

    def _note_timeline(self, identifier: Identifier, timeline: list[list[Any]]) -> None:
        for _, _, persona, root, version, _, is_gone in timeline:
            self._note_holder(persona, root, version, is_gone=is_gone)
        began = [((row[0], row[1]), row[2]) for row in timeline]
        ended = [((row[5], ""), row[2]) for row in timeline if row[5] is not None]
        self.holdings.timelines[identifier] = owners_in_time(began, ended)

    def _note_holder(self, persona: str, root: str, version: int | None, *, is_gone: bool) -> None:
        """Two reads of one batch may see a persona at two moments: what the first said of its links is stale then."""
        # Its version may be the new one already, which no look under the lock would find stale.
        if is_gone:
            raise StaleReadError("an identifier changed hands while it was read")
        if (self.roots.setdefault(persona, root), self.links_versions.setdefault(persona, version)) != (root, version):
            raise StaleReadError("an identifier changed hands between two reads")

    def ends_of(self, event: IncomingEvent) -> tuple[list[str], list[Identifier]]:
        """The live profiles that an event's linking identifiers lead to, and those of them that nobody holds."""
        profiles: list[str] = []
        unheld: list[Identifier] = []
        for identifier in event.identifiers:
            if identifier.type in LINKING_TYPES and identifier not in self.holdings.shared_since:
                holders = self.holdings.owners.get(identifier)
                if holders:
                    profiles.extend(self.roots[persona] for persona in holders)
                else:
                    unheld.append(identifier)
        return profiles, unheld

    def is_guarded(self, identifier: Identifier) -> bool:
        """Whether every writer that touches it holds the lock of a profile that holds it."""
        held = identifier in self.holdings.owners and identifier.type in LINKING_TYPES
        return held or identifier in self.idle


@dataclass(frozen=True, slots=True)
class BeforeLocks:
    """What is read in one round trip before anything is locked; rows as `commit/read_batch` returns them."""

    known: list[list[Any]]
    held: list[list[Any]]
    owners: list[list[str]]


def read_before_locks(tx: Transaction, brand: str, events: Sequence[IncomingEvent]) -> BeforeLocks:
    """Which events are stored, who holds their identifiers and who owns their orders."""
    [row] = tx.run(
        "commit/read_batch",
        brand=brand,
        wanted={
            "ids": [event.id for event in events],
            "keys": list({identifier.key(brand) for event in events for identifier in event.identifiers}),
            "order_keys": _order_keys(events),
        },
    )
    return BeforeLocks(*row)


def _order_keys(events: Sequence[IncomingEvent]) -> list[str]:
    return sorted({event.order.key for event in events if event.order is not None})


def load_working_set(
    tx: Transaction,
    settings: BrandSettings,
    events: Sequence[IncomingEvent],
    before: BeforeLocks,
    *,
    extra_roots: Collection[str] = (),
    with_details: bool = False,
) -> WorkingSet:
    """Lock and read all that `events` may touch; raises StaleReadError when a profile was absorbed meanwhile.

    `extra_roots` are live profiles to lock beside those; `with_details` reads all identifiers of every profile,
    not only of those that this batch could plainly merge.
    """
    found = _find_holders(tx, settings.id, events, before.held)
    order_keys = _order_keys(events)
    if order_keys:
        found.roots.update((persona, root) for persona, root in before.owners)
    imported = sorted({event.persona_id for event in events if event.persona_id is not None})
    if imported:
        found.roots.update(tx.rows("commit/find_personas", brand=settings.id, ids=imported))  # type: ignore[arg-type]
    found.roots.update((root, root) for root in extra_roots)
    working = WorkingSet(rule_set_for(settings), settings.currency, found.holdings)
    working.idle = dict(found.idle)
    lock_customers(tx, settings, found, working)
    if order_keys:
        _lock_orders(tx, settings.id, order_keys, working)
    detailed = set(working.profiles) if with_details else _profiles_that_may_merge(events, found)
    if detailed:
        read_details(tx, settings.id, sorted(detailed & working.profiles.keys()), working)
    return working


def _find_holders(tx: Transaction, brand: str, events: Sequence[IncomingEvent], held: Iterable[list[Any]]) -> Found:
    """Who holds the identifiers; those that no profile guards yet are created and locked.

    Whoever touches an identifier that a profile holds locks that profile first, so only the others need a lock of
    their own; it is taken in key order, before any profile's.
    """
    first_seen: dict[Identifier, int] = {}
    for event in events:
        at = event.micros
        for identifier in event.identifiers:
            if first_seen.setdefault(identifier, at) > at:
                first_seen[identifier] = at
    found = Found()
    by_key = {identifier.key(brand): identifier for identifier in first_seen}
    found.note(held, by_key, first_seen)
    unguarded = sorted(key for key, identifier in by_key.items() if not found.is_guarded(identifier))
    if unguarded:
        rows = [
            [key, by_key[key].type, by_key[key].value, int(TIERS[by_key[key].type]), first_seen[by_key[key]]]
            for key in unguarded
        ]
        found.note(tx.rows("commit/lock_identifiers", brand=brand, rows=rows), by_key, first_seen)
    return found


def lock_customers(tx: Transaction, settings: BrandSettings, found: Found, working: WorkingSet) -> None:
    """Lock live profiles in id order, read them and personas below; StaleReadError when links moved meanwhile."""
    if not found.roots:
        return
    roots = set(found.roots.values())
    rows = tx.rows("commit/lock_customers", brand=settings.id, ids=sorted(roots))
    others = [persona for persona in found.roots if persona not in roots]
    if others:
        rows += tx.rows("commit/read_personas", brand=settings.id, ids=others)
    for row in rows:
        persona_id, root_id = row[0], row[1]
        if found.roots.get(persona_id, persona_id) != root_id:
            raise StaleReadError("a profile was absorbed between reading and locking")
        if persona_id in found.links_versions and found.links_versions[persona_id] != row[21]:
            raise StaleReadError("an identifier changed hands between reading and locking")
        working.personas[persona_id] = Persona(
            persona_id, root_id, statistics_from(row[2:8], settings.currency), read_channels(row[22]), row[23] or ""
        )
        if root_id == persona_id:
            working.profiles[root_id] = _profile_from(row, settings.currency)


def _profile_from(row: Sequence[Any], currency: str) -> Profile:
    return Profile(
        row[0],
        statistics_from(row[8:14], currency),
        set(row[14] or ()),
        strength=row[15],
        persona_count=row[16],
        merge_count=row[17],
        version=row[18],
        identifier_count=row[19] or 0,
        is_tied=bool(row[20]),
        has_neighbours=bool(row[24]),
    )


def statistics_from(values: Sequence[Any], currency: str) -> Statistics:
    events, orders, money, other, first, last = values
    ltv = {currency: money} if money else {}
    for entry in other or ():
        code, _, minor = entry.partition(":")
        ltv[code] = int(minor)
    return Statistics(
        events, orders, ltv, NEVER_FIRST if first is None else first, NEVER_LAST if last is None else last
    )


def _lock_orders(tx: Transaction, brand: str, keys: list[str], working: WorkingSet) -> None:
    for work in lock_orders(tx, brand, keys):
        if work.first_owner_id is not None and work.first_owner_id not in working.personas:
            raise StaleReadError("an order got an owner between reading and locking")
        working.orders[work.key] = work


def lock_orders(tx: Transaction, brand: str, keys: list[str]) -> list[OrderWork]:
    """Lock orders in key order, creating the missing ones, and read them."""
    works = []
    for key, facts_json, owner_id in tx.rows("commit/lock_orders", brand=brand, keys=keys):
        work = OrderWork(key, source_instance=key.split("|")[1])
        if facts_json is not None:
            work.facts = facts_from_json(facts_json)
            work.state = fold_order(work.facts)
            work.first_owner_id = owner_id
            work.order_id = order_id_of(key)
        works.append(work)
    return works


def order_id_of(key: str) -> str:
    """The sender's own id of an order, out of its key."""
    return key.split("|", 3)[-1]


def facts_from_json(text: str) -> tuple[Fact, ...]:
    """Order facts as stored on the Order node."""
    return msgspec.json.decode(text, type=tuple[Fact, ...])


def facts_to_json(facts: Iterable[Fact]) -> str:
    """Order facts for the Order node."""
    return msgspec.json.encode(list(facts)).decode()


def _profiles_that_may_merge(events: Sequence[IncomingEvent], found: Found) -> set[str]:
    """Live profiles that this batch could merge with another (or with a persona it makes): they need their details.

    Events and live profiles are joined by the identifiers they share; a component with one live profile in which each
    event touches that profile directly cannot merge anything.
    """
    parent: dict[object, object] = {}

    def find(node: object) -> object:
        while (up := parent.setdefault(node, node)) != node:
            node = up
        return node

    anchors: list[tuple[object, bool]] = []
    for event in events:
        profiles, unheld = found.ends_of(event)
        nodes: list[object] = [*profiles, *unheld]
        if nodes:
            first = find(nodes[0])
            for node in nodes[1:]:
                parent[find(node)] = first
            # An import without resolution makes a persona of its own beside those that hold its identifiers.
            anchors.append((first, bool(profiles) and event.persona_id is None))
    indirect = {find(anchor) for anchor, touches in anchors if not touches}
    members: dict[object, set[str]] = {}
    for node in parent:
        if isinstance(node, str):
            members.setdefault(find(node), set()).add(node)
    return {root for top, roots in members.items() if len(roots) > 1 or top in indirect for root in roots}


def read_details(tx: Transaction, brand: str, roots: list[str], working: WorkingSet) -> None:
    for root_id, identifiers, not_same, absorbed_at, crowds in tx.rows("commit/read_details", brand=brand, roots=roots):
        profile = working.profiles[root_id]
        profile.identifiers = {(kind, value) for kind, value, _ in identifiers}
        profile.verified = {(kind, value) for kind, value, trust in identifiers if trust == Trust.VERIFIED}
        profile.absorbed_at = list(absorbed_at)
        profile.crowds = {Identifier(*pair) for pair in crowds}
        profile.not_same = set(not_same) - {root_id}
    for row in tx.rows("commit/read_reviews", brand=brand, roots=roots):
        review_id, reason, identifiers, event_ids, profile_ids, rules, apart = row
        working.reviews.append(
            OpenReview(review_id, set(profile_ids), reason, set(identifiers), list(event_ids), set(rules), set(apart))
        )


def check_idle(tx: Transaction, brand: str, working: WorkingSet) -> None:
    """StaleReadError when an identifier that was read without a lock is not shared since then any more.

    Call it after the events are written: that took the identifiers' locks.
    """
    if not working.idle:
        return
    wanted = {identifier.key(brand): since for identifier, since in working.idle.items()}
    if dict(tx.rows("commit/read_shared", brand=brand, keys=sorted(wanted))) != wanted:
        raise StaleReadError("an identifier was shared when it was read and is not any more")
