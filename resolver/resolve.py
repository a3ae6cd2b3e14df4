"""The decision about one event: matched live profiles and rules in, Decision out."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.decisions import DecisionKind
from core.identifiers import PRIORITY, UNIQUE_TYPES, Identifier
from resolver.profiles import Profile, survivor_key
from resolver.rules import RULE_NOT_SAME, RULE_THRESHOLD, RuleHit, RuleSet


@dataclass(frozen=True, slots=True)
class Match:
    """A live profile that shares usable identifiers with the event: which ones, and the persona that owns each."""

    profile: Profile
    owned: tuple[tuple[Identifier, str], ...]
    """(identifier of the event, id of the persona of this profile that owns it)."""

    @property
    def best(self) -> tuple[int, str, str]:
        """Place of the best shared identifier in the priority order, made total by type and value."""
        return min(identifier_order(identifier) for identifier, _ in self.owned)

    @property
    def holds_unique(self) -> bool:
        """Whether it shares a value of a type that is unique per person."""
        return any(identifier.type in UNIQUE_TYPES for identifier, _ in self.owned)

    @property
    def receiver(self) -> str:
        """The persona that owns the best identifier: it gets the event."""
        return min((identifier_order(identifier), persona) for identifier, persona in self.owned)[1]


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to one event: `matches` is ordered, the receiving (or surviving) profile first."""

    kind: DecisionKind
    matches: tuple[Match, ...] = ()
    receiver: str | None = None
    """Persona that performed the event; None when nobody did or a new persona is made."""
    reason: str = ""
    rules: tuple[RuleHit, ...] = ()


def identifier_order(identifier: Identifier) -> tuple[int, str, str]:
    """Sort key of the best-identifier order: phone, email, whatsapp, loyalty_id, user/external_id, … cookie_id."""
    return (PRIORITY[identifier.type], identifier.type, identifier.value)


def resolve(matches: Sequence[Match], has_linking_identifier: bool, rules: RuleSet) -> Decision:
    """Decide one event by the decision table; pure and independent of the order of `matches`."""
    if not has_linking_identifier:
        return Decision(DecisionKind.UNATTACHED)
    if not matches:
        return Decision(DecisionKind.CREATED)
    ranked = sorted(matches, key=_receiving_order)
    if len(ranked) == 1:
        return Decision(DecisionKind.ATTACHED, (ranked[0],), ranked[0].receiver)
    kept, hits = _leave_out_not_same(ranked)
    if len(kept) == 1:
        return Decision(DecisionKind.ATTACHED, tuple(kept), kept[0].receiver, rules=hits)
    receiver = min(kept, key=_receiving_order).receiver
    if len(kept) > rules.merge_threshold:
        reason = f"Auto-merge blocked: {len(kept)} profiles exceed threshold of {rules.merge_threshold}"
        hits = (*hits, RuleHit(RULE_THRESHOLD, reason))
        return Decision(DecisionKind.REVIEW, tuple(sorted(kept, key=_receiving_order)), receiver, reason, hits)
    by_survival = sorted(kept, key=lambda match: survivor_key(match.profile))
    return Decision(DecisionKind.MERGED, tuple(by_survival), receiver, "identifier_match", hits)


def _receiving_order(match: Match) -> tuple[int, tuple[int, int, str]]:
    """Type of the best identifier, then profile strength, then age."""
    return (match.best[0], survivor_key(match.profile))


def _leave_out_not_same(ranked: Sequence[Match]) -> tuple[list[Match], tuple[RuleHit, ...]]:
    """Keep the largest prefix of sides that no NOT_SAME mark separates; the side with its unique value comes first."""
    ids = {match.profile.id for match in ranked}
    if not any(match.profile.not_same & ids for match in ranked):
        return list(ranked), ()
    kept: list[Match] = []
    left_out = 0
    for match in sorted(ranked, key=lambda match: (not match.holds_unique, _receiving_order(match))):
        if any(match.profile.id in other.profile.not_same for other in kept):
            left_out += 1
        else:
            kept.append(match)
    return kept, (RuleHit(RULE_NOT_SAME, f"{left_out} matched profile(s) are marked as not the same person"),)
