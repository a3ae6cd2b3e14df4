"""One likely pair at a time enters the review queue, or is merged from a brand's threshold on, under the locks of both.

A pair is proposed once in its life: its review's id is the digest of the pair. It is left alone when it was told apart,
waits in another review or is one profile already.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from core.brand import BrandSettings
from core.clock import EARLIEST, now_micros
from core.events import IncomingEvent
from core.identifiers import Trust
from graph.changes import REASON_SUGGESTION, review_opened, review_settled, write_changes
from graph.driver import Graph
from graph.repositories.reviews_read import PENDING, RULE_SUGGESTION
from graph.stewardship import Command, MergeOutcome, lock_roots, merge_roots, roots_of
from graph.transactions import Transaction, in_transaction
from resolver.protection import protect
from resolver.rules import rule_set_for

DECIDED_BY_SUGGESTIONS = "suggestions"
MERGED = "merged"
_BUDGET_SECONDS = 10.0


class Outcome(StrEnum):
    """What became of a pair."""

    PROPOSED = "proposed"
    MERGED = "merged"
    KNOWN = "known"
    """Proposed before, told apart, or in a review that waits."""
    CHANGED = "changed"
    """No longer two live profiles."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two live profiles that are likely one person, and why; the comparison holds levels and weights, no values."""

    left_id: str
    right_id: str
    weight: float
    probability: float
    starting_weight: float
    comparison: Sequence[dict[str, Any]]
    blocking_rule: str
    run_id: str

    @property
    def pair(self) -> tuple[str, str]:
        """Both profiles, smaller id first."""
        return min(self.left_id, self.right_id), max(self.left_id, self.right_id)


def review_id_of(brand: str, pair: tuple[str, str]) -> str:
    """The id of the one review that ever proposes this pair, whichever side is named first."""
    text = "|".join((brand, "suggestion", *sorted(pair)))
    return f"rev_{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}"


def open_pairs(graph: Graph, brand: str, pairs: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of these pairs that nothing speaks against, as read without locks: `propose` looks again."""
    rows = graph.read("suggestions/check_pairs", brand=brand, pairs=[[*p, review_id_of(brand, p)] for p in pairs])
    return {
        (row["id"], row["other_id"])
        for row in rows
        if row["is_live"] and not (row["is_known"] or row["is_apart"] or row["is_open"])
    }


def propose(graph: Graph, brand: BrandSettings, proposal: Proposal, *, auto_merge_weight: float | None) -> Outcome:
    """Open a review for this pair, or merge it from `auto_merge_weight` on; safe to repeat after a lost commit."""

    def work(tx: Transaction) -> Outcome:
        return _propose(tx, brand, proposal, auto_merge_weight)

    return in_transaction(graph, work, budget_seconds=_BUDGET_SECONDS)


def _propose(tx: Transaction, brand: BrandSettings, proposal: Proposal, auto_merge_weight: float | None) -> Outcome:
    left, right = pair = proposal.pair
    id_ = review_id_of(brand.id, pair)
    roots = roots_of(tx, brand.id, pair)
    if roots != {left: left, right: right}:
        return Outcome.CHANGED
    working = lock_roots(tx, brand, pair)
    [[_, _, is_live, *against]] = tx.run("suggestions/check_pairs", brand=brand.id, pairs=[[left, right, id_]])
    if not is_live:
        return Outcome.CHANGED
    if any(against):
        return Outcome.KNOWN
    command = Command(brand, f"mrg_{id_.removeprefix('rev_')}", DECIDED_BY_SUGGESTIONS, now_micros())
    if auto_merge_weight is None or proposal.weight < auto_merge_weight:
        _write(tx, command, proposal, ())
        return Outcome.PROPOSED
    event = _as_event(command)
    hits = protect(list(working.profiles.values()), event, (), rule_set_for(brand)).hits
    if hits:
        _write(tx, command, proposal, tuple(hit.rule for hit in hits))
        return Outcome.PROPOSED
    merged = merge_roots(tx, command, [left, right], REASON_SUGGESTION)
    _write(tx, command, proposal, (), merged)
    return Outcome.MERGED


def _as_event(command: Command) -> IncomingEvent:
    """The merge in the words of the protection rules: an event of now that brings nothing."""
    at = EARLIEST + timedelta(microseconds=command.now)
    return IncomingEvent(
        id=command.id, brand=command.brand.id, type="", channel="", source="", occurred_at=at, received_at=at,
        payload="", identifiers=(), trust=Trust.TRANSACTION.value,
    )  # fmt: skip


def _write(
    tx: Transaction,
    command: Command,
    proposal: Proposal,
    conflicts: tuple[str, ...],
    merged: MergeOutcome | None = None,
) -> None:
    left, right = proposal.pair
    id_ = review_id_of(command.brand.id, (left, right))
    rules = sorted({RULE_SUGGESTION, *conflicts})
    properties: dict[str, Any] = {
        "status": PENDING if merged is None else MERGED,
        "reason": f"Likely one person: match weight {proposal.weight:.1f}",
        "identifiers": [],
        "event_ids": [],
        "rules": rules,
        "rule_version": rule_set_for(command.brand).version,
        "match_weight": proposal.weight,
        "match_probability": proposal.probability,
        "starting_weight": proposal.starting_weight,
        "comparison": json.dumps(list(proposal.comparison), ensure_ascii=False),
        "blocking_rule": proposal.blocking_rule,
    }
    if merged is not None:
        at = EARLIEST + timedelta(microseconds=command.now)
        properties |= {
            "decided_by": command.by, "decided_at": at, "decision_reason": "match weight reached the brand's threshold",
            "merge_id": merged.merge_id, "survivor_id": merged.survivor_id, "command_id": command.id,
        }  # fmt: skip
    tx.run(
        "suggestions/write_proposal",
        brand=command.brand.id, id=id_, left_id=left, right_id=right, run_id=proposal.run_id, now=command.now,
        properties=properties,
    )  # fmt: skip
    opened = review_opened(id_, [left, right], rules=rules, reason=properties["reason"])
    if merged is None:
        write_changes(tx, command.brand, [opened])
    else:
        settled = review_settled(id_, MERGED, merged.merge_id, merged.survivor_id)
        write_changes(tx, command.brand, [opened, settled])
