"""Merge protection: which rules turn the merge of matched profiles into a question for a person."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.events import IncomingEvent
from core.identifiers import CORE_TYPES, Identifier, Trust
from resolver.profiles import Profile
from resolver.rules import RULE_DRIFT, RULE_TRUST, RULE_TYPE_LIMIT, RULE_UNIQUE_ID, RuleHit, RuleSet
from resolver.weak_links import comparable

_HOUR = 3_600_000_000
UNPROVEN = frozenset({Trust.DECLARED.value, Trust.IMPORTED.value})

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What protection says of one event: rules hit, and whether the event must stand beside what it matches."""

    hits: tuple[RuleHit, ...] = ()
    stands_apart: bool = False
    """A value that only the event brings is what contradicts: a new persona takes the event."""
    dropped: frozenset[Identifier] = frozenset()
    """Weak identifiers that would be too many: they are not linked."""


NOTHING = Verdict()


def needs_details(profile: Profile, event: IncomingEvent, fresh: Sequence[Identifier], rules: RuleSet) -> bool:
    """Whether protection has to know the values that a single matched profile holds before `fresh` ones join it."""
    smallest = min(rules.type_limits.values(), default=0)
    crowded = bool(rules.type_limits) and profile.identifier_count + len(fresh) > smallest
    for identifier in fresh:
        if crowded and identifier.type in rules.type_limits:
            return True
        if identifier.type in profile.identifier_types and (
            identifier.type in rules.unique_types or (event.trust in UNPROVEN and identifier.type in CORE_TYPES)
        ):
            return True
    return False


def protect(profiles: Sequence[Profile], event: IncomingEvent, fresh: Sequence[Identifier], rules: RuleSet) -> Verdict:
    """Check the profiles that an event matches, and the `fresh` identifiers that nobody holds yet, against the rules.

    Needs the identifiers of every profile when there are several, or when `needs_details` says so.
    """
    hits: list[RuleHit] = []
    apart = False
    for check in (_unique_id, _trust):
        hit, by_event = check(profiles, event, fresh, rules)
        if hit is not None:
            hits.append(hit)
            apart = apart or by_event
    limit_hits, by_event, dropped = _type_limit(profiles, fresh, rules)
    hits += limit_hits
    apart = apart or by_event
    if len(profiles) > 1:
        hits += _drift(profiles, event.micros, rules)
    return Verdict(tuple(hits), apart, dropped) if hits or dropped else NOTHING


def _held(profile: Profile) -> set[Pair]:
    return profile.identifiers if profile.identifiers is not None else set()


def _differ(values: Iterable[tuple[str, Pair]]) -> bool:
    """Whether one comparable type has different values on different sides (and no side in common)."""
    sides: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for side, (kind, value) in values:
        sides[comparable(kind, value)][side].add(value)
    return any(
        not left & right
        for of_type in sides.values()
        for number, left in enumerate(of_type.values())
        for right in list(of_type.values())[number + 1 :]
    )


def _unique_id(
    profiles: Sequence[Profile], event: IncomingEvent, fresh: Sequence[Identifier], rules: RuleSet
) -> tuple[RuleHit | None, bool]:
    same = _aliases(event, rules)
    held = [
        (profile.id, same.get(pair, pair))
        for profile in profiles
        for pair in _held(profile)
        if pair[0] in rules.unique_types
    ]
    fresh_pairs = [(item.type, item.value) for item in fresh if item.type in rules.unique_types]
    brought = [("", same.get(pair, pair)) for pair in fresh_pairs]
    by_event = bool(brought) and _differ([*held, *brought])
    if by_event or _differ(held):
        return RuleHit(
            RULE_UNIQUE_ID, "the sides hold different values of an identifier that a person has once"
        ), by_event
    return None, False


def _aliases(event: IncomingEvent, rules: RuleSet) -> dict[Pair, Pair]:
    """Values of unique types that an alias says are one person's, each as the first of its type."""
    if not event.is_alias:
        return {}
    first: dict[str, Pair] = {}
    pairs = [(item.type, item.value) for item in event.identifiers if item.type in rules.unique_types]
    return {pair: first.setdefault(comparable(*pair), pair) for pair in pairs}


def _trust(
    profiles: Sequence[Profile], event: IncomingEvent, fresh: Sequence[Identifier], rules: RuleSet
) -> tuple[RuleHit | None, bool]:
    """An unproven statement does not join a profile that holds a verified different value of the same type."""
    if event.trust not in UNPROVEN:
        return None, False
    verified = [(profile.id, pair) for profile in profiles for pair in profile.verified if pair[0] in CORE_TYPES]
    if not verified:
        return None, False
    types = {comparable(*pair) for _, pair in verified}
    brought = [("", (item.type, item.value)) for item in fresh if comparable(item.type, item.value) in types]
    held = [(profile.id, pair) for profile in profiles for pair in _held(profile) if comparable(*pair) in types]
    by_event = bool(brought) and _differ([*held, *brought])
    if by_event or _differ(held):
        return RuleHit(RULE_TRUST, "an unverified value would join a profile with a verified different one"), by_event
    return None, False


def _type_limit(
    profiles: Sequence[Profile], fresh: Sequence[Identifier], rules: RuleSet
) -> tuple[list[RuleHit], bool, frozenset[Identifier]]:
    hits: list[RuleHit] = []
    dropped: set[Identifier] = set()
    apart = False
    union: dict[str, int] = defaultdict(int)
    for kind, _ in {pair for profile in profiles for pair in _held(profile)}:
        union[kind] += 1
    for kind, limit in sorted(rules.type_limits.items()):
        brought = [item for item in fresh if item.type == kind]
        if union[kind] + len(brought) <= limit or not (brought or len(profiles) > 1):
            continue
        detail = f"one profile would hold more than {limit} values of {kind}"
        if kind in CORE_TYPES:
            hits.append(RuleHit(RULE_TYPE_LIMIT, detail))
            apart = apart or (bool(brought) and (len(profiles) == 1 or union[kind] <= limit))
        elif brought:
            dropped.update(brought[max(0, limit - union[kind]) :])
    return hits, apart, frozenset(dropped)


def _drift(profiles: Sequence[Profile], at: int, rules: RuleSet) -> list[RuleHit]:
    window = rules.drift_window_hours * _HOUR
    recent = sum(1 for profile in profiles for then in profile.absorbed_at if abs(at - then) <= window)
    if recent + len(profiles) - 1 <= rules.drift_limit:
        return []
    detail = f"more than {rules.drift_limit} profiles would have been absorbed within {rules.drift_window_hours} hours"
    return [RuleHit(RULE_DRIFT, detail)]
