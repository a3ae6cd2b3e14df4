"""The rules of protection by name, and the rule set of a brand: every decision names the version that made it."""

from dataclasses import dataclass

from core.brand import BrandSettings
from core.rules import IdentityRules

RULE_THRESHOLD = "threshold"
RULE_NOT_SAME = "not_same"
RULE_SHARED = "shared"
RULE_WEAK_ONLY = "weak_only"
RULE_UNIQUE_ID = "unique_id"
RULE_TYPE_LIMIT = "type_limit"
RULE_DRIFT = "drift"
RULE_TRUST = "trust"
RULE_REACH = "reach"
"""Weak identifiers reach more cores than one may follow."""

RuleSet = IdentityRules


@dataclass(frozen=True, slots=True)
class RuleHit:
    """A rule that refused or postponed a link: its name and one sentence without personal data."""

    rule: str
    detail: str


def rule_set_for(settings: BrandSettings) -> RuleSet:
    """The rule set of a brand."""
    return settings.rules or RuleSet(version=settings.rule_version, merge_threshold=settings.merge_threshold)
