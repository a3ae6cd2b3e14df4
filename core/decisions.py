"""What was decided about an event, and the answer its sender gets."""

from dataclasses import dataclass
from enum import StrEnum


class DecisionKind(StrEnum):
    """The rows of the decision table, and `queued` while the graph is away."""

    UNATTACHED = "unattached"
    CREATED = "created"
    ATTACHED = "attached"
    MERGED = "merged"
    REVIEW = "review"
    QUEUED = "queued"


@dataclass(frozen=True, slots=True)
class EventResult:
    """The acknowledged outcome of one event; `profile_id` is the live profile."""

    event_id: str
    decision: str
    profile_id: str | None = None
    merged_profile_ids: tuple[str, ...] = ()
    merge_id: str | None = None
    review_id: str | None = None
    duplicate: bool = False
    warnings: tuple[str, ...] = ()
