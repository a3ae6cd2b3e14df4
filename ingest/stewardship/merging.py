"""Merge by hand and unmerge: what a steward may ask for, and what is refused."""

import uuid
from collections.abc import Sequence

from core.brand import BrandSettings
from core.clock import now_micros
from core.errors import ConflictError, InvalidInputError, NotFoundError
from graph.driver import Graph
from graph.stewardship import (
    REASON_MANUAL,
    Command,
    MergeOutcome,
    Unmerged,
    find_merge,
    is_reverted_by,
    merge_roots,
    roots_of,
    unmerge,
)
from graph.transactions import Transaction, in_transaction

COMMAND_BUDGET_SECONDS = 10.0


def new_command(brand: BrandSettings, prefix: str, by: str, reason: str) -> Command:
    """A command of now with an id of its own; made before the transaction, so that a second try is the same command."""
    return Command(brand, f"{prefix}_{uuid.uuid4().hex}", by, now_micros(), reason)


def merge_profiles(
    graph: Graph, brand: BrandSettings, profile_id: str, others: Sequence[str], *, reason: str = "", by: str
) -> MergeOutcome:
    """Merge `profile_id` and `others`, all live profiles of `brand`, into the survivor among them.

    Raises InvalidInputError for a profile named twice or no other, NotFoundError for an unknown one, ConflictError for
    an absorbed one.
    """
    if not others:
        raise InvalidInputError("Name at least one profile to merge.", field="profile_ids")
    named = {"id": profile_id} | {f"profile_ids[{place}]": other for place, other in enumerate(others)}
    for place, other in enumerate(others):
        if other == profile_id or other in others[:place]:
            raise InvalidInputError("A profile cannot be merged with itself.", field=f"profile_ids[{place}]")
    command = new_command(brand, "mrg", by, reason)

    def work(tx: Transaction) -> MergeOutcome:
        done = find_merge(tx, command)
        if done is not None:
            return done
        roots = roots_of(tx, brand.id, list(named.values()))
        for field, one in named.items():
            if one not in roots:
                raise NotFoundError("No such profile.", field=field)
            if roots[one] != one:
                raise ConflictError("The profile was absorbed by a merge; name its live profile.", field=field)
        return merge_roots(tx, command, sorted(roots), reason or REASON_MANUAL)

    return in_transaction(graph, work, budget_seconds=COMMAND_BUDGET_SECONDS)


def unmerge_profile(
    graph: Graph, brand: BrandSettings, profile_id: str, *, merge_id: str | None = None, reason: str = "", by: str
) -> list[str]:
    """Take back `merge_id`, or the profile's latest live merge; the profiles that live again, survivor first.

    Raises NotFoundError for an unknown profile or merge, ConflictError when it was taken back already or there is none.
    """
    command = new_command(brand, "unm", by, reason)
    tried: list[Unmerged] = []
    reach: set[str] = set()

    def work(tx: Transaction) -> list[str]:
        # After an unknown commit the first try may have gone through; it must not take back one more merge.
        if tried and is_reverted_by(tx, command, tried[-1].merge_id):
            return tried[-1].profile_ids
        tried.append(unmerge(tx, command, profile_id, merge_id, reach))
        return tried[-1].profile_ids

    return in_transaction(graph, work, budget_seconds=COMMAND_BUDGET_SECONDS)
