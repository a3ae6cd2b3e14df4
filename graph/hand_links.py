"""Links made by a person, each in one transaction on the same locks as events: identifiers and unattached events."""

from core.changes import ChangeKind
from core.clock import now_micros
from core.errors import ConflictError, NotFoundError
from core.identifiers import LINKING_TYPES, TIERS, Identifier
from graph.changes import by_hand, write_changes
from graph.commit_read import Found, lock_customers, lock_orders
from graph.commit_rows import order_rows, persona_row, profile_row
from graph.commit_write import write_changed_mark
from graph.retie_write import refresh_groups
from graph.stewardship import Command, roots_of
from graph.tallies import recount_tallies
from graph.traits import recount_traits
from graph.transactions import StaleReadError, Transaction
from resolver.rules import rule_set_for
from resolver.working_set import WorkingSet


def link_identifier(tx: Transaction, command: Command, profile_id: str, identifier: Identifier, trust: str) -> str:
    """Give an identifier that nobody holds to a live profile; the profile's id.

    Raises NotFoundError for an unknown profile, ConflictError when another profile holds the identifier.
    """
    brand = command.brand.id
    now = now_micros()
    key = identifier.key(brand)
    row = [key, identifier.type, identifier.value, int(TIERS[identifier.type]), now]
    [[_, _, holders, *_]] = tx.rows("commit/lock_identifiers", brand=brand, rows=[row])
    if any(holder[4] for holder in holders or ()):
        raise StaleReadError("an identifier changed hands while it was read")
    working, root = _lock(tx, command, profile_id)
    if any(holder[1] == root for holder in holders or ()):
        return root
    if holders and identifier.type in LINKING_TYPES:
        raise ConflictError("Another profile holds this identifier; merge the two, or unlink it there.", field="value")
    tx.run(
        "stewardship/link_identifier",
        brand=brand, persona_id=root, key=key, trust=trust, command_id=command.id, by=command.by,
        reason=command.reason, now=now,
    )  # fmt: skip
    _refresh(tx, command, working, root, now)
    write_changes(tx, command.brand, [by_hand(ChangeKind.LINKED, root, identifier.type)])
    return root


def unlink_identifier(tx: Transaction, command: Command, profile_id: str, identifier: Identifier) -> str:
    """End the link between a live profile and an identifier; its history stays.

    Raises NotFoundError when the profile is unknown or does not hold the identifier.
    """
    brand = command.brand.id
    now = now_micros()
    working, root = _lock(tx, command, profile_id)
    key = identifier.key(brand)
    if tx.run("stewardship/find_unlinked", brand=brand, root=root, key=key, command_id=command.id):
        return root
    ended = tx.run(
        "stewardship/unlink_identifier",
        brand=brand, root=root, key=key, command_id=command.id, by=command.by, reason=command.reason, now=now,
    )  # fmt: skip
    if not ended:
        raise NotFoundError("The profile does not hold this identifier.", field="value")
    _refresh(tx, command, working, root, now)
    write_changes(tx, command.brand, [by_hand(ChangeKind.UNLINKED, root, identifier.type)])
    return root


def attach_event(tx: Transaction, command: Command, event_id: str, profile_id: str) -> str:
    """Give an unattached event, and the order it tells of, to a live profile; the profile's id.

    Raises NotFoundError for an unknown event or profile, ConflictError when the event belongs to somebody.
    """
    brand = command.brand.id
    working, root = _lock(tx, command, profile_id)
    rows = tx.run("stewardship/read_event", brand=brand, id=event_id)
    if not rows:
        raise NotFoundError("No such event.")
    _, at, persona_id, order_key, attach_id = rows[0]
    if attach_id == command.id:
        return root
    if persona_id is not None:
        raise ConflictError("The event belongs to a profile already.")
    now = now_micros()
    persona, profile = working.personas[root], working.profiles[root]
    persona.own.saw(at)
    profile.totals.saw(at)
    tx.run(
        "stewardship/attach_event",
        brand=brand, id=event_id, persona_id=root, command_id=command.id, by=command.by, reason=command.reason, now=now,
    )  # fmt: skip
    if order_key:
        _take_order(tx, command, working, order_key, {event_id: root})
    currency = command.brand.currency
    tx.run("commit/update_personas", brand=brand, rows=[persona_row(persona, currency)])
    recount_tallies(tx, brand, [root, *working.order_book.recount])
    recount_traits(tx, brand, sorted({root, *working.order_book.recount}))
    # What it carries is evidence from now on.
    profile.has_neighbours = True
    profile.version += 1
    tx.run("commit/update_profiles", brand=brand, rows=[[root, *profile_row(profile, currency)]], now=now)
    write_changed_mark(tx, brand, [(root, profile.version)], now)
    write_changes(tx, command.brand, [by_hand(ChangeKind.LINKED, root, event_id=event_id)])
    return root


def _take_order(tx: Transaction, command: Command, working: WorkingSet, order_key: str, owners: dict[str, str]) -> None:
    brand = command.brand.id
    [work] = lock_orders(tx, brand, [order_key])
    owner = work.state.owner_id
    if owner is not None and owner not in working.personas:
        raise ConflictError("The order of this event belongs to another profile.")
    work.first_owner_id = owner
    working.order_book.reassign(work, owners)
    tx.run("retie/set_orders", brand=brand, rows=order_rows([work]))
    moves = [[move.event_id, move.to_persona_id] for move in working.order_book.moves.values()]
    if moves:
        tx.run("commit/move_events", brand=brand, rows=moves)


def _lock(tx: Transaction, command: Command, profile_id: str) -> tuple[WorkingSet, str]:
    root = roots_of(tx, command.brand.id, [profile_id]).get(profile_id)
    if root is None:
        raise NotFoundError("No such profile.", field="profile_id")
    working = WorkingSet(rule_set_for(command.brand), command.brand.currency)
    lock_customers(tx, command.brand, Found(roots={root: root}), working)
    if root not in working.profiles:
        raise StaleReadError("the profile was absorbed between reading and locking")
    return working, root


def _refresh(tx: Transaction, command: Command, working: WorkingSet, root: str, now: int) -> None:
    profile = working.profiles[root]
    refresh_groups(tx, command.brand, {root: profile.is_tied}, profile.version + 1, now)
    write_changed_mark(tx, command.brand.id, [(root, profile.version + 1)], now)
