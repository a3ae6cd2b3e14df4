"""Identity rules: versions, previews, activation."""

from typing import Any

from api.schemas.base import Command, Reason, Shape, example

RULES_EXAMPLE: dict[str, Any] = {"merge_threshold": 3, "type_limits": {"email": 10}, "drift_limit": 10}


class RulesCommand(Command):
    """Changes to the active rule set; what is not named stays, a limit of null is taken away."""

    model_config = example({"rules": RULES_EXAMPLE, "note": "fewer e-mails"})

    rules: dict[str, Any]
    note: str = ""


class ActivateCommand(Command):
    """Why this version is to decide."""

    model_config = example({"reason": "previewed, looks right"})

    reason: Reason = None


class RuleSetShape(Shape):
    """One version of the rules."""

    model_config = example({"version": "v1", "rules": RULES_EXAMPLE, "is_active": True})

    version: str
    rules: dict[str, Any]
    is_active: bool


class RuleSetList(Shape):
    """All versions, newest first; the built-in one is last."""

    model_config = example({"active": "v1", "items": [{"version": "v1", "rules": RULES_EXAMPLE, "is_active": True}]})

    active: str
    items: list[dict[str, Any]]


class RulesPreview(Shape):
    """What the changed rules would have made of the history."""

    model_config = example({"profiles_before": 120, "profiles_after": 118, "customers_touched": 4})

    profiles_before: int
    profiles_after: int
    customers_touched: int
