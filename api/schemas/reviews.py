"""The review queue: merges that wait for a person, and the decisions about them."""

from typing import Annotated

from pydantic import Field

from api.schemas.base import Command, Id, Reason, Shape, example
from api.schemas.profiles import MAX_MERGED, MERGE_ID, OTHER_ID, PROFILE_ID

REVIEW_EXAMPLE = {
    "id": "rev_1f3870be274f6c49b3e31a0c6728957f",
    "status": "pending",
    "profile_ids": [PROFILE_ID, OTHER_ID],
    "reason": "Auto-merge blocked: 4 profiles exceed threshold of 3",
    "identifiers": ["email:a@example.com"],
    "created_at": "2026-11-01T12:00:00Z",
    "event_ids": ["evt_8c7e0d6d2b9f4f0f9a51c0de5b1e7a11"],
}


class DecideCommand(Command):
    """Why the review is decided so."""

    model_config = example({"reason": "same person"})

    reason: Reason = None


class SplitCommand(Command):
    """The profiles of the review that are one person; the others stay apart."""

    model_config = example({"profile_ids": [PROFILE_ID, OTHER_ID], "reason": "only these two"})

    profile_ids: Annotated[list[Id], Field(min_length=2, max_length=MAX_MERGED)]
    reason: Reason = None


class Review(Shape):
    """A review with its state."""

    model_config = example(REVIEW_EXAMPLE)

    id: str
    status: str
    profile_ids: list[str]
    reason: str | None
    identifiers: list[str]
    created_at: str
    event_ids: list[str]


class ReviewPage(Shape):
    """One page of reviews."""

    model_config = example({"items": [REVIEW_EXAMPLE], "next_cursor": None})

    items: list[Review]
    next_cursor: str | None


class DecidedReview(Review):
    """A review just decided."""

    model_config = example({
        **REVIEW_EXAMPLE, "status": "merged", "merge_id": MERGE_ID, "survivor_id": PROFILE_ID,
    })  # fmt: skip

    merge_id: str | None
    survivor_id: str | None
