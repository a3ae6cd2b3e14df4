"""Reads the review queue: pages by status, cause and age, and single reviews; deciding is `ingest/stewardship`'s."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.brand import DEFAULT_OVERDUE_HOURS, BrandSettings
from core.clock import EARLIEST, utc_now
from core.errors import InvalidInputError, NotFoundError
from core.identifiers import PRIORITY, IdentifierType
from core.normal_forms import Rejected, normalise
from core.paging import decode_cursor, encode_cursor
from graph.driver import Graph
from graph.repositories.profiles import Page
from graph.values import LAST_ID, LATEST, to_time, to_time_text
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
RULE_SUGGESTION = "suggestion"
# The one that decides comes first; a review without events was suggested.
REVIEW_RULES = (
    RULE_THRESHOLD, RULE_UNIQUE_ID, RULE_TRUST, RULE_TYPE_LIMIT, RULE_DRIFT, RULE_SHARED, RULE_REACH, RULE_SUGGESTION,
)  # fmt: skip
NEWEST, OLDEST = "newest", "oldest"


@dataclass(frozen=True, slots=True)
class Ageing:
    """From when on a pending review is overdue."""

    overdue_hours: int = DEFAULT_OVERDUE_HOURS
    now: datetime | None = None

    @property
    def moment(self) -> datetime:
        """The time that ages are counted to."""
        return self.now or utc_now()

    @property
    def overdue_since(self) -> datetime:
        """Pending reviews opened before this are overdue."""
        return self.moment - timedelta(hours=self.overdue_hours)


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """What a page of reviews is limited to; `identifier` as `type:normal form`, `opened_by` inclusive."""

    status: str | None = None
    identifier: str | None = None
    rule: str | None = None
    profile_id: str | None = None
    opened_by: datetime | None = None
    sort: str = NEWEST

    def check(self) -> "ReviewFilter":
        """Itself; raises InvalidInputError naming what is no status, rule or order."""
        for name, value, known in (
            ("status", self.status, REVIEW_STATUSES),
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
    after = (EARLIEST, "")
    if cursor is not None:
        if is_oldest_first:
            after = cursor
        else:
            before = min(before, cursor)
    params: dict[str, Any] = {
        "brand": brand,
        "statuses": list(REVIEW_STATUSES) if where.status is None else [where.status],
        "identifier": where.identifier,
        "rule": where.rule,
        "before_at": before[0],
        "limit": page.size + 1,
    }
    from_start = {"after_at": after[0], "after_id": after[1]}
    if where.profile_id is not None:
        return graph.read(
            "reviews/list_reviews_of_profile",
            **params, **from_start, before_id=before[1], profile_id=where.profile_id, is_oldest_first=is_oldest_first,
        )  # fmt: skip
    if is_oldest_first:
        return graph.read("reviews/list_oldest_reviews", **params, **from_start)
    return graph.read("reviews/list_reviews", **params, before_id=before[1])


def get_review(graph: Graph, brand: str, review_id: str, ageing: Ageing | None = None) -> dict[str, Any]:
    """One review; raises NotFoundError when it is unknown or of another brand."""
    return review_item(get_review_row(graph, brand, review_id), ageing)


def get_review_row(graph: Graph, brand: str, review_id: str) -> dict[str, Any]:
    """One review as stored: {review, profiles: [{id, root_id}]}; raises NotFoundError."""
    rows = graph.read("reviews/get_review", brand=brand, id=review_id)
    if not rows:
        raise NotFoundError("No such review.")
    return rows[0]


def find_group(
    graph: Graph, brand: str, *, identifiers: Sequence[str], rules: Sequence[str], as_of: datetime | None, limit: int
) -> tuple[list[str], int]:
    """Ids of pending reviews with all of these causes, oldest first, and how many there are in all."""
    [row] = graph.read(
        "reviews/find_group",
        brand=brand, identifiers=list(identifiers), rules=list(rules), as_of=as_of or LATEST, limit=limit,
    )  # fmt: skip
    return row["ids"], row["total"]


def deciding_rule(rules: Iterable[str]) -> str:
    """The rule that made a review, of all that its events hit."""
    hit = set(rules)
    return next((rule for rule in REVIEW_RULES if rule in hit), RULE_THRESHOLD)


def review_item(row: dict[str, Any], ageing: Ageing | None = None) -> dict[str, Any]:
    """A stored review and its proposed profiles in the contract's shape.

    While it is pending, `profile_ids` are the live profiles of now; a settled one keeps those it was about.
    """
    stored = row["review"]
    which = "root_id" if stored["status"] == PENDING else "id"
    profile_ids = sorted({profile[which] for profile in row["profiles"]})
    event_ids = list(stored.get("event_ids") or ())
    rules = list(stored.get("rules") or ()) or [RULE_THRESHOLD if event_ids else RULE_SUGGESTION]
    return {
        "id": stored["id"],
        "status": stored["status"],
        "profile_ids": profile_ids,
        "profile_count": len(profile_ids),
        "reason": stored.get("reason"),
        "rule": deciding_rule(rules),
        "rules": sorted(rules),
        "identifiers": list(stored.get("identifiers") or ()),
        "created_at": to_time_text(stored.get("created_at")),
        "updated_at": to_time_text(stored.get("updated_at")),
        **_age(stored, ageing or Ageing()),
        "event_ids": event_ids,
        "decided_at": to_time_text(stored.get("decided_at")),
        "decided_by": stored.get("decided_by"),
        "decision_reason": stored.get("decision_reason"),
        "note": stored.get("note"),
        "merge_id": stored.get("merge_id"),
        "survivor_id": stored.get("survivor_id"),
        "superseded_by": stored.get("superseded_by"),
        "rule_version": stored.get("rule_version"),
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
        "is_overdue": is_pending and opened < ageing.overdue_since,
    }
