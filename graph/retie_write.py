"""Writes weak links drawn anew: events that change hands, owners in time, aggregates of the groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.brand import BrandSettings
from core.identifiers import WEAK_TYPES, Identifier
from graph.commit_read import lock_orders, statistics_from
from graph.commit_rows import order_rows, persona_row, profile_row
from graph.retie_read import read_weak_events
from graph.tallies import recount_tallies
from graph.traits import recount_traits
from graph.transactions import StaleReadError, Transaction
from resolver.neighbourhood import Arrangement, Held, Neighbourhood, holders_of
from resolver.profiles import Persona, Profile
from resolver.strength import profile_strength
from resolver.weak_events import Move, misplaced
from resolver.working_set import WorkingSet


@dataclass(frozen=True, slots=True)
class Redraw:
    """One drawing anew: the id of the event or command behind it, its time (microseconds), the event if it was one."""

    id: str
    now: int
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A neighbourhood and how its evidence arranges it."""

    found: Neighbourhood
    arrangement: Arrangement

    @property
    def is_undisputed(self) -> bool:
        """Whether no identifier in it is shared, nobody outside uses one, and no person decided or is asked."""
        found, fold = self.found, self.arrangement.fold
        is_inside = all(seen.persona_id in found.members for seen in found.sightings)
        is_by_rules = all(merge.is_automatic for merge in found.merges) and not any(
            link.is_by_hand for member in found.members.values() for link in member.held
        )
        is_disputed = found.not_same or found.pending or found.taken or fold.shared_since or fold.crowds
        return is_inside and is_by_rules and not is_disputed


def find_misplaced(
    tx: Transaction, settings: BrandSettings, found: Neighbourhood, arrangement: Arrangement
) -> dict[str, Move]:
    """Events that carry nothing strong and are not with the owner of their best weak identifier at their time."""
    if len(set(arrangement.group_of.values())) == 1:
        return {}
    keys = {
        held.identifier.key(settings.id)
        for member in found.members.values()
        for held in member.held
        if held.identifier.type in WEAK_TYPES
    }
    return misplaced(found, arrangement, read_weak_events(tx, settings.id, keys))


def postpone_moves(tx: Transaction, brand: str, op: Redraw, keys: Sequence[str], moves: Mapping[str, Move]) -> None:
    """Leave the moves to a task: both sides say that they are being recomputed until it is done."""
    personas = {one for move in moves.values() for one in (move.was, move.to) if one is not None}
    tx.run(
        "recompute/write_recompute",
        brand=brand, id="rcp_" + op.id.removeprefix("evt_"), keys=sorted(keys), persona_ids=sorted(personas),
        events=len(moves), now=op.now,
    )  # fmt: skip


def move_events(
    tx: Transaction,
    settings: BrandSettings,
    working: WorkingSet,
    found: Neighbourhood,
    moves: Mapping[str, Move],
    reach: set[str],
) -> None:
    """Give events, with the orders they tell of, to their owners; counts, spans and traits of personas follow."""
    if not moves:
        return
    for member in found.members.values():
        working.personas[member.id] = Persona(member.id, member.root_id, member.own)
    for move in moves.values():
        for one, step in ((move.was, -1), (move.to, 1)):
            if one is not None:
                working.personas[one].own.event_count += step
                working.personas[one].is_changed = True
    orders = {move.order_key for move in moves.values() if move.order_key}
    if orders:
        _reassign_orders(tx, settings, working, orders, {one: move.to for one, move in moves.items()}, reach)
    followers = {move.event_id: move.to_persona_id for move in working.order_book.moves.values()}
    # What comes from nobody or goes to nobody has another decision from then on.
    given = {event_id: move.to for event_id, move in moves.items() if move.was is None or move.to is None}
    moved = {event_id: move.to for event_id, move in moves.items() if event_id not in given} | followers
    tx.run("commit/move_events", brand=settings.id, rows=[list(pair) for pair in sorted(moved.items())])
    if given:
        tx.run("shared/give_events", brand=settings.id, rows=[list(pair) for pair in sorted(given.items())])
    changed = sorted(persona.id for persona in working.personas.values() if persona.is_changed)
    tx.run(
        "commit/update_personas",
        brand=settings.id,
        rows=[persona_row(working.personas[one], settings.currency) for one in changed],
    )
    recount_tallies(tx, settings.id, changed)
    tx.run("commit/respan_personas", brand=settings.id, ids=changed)
    recount_traits(tx, settings.id, changed)


def _reassign_orders(
    tx: Transaction,
    settings: BrandSettings,
    working: WorkingSet,
    keys: set[str],
    owners: dict[str, str | None],
    reach: set[str],
) -> None:
    """Orders follow the events that tell of them."""
    works = lock_orders(tx, settings.id, sorted(keys))
    foreign = {fact.persona_id for work in works for fact in work.facts if fact.persona_id} - working.personas.keys()
    if foreign:
        rows = tx.rows("commit/find_personas", brand=settings.id, ids=sorted(foreign))
        reach.update(root for _, root in rows)
        raise StaleReadError("an order is shared with a profile beyond the neighbourhood")
    for work in works:
        work.first_owner_id = work.state.owner_id
        working.order_book.reassign(work, owners)
    tx.run("retie/set_orders", brand=settings.id, rows=order_rows(works))


def write_links(
    tx: Transaction,
    brand: str,
    found: Neighbourhood,
    arrangement: Arrangement,
    event_keys: Sequence[str],
    newly_shared: list[tuple[str, str]],
) -> int:
    """Owners in time of every weak identifier; how many of the event's own are contested now.

    `newly_shared` takes (type, persona that holds it) of those that too many people came to use.
    """
    held: dict[Identifier, list[tuple[str, Held]]] = {}
    for member in found.members.values():
        for link in member.held:
            if link.identifier.type in WEAK_TYPES:
                held.setdefault(link.identifier, []).append((member.id, link))
    rows = []
    over: dict[str, tuple[str, str]] = {}
    contested = 0
    for identifier, stored in sorted(held.items()):
        wanted = holders_of(arrangement, identifier, stored)
        shared = arrangement.fold.shared_since.get(identifier)
        if not wanted:
            continue
        groups = {arrangement.group_of.get(persona, persona) for persona, _ in wanted}
        is_contested = len(groups) > 1 or wanted[-1][1].until is not None
        contested += is_contested and identifier.key(brand) in event_keys
        same = len(wanted) == 1 and [(one, link.until) for one, link in wanted + stored] == [(wanted[0][0], None)] * 2
        if same and shared is None:
            continue
        if shared is not None:
            over[identifier.key(brand)] = (identifier.type, wanted[-1][0])
        rows.append({
            "key": identifier.key(brand),
            "is_contested": is_contested,
            "shared_since": shared[0] if shared else None,
            "links": [
                {"persona_id": persona, "since": link.since[0], "until": link.until, "trust": link.trust,
                 "source": link.source, "event_id": link.since[1], "is_by_hand": link.is_by_hand}
                for persona, link in wanted
            ],
        })  # fmt: skip
    if over:
        newly_shared += [over[key] for [key] in tx.run("changes/list_unshared", brand=brand, keys=sorted(over))]
    if rows:
        tx.run("retie/set_links", brand=brand, personas=sorted(found.members), rows=rows)
    return contested


def write_groups(
    tx: Transaction, settings: BrandSettings, roots: dict[str, str], drawn: Drawn, version: int, now: int
) -> None:
    """Aggregates of every live profile; tied is one that weak pointers hold together, or that waits with another."""
    arrangement = drawn.arrangement
    cores: dict[str, set[str]] = {}
    group_of: dict[str, str] = {}
    for persona, head in roots.items():
        if (core := arrangement.core_of.get(persona)) is not None:
            group_of[head] = arrangement.fold.group(core)
            cores.setdefault(group_of[head], set()).add(core)
    tied = {head: head in group_of and len(cores[group_of[head]]) > 1 for head in roots.values()}
    refresh_groups(tx, settings, tied, version, now, is_lone=len(tied) == 1 and drawn.is_undisputed)


def refresh_groups(
    tx: Transaction, settings: BrandSettings, tied: dict[str, bool], version: int, now: int, *, is_lone: bool = False
) -> None:
    """Aggregates of live profiles (id → whether weak pointers hold it together) as folds over stored personas.

    `is_lone` is for one of which the evidence was read and leads to nobody else.
    """
    rows = []
    for head, is_tied in sorted(tied.items()):
        personas = tx.run("stewardship/read_group", brand=settings.id, root=head)
        profile = Profile(
            head, persona_count=len(personas), version=version, is_tied=is_tied, has_neighbours=not is_lone
        )
        for row in personas:
            profile.totals.add(statistics_from(row[1:7], settings.currency))
            profile.identifier_types.update(row[7])
            profile.identifier_count += len(row[7])
            profile.is_tied = profile.is_tied or bool(row[8])
            profile.merge_count += row[9]
            profile.has_neighbours = profile.has_neighbours or bool(row[10])
        profile.strength = profile_strength(profile.identifier_types, profile.totals.total_orders)
        rows.append([head, *profile_row(profile, settings.currency)])
    tx.run("commit/update_profiles", brand=settings.id, rows=rows, now=now)
