"""A brand's identity rules as versioned data: what the resolver may decide by itself and where it must ask a person."""

from dataclasses import dataclass, field

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
