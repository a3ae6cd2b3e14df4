"""The decision about one event: matched live profiles and rules in, Decision out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.decisions import DecisionKind
from core.identifiers import PRIORITY, Identifier
from resolver.profiles import Profile, survivor_key
from resolver.protection import NOTHING, Verdict
from resolver.rules import RULE_NOT_SAME, RULE_THRESHOLD, RULE_UNIQUE_ID, RuleHit, RuleSet


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

    def holds_unique(self, rules: RuleSet) -> bool:
        """Whether it shares a value of a type that is unique per person."""
        return any(identifier.type in rules.unique_types for identifier, _ in self.owned)

    @property
    def receiver(self) -> str:
        """The persona that owns the best identifier: it gets the event."""
        return min((identifier_order(identifier), persona) for identifier, persona in self.owned)[1]


Protection = Callable[[Sequence[Profile]], Verdict]
"""What the protection rules say of the profiles that are left."""


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


def resolve(
    matches: Sequence[Match], has_linking_identifier: bool, rules: RuleSet, protection: Protection | None = None
) -> Decision:
    """Decide one event by the decision table; pure and independent of the order of `matches`.

    `protection` says of the profiles left after NOT_SAME which rules ask for a person; without it none does.
    """
    if not has_linking_identifier:
        return Decision(DecisionKind.UNATTACHED)
    ranked = sorted(matches, key=_receiving_order)
    kept, hits = _leave_out_not_same(ranked, rules)
    verdict = protection([match.profile for match in kept]) if protection is not None else NOTHING
    hits = (*hits, *verdict.hits)
    if verdict.stands_apart:
        kept = _by_unique_value(kept, verdict, rules)
        return Decision(DecisionKind.REVIEW, tuple(kept), None, _reason(len(kept) + 1, verdict, rules), hits)
    if not kept:
        return Decision(DecisionKind.CREATED, rules=hits)
    if len(kept) == 1:
        return Decision(DecisionKind.ATTACHED, tuple(kept), kept[0].receiver, rules=hits)
    if len(kept) > rules.merge_threshold:
        hits = (*hits, RuleHit(RULE_THRESHOLD, _threshold_sentence(len(kept), rules)))
    elif not verdict.hits:
        by_survival = sorted(kept, key=lambda match: survivor_key(match.profile))
        receiver = min(kept, key=_receiving_order).receiver
        return Decision(DecisionKind.MERGED, tuple(by_survival), receiver, "identifier_match", hits)
    kept = _by_unique_value(kept, verdict, rules)
    return Decision(DecisionKind.REVIEW, tuple(kept), kept[0].receiver, _reason(len(kept), verdict, rules), hits)


def _reason(count: int, verdict: Verdict, rules: RuleSet) -> str:
    """The threshold's sentence where it holds, else that of the first rule that asks for a person."""
    if count > rules.merge_threshold or not verdict.hits:
        return _threshold_sentence(count, rules)
    return f"Auto-merge blocked: {verdict.hits[0].detail}"


def _threshold_sentence(count: int, rules: RuleSet) -> str:
    return f"Auto-merge blocked: {count} profiles exceed threshold of {rules.merge_threshold}"


def _by_unique_value(kept: Sequence[Match], verdict: Verdict, rules: RuleSet) -> list[Match]:
    """In a conflict of unique ids the side with the event's unique value comes first, else the best identifier."""
    is_conflict = any(hit.rule == RULE_UNIQUE_ID for hit in verdict.hits)
    return sorted(kept, key=lambda match: (is_conflict and not match.holds_unique(rules), _receiving_order(match)))


def _receiving_order(match: Match) -> tuple[int, tuple[int, int, str]]:
    """Type of the best identifier, then profile strength, then age."""
    return (match.best[0], survivor_key(match.profile))


def _leave_out_not_same(ranked: Sequence[Match], rules: RuleSet) -> tuple[list[Match], tuple[RuleHit, ...]]:
    """Keep the largest prefix of sides that no NOT_SAME mark separates; the side with its unique value comes first."""
    ids = {match.profile.id for match in ranked}
    if not any(match.profile.not_same & ids for match in ranked):
        return list(ranked), ()
    kept: list[Match] = []
    left_out = 0
    for match in sorted(ranked, key=lambda match: (not match.holds_unique(rules), _receiving_order(match))):
        if any(match.profile.id in other.profile.not_same for other in kept):
            left_out += 1
        else:
            kept.append(match)
    return kept, (RuleHit(RULE_NOT_SAME, f"{left_out} matched profile(s) are marked as not the same person"),)
