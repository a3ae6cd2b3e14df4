"""Events that change hands after a late sign-in or with a shared identifier, moved some at a time until none is left.

What is to be moved follows from the evidence each time, so that a task that died is simply begun again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.brand import BrandSettings
from core.clock import now_micros
from core.identifiers import WEAK_TYPES, Identifier
from graph.commit_write import write_changed_mark
from graph.driver import Graph
from graph.retie import lock_neighbourhood
from graph.retie_write import Drawn, Redraw, find_misplaced, move_events, write_groups
from graph.shared import settle_rest
from graph.transactions import Transaction, in_transaction

_BUDGET_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A follow-up that is not done."""

    id: str
    brand: str


def list_waiting(graph: Graph, before: datetime, limit: int = 100) -> list[Waiting]:
    """Follow-ups of all brands, oldest first."""
    return [
        Waiting(row["id"], row["brand"]) for row in graph.read("recompute/list_waiting", before=before, limit=limit)
    ]


def move_some(graph: Graph, settings: BrandSettings, recompute_id: str) -> int:
    """Move up to `settings.moved_at_once` events in one transaction; how many, 0 when the follow-up is done."""
    reach: set[str] = set()

    def work(tx: Transaction) -> int:
        return _move_some(tx, settings, recompute_id, reach)

    return in_transaction(graph, work, budget_seconds=_BUDGET_SECONDS)


def _move_some(tx: Transaction, settings: BrandSettings, recompute_id: str, reach: set[str]) -> int:
    rows = tx.run("recompute/lock_recompute", brand=settings.id, id=recompute_id)
    if not rows:
        return 0
    keys, roots = rows[0]
    strong = _strong_in(keys)
    if strong is not None:
        return _settle_some(tx, settings, recompute_id, strong, reach)
    locked = lock_neighbourhood(tx, settings, keys, set(roots), reach)
    if locked is None:
        # Grown too wide to be followed: the event that made it so asked a person, the others stay where they are.
        tx.run("recompute/finish_recompute", brand=settings.id, id=recompute_id)
        return 0
    found = locked.found
    waiting = find_misplaced(tx, settings, found, locked.arrangement)
    moves = dict(sorted(waiting.items())[: settings.moved_at_once])
    move_events(tx, settings, locked.working, found, moves, reach)
    tx.run("recompute/note_moved", brand=settings.id, id=recompute_id, moved=len(moves))
    if len(moves) == len(waiting):
        tx.run("recompute/finish_recompute", brand=settings.id, id=recompute_id)
    now = now_micros()
    heads = {one: member.root_id for one, member in found.members.items()}
    write_groups(tx, settings, heads, Drawn(found, locked.arrangement), locked.version, now)
    write_changed_mark(tx, settings.id, [(root, locked.version) for root in sorted(set(heads.values()))], now)
    return 0 if len(moves) == len(waiting) else len(moves)


def _strong_in(keys: Sequence[str]) -> Identifier | None:
    """The strong identifier that a follow-up is about; weak ones are followed together."""
    _, kind, value = keys[0].split("|", 2)
    return None if kind in WEAK_TYPES else Identifier(kind, value)


def _settle_some(
    tx: Transaction, settings: BrandSettings, recompute_id: str, identifier: Identifier, reach: set[str]
) -> int:
    """Events that only a shared identifier tells of, some at a time; with the last ones what is asked about them."""
    moved, left = settle_rest(tx, settings, identifier, Redraw(recompute_id, now_micros()), reach)
    tx.run("recompute/note_moved", brand=settings.id, id=recompute_id, moved=moved)
    if not left:
        tx.run("recompute/finish_recompute", brand=settings.id, id=recompute_id)
        return 0
    return moved
