"""Reads the evidence of a neighbourhood: live profiles that weak identifiers reach (locked, where links are drawn)."""

from collections.abc import Iterable
from typing import Any

from core.brand import BrandSettings
from core.identifiers import WEAK_TYPES, Identifier
from graph.commit_read import statistics_from
from graph.transactions import StaleReadError, Transaction
from resolver.neighbourhood import Held, Member, Neighbourhood, PastMerge, Pending, Seen
from resolver.rules import RULE_DRIFT, RULE_THRESHOLD, RULE_TRUST, RULE_TYPE_LIMIT, RULE_UNIQUE_ID
from resolver.weak_events import WeakEvent

_MAX_STEPS = 60
# Rules that put strong evidence before a person.
_ASKING = sorted({RULE_THRESHOLD, RULE_UNIQUE_ID, RULE_TYPE_LIMIT, RULE_DRIFT, RULE_TRUST})


def read_reach(
    tx: Transaction, brand: str, keys: Iterable[str], roots: Iterable[str], max_cores: int
) -> tuple[set[str], set[str]]:
    """All live profiles and weak identifiers that these lead to, stopping above `max_cores` profiles."""
    all_roots, all_keys = set(roots), set(keys)
    new_roots, new_keys = set(all_roots), set(all_keys)
    for _ in range(_MAX_STEPS):
        [[found_roots, found_keys]] = tx.run(
            "retie/reach", brand=brand, find={"keys": sorted(new_keys), "roots": sorted(new_roots), "asking": _ASKING}
        )
        new_roots, new_keys = set(found_roots) - all_roots, set(found_keys) - all_keys
        all_roots |= new_roots
        all_keys |= new_keys
        if not (new_roots or new_keys) or len(all_roots) > max_cores:
            break
    return all_roots, all_keys


def read_weak_events(tx: Transaction, brand: str, keys: Iterable[str]) -> list[WeakEvent]:
    """Events that carry one of these weak identifiers and nothing else that links."""
    rows = tx.rows("retie/list_weak_events", brand=brand, keys=sorted(keys))
    return [
        WeakEvent((at, id_), persona, Identifier(kind, value), order) for id_, at, persona, kind, value, order in rows
    ]


def read_neighbourhood(
    tx: Transaction, settings: BrandSettings, roots: list[str], keys: list[str], *, with_unlinked: bool = False
) -> Neighbourhood:
    """Personas, merges, marks and sightings of these live profiles and weak identifiers.

    Links that a person ended are left out unless `with_unlinked`: they are history, no evidence. Raises StaleReadError
    when others draw them anew meanwhile.
    """
    [[personas, merges, pointers, not_same, joined, sightings, pending]] = tx.run(
        "retie/read_evidence", brand=settings.id, find={"roots": roots, "keys": keys}
    )
    # Without locks (the past is read so) what ties personas may be drawn anew before its properties are read.
    if (
        any(held[2] is None or held[10] for row in personas for held in row[8])
        or any(row[2] is None for row in pointers)
        or any(row[3] for row in joined)
    ):
        raise StaleReadError("links were drawn anew while they were read")
    # What a person took from a persona is no evidence until it is seen there again.
    taken = {(row[0], Identifier(*h[:2])): h[4] for row in personas for h in row[8] if h[7]}
    members = {row[0]: _member(row, settings.currency, with_unlinked) for row in personas}
    return Neighbourhood(
        members,
        [
            PastMerge(
                row[0], row[3], tuple(row[4]), tuple(row[5]), bool(row[6]), row[1] if row[7] is None else row[7], row[8]
            )
            for row in sorted(merges, key=lambda row: (row[1], row[2], row[0]))
        ],
        {child: (top, merge_id) for child, top, merge_id in pointers},
        [(left, right) for left, right in not_same],
        {(left, right): at or 0 for left, right, at, _ in joined},
        [
            Seen((at, event_id), persona, root, signs_in, _usable(weak, persona, at, taken), order_key)
            for event_id, at, persona, root, signs_in, weak, order_key in sightings
        ],
        [Pending(at, frozenset({persona, *holders})) for at, persona, holders in pending if persona and len(holders)],
        [((h[2], h[3] or ""), Identifier(*h[:2])) for row in personas for h in row[8] if h[7] and h[0] in WEAK_TYPES],
    )


def _member(row: list[Any], currency: str, with_unlinked: bool) -> Member:
    held = [
        Held(
            Identifier(kind, value),
            (since, event_id or ""),
            until,
            trust or "",
            source or "",
            first_seen,
            bool(is_unlinked),
            bool(is_by_hand),
        )
        for kind, value, since, event_id, until, trust, source, is_unlinked, first_seen, is_by_hand, _ in row[8]
        if with_unlinked or not is_unlinked
    ]
    return Member(row[0], row[1], statistics_from(row[2:8], currency), held)


def _usable(
    weak: list[list[str]], persona: str, at: int, taken: dict[tuple[str, Identifier], int]
) -> tuple[Identifier, ...]:
    found = (Identifier(*pair) for pair in weak)
    return tuple(one for one in found if at > taken.get((persona, one), at - 1))
