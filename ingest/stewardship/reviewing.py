"""Review decisions: approve merges all, reject keeps all apart, split merges some and keeps the rest apart."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.brand import BrandSettings
from core.errors import ConflictError, InvalidInputError, NotFoundError
from graph.driver import Graph
from graph.stewardship import (
    REASON_REVIEW,
    Command,
    MergeOutcome,
    lock_roots,
    mark_not_same,
    mark_pairs,
    merge_roots,
)
from graph.transactions import StaleReadError, Transaction, in_transaction
from ingest.stewardship.merging import COMMAND_BUDGET_SECONDS, new_command

PENDING = "pending"
_A_PAIR = 2


@dataclass(frozen=True, slots=True)
class ReviewOutcome:
    """How a review ended; `note` says what no longer applied."""

    review_id: str
    status: str
    merge_id: str | None = None
    survivor_id: str | None = None
    note: str = ""


Decide = Callable[[Transaction, Command, list[str]], tuple[str, MergeOutcome | None, str]]


def approve_review(graph: Graph, brand: BrandSettings, review_id: str, *, reason: str = "", by: str) -> ReviewOutcome:
    """Merge all profiles of a pending review; raises NotFoundError, ConflictError when it is settled."""

    def decide(tx: Transaction, command: Command, roots: list[str]) -> tuple[str, MergeOutcome | None, str]:
        if len(roots) < _A_PAIR:
            return "merged", None, "The profiles of this review had become one before."
        return "merged", merge_roots(tx, command, roots, REASON_REVIEW), ""

    return _settle(graph, new_command(brand, "mrg", by, reason), review_id, decide)


def reject_review(graph: Graph, brand: BrandSettings, review_id: str, *, reason: str = "", by: str) -> ReviewOutcome:
    """Mark every pair of a pending review as not the same person; raises NotFoundError, ConflictError when settled."""

    def decide(tx: Transaction, command: Command, roots: list[str]) -> tuple[str, MergeOutcome | None, str]:
        lock_roots(tx, command.brand, roots)
        mark_not_same(tx, command, roots)
        return "rejected", None, ""

    return _settle(graph, new_command(brand, "rej", by, reason), review_id, decide)


def split_review(
    graph: Graph, brand: BrandSettings, review_id: str, profile_ids: Sequence[str], *, reason: str = "", by: str
) -> ReviewOutcome:
    """Merge `profile_ids` of a pending review and mark every other pair as not the same person.

    Raises InvalidInputError for fewer than two profiles or one that the review does not propose.
    """
    chosen = list(dict.fromkeys(profile_ids))
    if len(chosen) < _A_PAIR:
        raise InvalidInputError("Name at least two profiles to merge.", field="profile_ids")

    def decide(tx: Transaction, command: Command, roots: list[str]) -> tuple[str, MergeOutcome | None, str]:
        for place, one in enumerate(profile_ids):
            if one not in roots:
                raise InvalidInputError("The review does not propose this profile.", field=f"profile_ids[{place}]")
        lock_roots(tx, command.brand, roots)
        apart = [pair for pair in itertools.combinations(roots, 2) if not set(pair) <= set(chosen)]
        mark_pairs(tx, command, apart)
        return "approved", merge_roots(tx, command, chosen, REASON_REVIEW), ""

    return _settle(graph, new_command(brand, "mrg", by, reason), review_id, decide)


def _settle(graph: Graph, command: Command, review_id: str, decide: Decide) -> ReviewOutcome:
    brand = command.brand.id

    def work(tx: Transaction) -> ReviewOutcome:
        rows = tx.run("stewardship/read_review", brand=brand, id=review_id)
        if not rows:
            raise NotFoundError("No such review.")
        _, status, _, _, proposed, merge_id, survivor_id, command_id = rows[0]
        if status != PENDING:
            if command_id == command.id:
                return ReviewOutcome(review_id, status, merge_id, survivor_id)
            raise ConflictError("The review was settled already.")
        roots = sorted({root for _, root in proposed})
        new_status, merged, note = decide(tx, command, roots)
        [[status, personas]] = tx.run("stewardship/lock_review", brand=brand, id=review_id)
        if status != PENDING:
            raise ConflictError("The review was settled already.")
        if set(personas) != {persona for persona, _ in proposed}:
            raise StaleReadError("an event extended the review while it was being decided")
        if not note and {persona for persona, _ in proposed} != set(roots):
            note = "Some profiles of this review had become one before; the rest of it was done."
        outcome = ReviewOutcome(
            review_id,
            new_status,
            merged.merge_id if merged else None,
            merged.survivor_id if merged else (roots[0] if roots and new_status == "merged" else None),
            note,
        )
        tx.run(
            "stewardship/settle_review",
            brand=brand, id=review_id, command_id=command.id, status=outcome.status, by=command.by,
            reason=command.reason, merge_id=outcome.merge_id, survivor_id=outcome.survivor_id, now=command.now,
        )  # fmt: skip
        return outcome

    return in_transaction(graph, work, budget_seconds=COMMAND_BUDGET_SECONDS)
