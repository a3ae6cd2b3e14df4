"""Demo, who the customers are: names, ways to reach them, habits; the same seed and number give the same person."""

import random
from dataclasses import dataclass

from cli.demo_brand.shelf import CATEGORIES, STORES, Store

_FIRST = (
    "Ada", "Ben", "Chloe", "Dev", "Elena", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Kavya", "Liam", "Mara", "Noor",
    "Omar", "Priya", "Quinn", "Rosa", "Samir", "Tess", "Uma", "Victor", "Wren", "Yara", "Zoe",
)  # fmt: skip
_LAST = (
    "Almeida", "Brown", "Chen", "Diaz", "Eriksen", "Fischer", "Gupta", "Haddad", "Ito", "Jensen", "Kim", "Lopez",
    "Moreau", "Nakamura", "Okafor", "Patel", "Rossi", "Silva", "Tanaka", "Weber",
)  # fmt: skip
_MAIL = ("aurora-mail.example", "northpost.example", "letterbox.example")

VIP, LOYAL, REGULAR, NEW, AT_RISK, LOOKING, UNKNOWN = (
    "vip", "loyal", "regular", "new", "at_risk", "looking", "unknown"
)  # fmt: skip
_SHARES = {VIP: 4, LOYAL: 14, REGULAR: 30, NEW: 12, AT_RISK: 14, LOOKING: 20, UNKNOWN: 6}
_KNOWN = (LOYAL, REGULAR, NEW, LOOKING)

STAR, LEAVING, VISITOR = 0, 1, 2
"""Numbers of those whom the brand shows first: of value, about to leave, in a store now."""
_MISTAKEN = (3, 4)
_REVIEWED_FROM = 5
REVIEWED_TOGETHER = 4
_MOST_REVIEWS = 10
_CUSTOMERS_PER_REVIEW = 400
FEWEST = 12


@dataclass(frozen=True, slots=True)
class Cast:
    """Which numbers play a part of their own in a brand of so many customers."""

    customers: int

    @property
    def reviews(self) -> list[tuple[int, ...]]:
        """Groups of customers whom one event names together."""
        count = min(_MOST_REVIEWS, max(1, self.customers // _CUSTOMERS_PER_REVIEW))
        starts = (_REVIEWED_FROM + REVIEWED_TOGETHER * place for place in range(count))
        return [tuple(range(start, start + REVIEWED_TOGETHER)) for start in starts]

    @property
    def mistaken(self) -> tuple[int, int]:
        """Two customers who were joined by mistake and parted again."""
        return _MISTAKEN


@dataclass(frozen=True, slots=True)
class Person:
    """One true customer; what is None or empty they do not have."""

    number: int
    seed: int
    kind: str
    first: str
    last: str
    email: str
    phone: str | None
    cookies: tuple[str, ...]
    device: str | None
    loyalty: str | None
    account: str | None
    shop_customer: str
    store: Store
    likes: str
    store_share: float
    chats: bool

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}"

    @property
    def at_till(self) -> dict[str, str]:
        """What they show at a till; empty for somebody who shows nothing."""
        if self.loyalty is not None:
            return {"loyalty_id": self.loyalty, **({"phone": self.phone} if self.phone else {})}
        return {"phone": self.phone} if self.phone else {}

    @property
    def on_chat(self) -> dict[str, str]:
        """What a message comes with."""
        return {"whatsapp": f"whatsapp:{self.phone}"} if self.phone else {"email": self.email}


def make_people(customers: int, seed: int) -> list[Person]:
    """All customers of the brand; those of a smaller one are among those of a larger one."""
    return [_make(number, seed) for number in range(customers)]


def _kind(number: int, drawn: str) -> str:
    """The kind of a customer: drawn, but for those who may have a part."""
    fixed = {STAR: VIP, LEAVING: AT_RISK, VISITOR: LOYAL}
    if number in fixed:
        return fixed[number]
    return _KNOWN[number % len(_KNOWN)] if number < _REVIEWED_FROM + REVIEWED_TOGETHER * _MOST_REVIEWS else drawn


def _make(number: int, seed: int) -> Person:
    rng = random.Random(f"demo person {seed} {number}")  # noqa: S311 (no secret)
    kind = _kind(number, rng.choices(list(_SHARES), list(_SHARES.values()))[0])
    has_it_all = number in {STAR, VISITOR}
    store_share = {STAR: 0.5, VISITOR: 0.5, LEAVING: 0.0}.get(number)
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    tag = f"{seed}-{number}"
    likely = {VIP: 0.9, LOYAL: 0.6, AT_RISK: 0.5}.get(kind, 0.25)

    def has(share: float) -> bool:
        return rng.random() < share or has_it_all

    return Person(
        number=number,
        seed=seed,
        kind=kind,
        first=first,
        last=last,
        email=f"{first}.{last}.{number}{f'.s{seed}' if seed else ''}@{rng.choice(_MAIL)}".lower(),
        # Ten million numbers of one area: seeds up to a thousand do not meet.
        phone=f"+1646{2_000_000 + (number + seed * 7_919) % 7_999_999:07d}" if has(0.35 + likely / 2) else None,
        cookies=tuple(f"demo-ck-{tag}-{place}" for place in range(2 if has(0.4) else 1)),
        device=f"demo-dev-{tag}" if has(likely) else None,
        loyalty=f"AUR-{seed}-{number:06d}" if has(likely) else None,
        account=f"demo-user-{tag}" if has(likely) else None,
        shop_customer=f"shopify:{7_000_000 + seed * 1_000_000 + number}",
        store=STORES[0] if has_it_all else rng.choice(STORES),
        likes=rng.choice(CATEGORIES),
        store_share=rng.choice((0.0, 0.1, 0.3, 0.3, 0.6, 0.9)) if store_share is None else store_share,
        chats=has(0.3),
    )
