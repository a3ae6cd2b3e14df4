"""Draws weak links anew from the evidence in the graph, in the transaction of the event that made it necessary."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.brand import BrandSettings
from core.decisions import DecisionKind, EventResult
from graph.changes import Ties, became_shared, changes_of_reviews, changes_of_ties, write_changes
from graph.commit_read import Found, lock_customers, read_details
from graph.commit_write import write_changed_mark, write_reviews
from graph.retie_read import read_neighbourhood, read_reach
from graph.retie_write import Drawn, Redraw, find_misplaced, move_events, postpone_moves, write_groups, write_links
from graph.transactions import StaleReadError, Transaction
from resolver.ids import tie_id_for
from resolver.neighbourhood import Arrangement, Held, Neighbourhood, PastMerge, arrange, heads
from resolver.profiles import Profile
from resolver.records import DecidedEvent, Proposal
from resolver.rules import RULE_REACH, RULE_THRESHOLD, RULE_WEAK_ONLY, rule_set_for
from resolver.weak_links import Crowd
from resolver.working_set import Unsettled, WorkingSet, result_of

_FEWEST_SIDES = 2


@dataclass(slots=True)
class Redrawn:
    """What came out: persona → live profile, and the ties that are new."""

    roots: dict[str, str] = field(default_factory=dict)
    merge_ids: dict[str, str] = field(default_factory=dict)
    """Profile absorbed → merge that did it."""
    contested: int = 0
    retracted: dict[str, str] = field(default_factory=dict)
    """Persona of a merge that was taken back → that merge."""
    is_too_wide: bool = False
    moved: dict[str, str | None] = field(default_factory=dict)
    """Event that changed hands → persona."""
    crowds: list[Crowd] = field(default_factory=list)


def settle_event(
    tx: Transaction, settings: BrandSettings, unsettled: Unsettled, reach: set[str], now: int
) -> EventResult:
    """Draw the weak links around a written event anew; its result as they came out.

    `reach` takes the live profiles concerned: another try locks them first. Raises StaleReadError when the
    neighbourhood changed while it was being locked.
    """
    decided = unsettled.decided
    keys = [identifier.key(settings.id) for identifier in unsettled.weak]
    redrawn = redraw(
        tx, settings, Redraw(decided.event.id, now, decided.event.id), keys, {*unsettled.profile_ids}, reach
    )
    decided.persona_id = redrawn.moved.get(decided.event.id, decided.persona_id)
    persona = decided.persona_id or ""
    root = redrawn.roots.get(persona, decided.profile_id)
    if decided.event.id in redrawn.moved and not persona:
        # Its identifier turned out to be shared at its time.
        decided.decision, root = DecisionKind.UNATTACHED.value, None
    merged = tuple(sorted(one for one in redrawn.merge_ids if redrawn.roots.get(one) == root and one != persona))
    if decided.decision != DecisionKind.REVIEW.value:
        if decided.decision == DecisionKind.CREATED.value:
            decided.decision = (DecisionKind.CREATED if root == persona else DecisionKind.ATTACHED).value
        elif merged:
            decided.decision = DecisionKind.MERGED.value
            decided.merged_ids = tuple(sorted({*decided.merged_ids, *merged}))
            decided.merge_id = decided.merge_id or redrawn.merge_ids[merged[0]]
    decided.profile_id = root
    if redrawn.is_too_wide:
        tx.run("retie/mark_neighbours", brand=settings.id, ids=sorted(unsettled.profile_ids))
        decided.rules = (*decided.rules, RULE_REACH)
        decided.warnings = (*decided.warnings, f"{RULE_REACH}: weak identifiers reach too many people to follow")
        _ask_about_reach(tx, settings, unsettled, now)
    _ask_about_crowds(tx, settings, redrawn, decided, now)
    if redrawn.contested:
        decided.rules = (*decided.rules, RULE_WEAK_ONLY)
        text = f"{redrawn.contested} identifier(s) contradict something stronger and follow the last sign-in"
        decided.warnings = (*decided.warnings, f"{RULE_WEAK_ONLY}: {text}")
    tx.run(
        "retie/amend_event",
        brand=settings.id, id=decided.event.id, decision=decided.decision, merge_id=decided.merge_id,
        merged_ids=list(decided.merged_ids) or None, review_id=decided.review_id, rules=list(decided.rules) or None,
        warnings=list(decided.warnings) or None,
    )  # fmt: skip
    return result_of(decided)


def _ask_about_reach(tx: Transaction, settings: BrandSettings, unsettled: Unsettled, now: int) -> None:
    """Open (or extend) a review of the live profiles that meet over weak identifiers too widely used to follow."""
    decided = unsettled.decided
    if len(unsettled.profile_ids) < _FEWEST_SIDES:
        return
    proposal = Proposal(
        decided.event.id,
        frozenset(unsettled.profile_ids),
        f"Auto-merge blocked: weak identifiers reach more than {rule_set_for(settings).max_cores} profiles",
        frozenset(f"{weak.type}:{weak.value}" for weak in unsettled.weak),
        frozenset({RULE_REACH}),
    )
    decided.review_id = _ask_a_person(tx, settings, proposal, now)
    decided.decision = DecisionKind.REVIEW.value


def _ask_about_crowds(
    tx: Transaction, settings: BrandSettings, redrawn: Redrawn, decided: DecidedEvent, now: int
) -> None:
    """Sightings that would tie too many profiles at once wait for a person; the event itself may be one of them."""
    threshold = rule_set_for(settings).merge_threshold
    for crowd in redrawn.crowds:
        profiles = frozenset(redrawn.roots[one] for one in crowd.nodes if one in redrawn.roots)
        if len(profiles) < _FEWEST_SIDES:
            continue
        proposal = Proposal(
            crowd.rank[1],
            profiles,
            f"Auto-merge blocked: {len(profiles)} profiles exceed threshold of {threshold}",
            frozenset(f"{weak.type}:{weak.value}" for weak in crowd.identifiers),
            frozenset({RULE_THRESHOLD}),
        )
        review_id = _ask_a_person(tx, settings, proposal, now)
        if crowd.rank[1] == decided.event.id:
            decided.review_id, decided.decision = review_id, DecisionKind.REVIEW.value
            decided.rules = (*decided.rules, RULE_THRESHOLD)


def _ask_a_person(tx: Transaction, settings: BrandSettings, proposal: Proposal, now: int) -> str:
    """The open review that asks about all these live profiles (locked), a new or extended one if there is none."""
    working = WorkingSet(rule_set_for(settings), settings.currency)
    lock_customers(tx, settings, Found(roots={root: root for root in proposal.profile_ids}), working)
    read_details(tx, settings.id, sorted(working.profiles), working)
    for review in working.reviews:
        if proposal.event_id in review.event_ids and proposal.profile_ids <= review.profile_ids:
            return review.id
    review_id = working.propose(proposal)
    write_reviews(tx, settings.id, working, now)
    write_changes(tx, settings, list(changes_of_reviews(working)))
    return review_id


def redraw(
    tx: Transaction, settings: BrandSettings, op: Redraw, keys: Sequence[str], roots: set[str], reach: set[str]
) -> Redrawn:
    """Fold the neighbourhood of these weak identifiers and live profiles and write the difference."""
    locked = lock_neighbourhood(tx, settings, keys, roots, reach)
    if locked is None:
        return Redrawn(is_too_wide=True)
    working, found, arrangement = locked.working, locked.found, locked.arrangement
    moves = find_misplaced(tx, settings, found, arrangement)
    if len(moves) > settings.moved_at_once:
        postpone_moves(tx, settings.id, op, keys, moves)
    else:
        move_events(tx, settings, working, found, moves, reach)
    shared: list[tuple[str, str]] = []
    contested = write_links(tx, settings.id, found, arrangement, keys, shared)
    redrawn = _write_pointers(tx, settings, op, working, found, arrangement)
    redrawn.contested = contested
    redrawn.crowds = arrangement.fold.crowds
    if len(moves) <= settings.moved_at_once:
        redrawn.moved = {event_id: move.to for event_id, move in moves.items()}
    version = locked.version
    write_groups(tx, settings, redrawn.roots, Drawn(found, arrangement), version, op.now)
    live = sorted(set(redrawn.roots.values()))
    write_changed_mark(tx, settings.id, [(root, version) for root in live], op.now)
    before = {one: member.root_id for one, member in found.members.items()}
    ties = Ties(before, redrawn.roots, redrawn.merge_ids, redrawn.retracted, op.event_id)
    write_changes(tx, settings, [*changes_of_ties(ties), *became_shared(shared, redrawn.roots, op.event_id)])
    return redrawn


@dataclass(slots=True)
class Locked:
    """A neighbourhood whose live profiles are locked, and how it is arranged by its evidence."""

    working: WorkingSet
    found: Neighbourhood
    arrangement: Arrangement

    @property
    def version(self) -> int:
        """A version above that of every profile in it."""
        return max((profile.version for profile in self.working.profiles.values()), default=0) + 1


def lock_neighbourhood(
    tx: Transaction, settings: BrandSettings, keys: Sequence[str], roots: set[str], reach: set[str]
) -> Locked | None:
    """Lock all live profiles that these lead to and read their evidence; None when they are too many to follow.

    Raises StaleReadError when the neighbourhood changed meanwhile; `reach` takes what another try locks first.
    """
    rules = rule_set_for(settings)
    roots, all_keys = read_reach(tx, settings.id, keys, roots, rules.max_cores)
    if len(roots) > rules.max_cores:
        return None
    missing = roots - reach
    reach |= roots
    working = WorkingSet(rules, settings.currency)
    lock_customers(tx, settings, Found(roots={root: root for root in roots}), working)
    if missing and read_reach(tx, settings.id, keys, roots, rules.max_cores)[0] != roots:
        raise StaleReadError("the neighbourhood grew while it was being locked")
    found = read_neighbourhood(tx, settings, sorted(roots), sorted(all_keys))
    return Locked(working, found, arrange(found, rules))


def _write_pointers(
    tx: Transaction, settings: BrandSettings, op: Redraw, working: WorkingSet, found: Neighbourhood, now: Arrangement
) -> Redrawn:
    """Keep every pointer within a group, take the others back, tie the parts of each group."""
    group_of = now.group_of
    kept = {child: top for child, (top, _) in found.pointers.items() if group_of[child] == group_of.get(top)}
    used = {found.pointers[child][1] for child in kept}
    gone = sorted(found.pointers.keys() - kept.keys())
    if gone:
        tx.run("stewardship/delete_pointers", brand=settings.id, ids=gone)
    redrawn = Redrawn()
    rows = []
    by_group: dict[str, list[str]] = {}
    for persona in sorted(found.members):
        by_group.setdefault(group_of[persona], []).append(persona)
    new_persona = "cus_" + op.id.removeprefix("evt_")
    for personas in by_group.values():
        parts = sorted(heads(personas, kept), key=lambda one: _head_order(one, working.profiles.get(one), new_persona))
        redrawn.roots.update((persona, parts[0]) for persona in personas)
        for absorbed in parts[1:]:
            row = _tie_row(op, found, kept, (parts[0], absorbed), now)
            kept[absorbed] = parts[0]
            rows.append(row)
            redrawn.merge_ids[absorbed] = row["id"]
    if rows:
        tx.run(
            "retie/write_ties",
            brand=settings.id, now=op.now, rule_version=rule_set_for(settings).version, rows=rows,
        )  # fmt: skip
    used.update(str(row["id"]) for row in rows)
    gone_merges = _retract(tx, settings.id, op, [merge for merge in found.merges if merge.id not in used], group_of)
    for merge in gone_merges:
        redrawn.retracted.update((one, merge.id) for one in (merge.survivor_id, *merge.absorbed_ids))
    moved = [[one, root] for one, root in sorted(redrawn.roots.items()) if found.members[one].root_id != root]
    if moved:
        tx.run("stewardship/set_roots", brand=settings.id, rows=moved)
    return redrawn


def _head_order(persona: str, profile: Profile | None, new_persona: str) -> tuple[bool, bool, int, int, str]:
    """Who answers for a group: a profile that was live before, then the survivor rule."""
    if profile is None:
        return (persona == new_persona, True, 0, 0, persona)
    return (persona == new_persona, False, -profile.strength, profile.totals.first_seen, persona)


def _tie_row(
    op: Redraw, found: Neighbourhood, kept: dict[str, str], pair: tuple[str, str], now: Arrangement
) -> dict[str, Any]:
    """A pointer of an earlier merge whose strong causes lie on both sides of survivor and absorbed, else a weak one."""
    survivor, absorbed = pair

    def head(one: str) -> str:
        while one in kept:
            one = kept[one]
        return one

    for merge in found.merges:
        ends = {head(one) for one in merge.strong_cause_ids if one in found.members}
        if {survivor, absorbed} <= ends:
            return {"id": merge.id, "weak": False, "survivor_id": survivor, "absorbed_id": absorbed,
                    "identifiers": [], "event_id": op.event_id, "tied_at": None}  # fmt: skip
    weak = sorted({f"{h.identifier.type}:{h.identifier.value}" for h in _weak_between(found, survivor, absorbed, head)})
    ties = (tie for tie in now.fold.ties if {survivor, absorbed} == {head(end) for end in tie.ends})
    return {"id": tie_id_for(op.id, survivor, absorbed), "weak": True, "survivor_id": survivor, "absorbed_id": absorbed,
            "identifiers": weak, "event_id": op.event_id,
            "tied_at": next((tie.rank[0] for tie in ties), None)}  # fmt: skip


def _weak_between(found: Neighbourhood, survivor: str, absorbed: str, head: Callable[[str], str]) -> list[Held]:
    """Links to identifiers that sightings of both sides carry."""
    seen: dict[str, set[object]] = {survivor: set(), absorbed: set()}
    for sighting in found.sightings:
        if sighting.persona_id in found.members and (side := head(sighting.persona_id)) in seen:
            seen[side].update(sighting.weak)
    both = seen[survivor] & seen[absorbed]
    return [held for member in found.members.values() for held in member.held if held.identifier in both]


def _retract(
    tx: Transaction, brand: str, op: Redraw, merges: Sequence[PastMerge], group_of: dict[str, str]
) -> list[PastMerge]:
    """Merges whose sides came apart, and that hold nothing else together, are taken back by the rules; those merges."""
    gone = []
    for merge in merges:
        if not merge.is_automatic or merge.survivor_id not in group_of:
            continue
        side = group_of[merge.survivor_id]
        if all(group_of.get(one) != side for one in merge.absorbed_ids):
            first, *others = merge.strong_cause_ids or ("",)
            if others:
                # What it joined on strong evidence stays joined, wherever the weak pointers around it go.
                pairs = [[*sorted((first, other)), merge.event_id or op.id] for other in others]
                tx.run("commit/join_cores", brand=brand, rows=pairs)
            tx.run(
                "stewardship/revert_merge",
                brand=brand, id=merge.id, command_id=op.id, by="rules", reason="weak_link_retracted", now=op.now,
            )  # fmt: skip
            gone.append(merge)
    return gone
