"""Review decisions: approve merges all, reject keeps all apart, split merges some and keeps the rest apart.

Each does what still applies to the profiles as they are under their locks, and says in its note what did not.
"""

import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from core.brand import BrandSettings
from core.errors import ConflictError, InvalidInputError, NotFoundError
from graph.changes import review_settled, write_changes
from graph.driver import Graph
from graph.stewardship import REASON_REVIEW, Command, MergeOutcome, lock_roots, mark_pairs, merge_roots
from graph.transactions import StaleReadError, Transaction, in_transaction
from ingest.stewardship.merging import COMMAND_BUDGET_SECONDS, new_command

PENDING, APPROVED, REJECTED, MERGED = "pending", "approved", "rejected", "merged"
_A_PAIR = 2
# Marks of one transaction: those of 140 profiles that are all told apart. More hold locks for longer than others wait.
MOST_MARKS = 10_000


class ReviewSettledError(ConflictError):
    """Somebody, or the course of events, has settled the review before."""


@dataclass(frozen=True, slots=True)
class ReviewOutcome:
    """How a review ended; `note` says what no longer applied."""

    review_id: str
    status: str
    merge_id: str | None = None
    survivor_id: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A pending review under its locks: what it proposes now."""

    live: dict[str, str]
    """Proposed persona → its live profile."""
    erased: int
    """Proposed profiles that are gone."""
    is_parted: bool
    """Whether a merge of a proposed profile was taken back since."""
    marks: dict[tuple[str, str], tuple[str, str]]
    """Pairs of personas marked as not the same, smaller id first → their live profiles."""

    @property
    def roots(self) -> list[str]:
        """The live profiles that it proposes."""
        return sorted(set(self.live.values()))

    def pairs(self, together: Collection[str] = (), about: Collection[str] | None = None) -> Iterator[tuple[str, str]]:
        """Pairs of proposed personas, and of their live profiles, that are apart and not both in `together`.

        Both are marked: whichever merge is taken back later, the sides stay apart. With `about` only pairs with one of
        these live profiles.
        """
        ends = sorted({*self.live.items(), *((root, root) for root in self.live.values())})
        return (
            (left, right)
            for (left, root), (right, other) in itertools.combinations(ends, 2)
            if root != other
            and not (root in together and other in together)
            and (about is None or root in about or other in about)
        )

    def chosen(self, profile_ids: Sequence[str], *, is_replay: bool = False) -> set[str]:
        """The live profiles that are named; raises InvalidInputError for one that the review does not propose.

        In a replay those that it does not propose any more are passed over.
        """
        roots = set(self.roots)
        found = set()
        for place, one in enumerate(profile_ids):
            root = one if one in roots else self.live.get(one)
            if root is not None:
                found.add(root)
            elif not is_replay:
                raise InvalidInputError("The review does not propose this profile.", field=f"profile_ids[{place}]")
        return found


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision did: the review's new status, the merge that it made, what it says of itself."""

    status: str
    merged: MergeOutcome | None = None
    note: str = ""
    lets_go: frozenset[str] = frozenset()
    """Live profiles that a review which stays pending asks no more about."""


Decide = Callable[[Transaction, Command, Standing], Decided]


def approve_review(graph: Graph, brand: BrandSettings, review_id: str, *, reason: str = "", by: str) -> ReviewOutcome:
    """Merge all profiles of a pending review; raises NotFoundError, ReviewSettledError when it is settled."""
    return settle(graph, new_command(brand, "mrg", by, reason), review_id, approving())


def reject_review(graph: Graph, brand: BrandSettings, review_id: str, *, reason: str = "", by: str) -> ReviewOutcome:
    """Mark every pair of a pending review as not the same person; raises NotFoundError, ReviewSettledError."""
    return settle(graph, new_command(brand, "rej", by, reason), review_id, rejecting)


def reject_some(
    graph: Graph, brand: BrandSettings, review_id: str, profile_ids: Sequence[str], *, reason: str = "", by: str
) -> ReviewOutcome:
    """Tell `profile_ids` apart from all others of a pending review, which asks about the rest from then on.

    It is rejected when fewer than two are left. Raises InvalidInputError for one that the review does not propose.
    """
    return settle(graph, new_command(brand, "rej", by, reason), review_id, _rejecting_some(profile_ids))


def split_review(
    graph: Graph, brand: BrandSettings, review_id: str, profile_ids: Sequence[str], *, reason: str = "", by: str
) -> ReviewOutcome:
    """Merge `profile_ids` of a pending review and mark every other pair as not the same person.

    Raises InvalidInputError for fewer than two profiles or one that the review does not propose.
    """
    if len(set(profile_ids)) < _A_PAIR:
        raise InvalidInputError("Name at least two profiles to merge.", field="profile_ids")
    return settle(graph, new_command(brand, "mrg", by, reason), review_id, _splitting(profile_ids))


def approving(*, may_end_marks: bool = True) -> Decide:
    """Merges all; without `may_end_marks` raises ConflictError where a person told two of the sides apart before."""

    def decide(tx: Transaction, command: Command, standing: Standing) -> Decided:
        if len(standing.roots) < _A_PAIR:
            return _nothing_left(standing, APPROVED)
        if standing.marks and not may_end_marks:
            raise ConflictError("Some of its profiles were told apart before; decide this review by itself.")
        merged = merge_roots(tx, command, standing.roots, REASON_REVIEW)
        return Decided(MERGED, merged, _ended(len(standing.marks)))

    return decide


def rejecting(tx: Transaction, command: Command, standing: Standing) -> Decided:
    """Marks every pair that is still apart."""
    if len(standing.roots) < _A_PAIR:
        return _nothing_left(standing, REJECTED)
    _mark(tx, command, standing, standing.pairs())
    return Decided(REJECTED)


def _rejecting_some(profile_ids: Sequence[str]) -> Decide:
    def decide(tx: Transaction, command: Command, standing: Standing) -> Decided:
        chosen = standing.chosen(profile_ids, is_replay=tx.is_replay)
        if len(standing.roots) < _A_PAIR:
            return _nothing_left(standing, REJECTED)
        _mark(tx, command, standing, standing.pairs(about=chosen))
        if len(standing.roots) - len(chosen) < _A_PAIR:
            return Decided(REJECTED)
        return Decided(PENDING, None, f"{len(chosen)} profile(s) were told apart from the others.", frozenset(chosen))

    return decide


def _mark(tx: Transaction, command: Command, standing: Standing, pairs: Iterator[tuple[str, str]]) -> None:
    """Mark pairs that no mark stands between; raises ConflictError, before anything is written, for too many."""
    new = list(itertools.islice((pair for pair in pairs if pair not in standing.marks), MOST_MARKS + 1))
    if len(new) > MOST_MARKS:
        most = max(1, MOST_MARKS // max(1, len(standing.live)))
        raise ConflictError(
            f"This review proposes {len(standing.roots)} profiles: telling all of them apart takes more than "
            f"{MOST_MARKS} marks. Reject it in parts (`profile_ids`), about {most} profiles at a time, or approve it."
        )
    mark_pairs(tx, command, new)


def _splitting(profile_ids: Sequence[str]) -> Decide:
    def decide(tx: Transaction, command: Command, standing: Standing) -> Decided:
        chosen = standing.chosen(profile_ids)
        _mark(tx, command, standing, standing.pairs(together=chosen))
        if len(chosen) < _A_PAIR:
            return Decided(APPROVED, None, "The profiles to merge had become one before; the others stay apart.")
        merged = merge_roots(tx, command, sorted(chosen), REASON_REVIEW)
        ended = sum(1 for sides in standing.marks.values() if chosen.issuperset(sides))
        return Decided(APPROVED, merged, _ended(ended))

    return decide


def _nothing_left(standing: Standing, asked: str) -> Decided:
    """Fewer than two live profiles: nothing can be merged or kept apart."""
    if len(standing.live) < _A_PAIR:
        return Decided(asked, None, "Fewer than two of its profiles are left: there was nothing to decide.")
    note = "The profiles of this review had become one before."
    return Decided(MERGED, None, note if asked == APPROVED else f"{note} Take that merge back to keep them apart.")


def _ended(marks: int) -> str:
    return f"{marks} mark(s) of not the same between its sides ended." if marks else ""


def settle(graph: Graph, command: Command, review_id: str, decide: Decide) -> ReviewOutcome:
    """Carry out one decision in one transaction; a second try of the same command answers what the first did."""

    def work(tx: Transaction) -> ReviewOutcome:
        return settle_in(tx, command, review_id, decide)

    return in_transaction(graph, work, budget_seconds=COMMAND_BUDGET_SECONDS)


def settle_in(tx: Transaction, command: Command, review_id: str, decide: Decide) -> ReviewOutcome:
    """Carry out one decision in the transaction `tx`."""
    brand = command.brand.id
    rows = tx.run("stewardship/read_review", brand=brand, id=review_id)
    if not rows:
        raise NotFoundError("No such review.")
    _, status, _, _, proposed, merge_id, survivor_id, command_id, note, superseded_by = rows[0]
    if status != PENDING:
        if command_id == command.id:
            return ReviewOutcome(review_id, status, merge_id, survivor_id, note or "")
        joined = f"The review was joined into another one: decide {superseded_by}." if superseded_by else None
        raise ReviewSettledError(joined or "The review was settled already.")
    standing = _lock(tx, command, review_id, dict(proposed))
    decided = decide(tx, command, standing)
    if decided.status == PENDING:
        roots_gone = sorted(decided.lets_go)
        tx.run("stewardship/let_go_of", brand=brand, id=review_id, roots=roots_gone, now=command.now)
        return ReviewOutcome(review_id, PENDING, note=_note(standing, decided))
    merged, roots = decided.merged, standing.roots
    survivor = merged.survivor_id if merged else (roots[0] if roots and decided.status == MERGED else None)
    outcome = ReviewOutcome(
        review_id, decided.status, merged.merge_id if merged else None, survivor, _note(standing, decided)
    )
    tx.run(
        "stewardship/settle_review",
        brand=brand, id=review_id, command_id=command.id, status=outcome.status, by=command.by,
        reason=command.reason, merge_id=outcome.merge_id, survivor_id=outcome.survivor_id, note=outcome.note or None,
        now=command.now,
    )  # fmt: skip
    write_changes(tx, command.brand, [review_settled(review_id, outcome.status, outcome.merge_id, survivor)])
    return outcome


def _lock(tx: Transaction, command: Command, review_id: str, proposed: dict[str, str]) -> Standing:
    """Lock the live profiles, then the review; StaleReadError when either changed since it was read."""
    brand = command.brand.id
    roots = sorted(set(proposed.values()))
    if roots:
        lock_roots(tx, command.brand, roots)
    [[status, found, ever, is_parted]] = tx.run("stewardship/lock_review", brand=brand, id=review_id)
    if status != PENDING:
        raise ReviewSettledError("The review was settled already.")
    live = dict(found)
    if live != proposed:
        raise StaleReadError("the review or its profiles changed while it was being decided")
    marks = tx.run("reviews/list_marks", brand=brand, roots=roots) if len(roots) > 1 else []
    return Standing(
        live=live,
        erased=len(set(ever) - live.keys()),
        is_parted=is_parted,
        marks={(min(one, two), max(one, two)): (root, other) for one, root, two, other, *_ in marks},
    )


def _note(standing: Standing, decided: Decided) -> str:
    """All that is worth saying about what was decided and what no longer applied."""
    said = [decided.note]
    if len(standing.live) > len(standing.roots) > 1:
        said.append("Some profiles of this review had become one before; the rest of it was done.")
    if any(root not in standing.live for root in standing.roots):
        said.append("A proposed profile had been absorbed by another one, which was decided in its place.")
    if standing.erased:
        said.append(f"{standing.erased} proposed profile(s) were erased before.")
    if standing.is_parted:
        said.append("A merge of its profiles was taken back meanwhile; only the profiles that it names were decided.")
    return " ".join(filter(None, said))
