"""The event on its way in: what a source hands over (RawEvent) and what the commit takes (IncomingEvent)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.clock import to_micros
from core.identifiers import CORE_TYPES, WEAK_TYPES, Identifier
from core.visits import VisitSign

CHANNELS = frozenset({"website", "mobile_app", "store", "whatsapp", "email", "sms", "crm", "import", "other"})

EVENT_TYPES = frozenset({
    "page_view", "product_view", "search", "wishlist_add", "cart_add", "cart_remove", "cart_abandon",
    "checkout_started", "purchase", "pos_transaction", "order_updated", "order_cancelled", "refund",
    "whatsapp_message", "whatsapp_status", "email_open", "email_click", "sms_click", "store_visit", "qr_scan",
    "identify", "profile_update", "campaign_sent", "consent_changed",
})  # fmt: skip

SALE_TYPES = frozenset({"purchase", "pos_transaction"})
ORDER_TYPES = SALE_TYPES | {"order_updated", "order_cancelled", "refund"}


@dataclass(slots=True)
class RawEvent:
    """One event as its source tells it: not yet normalised, values still as sent.

    `identifiers` lists (type, raw value) pairs in the order found; `idempotency_key` is the source's own rule,
    None when the content decides; `payload` is kept whole; money in it is text, int or Decimal, never float.
    """

    type: str
    channel: str
    source: str
    identifiers: list[tuple[str, Any]]
    payload: dict[str, Any]
    occurred_at: datetime | None = None
    idempotency_key: str | None = None
    way: str = "api"
    source_instance: str = ""
    trust: str = "transaction"
    order: "RawOrder | None" = None
    traits: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    persona_id: str | None = None
    """Set by an import without resolution: the persona that takes the event whatever it matches."""
    is_alias: bool = False
    """The sender states that all ids in this event are one person's, two values of a unique type included."""


@dataclass(slots=True)
class RawOrder:
    """What an event says about an order, as sent: `kind` is sale, refund, refunded, cancel or status."""

    kind: str
    order_id: str | None
    total: Any = None
    currency: Any = None
    counts: bool = True
    refund_id: str | None = None
    status: str | None = None
    lines: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OrderFact:
    """What one event says about one order; the order is a fold of these (`resolver/orders.py`)."""

    key: str
    kind: str
    order_id: str
    total_minor: int = 0
    currency: str = ""
    counts: bool = True
    refund_id: str = ""
    status: str = ""
    lines: str = ""
    """Order lines as a JSON list, empty when the event has none."""
    amount: str = ""
    """The amount as decimal text where the event states no currency (`currency` is empty): it is the order's."""


@dataclass(slots=True)
class IncomingEvent:
    """A normalised event, ready to be resolved and written; `id` is its idempotency key's digest."""

    id: str
    brand: str
    type: str
    channel: str
    source: str
    occurred_at: datetime
    received_at: datetime
    payload: str
    identifiers: tuple[Identifier, ...]
    trust: str = "transaction"
    fingerprint: str = ""
    """Digest of the content: a repeat of `id` with another fingerprint is answered with a warning."""
    order: OrderFact | None = None
    traits: str = ""
    warnings: tuple[str, ...] = ()
    signal: str = ""
    """What it says about interest in products (`ingest/steps/signals.py`), empty for most events."""
    products: tuple[str, ...] = ()
    """Ids of the products that the signal is about."""
    visit: VisitSign | None = None
    """What it says about being in a store (`ingest/steps/visits.py`)."""
    persona_id: str | None = None
    is_alias: bool = False
    """The event states that its own values of a unique type are one person's."""
    # Both have defaults for events that wait in the inbox since a version without them: decoding fills them again.
    micros: int = field(init=False, default=0, repr=False, compare=False)
    """`occurred_at` in microseconds since 1970 UTC: asked for many times while an event is decided and written."""
    is_sighting: bool = field(init=False, default=False, repr=False, compare=False)
    """Whether it says something about who uses a weak identifier: it brings one and something beside it."""

    def __post_init__(self) -> None:
        self.micros = to_micros(self.occurred_at)
        weak = core = 0
        for identifier in self.identifiers:
            if identifier.type in WEAK_TYPES:
                weak += 1
            elif identifier.type in CORE_TYPES:
                core += 1
        self.is_sighting = weak > 1 or (weak == 1 and core > 0)
