"""The steward's changes, each in one transaction on the same locks and retries as events: merge, unmerge, reviews."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.brand import BrandSettings
from core.clock import now_micros
from core.errors import ConflictError, NotFoundError
from core.identifiers import Identifier
from graph.changes import changes_of_unmerge, write_changes
from graph.commit_read import Found, lock_customers, read_details, statistics_from
from graph.commit_rows import profile_row
from graph.commit_write import write_changed_mark, write_working_set
from graph.retie import redraw
from graph.retie_read import read_reach
from graph.retie_write import Redraw
from graph.shared import settle_shared
from graph.transactions import StaleReadError, Transaction
from resolver.profiles import Profile
from resolver.records import MergeRecord
from resolver.rules import rule_set_for
from resolver.strength import profile_strength
from resolver.unmerge import Forest, MergeLink, replay_without
from resolver.working_set import WorkingSet

REASON_MANUAL = "manual_merge"
REASON_REVIEW = "manual_review"


@dataclass(frozen=True, slots=True)
class Command:
    """A person's command: who, why, when (microseconds) and the id that makes a second try the same command."""

    brand: BrandSettings
    id: str
    by: str
    now: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MergeOutcome:
    """Which profile stays and which it took."""

    merge_id: str
    survivor_id: str
    absorbed_ids: tuple[str, ...]


def roots_of(tx: Transaction, brand: str, ids: Sequence[str]) -> dict[str, str]:
    """Id → live profile for those of `ids` that this brand knows."""
    return {row[0]: row[1] for row in tx.run("stewardship/find_profiles", brand=brand, ids=sorted(set(ids)))}


def find_merge(tx: Transaction, command: Command) -> MergeOutcome | None:
    """What this command did when an earlier try of it was committed after all."""
    rows = tx.run("stewardship/find_merge", brand=command.brand.id, id=command.id)
    return MergeOutcome(rows[0][0], rows[0][1], tuple(rows[0][2])) if rows else None


def is_reverted_by(tx: Transaction, command: Command, merge_id: str) -> bool:
    """Whether this very command took the merge back."""
    rows = tx.run("stewardship/find_merge", brand=command.brand.id, id=merge_id)
    return bool(rows) and rows[0][4] == command.id


def merge_roots(tx: Transaction, command: Command, roots: Sequence[str], reason: str) -> MergeOutcome:
    """Merge live profiles, whatever their number; ends the NOT_SAME marks between them."""
    brand = command.brand.id
    working = _load(tx, command.brand, roots)
    # The time of the merge is the time of its locks: replays go by it.
    command = replace(command, now=now_micros())
    tx.run("stewardship/end_not_same", brand=brand, roots=sorted(roots), by=command.by, now=command.now)
    record = MergeRecord(command.id, reason, command.by)
    survivor = working.combine(list(working.profiles.values()), record)
    write_working_set(tx, command.brand, working, command.now)
    for identifier in sorted(survivor.crowds):
        settle_shared(tx, command.brand, identifier, Redraw(command.id, command.now), set())
    return MergeOutcome(record.id, survivor.id, record.absorbed_ids)


def _load(tx: Transaction, settings: BrandSettings, roots: Sequence[str]) -> WorkingSet:
    working = WorkingSet(rule_set_for(settings), settings.currency)
    lock_customers(tx, settings, Found(roots={root: root for root in roots}), working)
    if len(working.profiles) != len(set(roots)):
        raise StaleReadError("a profile was absorbed between reading and locking")
    read_details(tx, settings.id, sorted(set(roots)), working)
    return working


def lock_roots(tx: Transaction, settings: BrandSettings, roots: Sequence[str]) -> WorkingSet:
    """Lock live profiles in id order and read all a merge needs; StaleReadError when one was absorbed meanwhile."""
    return _load(tx, settings, roots)


def mark_not_same(tx: Transaction, command: Command, ids: Sequence[str]) -> None:
    """Write a NOT_SAME mark for every pair of these personas."""
    mark_pairs(tx, command, list(itertools.combinations(sorted(set(ids)), 2)))


def mark_pairs(tx: Transaction, command: Command, pairs: Sequence[tuple[str, str]]) -> None:
    """Write a NOT_SAME mark for each of these pairs of personas."""
    rows = sorted([min(pair), max(pair)] for pair in pairs)
    if rows:
        tx.run(
            "stewardship/mark_not_same",
            brand=command.brand.id, pairs=rows, by=command.by, reason=command.reason, now=command.now,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unmerged:
    """The merge that was taken back and the profiles that live again, survivor first."""

    merge_id: str
    profile_ids: list[str]


def unmerge(tx: Transaction, command: Command, profile_id: str, merge_id: str | None, reach: set[str]) -> Unmerged:
    """Take a merge back, the latest live one when none is named; weak identifiers go to whom the evidence gives them.

    `reach` takes the live profiles that weak identifiers lead to: another try locks them first.
    """
    brand = command.brand.id
    root = roots_of(tx, brand, [profile_id]).get(profile_id)
    if root is None:
        raise NotFoundError("No such profile.")
    working = _load(tx, command.brand, [root])
    links = _live_links(tx, brand, root)
    reverted = _choose(tx, brand, links, merge_id)
    personas = tx.run("stewardship/read_group", brand=brand, root=root)
    forest = replay_without([row[0] for row in personas], links, reverted.merge_id)
    _write_pointers(tx, brand, links, forest)
    groups = _group(personas, forest)
    version = working.profiles[root].version + 1
    _write_groups(tx, command, groups, forest, working.profiles[root])
    tx.run("stewardship/part_cores", brand=brand, roots=sorted(groups))
    tx.run(
        "stewardship/revert_merge",
        brand=brand, id=reverted.merge_id, command_id=command.id, by=command.by, reason=command.reason, now=command.now,
    )  # fmt: skip
    sides = {end for pointer in reverted.pointers for end in pointer}
    mark_not_same(tx, command, sorted(sides))
    write_changed_mark(tx, brand, [(head, version) for head in sorted(groups)], command.now)
    kept = forest.root(reverted.pointers[0][1])
    live = [kept, *sorted(head for head in groups if head != kept)]
    moves = {row[0]: head for head, members in groups.items() for row in members if head != root}
    write_changes(tx, command.brand, changes_of_unmerge(live, moves, reverted.merge_id))
    live = _redraw_weak(tx, command, live, reach)
    for kind, value in tx.run("shared/list_carried", brand=brand, roots=live):
        settle_shared(tx, command.brand, Identifier(kind, value), Redraw(command.id, command.now), set())
    return Unmerged(reverted.merge_id, live)


def _redraw_weak(tx: Transaction, command: Command, live: list[str], reach: set[str]) -> list[str]:
    """Weak identifiers of profiles that came apart go, with their events, to whom they belong now; who is live."""
    _, keys = read_reach(tx, command.brand.id, (), live, max_cores=0)
    if not keys:
        return live
    redrawn = redraw(tx, command.brand, Redraw(command.id, command.now), sorted(keys), set(live), reach)
    return list(dict.fromkeys(redrawn.roots.get(one, one) for one in live))


def _live_links(tx: Transaction, brand: str, root: str) -> list[MergeLink]:
    return [
        MergeLink(id_, (at, place), tuple((child, top) for child, top in pointers), frozenset(causes or ()), is_weak)
        for id_, at, place, causes, _, pointers, is_weak in tx.run(
            "stewardship/read_group_merges", brand=brand, root=root
        )
    ]


def _choose(tx: Transaction, brand: str, links: Sequence[MergeLink], merge_id: str | None) -> MergeLink:
    if merge_id is None:
        if not links:
            raise ConflictError("The profile has no merge that could be taken back.")
        return max(links, key=lambda link: link.order)
    for link in links:
        if link.merge_id == merge_id:
            return link
    known = tx.run("stewardship/find_merge", brand=brand, id=merge_id)
    if known and known[0][3]:
        raise ConflictError("The merge was taken back already.", field="merge_id")
    raise NotFoundError("No such merge of this profile.", field="merge_id")


def _write_pointers(tx: Transaction, brand: str, links: Sequence[MergeLink], forest: Forest) -> None:
    old = {child: (top, link.merge_id) for link in links for child, top in link.pointers}
    gone = sorted(child for child, pointer in old.items() if forest.pointers.get(child) != pointer)
    new = sorted((child, *pointer) for child, pointer in forest.pointers.items() if old.get(child) != pointer)
    if gone:
        tx.run("stewardship/delete_pointers", brand=brand, ids=gone)
    if new:
        weak = {link.merge_id for link in links if link.is_weak}
        tx.run("stewardship/create_pointers", brand=brand, rows=[[*row, row[2] in weak or None] for row in new])


def _group(personas: Sequence[list[Any]], forest: Forest) -> dict[str, list[list[Any]]]:
    groups: dict[str, list[list[Any]]] = {}
    for row in personas:
        groups.setdefault(forest.root(row[0]), []).append(row)
    return groups


def _write_groups(
    tx: Transaction, command: Command, groups: dict[str, list[list[Any]]], forest: Forest, profile_before: Profile
) -> None:
    """Aggregates of every group as a fold over its personas."""
    currency = command.brand.currency
    version, command_is_tied = profile_before.version + 1, profile_before.is_tied
    rows = []
    for head, personas in sorted(groups.items()):
        profile = Profile(head, persona_count=len(personas), version=version, has_neighbours=True)
        for row in personas:
            profile.totals.add(statistics_from(row[1:7], currency))
            profile.identifier_types.update(row[7])
            profile.identifier_count += len(row[7])
            profile.is_tied = profile.is_tied or bool(row[8]) or command_is_tied
        profile.strength = profile_strength(profile.identifier_types, profile.totals.total_orders)
        profile.merge_count = len({forest.pointers[row[0]][1] for row in personas if row[0] in forest.pointers})
        rows.append([head, *profile_row(profile, currency)])
    roots = [[row[0], head] for head, personas in sorted(groups.items()) for row in personas]
    tx.run("stewardship/set_roots", brand=command.brand.id, rows=roots)
    tx.run("commit/update_profiles", brand=command.brand.id, rows=rows, now=command.now)
