"""Reads the review queue: pages by status, cause and age, and single reviews; deciding is `ingest/stewardship`'s."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from core.brand import DEFAULT_OVERDUE_HOURS, BrandSettings
from core.clock import EARLIEST, format_time, utc_now
from core.errors import InvalidInputError, NotFoundError
from core.identifiers import PRIORITY, IdentifierType
from core.normal_forms import Rejected, normalise
from core.paging import decode_cursor, encode_cursor
from graph.driver import Graph
from graph.repositories.profiles import Page
from graph.values import LAST_ID, LATEST, parse_json, to_time, to_time_text
from resolver.rules import (
    RULE_DRIFT,
    RULE_REACH,
    RULE_SHARED,
    RULE_THRESHOLD,
    RULE_TRUST,
    RULE_TYPE_LIMIT,
    RULE_UNIQUE_ID,
)

PENDING = "pending"
REVIEW_STATUSES = (PENDING, "approved", "rejected", "merged")
KIND_RULES, KIND_SUGGESTION = "rules", "suggestion"
REVIEW_KINDS = (KIND_RULES, KIND_SUGGESTION)
RULE_SUGGESTION = KIND_SUGGESTION
# The one that decides comes first; a suggestion has no other than its kind.
REVIEW_RULES = (
    RULE_THRESHOLD, RULE_UNIQUE_ID, RULE_TRUST, RULE_TYPE_LIMIT, RULE_DRIFT, RULE_SHARED, RULE_REACH, RULE_SUGGESTION,
)  # fmt: skip
NEWEST, OLDEST = "newest", "oldest"


@dataclass(frozen=True, slots=True)
class Ageing:
    """From when on a pending review is overdue."""

    overdue_hours: int = DEFAULT_OVERDUE_HOURS
    moment: datetime = field(default_factory=utc_now)
    """The time that ages are counted to."""

    @property
    def overdue_since(self) -> datetime:
        """Pending reviews opened by then are overdue."""
        return self.moment - timedelta(hours=self.overdue_hours)


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """What a page of reviews is limited to; `identifier` as `type:normal form`; both times are inclusive."""

    status: str | None = None
    kind: str | None = None
    identifier: str | None = None
    rule: str | None = None
    profile_id: str | None = None
    opened_since: datetime | None = None
    opened_by: datetime | None = None
    sort: str = NEWEST

    def check(self) -> "ReviewFilter":
        """Itself; raises InvalidInputError naming what is no status, kind, rule or order."""
        for name, value, known in (
            ("status", self.status, REVIEW_STATUSES),
            ("kind", self.kind, REVIEW_KINDS),
            ("rule", self.rule, REVIEW_RULES),
            ("sort", self.sort, (NEWEST, OLDEST)),
        ):
            if value is not None and value not in known:
                raise InvalidInputError(f"{name} must be one of: {', '.join(known)}.", field=name)
        return self


def evidence(text: str, brand: BrandSettings) -> str | None:
    """`type:value` in any spelling as reviews keep it, None when no identifier can look so; or InvalidInputError."""
    kind, found, value = text.partition(":")
    if not found or kind not in PRIORITY:
        kinds = ", ".join(IdentifierType)
        raise InvalidInputError(f"identifier must be type:value with a type of: {kinds}.", field="identifier")
    identifier = normalise(kind, value, brand)
    return None if isinstance(identifier, Rejected) else f"{identifier.type}:{identifier.value}"


def list_reviews(
    graph: Graph,
    brand: str,
    page: Page,
    status: str | None = None,
    *,
    where: ReviewFilter | None = None,
    ageing: Ageing | None = None,
) -> dict[str, Any]:
    """One page of reviews, newest first unless `where` says otherwise: {items, next_cursor}."""
    where = (where or ReviewFilter(status)).check()
    rows = _read_page(graph, brand, page, where)
    cursor = None
    if len(rows) > page.size:
        last = rows[page.size - 1]["review"]
        at = to_time(last["created_at"])
        cursor = None if at is None else encode_cursor(at, last["id"])
    return {"items": [review_item(row, ageing) for row in rows[: page.size]], "next_cursor": cursor}


def _read_page(graph: Graph, brand: str, page: Page, where: ReviewFilter) -> list[dict[str, Any]]:
    is_oldest_first = where.sort == OLDEST
    cursor = decode_cursor(page.cursor)
    before = (where.opened_by or LATEST, LAST_ID)
    after = (where.opened_since or EARLIEST, "")
    if cursor is not None:
        after, before = (max(after, cursor), before) if is_oldest_first else (after, min(before, cursor))
    is_suggestion = where.rule == RULE_SUGGESTION
    params: dict[str, Any] = {
        "brand": brand,
        "statuses": list(REVIEW_STATUSES) if where.status is None else [where.status],
        "identifier": where.identifier,
        "rule": None if is_suggestion else where.rule,
        "kind": KIND_SUGGESTION if is_suggestion else where.kind,
        "before_at": before[0],
        "before_id": before[1],
        "after_at": after[0],
        "after_id": after[1],
        "limit": page.size + 1,
    }
    if where.profile_id is not None:
        return graph.read(
            "reviews/list_reviews_of_profile",
            **params, profile_id=where.profile_id, is_oldest_first=is_oldest_first,
        )  # fmt: skip
    return graph.read("reviews/list_oldest_reviews" if is_oldest_first else "reviews/list_reviews", **params)


def get_review(graph: Graph, brand: str, review_id: str, ageing: Ageing | None = None) -> dict[str, Any]:
    """One review; raises NotFoundError when it is unknown or of another brand."""
    return review_item(get_review_row(graph, brand, review_id), ageing)


def get_review_row(graph: Graph, brand: str, review_id: str) -> dict[str, Any]:
    """One review as stored: {review, profiles: [{id, root_id}]}; raises NotFoundError."""
    rows = graph.read("reviews/get_review", brand=brand, id=review_id)
    if not rows:
        raise NotFoundError("No such review.")
    return rows[0]


def proposed_profiles(graph: Graph, brand: str, review_ids: Sequence[str]) -> dict[str, list[str]]:
    """Pending review → the live profiles that it proposes; settled and unknown ones are left out."""
    if not review_ids:
        return {}
    [found] = graph.read("reviews/list_proposed", brand=brand, ids=sorted(review_ids))
    return dict(found["rows"])


@dataclass(frozen=True, slots=True)
class Cause:
    """What a group of reviews has in common: identifiers as `type:normal form`, rules by name."""

    identifiers: tuple[str, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """Pending reviews of one cause: ids oldest first, how many there are in all, how many changed meanwhile."""

    ids: list[str]
    total: int
    changed: int


def find_group(graph: Graph, brand: str, cause: Cause, *, as_of: datetime | None, limit: int) -> FoundGroup:
    """Up to `limit` pending reviews of this cause that have not changed since `as_of`."""
    [row] = graph.read(
        "reviews/find_group",
        brand=brand, identifiers=list(cause.identifiers),
        rules=[rule for rule in cause.rules if rule != RULE_SUGGESTION],
        kind=KIND_SUGGESTION if RULE_SUGGESTION in cause.rules else KIND_RULES, as_of=as_of or LATEST, limit=limit,
    )  # fmt: skip
    return FoundGroup(row["ids"], row["total"], row["changed"])


def rules_of(kind: str, rules: Iterable[str] | None) -> list[str]:
    """The rules that a review of this kind waits for, the deciding one first; a suggestion waits as such."""
    if kind == KIND_SUGGESTION:
        return [RULE_SUGGESTION]
    return sorted(rules or (RULE_THRESHOLD,), key=rule_order)


def rule_order(rule: str) -> tuple[int, str]:
    """Sort key of rules: the one that decides first."""
    return (REVIEW_RULES.index(rule) if rule in REVIEW_RULES else len(REVIEW_RULES), rule)


def count_waiting(graph: Graph, brand: str, ageing: Ageing) -> dict[str, Any]:
    """How many reviews wait, for how long, why: {pending, overdue, overdue_hours, oldest_at, oldest_age_seconds, …}."""
    [row] = graph.read(
        "reviews/count_waiting",
        brand=brand, overdue_since=ageing.overdue_since, day=ageing.moment - timedelta(days=1),
        week=ageing.moment - timedelta(days=7),
    )  # fmt: skip
    oldest = to_time(row["oldest"])
    by_kind = Counter(kind for kind, _ in row["causes"])
    by_rule = Counter(rules_of(kind, rules)[0] for kind, rules in row["causes"])
    day, week = row["younger_than_day"], row["younger_than_week"]
    return {
        "pending": row["pending"],
        "overdue": row["overdue"],
        "overdue_hours": ageing.overdue_hours,
        "oldest_at": None if oldest is None else format_time(oldest),
        "oldest_age_seconds": None if oldest is None else int((ageing.moment - oldest).total_seconds()),
        "by_age": {"under_a_day": day, "under_a_week": week - day, "older": row["pending"] - week},
        "by_kind": dict(sorted(by_kind.items())),
        "by_rule": dict(sorted(by_rule.items())),
    }


def review_item(row: dict[str, Any], ageing: Ageing | None = None) -> dict[str, Any]:
    """A stored review and its proposed profiles in the contract's shape.

    While it is pending, `profile_ids` are the live profiles of now; a settled one keeps those it was about.
    """
    stored = row["review"]
    which = "root_id" if stored["status"] == PENDING else "id"
    profile_ids = sorted({profile[which] for profile in row["profiles"]})
    kind = stored.get("kind") or KIND_RULES
    rules = rules_of(kind, stored.get("rules"))
    suggested: dict[str, Any] = {}
    if kind == KIND_SUGGESTION:
        # Rules that speak against a merge of the pair are kept beside what it is.
        rules += sorted({*(stored.get("rules") or ())} - {RULE_SUGGESTION}, key=rule_order)
        suggested = {name: stored.get(name) for name in ("match_weight", "match_probability", "blocking_rule")}
        suggested["comparison"] = parse_json(stored.get("comparison"), None)
    return {
        "id": stored["id"],
        "status": stored["status"],
        "kind": kind,
        "profile_ids": profile_ids,
        "profile_count": len(profile_ids),
        "reason": stored.get("reason"),
        "rule": rules[0],
        "rules": rules,
        "identifiers": list(stored.get("identifiers") or ()),
        "created_at": to_time_text(stored.get("created_at")),
        "updated_at": to_time_text(stored.get("updated_at")),
        **_age(stored, ageing or Ageing()),
        "event_ids": list(stored.get("event_ids") or ()),
        "decided_at": to_time_text(stored.get("decided_at")),
        "decided_by": stored.get("decided_by"),
        "decision_reason": stored.get("decision_reason"),
        "note": stored.get("note"),
        "merge_id": stored.get("merge_id"),
        "survivor_id": stored.get("survivor_id"),
        "superseded_by": stored.get("superseded_by"),
        "rule_version": stored.get("rule_version"),
        **suggested,
    }


def _age(stored: dict[str, Any], ageing: Ageing) -> dict[str, Any]:
    """How long it has waited, or waited until it was settled."""
    opened = to_time(stored.get("created_at"))
    if opened is None:
        return {"age_seconds": None, "is_overdue": False}
    is_pending = stored["status"] == PENDING
    settled = None if is_pending else to_time(stored.get("decided_at") or stored.get("updated_at"))
    age = (settled or ageing.moment) - opened
    return {
        "age_seconds": max(0, int(age.total_seconds())),
        "is_overdue": is_pending and opened <= ageing.overdue_since,
    }
