"""Identifier types, their tiers and order: the vocabulary that extraction, resolver and graph share."""

from enum import IntEnum, StrEnum
from typing import NamedTuple


class IdentifierType(StrEnum):
    """The kinds of identifier that can point at a person."""

    PHONE = "phone"
    EMAIL = "email"
    WHATSAPP = "whatsapp"
    LOYALTY_ID = "loyalty_id"
    USER_ID = "user_id"
    EXTERNAL_ID = "external_id"
    DEVICE_ID = "device_id"
    QR_ID = "qr_id"
    UPI_ID = "upi_id"
    COOKIE_ID = "cookie_id"
    CARD_LAST4 = "card_last4"


class Tier(IntEnum):
    """How strongly a type links people: 1 is strongest, 5 never links."""

    STRONG = 1
    HIGH = 2
    MEDIUM = 3
    LOW = 4
    SUPPORTING = 5


class Trust(StrEnum):
    """How well a link between a person and an identifier is proven, best first."""

    VERIFIED = "verified"
    TRANSACTION = "transaction"
    DECLARED = "declared"
    IMPORTED = "imported"


TRUST_ORDER: dict[str, int] = {trust.value: place for place, trust in enumerate(Trust)}
"""Place of a trust, best first."""

TIERS: dict[str, Tier] = {
    "phone": Tier.STRONG,
    "email": Tier.STRONG,
    "whatsapp": Tier.HIGH,
    "loyalty_id": Tier.HIGH,
    "user_id": Tier.HIGH,
    "external_id": Tier.HIGH,
    "device_id": Tier.MEDIUM,
    "qr_id": Tier.MEDIUM,
    "upi_id": Tier.MEDIUM,
    "cookie_id": Tier.LOW,
    "card_last4": Tier.SUPPORTING,
}

# "Best identifier" order; user_id and external_id share a place.
PRIORITY: dict[str, int] = {
    "phone": 0,
    "email": 1,
    "whatsapp": 2,
    "loyalty_id": 3,
    "user_id": 4,
    "external_id": 4,
    "device_id": 5,
    "qr_id": 6,
    "upi_id": 7,
    "cookie_id": 8,
    "card_last4": 9,
}

LINKING_TYPES = frozenset(t for t, tier in TIERS.items() if tier is not Tier.SUPPORTING)
CORE_TYPES = frozenset(t for t, tier in TIERS.items() if tier in (Tier.STRONG, Tier.HIGH))
"""Strong and high tiers: what a person is known by."""
WEAK_TYPES = frozenset(t for t, tier in TIERS.items() if tier in (Tier.MEDIUM, Tier.LOW))
"""Medium and low tiers: what a person uses; such a link can be taken back by better evidence."""
UNIQUE_TYPES = frozenset({"user_id", "loyalty_id", "external_id"})


class Identifier(NamedTuple):
    """A (type, normal form) pair of one brand; a tuple, because the hot path hashes it many times an event."""

    type: str
    value: str

    def key(self, brand: str) -> str:
        """The unique graph key: brand, type and normal form, separated by `|`."""
        return f"{brand}|{self.type}|{self.value}"
