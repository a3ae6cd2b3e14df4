"""The review queue: merges that wait for a person, and the decisions about them."""

from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.base import Command, Id, Reason, Shape, example
from api.schemas.profiles import MAX_MERGED, MERGE_ID, OTHER_ID, PROFILE_ID
from graph.repositories.review_settings import MAX_OVERDUE_HOURS
from ingest.stewardship.bulk_reviews import MAX_REVIEWS

REVIEW_ID = "rev_1f3870be274f6c49b3e31a0c6728957f"
_BULK_ID = "bulk_7b0c4a3e6fd1429e8a55f0c0b1d2e3f4"
_AT = "2026-11-01T12:00:00Z"
_TABLET = "device_id:store-tablet-7"
REVIEW_EXAMPLE: dict[str, Any] = {
    "id": REVIEW_ID, "status": "pending", "kind": "rules", "profile_ids": [PROFILE_ID, OTHER_ID], "profile_count": 2,
    "reason": "Auto-merge blocked: 4 profiles exceed threshold of 3", "rule": "threshold", "rules": ["threshold"],
    "identifiers": ["email:a@example.com"], "created_at": _AT, "updated_at": _AT, "age_seconds": 86400,
    "is_overdue": False, "event_ids": ["evt_8c7e0d6d2b9f4f0f9a51c0de5b1e7a11"], "decided_at": None, "decided_by": None,
    "decision_reason": None, "note": None, "merge_id": None, "survivor_id": None, "superseded_by": None,
    "rule_version": "2026-11-24",
}  # fmt: skip
_SHOWN = {
    "strength": 75, "event_count": 3, "total_orders": 1, "lifetime_value": "89.99", "currency": "USD",
    "lifetime_value_other": {}, "first_seen": _AT, "last_seen": _AT,
    "identifiers": {"email": ["a@example.com"], "phone": ["+14155550101"]},
    "identifier_counts": {"email": 1, "phone": 1},
}  # fmt: skip
_MOVES = {
    "profiles": 1, "events": 1, "orders": 0, "lifetime_value": "0.00", "currency": "USD", "lifetime_value_other": {},
    "identifiers": 1,
}  # fmt: skip
PREVIEW_EXAMPLE: dict[str, Any] = {
    "review_id": REVIEW_ID, "profile_ids": [PROFILE_ID, OTHER_ID], "left_apart": [],
    "profiles": [{"id": PROFILE_ID, **_SHOWN, "evidence": ["email:a@example.com"]}],
    "survivor_id": PROFILE_ID, "absorbed_ids": [OTHER_ID], "result": _SHOWN, "moves": _MOVES,
    "breaks": [{"rule": "threshold", "type": None, "count": 4, "limit": 3, "values": {}}],
    "ends_not_same": [], "marks_not_same": [],
    "traits": [{
        "name": "city", "in_conflict": True, "strategy": "latest", "result": "Oslo",
        "values": [{"profile_id": PROFILE_ID, "value": "Oslo"}, {"profile_id": OTHER_ID, "value": "Bergen"}],
    }],
    "settles_too": [], "note": None,
}  # fmt: skip
GROUP_EXAMPLE: dict[str, Any] = {
    "key": "b3e31a0c6728957f1f3870be", "title": "one device_id seen in 14 reviews", "identifiers": [_TABLET],
    "rule": "unique_id", "rules": ["unique_id"], "count": 14, "profile_count": 29,
    "profile_ids": [PROFILE_ID, OTHER_ID], "review_ids": [REVIEW_ID],
    "oldest_at": _AT, "age_seconds": 86400, "overdue_count": 0, "as_of": _AT,
}  # fmt: skip
BULK_EXAMPLE: dict[str, Any] = {
    "id": _BULK_ID, "state": "done", "decision": "reject", "reason": "the store tablet", "decided_by": "key:4f1c2a",
    "total": 2, "done": 2, "left_out": 0, "outcomes": {"done": 1, "not_found": 1}, "created_at": _AT,
    "finished_at": _AT,
    "results": [
        {"outcome": "done", "review_id": REVIEW_ID, "status": "rejected", "merge_id": None, "survivor_id": None,
         "note": None},
        {"outcome": "not_found", "review_id": "rev_0", "status": None, "merge_id": None, "survivor_id": None,
         "note": None},
    ],
    "next_cursor": None,
}  # fmt: skip
SUMMARY_EXAMPLE: dict[str, Any] = {
    "pending": 17, "overdue": 3, "overdue_hours": 72, "oldest_at": _AT, "oldest_age_seconds": 345600,
    "by_age": {"under_a_day": 9, "under_a_week": 8, "older": 0}, "by_kind": {"rules": 12, "suggestion": 5},
    "by_rule": {"suggestion": 5, "threshold": 2, "unique_id": 10},
}  # fmt: skip


class DecideCommand(Command):
    """Why the review is decided so."""

    model_config = example({"reason": "same person"})

    reason: Reason = None


class RejectCommand(Command):
    """Why, and which profiles are told apart from all others; all of the review without them."""

    model_config = example({"reason": "a shop's telephone", "profile_ids": [PROFILE_ID]})

    profile_ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_MERGED)] | None = None
    reason: Reason = None


class SplitCommand(Command):
    """The profiles of the review that are one person; the others stay apart."""

    model_config = example({"profile_ids": [PROFILE_ID, OTHER_ID], "reason": "only these two"})

    profile_ids: Annotated[list[Id], Field(min_length=2, max_length=MAX_MERGED)]
    reason: Reason = None


class GroupNamed(Command):
    """A group as `GET /api/reviews/groups` shows it; with `as_of` only what has not changed since is decided."""

    model_config = example({"identifiers": [_TABLET], "rules": ["unique_id"], "as_of": _AT})

    identifiers: Annotated[list[Annotated[str, Field(max_length=1000)]], Field(max_length=50)]
    rules: Annotated[list[str], Field(min_length=1, max_length=20)]
    as_of: Annotated[str | None, Field(max_length=40)] = None


class BulkCommand(Command):
    """One decision about many reviews, named by their ids or as a group."""

    model_config = example({"decision": "reject", "review_ids": [REVIEW_ID, "rev_0"], "reason": "the store tablet"})

    decision: Literal["approve", "reject"]
    review_ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_REVIEWS)] | None = None
    group: GroupNamed | None = None
    reason: Reason = None


class ReviewSettingsCommand(Command):
    """After how many hours a waiting review is overdue."""

    model_config = example({"overdue_hours": 72})

    overdue_hours: Annotated[int, Field(ge=1, le=MAX_OVERDUE_HOURS)]


class Review(Shape):
    """A review with its state; a suggestion also has `match_weight` and `comparison`."""

    model_config = example(REVIEW_EXAMPLE)

    id: str
    status: str
    kind: str
    profile_ids: list[str]
    profile_count: int
    reason: str | None
    rule: str
    rules: list[str]
    identifiers: list[str]
    created_at: str
    updated_at: str | None
    age_seconds: int | None
    is_overdue: bool
    event_ids: list[str]
    decided_at: str | None
    decided_by: str | None
    decision_reason: str | None
    note: str | None
    merge_id: str | None
    survivor_id: str | None
    superseded_by: str | None
    rule_version: str | None


class ReviewPage(Shape):
    """One page of reviews."""

    model_config = example({"items": [REVIEW_EXAMPLE], "next_cursor": None})

    items: list[Review]
    next_cursor: str | None


class DecidedReview(Review):
    """A review just decided; `note` says what no longer applied."""

    model_config = example({
        **REVIEW_EXAMPLE, "status": "merged", "merge_id": MERGE_ID, "survivor_id": PROFILE_ID, "decided_at": _AT,
        "decided_by": "key:4f1c2a", "note": "1 proposed profile(s) were erased before.",
    })  # fmt: skip


class ReviewPreview(Shape):
    """What approval would do: each profile today, the one they would become, what moves, breaks and ends."""

    model_config = example(PREVIEW_EXAMPLE)

    review_id: str
    profile_ids: list[str]
    left_apart: list[str]
    profiles: list[dict[str, Any]]
    survivor_id: str | None
    absorbed_ids: list[str]
    result: dict[str, Any] | None
    moves: dict[str, Any] | None
    breaks: list[dict[str, Any]]
    ends_not_same: list[dict[str, Any]]
    marks_not_same: list[list[str]]
    traits: list[dict[str, Any]]
    settles_too: list[str]
    note: str | None


class ReviewGroupPage(Shape):
    """One page of groups, largest first; `truncated` when only the oldest reviews of a very long queue were grouped."""

    model_config = example({"items": [GROUP_EXAMPLE], "next_cursor": None, "truncated": False})

    items: list[dict[str, Any]]
    next_cursor: str | None
    truncated: bool


class ReviewSummary(Shape):
    """How long the queue is, how old, and why."""

    model_config = example(SUMMARY_EXAMPLE)

    pending: int
    overdue: int
    overdue_hours: int
    oldest_at: str | None
    oldest_age_seconds: int | None
    by_age: dict[str, int]
    by_kind: dict[str, int]
    by_rule: dict[str, int]


class ReviewSettings(Shape):
    """What a brand sets about its queue."""

    model_config = example({"overdue_hours": 72})

    overdue_hours: int


class BulkReviews(Shape):
    """A bulk decision with its progress (`done` of `total`) and one page of results in the order named."""

    model_config = example(BULK_EXAMPLE)

    id: str
    state: str
    decision: str
    reason: str | None
    decided_by: str
    total: int
    done: int
    left_out: int
    outcomes: dict[str, int]
    created_at: str
    finished_at: str | None
    results: list[dict[str, Any]]
    next_cursor: str | None
