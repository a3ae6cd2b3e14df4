"""Profiles out, and the commands that join, separate and import them."""

from typing import Annotated, Any

from pydantic import Field

from api.schemas.base import Command, Id, Reason, Shape, example

PROFILE_ID = "cus_5d41402abc4b2a76b9719d911017c592"
OTHER_ID = "cus_7d793037a0760186574b0282f2f435e7"
MERGE_ID = "mrg_9b74c9897bac770ffc029102a200c5de"
PROFILE_EXAMPLE = {
    "id": PROFILE_ID,
    "brand": "demo",
    "strength": 75,
    "lifetime_value": "89.99",
    "currency": "USD",
    "total_orders": 1,
    "event_count": 3,
    "first_seen": "2026-10-01T08:00:00Z",
    "last_seen": "2026-11-01T12:00:00Z",
    "identifiers": {"email": ["a@example.com"], "phone": ["+14155550101"]},
    "traits": {},
    "segment": None,
    "stage": "purchase",
    "churn_probability": None,
    "absorbed_ids": [],
    "answered_for": None,
    "version": 7,
}
MAX_MERGED = 1000


class MergeCommand(Command):
    """Profiles to join with the one in the address."""

    model_config = example({"profile_ids": [OTHER_ID], "reason": "same customer, confirmed by the shop"})

    profile_ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_MERGED)]
    reason: Reason = None


class UnmergeCommand(Command):
    """The merge to take back; without `merge_id` the profile's latest live one."""

    model_config = example({"merge_id": MERGE_ID, "reason": "two people of one household"})

    merge_id: Id | None = None
    reason: Reason = None


class Profile(Shape):
    """The unified person; an absorbed id answers with the survivor and `answered_for`."""

    model_config = example(PROFILE_EXAMPLE)

    id: str
    brand: str
    strength: int
    lifetime_value: str
    currency: str
    total_orders: int
    event_count: int
    first_seen: str | None
    last_seen: str | None
    identifiers: dict[str, list[str]]
    traits: dict[str, Any]
    segment: str | None
    stage: str | None
    churn_probability: float | None
    absorbed_ids: list[str]
    answered_for: str | None
    version: int
    recomputing: bool = False


class ProfilePage(Shape):
    """One page of live profiles."""

    model_config = example({"items": [PROFILE_EXAMPLE], "next_cursor": None})

    items: list[Profile]
    next_cursor: str | None


class MergeOutcome(Shape):
    """A merge just made."""

    model_config = example({"merge_id": MERGE_ID, "survivor_id": PROFILE_ID, "absorbed_ids": [OTHER_ID]})

    merge_id: str
    survivor_id: str
    absorbed_ids: list[str]


class UnmergeOutcome(Shape):
    """The profiles that live again, survivor included."""

    model_config = example({"profile_ids": [PROFILE_ID, OTHER_ID]})

    profile_ids: list[str]


class MergeHistory(Shape):
    """Every merge of the profile, newest first, those taken back included."""

    model_config = example({
        "items": [{
            "merge_id": MERGE_ID, "survivor_id": PROFILE_ID, "absorbed_ids": [OTHER_ID], "reason": "identifier_match",
            "decided_by": "resolver", "at": "2026-11-01T12:00:00Z", "identifiers": ["email:a@example.com"],
            "before": [], "after": {}, "reverted_at": None,
        }],
    })  # fmt: skip

    items: list[dict[str, Any]]
