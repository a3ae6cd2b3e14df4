"""What a batch leaves behind besides statistics: links, merges, reviews, moved events; plain data for the writer."""

from dataclasses import dataclass, field
from typing import Any

from core.events import IncomingEvent
from core.identifiers import Identifier
from resolver.orders import Fact, OrderState


@dataclass(slots=True)
class DecidedEvent:
    """One new event with its decision, ready to be written; `persona_id` performed it (None: nobody)."""

    event: IncomingEvent
    decision: str
    profile_id: str | None
    persona_id: str | None = None
    merge_id: str | None = None
    merged_ids: tuple[str, ...] = ()
    review_id: str | None = None
    rules: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    asks_about_weak: bool = False
    """Whether too many profiles to merge, anonymous ones among them, were its question: then it says nothing about who
    uses its weak identifiers until a person has answered."""


@dataclass(frozen=True, slots=True)
class NewLink:
    """A persona takes an identifier because of an event."""

    persona_id: str
    identifier: Identifier
    event: IncomingEvent


@dataclass(slots=True)
class MergeRecord:
    """One merge with its evidence and the state before and after it."""

    id: str
    reason: str
    decided_by: str
    identifiers: tuple[str, ...] = ()
    """Evidence as `type:value`."""
    cause_persona_ids: tuple[str, ...] = ()
    strong_cause_ids: tuple[str, ...] = ()
    """Those of them that own a strong or high identifier: what this merge joins for good."""
    event_id: str | None = None
    occurred_at: int | None = None
    """Event time of an automatic merge on what both hold, microseconds; None for one by hand and for a weak tie."""
    tied_at: int | None = None
    """Event time of a weak tie: a pointer that stands only as long as the evidence does."""
    weak_ids: frozenset[str] = frozenset()
    """Absorbed profiles that only weak evidence ties: better evidence may take their pointer back."""
    survivor_id: str = ""
    absorbed_ids: tuple[str, ...] = ()
    before: list[dict[str, Any]] = field(default_factory=list)
    after: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A question for a person: are these live profiles one? `event_id` asked, `identifiers` as `type:value`."""

    event_id: str
    profile_ids: frozenset[str]
    reason: str
    identifiers: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()


@dataclass(slots=True)
class OpenReview:
    """A pending review and the live profiles it proposes to merge."""

    id: str
    profile_ids: set[str]
    """Live profiles as they are now: a merge puts its survivor in the place of whom it absorbed."""
    reason: str = ""
    identifiers: set[str] = field(default_factory=set)
    event_ids: list[str] = field(default_factory=list)
    rules: set[str] = field(default_factory=set)
    """Names of the rules that asked for a person."""
    apart: set[str] = field(default_factory=set)
    """Live profiles that a NOT_SAME mark keeps apart from one of those proposed."""
    proposed: set[str] = field(default_factory=set)
    """Whom this batch's events were about when they asked: what is written, for a later merge may be taken back."""
    is_new: bool = False
    is_changed: bool = False
    superseded_by: str | None = None


@dataclass(slots=True)
class OrderWork:
    """An order in the working set: its facts before and after this batch."""

    key: str
    order_id: str = ""
    source_instance: str = ""
    facts: tuple[Fact, ...] = ()
    state: OrderState = field(default_factory=OrderState)
    first_owner_id: str | None = None
    """Owner before this batch: PLACED is re-owned when it differs."""
    is_changed: bool = False


@dataclass(frozen=True, slots=True)
class EventMove:
    """A stored event that followed its order to another owner."""

    event_id: str
    from_persona_id: str | None
    to_persona_id: str
