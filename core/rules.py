"""A brand's identity rules as versioned data: what the resolver may decide by itself and where it must ask a person."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.errors import InvalidInputError
from core.identifiers import CORE_TYPES, LINKING_TYPES

DEFAULT_RULE_VERSION = "2026-11-24"
DEFAULT_MERGE_THRESHOLD = 3


def _type_limits() -> dict[str, int]:
    return {"email": 10, "phone": 10, "cookie_id": 200, "device_id": 100}


def _shared_limits() -> dict[str, int]:
    strong = dict.fromkeys(("phone", "email", "whatsapp", "loyalty_id", "user_id", "external_id"), 10)
    return strong | dict.fromkeys(("device_id", "qr_id", "upi_id", "cookie_id"), 5)


@dataclass(frozen=True, slots=True)
class IdentityRules:
    """One version of a brand's rule set; `type_limits` and `shared_limits` are by identifier type."""

    version: str = DEFAULT_RULE_VERSION
    merge_threshold: int = DEFAULT_MERGE_THRESHOLD
    """More live profiles than this wait for a person."""
    type_limits: dict[str, int] = field(default_factory=_type_limits, hash=False)
    """How many values of a type one profile may hold; a type not named has no limit."""
    shared_limits: dict[str, int] = field(default_factory=_shared_limits, hash=False)
    """How many distinct people an identifier may point at before it describes without linking."""
    unique_types: frozenset[str] = frozenset({"user_id", "loyalty_id", "external_id"})
    """Types of which a person has one value (`external_id`: one within a source instance)."""
    drift_limit: int = 10
    """Profiles that one may absorb by itself within the window of event time."""
    drift_window_hours: int = 24
    max_cores: int = 50
    """How many cores weak identifiers may reach before a person has to look."""


_SCALARS = {
    "merge_threshold": (1, 100),
    "drift_limit": (0, 100_000),
    "drift_window_hours": (1, 24 * 365),
    "max_cores": (2, 500),
}
_LIMITS = ("type_limits", "shared_limits")
_MAX_LIMIT = 100_000


def rules_to_dict(rules: IdentityRules) -> dict[str, Any]:
    """The rule set as plain data, without its version."""
    return {
        "merge_threshold": rules.merge_threshold,
        "type_limits": dict(sorted(rules.type_limits.items())),
        "shared_limits": dict(sorted(rules.shared_limits.items())),
        "unique_types": sorted(rules.unique_types),
        "drift_limit": rules.drift_limit,
        "drift_window_hours": rules.drift_window_hours,
        "max_cores": rules.max_cores,
    }


def rules_from_dict(data: Mapping[str, Any], version: str, base: IdentityRules | None = None) -> IdentityRules:
    """A rule set from plain data; what is not named is as in `base`, a limit of null takes the limit away.

    Raises InvalidInputError naming the field that is unknown or out of range.
    """
    base = base or IdentityRules()
    changes: dict[str, Any] = {"version": version}
    for name, value in data.items():
        field_name = f"rules.{name}"
        if name in _SCALARS:
            changes[name] = _whole(value, field_name, *_SCALARS[name])
        elif name in _LIMITS:
            changes[name] = _limits(value, field_name, getattr(base, name))
        elif name == "unique_types":
            if not isinstance(value, list) or any(kind not in CORE_TYPES for kind in value):
                raise InvalidInputError("Must be a list of strong or high identifier types.", field=field_name)
            changes[name] = frozenset(value)
        else:
            raise InvalidInputError("There is no such rule.", field=field_name)
    return replace(base, **changes)


def _whole(value: object, field_name: str, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InvalidInputError(f"Must be a whole number from {least} to {most}.", field=field_name)
    return value


def _limits(value: object, field_name: str, base: Mapping[str, int]) -> dict[str, int]:
    if not isinstance(value, dict):
        raise InvalidInputError("Must be an object of identifier types and numbers.", field=field_name)
    limits = dict(base)
    for kind, limit in value.items():
        if kind not in LINKING_TYPES:
            raise InvalidInputError("Names no linking identifier type.", field=field_name)
        if limit is None:
            limits.pop(kind, None)
        else:
            limits[kind] = _whole(limit, f"{field_name}.{kind}", 1, _MAX_LIMIT)
    return limits
