"""The review queue by shared cause: which identifiers and rules the pending reviews have in common."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.clock import EARLIEST, format_time
from core.identifiers import PRIORITY
from core.paging import decode_cursor, encode_cursor
from graph.driver import Graph
from graph.repositories.profiles import Page
from graph.repositories.reviews_read import RULE_SUGGESTION, Ageing, proposed_profiles, rule_order, rules_of

# Beyond this many pending reviews the oldest are grouped; the answer says so.
MAX_REVIEWS = 20_000
_MAX_IDS = 200
_KEY_BYTES = 12
_NUMBER_WIDTH = 9


@dataclass(frozen=True, slots=True)
class WaitingReview:
    """What a pending review is about."""

    id: str
    identifiers: tuple[str, ...]
    rules: tuple[str, ...]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ReviewGroup:
    """Pending reviews that have all of these identifiers and rules; `reviews` oldest first."""

    identifiers: tuple[str, ...]
    rules: tuple[str, ...]
    reviews: tuple[WaitingReview, ...]

    @property
    def oldest(self) -> datetime:
        """When its oldest review was opened."""
        return self.reviews[0].created_at

    @property
    def key(self) -> str:
        """Names the group without telling its identifiers."""
        text = "\n".join((*self.rules, "", *self.identifiers))
        return hashlib.blake2b(text.encode(), digest_size=_KEY_BYTES).hexdigest()

    @property
    def order(self) -> tuple[int, datetime, str]:
        """Largest first, then the one that waits longest."""
        return (-len(self.reviews), self.oldest, self.key)


def list_groups(graph: Graph, brand: str, page: Page, ageing: Ageing | None = None) -> dict[str, Any]:
    """One page of groups, largest first: {items, next_cursor, truncated}."""
    [found_rows] = graph.read("reviews/list_causes", brand=brand, limit=MAX_REVIEWS + 1)
    rows = found_rows["rows"]
    groups = group_by_cause(_waiting(row) for row in rows[:MAX_REVIEWS])
    found = decode_cursor(page.cursor)
    if found is not None:
        at, (count, _, key) = found[0], found[1].partition("|")
        last = (-int(count) if count.isdecimal() else 0, at, key)
        groups = [group for group in groups if group.order > last]
    shown = groups[: page.size]
    cursor = None
    if len(groups) > len(shown):
        end = shown[-1]
        cursor = encode_cursor(end.oldest, f"{len(end.reviews):0{_NUMBER_WIDTH}}|{end.key}")
    ageing = ageing or Ageing()
    proposed = proposed_profiles(graph, brand, sorted({review.id for group in shown for review in group.reviews}))
    items = [_item(group, ageing, proposed) for group in shown]
    return {"items": items, "next_cursor": cursor, "truncated": len(rows) > MAX_REVIEWS}


def group_by_cause(reviews: Iterable[WaitingReview]) -> list[ReviewGroup]:
    """Groups in their order.

    Causes (an identifier and a rule) that the same reviews have are one group, so a group is exactly what a search for
    its causes finds. A review may be in several; one that shares nothing with another is a group of its own.
    """
    reviews = sorted(reviews, key=lambda one: (one.created_at, one.id))
    by_cause: dict[tuple[str | None, str], list[int]] = {}
    for place, review in enumerate(reviews):
        for rule in review.rules:
            for identifier in review.identifiers or (None,):
                by_cause.setdefault((identifier, rule), []).append(place)
    causes: dict[tuple[int, ...], list[tuple[str | None, str]]] = {}
    for cause, places in by_cause.items():
        causes.setdefault(tuple(places), []).append(cause)
    in_larger = {place for places in causes if len(places) > 1 for place in places}
    groups = [
        ReviewGroup(identifiers, rules, tuple(reviews[place] for place in places))
        for places, causes_of in causes.items()
        if len(places) > 1 or places[0] not in in_larger
        for identifiers, rules in _rectangles(causes_of)
    ]
    return sorted(groups, key=lambda group: group.order)


def _rectangles(causes: Sequence[tuple[str | None, str]]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The causes as sets of identifiers and rules of which every pair is one of them."""
    by_rule: dict[str, set[str]] = {}
    for identifier, rule in causes:
        by_rule.setdefault(rule, set()).update([] if identifier is None else [identifier])
    by_identifiers: dict[tuple[str, ...], list[str]] = {}
    for rule, identifiers in by_rule.items():
        by_identifiers.setdefault(tuple(sorted(identifiers, key=_identifier_order)), []).append(rule)
    return [(found, tuple(sorted(rules, key=rule_order))) for found, rules in by_identifiers.items()]


def _identifier_order(text: str) -> tuple[int, str]:
    return (PRIORITY.get(text.partition(":")[0], len(PRIORITY)), text)


def title_of(identifiers: Sequence[str], rules: Sequence[str], reviews: int) -> str:
    """What the group is, in words that tell no value: `one device_id seen in 14 reviews`."""
    counted: dict[str, int] = {}
    for identifier in identifiers:
        kind = identifier.partition(":")[0]
        counted[kind] = counted.get(kind, 0) + 1
    parts = [f"one {kind}" if count == 1 else f"{count} values of {kind}" for kind, count in counted.items()]
    where = "one review" if reviews == 1 else f"{reviews} reviews"
    if not parts:
        what = "likeness without a shared identifier" if RULE_SUGGESTION in rules else "no shared identifier"
        return f"{what}, {where}"
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"{listed} seen in {where}"


def _waiting(row: list[Any]) -> WaitingReview:
    id_, kind, identifiers, rules, opened, updated = row
    created_at = EARLIEST + timedelta(microseconds=opened)
    return WaitingReview(
        id_,
        tuple(identifiers or ()),
        tuple(rules_of(kind, rules)),
        created_at,
        created_at if updated is None else EARLIEST + timedelta(microseconds=updated),
    )


def _item(group: ReviewGroup, ageing: Ageing, proposed: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    profiles = {profile for review in group.reviews for profile in proposed.get(review.id, ())}
    return {
        "key": group.key,
        "title": title_of(group.identifiers, group.rules, len(group.reviews)),
        "identifiers": list(group.identifiers),
        "rule": group.rules[0],
        "rules": list(group.rules),
        "count": len(group.reviews),
        "profile_count": len(profiles),
        "profile_ids": sorted(profiles)[:_MAX_IDS],
        "review_ids": [review.id for review in group.reviews[:_MAX_IDS]],
        "oldest_at": format_time(group.oldest),
        "age_seconds": max(0, int((ageing.moment - group.oldest).total_seconds())),
        "overdue_count": sum(1 for review in group.reviews if review.created_at <= ageing.overdue_since),
        "as_of": format_time(max(review.updated_at for review in group.reviews)),
    }
