"""What one profile made of several would be, and which limits it would break; the preview of a review asks."""

from collections import defaultdict
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from resolver.merging import absorb
from resolver.profiles import Profile, survivor_key
from resolver.rules import RULE_TYPE_LIMIT, RULE_UNIQUE_ID, RuleSet
from resolver.weak_links import comparable


@dataclass(frozen=True, slots=True)
class BrokenLimit:
    """A rule that the profile would break: the type it is about, how many values there would be, how many may be."""

    rule: str
    type: str
    count: int
    limit: int
    values: dict[str, list[str]] = field(default_factory=dict)
    """Unique ids only: profile → its values."""


def combined(profiles: Sequence[Profile]) -> tuple[Profile, list[str]]:
    """The profile that these would be, and the ids that it absorbs; the ones given stay as they are."""
    survivor, *others = sorted(deepcopy(list(profiles)), key=survivor_key)
    for other in others:
        absorb(survivor, other, (), (), ())
    return survivor, [other.id for other in others]


def broken_limits(profiles: Sequence[Profile], rules: RuleSet) -> list[BrokenLimit]:
    """Type limits that all of them together exceed, and types that a person has once with different values."""
    union: dict[str, set[str]] = defaultdict(set)
    sides: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for profile in profiles:
        for kind, value in profile.identifiers or ():
            union[kind].add(value)
            if kind in rules.unique_types:
                sides[comparable(kind, value)][profile.id].add(value)
    broken = [
        BrokenLimit(RULE_TYPE_LIMIT, kind, len(union[kind]), limit)
        for kind, limit in sorted(rules.type_limits.items())
        if len(union[kind]) > limit
    ]
    for scope in sorted(sides):
        held = sides[scope]
        values = set().union(*held.values())
        if len(held) > 1 and not set.intersection(*held.values()):
            shown = {profile: sorted(of_profile) for profile, of_profile in sorted(held.items())}
            broken.append(BrokenLimit(RULE_UNIQUE_ID, scope.partition("/")[0], len(values), 1, shown))
    return broken
