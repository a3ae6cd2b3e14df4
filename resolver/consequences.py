"""What one profile made of several would be, and which limits it would break; the preview of a review asks."""

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from core.identifiers import CORE_TYPES
from resolver.merging import absorb
from resolver.profiles import Profile, survivor_key
from resolver.rules import RULE_THRESHOLD, RULE_TRUST, RULE_TYPE_LIMIT, RULE_UNIQUE_ID, RuleSet
from resolver.weak_links import comparable


@dataclass(frozen=True, slots=True)
class BrokenLimit:
    """A rule that the profile would break: the type it is about, how many there would be, how many may be."""

    rule: str
    type: str | None
    count: int
    limit: int
    values: dict[str, list[str]] = field(default_factory=dict)
    """Where the values are what contradicts: profile → its values."""


def combined(profiles: Sequence[Profile]) -> tuple[Profile, list[str]]:
    """The profile that these would be, and the ids that it absorbs; the ones given stay as they are."""
    survivor, *others = sorted(deepcopy(list(profiles)), key=survivor_key)
    for other in others:
        absorb(survivor, other, (), (), ())
    return survivor, [other.id for other in others]


def broken_limits(profiles: Sequence[Profile], rules: RuleSet) -> list[BrokenLimit]:
    """What would have kept the rules from joining these by themselves, as far as it shows in what they hold."""
    if len(profiles) < 2:  # noqa: PLR2004 (a pair)
        return []
    broken = []
    if len(profiles) > rules.merge_threshold:
        broken.append(BrokenLimit(RULE_THRESHOLD, None, len(profiles), rules.merge_threshold))
    union: dict[str, set[str]] = defaultdict(set)
    for profile in profiles:
        for kind, value in profile.identifiers or ():
            union[kind].add(value)
    broken += [
        BrokenLimit(RULE_TYPE_LIMIT, kind, len(union[kind]), limit)
        for kind, limit in sorted(rules.type_limits.items())
        if len(union[kind]) > limit
    ]
    broken += _contradictions(RULE_UNIQUE_ID, profiles, rules.unique_types)
    verified = {comparable(*pair) for profile in profiles for pair in profile.verified if pair[0] in CORE_TYPES}
    broken += _contradictions(RULE_TRUST, profiles, CORE_TYPES, verified)
    return broken


def _contradictions(
    rule: str, profiles: Sequence[Profile], types: Collection[str], scopes: Collection[str] | None = None
) -> Iterator[BrokenLimit]:
    """Comparable types of which two profiles hold values and none in common."""
    sides: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for profile in profiles:
        for kind, value in profile.identifiers or ():
            scope = comparable(kind, value)
            if kind in types and (scopes is None or scope in scopes):
                sides[scope, kind][profile.id].add(value)
    for (_, kind), held in sorted(sides.items()):
        if any(left.isdisjoint(right) for left, right in itertools.combinations(held.values(), 2)):
            shown = {profile: sorted(values) for profile, values in sorted(held.items())}
            yield BrokenLimit(rule, kind, len(set().union(*held.values())), 1, shown)
