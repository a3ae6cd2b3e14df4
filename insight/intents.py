"""Product intents as a pure function over signals and sales: what a customer seems to want, and how much, at a moment.

Signals are kept per persona at commit; an intent is folded from those of a whole cluster, so it follows merges and
unmerges and late events by itself.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

BASES = {"view": 20, "scan": 20, "search": 30, "wishlist": 50, "cart": 70}
"""Score of the first signal of each kind; the highest kind present counts."""
TAKEN_BACK = "uncart"
REPEAT = 10
BOUGHT_BEFORE = 15
HIGHEST = 100
HALF_LIFE = timedelta(days=7)
LIFE = timedelta(days=30)
LOWEST = 5
HIGH_INTENT = 70
ACTIVE, CONVERTED, EXPIRED = "active", "converted", "expired"
STATUSES = (ACTIVE, CONVERTED, EXPIRED)


@dataclass(frozen=True, slots=True)
class Signal:
    """One event that tells of interest in products."""

    event_id: str
    kind: str
    at: datetime
    products: tuple[str, ...] = ()
    channel: str = "other"


@dataclass(frozen=True, slots=True)
class Sale:
    """A counted order and the products in it."""

    order_key: str
    at: datetime
    products: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Intent:
    """Interest of one profile in one product: its current spell, from the first signal to conversion or expiry."""

    product_id: str
    score: int
    status: str
    signals: dict[str, int]
    """Signals of the spell by kind."""
    first_at: datetime
    last_at: datetime
    expires_at: datetime
    bought_before: bool
    full_score: int
    """The score at its last signal, before any decay."""
    converted_at: datetime | None = None
    order_key: str | None = None
    event_ids: tuple[str, ...] = ()

    @property
    def is_high(self) -> bool:
        """Whether somebody should act on it now."""
        return self.status == ACTIVE and self.score >= HIGH_INTENT


@dataclass(slots=True)
class _Spell:
    """Signals of one product that belong together."""

    kinds: Counter[str] = field(default_factory=Counter)
    first_at: datetime | None = None
    last_at: datetime | None = None
    bought_before: bool = False
    event_ids: list[str] = field(default_factory=list)
    converted: Sale | None = None

    def score(self, at: datetime) -> int:
        if not self.kinds or self.last_at is None:
            return 0
        repeats = sum(self.kinds.values()) - len(self.kinds)
        full = max(BASES[kind] for kind in self.kinds) + REPEAT * repeats + BOUGHT_BEFORE * self.bought_before
        return decayed(min(HIGHEST, full), self.last_at, at)

    def is_over(self, at: datetime) -> bool:
        """Whether it ended before `at`: bought, too old, or too faint."""
        if self.converted is not None:
            return True
        return self.last_at is not None and (at - self.last_at >= LIFE or self.score(at) < LOWEST)


def decayed(score: int, last_at: datetime, at: datetime) -> int:
    """A score halved once for each full seven days since the last signal."""
    return score >> max(0, (at - last_at) // HALF_LIFE)


def fold_intents(signals: Iterable[Signal], sales: Iterable[Sale], now: datetime) -> list[Intent]:
    """The intents of one profile as of `now`, highest score first; nothing after `now` counts.

    A sale of the product converts the open spell; a signal after the end of a spell begins a new one. A spell whose
    cart signals were all taken back is none.
    """
    by_product: dict[str, list[Signal]] = {}
    for signal in signals:
        if signal.at <= now and (signal.kind in BASES or signal.kind == TAKEN_BACK):
            for product in signal.products:
                by_product.setdefault(product, []).append(signal)
    bought = sorted((sale for sale in sales if sale.at <= now), key=lambda sale: (sale.at, sale.order_key))
    found = [
        intent
        for product, told in by_product.items()
        if (intent := _fold(product, told, [sale for sale in bought if product in sale.products], now)) is not None
    ]
    return sorted(found, key=lambda intent: (intent.status != ACTIVE, -intent.score, intent.product_id))


def _fold(product: str, signals: Sequence[Signal], sales: Sequence[Sale], now: datetime) -> Intent | None:
    spell = _Spell()
    waiting = list(sales)
    for signal in sorted(signals, key=lambda signal: (signal.at, signal.event_id)):
        _convert(spell, waiting, signal.at)
        if signal.kind == TAKEN_BACK:
            _take_back(spell)
            continue
        if spell.is_over(signal.at):
            spell = _Spell()
        spell.first_at = spell.first_at or signal.at
        spell.last_at = signal.at
        spell.kinds[signal.kind] += 1
        spell.event_ids.append(signal.event_id)
        spell.bought_before = any(sale.at <= signal.at for sale in sales)
    _convert(spell, waiting, None)
    return _intent(product, spell, now)


def _convert(spell: _Spell, waiting: list[Sale], until: datetime | None) -> None:
    """Let the sales before `until` convert the spell; those that found nothing open are past."""
    while waiting and (until is None or waiting[0].at <= until):
        sale = waiting.pop(0)
        if spell.kinds and not spell.is_over(sale.at):
            spell.converted = sale


def _take_back(spell: _Spell) -> None:
    if spell.converted is None:
        del spell.kinds["cart"]


def _intent(product: str, spell: _Spell, now: datetime) -> Intent | None:
    if not spell.kinds or spell.first_at is None or spell.last_at is None:
        return None
    sale = spell.converted
    status = CONVERTED if sale else EXPIRED if spell.is_over(now) else ACTIVE
    return Intent(
        product_id=product,
        score=spell.score(sale.at if sale else now),
        status=status,
        signals=dict(sorted(spell.kinds.items())),
        first_at=spell.first_at,
        last_at=spell.last_at,
        expires_at=spell.last_at + LIFE,
        bought_before=spell.bought_before,
        full_score=spell.score(spell.last_at),
        converted_at=sale.at if sale else None,
        order_key=sale.order_key if sale else None,
        event_ids=tuple(spell.event_ids),
    )
