"""Counts the people of a strong identifier anew and settles what follows: since when it is shared, who has its events.

Runs in the transaction of the event or merge that changes who they are, under the locks of everybody concerned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from core.brand import BrandSettings
from core.decisions import DecisionKind
from core.identifiers import Identifier
from graph.changes import became_shared, changes_of_reviews, write_changes
from graph.commit_read import Found, lock_customers, lock_orders, read_details
from graph.commit_rows import order_rows, persona_row
from graph.commit_write import write_changed_mark, write_reviews
from graph.retie_write import Redraw, postpone_moves, refresh_groups
from graph.tallies import recount_tallies
from graph.traits import recount_traits
from graph.transactions import StaleReadError, Transaction
from resolver.crowded import Carrier, Crowded, fold_carriers
from resolver.records import DecidedEvent, OpenReview, Proposal
from resolver.rules import RULE_SHARED, RULE_UNIQUE_ID, rule_set_for
from resolver.weak_events import Move
from resolver.working_set import WorkingSet

SHARED_WARNING = "shared: 1 identifier(s) are shared by too many people to link"
_CONFLICT = "Auto-merge blocked: the sides hold different values of an identifier that a person has once"
_FEWEST_SIDES = 2
_NAME_BYTES = 8


@dataclass(slots=True)
class _Counted:
    """What was read of an identifier and what it comes to."""

    since_before: int | None
    carriers: list[Carrier]
    now: Crowded

    def roots(self) -> set[str]:
        """Live profiles whose events or identifiers change."""
        found = {self.now.owner_root or ""}
        roots = {carrier.rank[1]: carrier.root_id for carrier in self.carriers}
        found.update(roots[event_id] or "" for event_id in self.now.moves)
        since = self.now.since
        for one in self.carriers:
            is_linked = one.signs_in and (since is None or one.rank[0] < since)
            if is_linked or one.decision == DecisionKind.REVIEW.value:
                found.add(one.root_id or "")
        return found - {""}


@dataclass(frozen=True, slots=True)
class Settled:
    """Events whose decision is another one now, and whether weak links hang on somebody concerned."""

    decisions: dict[str, DecisionKind]
    is_tied: bool = False


def settle_shared(
    tx: Transaction, settings: BrandSettings, identifier: Identifier, op: Redraw, reach: set[str]
) -> Settled:
    """Count the people of a strong identifier and write what follows.

    Where more events would change hands than one transaction may move, they are left to a task, and with them what is
    asked about people that meet in them. `reach` takes the live profiles concerned: another try locks them first.
    Raises StaleReadError when they changed while they were being locked.
    """
    locked = _lock(tx, settings, identifier, reach)
    if locked is None:
        return Settled({})
    now = locked.counted.now
    if now.since == locked.counted.since_before and not now.moves and now.first is None:
        return Settled({})
    _write_link(tx, settings, locked)
    if len(now.moves) > settings.moved_at_once:
        _postpone(tx, settings, locked, op)
        amended: dict[str, DecisionKind] = {}
    else:
        amended = _finish(tx, settings, locked, op, reach)
    _refresh(tx, settings, locked.working, op.now)
    if now.since is not None and locked.counted.since_before is None:
        holder = now.owner_root or ""
        write_changes(tx, settings, became_shared([(identifier.type, holder)], {}, op.event_id))
    return Settled(amended, any(profile.is_tied for profile in locked.working.profiles.values()))


def settle_rest(
    tx: Transaction, settings: BrandSettings, identifier: Identifier, op: Redraw, reach: set[str]
) -> tuple[int, int]:
    """A step of what `settle_shared` left: how many events it moved, and how many are left.

    What is misplaced follows from the evidence each time; the step that moves the last ones settles what hangs on them.
    """
    locked = _lock(tx, settings, identifier, reach)
    if locked is None:
        return 0, 0
    moves = locked.counted.now.moves
    some = dict(sorted(moves.items())[: settings.moved_at_once])
    if len(some) < len(moves):
        _give_events(tx, settings, locked.working, some, reach)
    else:
        _write_link(tx, settings, locked)
        _finish(tx, settings, locked, op, reach)
    _refresh(tx, settings, locked.working, op.now)
    return len(some), len(moves) - len(some)


@dataclass(frozen=True, slots=True)
class _Locked:
    """An identifier counted under the locks of all live profiles concerned."""

    identifier: Identifier
    key: str
    counted: _Counted
    working: WorkingSet


def _lock(tx: Transaction, settings: BrandSettings, identifier: Identifier, reach: set[str]) -> _Locked | None:
    """Lock whom it concerns and count again; None when nobody holds it: a person took it away."""
    key = identifier.key(settings.id)
    counted = _count(tx, settings, identifier, key)
    if counted is None:
        return None
    roots = counted.roots() | _holders_of(tx, settings, key)
    reach |= roots
    working = WorkingSet(rule_set_for(settings), settings.currency)
    lock_customers(tx, settings, Found(roots={root: root for root in roots}), working)
    again = _count(tx, settings, identifier, key)
    if again is None or not (again.roots() | _holders_of(tx, settings, key)) <= roots:
        raise StaleReadError("the people of an identifier changed while they were being locked")
    return _Locked(identifier, key, again, working)


def _write_link(tx: Transaction, settings: BrandSettings, locked: _Locked) -> None:
    """Since when it is shared, and who holds it."""
    now = locked.counted.now
    tx.run("shared/set_shared", brand=settings.id, key=locked.key, since=now.since)
    if now.first is not None:
        tx.run(
            "shared/move_link",
            brand=settings.id, key=locked.key, owner=now.owner, since=now.first[0], event_id=now.first[1],
        )  # fmt: skip


def _finish(
    tx: Transaction, settings: BrandSettings, locked: _Locked, op: Redraw, reach: set[str]
) -> dict[str, DecisionKind]:
    """Move all that is misplaced and settle the reviews; events whose decision is another one now."""
    moves = locked.counted.now.moves
    _give_events(tx, settings, locked.working, moves, reach)
    amended = {one: DecisionKind.UNATTACHED for one, move in moves.items() if move.to is None}
    return amended | _settle_reviews(tx, settings, locked.working, locked.counted, locked.identifier, op)


def _postpone(tx: Transaction, settings: BrandSettings, locked: _Locked, op: Redraw) -> None:
    """Leave the moves to a task, one for each identifier that an event or command settles."""
    name = blake2b(locked.key.encode(), digest_size=_NAME_BYTES).hexdigest()
    postpone_moves(tx, settings.id, replace(op, id=f"{op.id}_{name}"), [locked.key], locked.counted.now.moves)


def _count(tx: Transaction, settings: BrandSettings, identifier: Identifier, key: str) -> _Counted | None:
    """None when nobody holds it: a person took it away."""
    [[since, holders, events]] = tx.run("shared/read_carriers", brand=settings.id, key=key)
    if not holders:
        return None
    carriers = [
        Carrier((at, event_id), persona, root, any(others), not others and not by_hand, order_key, decision or "")
        for event_id, at, persona, root, others, order_key, decision, by_hand in events
    ]
    limit = rule_set_for(settings).shared_limits.get(identifier.type)
    persona, root = min(holders)
    return _Counted(since, carriers, fold_carriers(carriers, (persona, root), limit))


def _holders_of(tx: Transaction, settings: BrandSettings, key: str) -> set[str]:
    return {row[0] for row in tx.run("insight/read_past_holders", brand=settings.id, key=key)}


def _give_events(
    tx: Transaction, settings: BrandSettings, working: WorkingSet, moves: Mapping[str, Move], reach: set[str]
) -> None:
    """Events that the identifier alone tells of, with their orders, go to its owner or to nobody."""
    if not moves:
        return
    keys = sorted({move.order_key for move in moves.values() if move.order_key})
    works = lock_orders(tx, settings.id, keys) if keys else []
    ids = {one for move in moves.values() for one in (move.was, move.to) if one}
    ids |= {fact.persona_id for work in works for fact in work.facts if fact.persona_id}
    _load_personas(tx, settings, working, sorted(ids), reach)
    for move in moves.values():
        for one, step in ((move.was, -1), (move.to, 1)):
            if one is not None:
                working.personas[one].own.event_count += step
                working.personas[one].is_changed = True
    rows = {one: move.to for one, move in moves.items()}
    for work in works:
        work.first_owner_id = work.state.owner_id
        working.order_book.reassign(work, rows)
    if works:
        tx.run("retie/set_orders", brand=settings.id, rows=order_rows(works))
    rows |= {move.event_id: move.to_persona_id for move in working.order_book.moves.values()}
    tx.run("shared/give_events", brand=settings.id, rows=[list(pair) for pair in sorted(rows.items())])
    changed = sorted(persona.id for persona in working.personas.values() if persona.is_changed)
    tx.run(
        "commit/update_personas",
        brand=settings.id,
        rows=[persona_row(working.personas[one], settings.currency) for one in changed],
    )
    tx.run("commit/respan_personas", brand=settings.id, ids=changed)
    recount_traits(tx, settings.id, changed)
    recount_tallies(tx, settings.id, changed)


def _load_personas(
    tx: Transaction, settings: BrandSettings, working: WorkingSet, ids: Sequence[str], reach: set[str]
) -> None:
    """Lock and read personas with their live profiles; `reach` takes these, so that another try locks them first."""
    found = Found(roots=dict(tx.rows("commit/find_personas", brand=settings.id, ids=list(ids))))
    reach.update(found.roots.values())
    lock_customers(tx, settings, found, working)


def _settle_reviews(
    tx: Transaction, settings: BrandSettings, working: WorkingSet, counted: _Counted, identifier: Identifier, op: Redraw
) -> dict[str, DecisionKind]:
    """Reviews let go of who meets over the identifier only from then on; who meets over it before is asked about."""
    read_details(tx, settings.id, sorted(working.profiles), working)
    carried = {carrier.rank[1] for carrier in counted.carriers}
    ids = sorted(carried | {one for review in working.reviews for one in review.event_ids})
    met = {row[0]: row for row in tx.rows("shared/list_participants", brand=settings.id, ids=ids)}
    name = f"{identifier.type}:{identifier.value}"
    for review in working.reviews:
        if name in review.identifiers:
            _shrink(tx, settings.id, review, carried, met, op.now)
    free = {
        one: DecisionKind.CREATED if met[one][1] == "cus_" + one.removeprefix("evt_") else DecisionKind.ATTACHED
        for one in sorted(carried)
        if met[one][2] == DecisionKind.REVIEW.value and len(set(met[one][3])) < _FEWEST_SIDES
    }
    if free:
        rows = [[one, kind.value] for one, kind in free.items()]
        tx.run("shared/settle_decisions", brand=settings.id, rows=rows, warning=SHARED_WARNING)
    _ask_again(tx, settings, working, {one: met[one] for one in carried}, name, op)
    return free


def _shrink(
    tx: Transaction,
    brand: str,
    review: OpenReview,
    carried: set[str],
    met: Mapping[str, list[Any]],
    now: int,
) -> None:
    """A review keeps the profiles that some of its events still brings together."""
    meeting = [one for one in review.event_ids if one in met and len(set(met[one][3])) >= _FEWEST_SIDES]
    if not carried.union(meeting).issuperset(review.event_ids):
        # Some met over something else than strong identifiers: nobody is let go.
        return
    kept = {root for one in meeting for root in met[one][3]}
    if review.profile_ids <= kept:
        return
    review.event_ids = meeting
    review.profile_ids &= kept
    tx.run(
        "shared/shrink_review",
        brand=brand, id=review.id, keep=sorted(kept), event_ids=review.event_ids, now=now,
    )  # fmt: skip


def _ask_again(
    tx: Transaction, settings: BrandSettings, working: WorkingSet, met: Mapping[str, list[Any]], name: str, op: Redraw
) -> None:
    """Profiles that meet over the identifier while it links, and that no open review asks about, wait for a person."""
    asked = False
    for event_id, (_, _, _, roots) in sorted(met.items()):
        sides = frozenset(roots)
        if len(sides) < _FEWEST_SIDES or not sides <= working.profiles.keys():
            continue
        if any(sides <= review.profile_ids for review in working.reviews if review.superseded_by is None):
            continue
        if any(working.profiles[one].not_same & sides for one in sides):
            continue
        sentence = "Auto-merge blocked: the sides hold different values of an identifier that a person has once"
        working.propose(
            Proposal(event_id, sides, sentence, frozenset({name}), frozenset({RULE_UNIQUE_ID, RULE_SHARED}))
        )
        asked = True
    if asked:
        write_reviews(tx, settings.id, working, op.now)
        write_changes(tx, settings, list(changes_of_reviews(working)))


def _refresh(tx: Transaction, settings: BrandSettings, working: WorkingSet, now: int) -> None:
    version = max(profile.version for profile in working.profiles.values()) + 1
    tied = {root: profile.is_tied for root, profile in working.profiles.items()}
    refresh_groups(tx, settings, tied, version, now)
    write_changed_mark(tx, settings.id, [(root, version) for root in sorted(tied)], now)


def amend(decided: DecidedEvent, amended: Mapping[str, DecisionKind]) -> None:
    """The answer of the event itself, when its identifier turned out to be shared at its time."""
    kind = amended.get(decided.event.id)
    if kind is not None:
        decided.decision, decided.review_id, decided.rules = kind.value, None, (RULE_SHARED,)
        decided.warnings = (*decided.warnings, SHARED_WARNING)
        if kind is DecisionKind.UNATTACHED:
            decided.persona_id = decided.profile_id = None
