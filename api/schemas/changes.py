"""The change feed and its webhooks."""

from typing import Annotated, Any

from pydantic import Field

from api.schemas.base import Command, Shape, example
from api.schemas.profiles import PROFILE_ID

_HOOK_ID = "whk_6f1d0c52a7e94b0f8d1c"
_OLD_ID = "cus_0b7c3f"
CHANGE_EXAMPLE: dict[str, Any] = {
    "id": "chg_1b9d_0", "cursor": "42", "kind": "merged", "at": "2026-11-01T12:00:00Z", "profile_id": PROFILE_ID,
    "live_id": PROFILE_ID, "old_ids": [_OLD_ID],
    "moves": [{"old_id": _OLD_ID, "profile_id": PROFILE_ID, "live_id": PROFILE_ID}],
    "merge_id": "mrg_1", "event_id": "evt_1", "reason": "identifier_match", "rule_version": "1",
}  # fmt: skip
HOOK_EXAMPLE: dict[str, Any] = {
    "id": _HOOK_ID, "url": "https://crm.example.com/hooks/identity", "kinds": ["merged", "unmerged"], "active": True,
    "cursor": "42", "behind": 0, "created_at": "2026-11-01T12:00:00Z", "failures": 0, "failing_since": None,
    "next_attempt_at": None, "last_delivered_at": "2026-11-01T12:00:01Z", "disabled_at": None, "disabled_reason": None,
    "old_secret_until": None,
}  # fmt: skip
_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"  # noqa: S105 (the example of the specification)
MAX_KINDS = 20
MAX_OVERLAP_HOURS = 24 * 7

Kinds = Annotated[list[str], Field(max_length=MAX_KINDS, description="Kinds of changes; an empty list means all.")]
Cursor = Annotated[str, Field(min_length=1, max_length=20)]


class ChangeList(Shape):
    """Changes in order; `next_cursor` is always there: keep it and come back with it."""

    model_config = example({"items": [CHANGE_EXAMPLE], "next_cursor": "42", "has_more": False})

    items: list[dict[str, Any]]
    next_cursor: str
    has_more: bool


class HookCommand(Command):
    """A webhook to set up; without `cursor` it is told of what happens from now on."""

    model_config = example({"url": "https://crm.example.com/hooks/identity", "kinds": ["merged", "unmerged"]})

    url: str
    kinds: Kinds = Field(default_factory=list)
    active: bool = True
    cursor: Cursor | None = None


class HookChanges(Command):
    """What is to be different; what is not named stays."""

    model_config = example({"active": True})

    url: str | None = None
    kinds: Kinds | None = None
    active: bool | None = None


class RotateCommand(Command):
    """How long messages are signed with the old secret too."""

    model_config = example({"overlap_hours": 24})

    overlap_hours: Annotated[int, Field(ge=0, le=MAX_OVERLAP_HOURS)] = 24


class PingCommand(Command):
    """Nothing needs to be said."""

    model_config = example({})


class RedeliverCommand(Command):
    """After which entry delivery begins again."""

    model_config = example({"cursor": "40"})

    cursor: Cursor


class HookShape(Shape):
    """A webhook without its secret; read alone it has its last deliveries."""

    model_config = example(HOOK_EXAMPLE)

    id: str
    url: str
    kinds: list[str]
    active: bool
    cursor: str


class HookWithSecret(Shape):
    """A webhook with its secret: it is shown this once."""

    model_config = example({**HOOK_EXAMPLE, "secret": _SECRET})

    id: str
    secret: str


class HookList(Shape):
    """A brand's webhooks."""

    model_config = example({"items": [HOOK_EXAMPLE]})

    items: list[dict[str, Any]]


class HookDeleted(Shape):
    """It is gone."""

    model_config = example({"deleted": True})

    deleted: bool


class HookTested(Shape):
    """How the test message went."""

    model_config = example({"outcome": "delivered", "status": 204, "error": None, "milliseconds": 31})

    outcome: str
    status: int | None
    error: str | None
    milliseconds: int
