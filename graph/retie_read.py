"""Reads the evidence of a neighbourhood whose live profiles are locked."""

from typing import Any

from core.brand import BrandSettings
from core.identifiers import Identifier
from graph.commit_read import statistics_from
from graph.transactions import Transaction
from resolver.neighbourhood import Held, Member, Neighbourhood, PastMerge, Seen


def read_neighbourhood(tx: Transaction, settings: BrandSettings, roots: list[str], keys: list[str]) -> Neighbourhood:
    """Personas, merges, marks and sightings of these live profiles and weak identifiers."""
    [[personas, merges, pointers, not_same, joined, sightings]] = tx.run(
        "retie/read_evidence", brand=settings.id, find={"roots": roots, "keys": keys}
    )
    # What a person took from a persona is no evidence until it is seen there again.
    taken = {(row[0], Identifier(*h[:2])): h[4] for row in personas for h in row[8] if h[7]}
    members = {row[0]: _member(row, settings.currency) for row in personas}
    return Neighbourhood(
        members,
        [
            PastMerge(row[0], row[3], tuple(row[4]), tuple(row[5]), bool(row[6]))
            for row in sorted(merges, key=lambda row: (row[1], row[2], row[0]))
        ],
        {child: (top, merge_id) for child, top, merge_id in pointers},
        [(left, right) for left, right in not_same],
        [(left, right) for left, right in joined],
        [
            Seen((at, event_id), persona, root, signs_in, _usable(weak, persona, at, taken), order_key)
            for event_id, at, persona, root, signs_in, weak, order_key in sightings
        ],
    )


def _member(row: list[Any], currency: str) -> Member:
    held = [
        Held(Identifier(kind, value), (since, event_id or ""), until, trust or "", source or "")
        for kind, value, since, event_id, until, trust, source, is_unlinked in row[8]
        if not is_unlinked
    ]
    return Member(row[0], row[1], statistics_from(row[2:8], currency), held)


def _usable(
    weak: list[list[str]], persona: str, at: int, taken: dict[tuple[str, Identifier], int]
) -> tuple[Identifier, ...]:
    found = (Identifier(*pair) for pair in weak)
    return tuple(one for one in found if at > taken.get((persona, one), at - 1))
