"""What a transaction did to identities, left as one mark in that transaction; the feed is made of these afterwards."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.brand import BrandSettings
from core.changes import Change, ChangeKind, encode_changes, split_moves
from graph.transactions import Transaction
from resolver.lone_ties import REASON_WEAK_LINK
from resolver.rules import rule_set_for
from resolver.working_set import WorkingSet

MARK_IDENTITY_CHANGED = "identity_changed"
REASON_BY_HAND = "manual_merge"
REASON_REVIEW = "manual_review"
REASON_SUGGESTION = "suggestion"
# Anything else was typed by a person and may name one.
_KNOWN_REASONS = frozenset({"identifier_match", REASON_WEAK_LINK, REASON_BY_HAND, REASON_REVIEW, REASON_SUGGESTION})
# A review of a whole batch may propose more profiles than an entry should carry.
_MAX_PROFILES = 500


def changes_text(changes: Sequence[Change]) -> str | None:
    """Changes for a mark, None when there are none."""
    return encode_changes(changes) if changes else None


def write_changes(tx: Transaction, settings: BrandSettings, changes: Sequence[Change]) -> None:
    """Leave a mark with these changes; call it under the locks of what changed: marks of one profile stay in order."""
    if changes:
        tx.run(
            "changes/write_mark",
            brand=settings.id, id=f"mark_{uuid.uuid4().hex}_identity", kind=MARK_IDENTITY_CHANGED,
            rule_version=rule_set_for(settings).version, changes=encode_changes(changes),
        )  # fmt: skip


def changes_of_batch(working: WorkingSet) -> list[Change]:
    """New personas in the order they were made, merges in the order they were decided, reviews, shared identifiers."""
    changes: list[Change] = []
    created = [persona.id for persona in working.personas.values() if persona.is_new]
    if created:
        cause: dict[str, str] = {}
        for decided in working.decided:
            cause.setdefault(decided.persona_id or "", decided.event.id)
        changes += [Change(kind=ChangeKind.CREATED, profile_id=one, event_id=cause.get(one)) for one in created]
    for merge in working.merges:
        change = Change(
            kind=ChangeKind.MERGED,
            profile_id=merge.survivor_id,
            moves=tuple((absorbed, merge.survivor_id) for absorbed in merge.absorbed_ids),
            merge_id=merge.id,
            event_id=merge.event_id,
            reason=merge.reason if merge.reason in _KNOWN_REASONS else REASON_BY_HAND,
        )
        changes += split_moves(change)
    changes += changes_of_reviews(working)
    return changes


def changes_of_reviews(working: WorkingSet) -> Iterator[Change]:
    """Reviews that were opened, and those that were joined into another."""
    for review in working.reviews:
        if review.superseded_by is not None:
            if review.is_changed and not review.is_new:
                yield Change(
                    kind=ChangeKind.REVIEW_SETTLED, review_id=review.id, status="merged",
                    superseded_by=review.superseded_by,
                )  # fmt: skip
        elif review.is_new:
            yield review_opened(review.id, sorted(review.profile_ids), rules=sorted(review.rules), reason=review.reason)


def review_opened(
    review_id: str, profile_ids: Sequence[str], *, rules: Sequence[str] = (), reason: str | None = None
) -> Change:
    """A review waits for a person; `reason` is a sentence of the service itself."""
    return Change(
        kind=ChangeKind.REVIEW_OPENED, review_id=review_id, profile_ids=tuple(profile_ids[:_MAX_PROFILES]),
        rules=tuple(rules), reason=reason,
    )  # fmt: skip


def review_settled(review_id: str, status: str, merge_id: str | None, survivor_id: str | None) -> Change:
    """A review was decided; what it merged is an entry of its own before this one."""
    return Change(
        kind=ChangeKind.REVIEW_SETTLED, review_id=review_id, status=status, merge_id=merge_id, profile_id=survivor_id
    )


def changes_of_unmerge(live: Sequence[str], moves: Mapping[str, str], merge_id: str) -> list[Change]:
    """A merge was taken back: the profiles that live again (survivor first), and where each persona went."""
    change = Change(
        kind=ChangeKind.UNMERGED, profile_id=live[0], profile_ids=tuple(live[:_MAX_PROFILES]), merge_id=merge_id,
        moves=tuple(sorted(moves.items())),
    )  # fmt: skip
    return list(split_moves(change))


def by_hand(
    kind: ChangeKind, profile_id: str, identifier_type: str | None = None, event_id: str | None = None
) -> Change:
    """An identifier or an event was linked to, or unlinked from, a live profile by a person."""
    types = (identifier_type,) if identifier_type else ()
    return Change(kind=kind, profile_id=profile_id, identifier_types=types, event_id=event_id, reason="by_hand")


def became_shared(found: Sequence[tuple[str, str]], roots: Mapping[str, str], event_id: str | None) -> list[Change]:
    """Identifiers, as (type, persona that holds it), that too many people use from now on."""
    return [
        Change(kind=ChangeKind.SHARED, profile_id=roots.get(one, one), identifier_types=(kind,), event_id=event_id)
        for kind, one in found
    ]


@dataclass(frozen=True, slots=True)
class Ties:
    """Weak links drawn anew: persona → live profile before and after, the merges made and taken back."""

    before: Mapping[str, str]
    after: Mapping[str, str]
    merge_ids: Mapping[str, str]
    retracted: Mapping[str, str]
    event_id: str | None = None


def changes_of_ties(ties: Ties) -> list[Change]:
    """First what came apart, then what was joined; every persona that has another live profile now is named."""
    groups: dict[str, list[str]] = {}
    for persona in sorted(ties.before):
        groups.setdefault(ties.before[persona], []).append(persona)
    apart: list[Change] = []
    joined: list[Change] = []
    for root, personas in sorted(groups.items()):
        heads = {ties.after[one] for one in personas}
        for head in sorted(heads - {root}):
            moved = [one for one in personas if ties.after[one] == head]
            change = Change(
                kind=ChangeKind.MERGED if len(heads) == 1 else ChangeKind.RETRACTED,
                profile_id=head,
                moves=tuple((one, head) for one in moved),
                merge_id=_first(ties.merge_ids if len(heads) == 1 else ties.retracted, [*moved, *personas]),
                event_id=ties.event_id,
                reason=REASON_WEAK_LINK,
            )
            (joined if len(heads) == 1 else apart).extend(split_moves(change))
    return [*apart, *joined]


def _first(merges: Mapping[str, str], personas: Sequence[str]) -> str | None:
    return next((merges[one] for one in personas if one in merges), None)
