"""Reads the review queue: pages by status and single reviews; deciding them is `ingest/stewardship`'s."""

from typing import Any

from core.errors import InvalidInputError, NotFoundError
from core.paging import encode_cursor
from graph.driver import Graph
from graph.repositories.profiles import Page
from graph.values import to_time, to_time_text

PENDING = "pending"
REVIEW_STATUSES = (PENDING, "approved", "rejected", "merged")


def list_reviews(graph: Graph, brand: str, page: Page, status: str | None = None) -> dict[str, Any]:
    """One page of reviews, newest first: {items, next_cursor}; of any status without `status`."""
    if status is not None and status not in REVIEW_STATUSES:
        raise InvalidInputError(f"status must be one of: {', '.join(REVIEW_STATUSES)}.", field="status")
    statuses = list(REVIEW_STATUSES) if status is None else [status]
    rows = graph.read("reviews/list_reviews", brand=brand, statuses=statuses, **page.params())
    cursor = None
    if len(rows) > page.size:
        last = rows[page.size - 1]["review"]
        at = to_time(last["created_at"])
        cursor = None if at is None else encode_cursor(at, last["id"])
    return {"items": [review_item(row) for row in rows[: page.size]], "next_cursor": cursor}


def get_review(graph: Graph, brand: str, review_id: str) -> dict[str, Any]:
    """One review; raises NotFoundError when it is unknown or of another brand."""
    rows = graph.read("reviews/get_review", brand=brand, id=review_id)
    if not rows:
        raise NotFoundError("No such review.")
    return review_item(rows[0])


def review_item(row: dict[str, Any]) -> dict[str, Any]:
    """A stored review and its proposed profiles in the contract's shape.

    While it is pending, `profile_ids` are the live profiles of now; a settled one keeps those it was about.
    """
    stored = row["review"]
    which = "root_id" if stored["status"] == PENDING else "id"
    profile_ids = sorted({profile[which] for profile in row["profiles"]})
    return {
        "id": stored["id"],
        "status": stored["status"],
        "profile_ids": profile_ids,
        "profile_count": len(profile_ids),
        "reason": stored.get("reason"),
        "identifiers": list(stored.get("identifiers") or ()),
        "created_at": to_time_text(stored.get("created_at")),
        "updated_at": to_time_text(stored.get("updated_at")),
        "event_ids": list(stored.get("event_ids") or ()),
        "decided_at": to_time_text(stored.get("decided_at")),
        "decided_by": stored.get("decided_by"),
        "decision_reason": stored.get("decision_reason"),
        "merge_id": stored.get("merge_id"),
        "survivor_id": stored.get("survivor_id"),
        "superseded_by": stored.get("superseded_by"),
        "rule_version": stored.get("rule_version"),
    }
