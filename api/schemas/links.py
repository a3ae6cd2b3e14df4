"""Links made by hand between profiles, identifiers and events."""

from typing import Any

from api.schemas.base import Command, Id, Reason, Shape, example
from api.schemas.profiles import PROFILE_ID


class LinkCommand(Command):
    """An identifier to link or unlink, in any spelling."""

    model_config = example({"type": "email", "value": "a@example.com", "reason": "told at the till"})

    type: str
    value: str
    reason: Reason = None


class AttachCommand(Command):
    """The profile that an unattached event belongs to."""

    model_config = example({"profile_id": PROFILE_ID, "reason": "receipt shown"})

    profile_id: Id
    reason: Reason = None


class Linked(Shape):
    """The live profile that was changed."""

    model_config = example({"profile_id": PROFILE_ID})

    profile_id: str


class LinkList(Shape):
    """Links of a profile, ended ones included."""

    model_config = example({"items": [{"type": "email", "value": "a@example.com", "until": None}]})

    items: list[dict[str, Any]]
