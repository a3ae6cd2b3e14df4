"""What a brand may set: the settings that normalisation, resolver and statistics read."""

from dataclasses import dataclass, field

from core.rules import DEFAULT_MERGE_THRESHOLD, DEFAULT_RULE_VERSION, IdentityRules
from core.transformations import Transformation

DEFAULT_OVERDUE_HOURS = 72
DEFAULT_MOVED_AT_ONCE = 1000


WARN, REJECT = "warn", "reject"
SCHEMA_MODES = (WARN, REJECT)


@dataclass(frozen=True, slots=True)
class EventSchema:
    """The active JSON Schema of one event type; `text` is its JSON, `mode` what a violation does."""

    type: str
    version: int
    mode: str
    text: str


@dataclass(frozen=True, slots=True)
class BrandSettings:
    """Settings of one brand; `id` is its key, all others have the documented defaults."""

    id: str
    name: str = ""
    region: str = "US"
    currency: str = "USD"
    merge_threshold: int = DEFAULT_MERGE_THRESHOLD
    fold_email_tags: bool = False
    blocked_values: frozenset[str] = frozenset()
    rule_version: str = DEFAULT_RULE_VERSION
    rules: IdentityRules | None = None
    """The active rule set; None for the default one with this brand's threshold."""
    status: str = "active"
    review_overdue_hours: int = DEFAULT_OVERDUE_HOURS
    """A review that waits longer is overdue."""
    moved_at_once: int = DEFAULT_MOVED_AT_ONCE
    """Events that change hands in the transaction of the sign-in that moves them; more are left to a task."""
    main_instances: dict[str, str] = field(default_factory=dict, hash=False)
    """Source → its first instance (`shopify` → shop domain): its external ids carry no instance name."""
    event_schemas: dict[str, EventSchema] = field(default_factory=dict, hash=False)
    """Event type → its active schema."""
    transformations: tuple[Transformation, ...] = field(default=(), hash=False)
    """What is done to events before they are checked, in this order."""
    hash_key: str = ""
    """Makes hashes of values the brand's own."""
    field_mappings: dict[str, dict[str, str]] = field(default_factory=dict, hash=False)
    """Source → our name of a field → where its own bodies hold it."""
