"""Versioned rule sets: every decision names the version that made it."""

from dataclasses import dataclass

from core.brand import BrandSettings

RULE_VERSION = "2026-11-01"
CHANGELOG = {
    "2026-11-01": "Match by linking identifiers, three-profile threshold, not the same, shared ones do not link.",
}

RULE_THRESHOLD = "threshold"
RULE_NOT_SAME = "not_same"
RULE_SHARED = "shared"


@dataclass(frozen=True, slots=True)
class RuleSet:
    """What the resolver may decide by itself for one brand."""

    version: str = RULE_VERSION
    merge_threshold: int = 3


@dataclass(frozen=True, slots=True)
class RuleHit:
    """A rule that refused or postponed a link: its name and one sentence without personal data."""

    rule: str
    detail: str


def rule_set_for(settings: BrandSettings) -> RuleSet:
    """The rule set of a brand."""
    return RuleSet(version=settings.rule_version, merge_threshold=settings.merge_threshold)
