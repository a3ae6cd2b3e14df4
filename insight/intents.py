"""Product intents as a pure function over signals and sales: what a customer seems to want, and how much, at a moment.

Signals are kept per persona at commit; an intent is folded from those of a whole cluster, so it follows merges and
unmerges and late events by itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

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
_SIGNALS_BY_TIME, _SALES_BY_TIME = attrgetter("at", "event_id"), attrgetter("at", "order_key")


class Signal(NamedTuple):
    """One event that tells of interest in products."""

    event_id: str
    kind: str
    at: datetime
    products: tuple[str, ...] = ()


class Sale(NamedTuple):
    """A counted order and the products in it."""

    order_key: str
    at: datetime
    products: frozenset[str] = frozenset()


class Intent(NamedTuple):
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

    kinds: dict[str, int] = field(default_factory=dict)
    first_at: datetime | None = None
    last_at: datetime | None = None
    bought_before: bool = False
    event_ids: list[str] = field(default_factory=list)
    converted: Sale | None = None

    def full_score(self) -> int:
        """The score at the last signal, before any decay."""
        if not self.kinds:
            return 0
        repeats = sum(self.kinds.values()) - len(self.kinds)
        full = max(BASES[kind] for kind in self.kinds) + REPEAT * repeats + BOUGHT_BEFORE * self.bought_before
        return min(HIGHEST, full)

    def is_over(self, at: datetime) -> bool:
        """Whether it ended before `at`: bought, too old, or too faint."""
        if self.converted is not None:
            return True
        if self.last_at is None:
            return False
        return at - self.last_at >= LIFE or decayed(self.full_score(), self.last_at, at) < LOWEST


def decayed(score: int, last_at: datetime, at: datetime) -> int:
    """A score halved once for each full seven days since the last signal."""
    return score >> max(0, (at - last_at) // HALF_LIFE)


def fold_intents(signals: Iterable[Signal], sales: Iterable[Sale], now: datetime) -> list[Intent]:
    """The intents of one profile as of `now`, highest score first; nothing after `now` counts.

    A sale of the product converts the open spell; a signal after the end of a spell begins a new one. A spell whose
    cart signals were all taken back is none.
    """
    by_product: dict[str, list[Signal]] = {}
    for signal in sorted(signals, key=_SIGNALS_BY_TIME):
        if signal.at <= now and (signal.kind in BASES or signal.kind == TAKEN_BACK):
            for product in signal.products:
                by_product.setdefault(product, []).append(signal)
    bought: dict[str, list[Sale]] = {}
    for sale in sorted(sales, key=_SALES_BY_TIME):
        if sale.at <= now:
            for product in sale.products:
                bought.setdefault(product, []).append(sale)
    found = [
        intent
        for product, told in by_product.items()
        if (intent := _fold(product, told, bought.get(product, ()), now)) is not None
    ]
    return sorted(found, key=lambda intent: (intent.status != ACTIVE, -intent.score, intent.product_id))


def _fold(product: str, signals: Sequence[Signal], sales: Sequence[Sale], now: datetime) -> Intent | None:
    """The current spell of one product; signals and its sales come oldest first."""
    if len(signals) == 1 and not sales:
        return _fold_single(product, signals[0], now)
    spell = _Spell()
    waiting = list(sales)
    for signal in signals:
        at = signal.at
        _convert(spell, waiting, at)
        if signal.kind == TAKEN_BACK:
            _take_back(spell)
            continue
        if spell.is_over(at):
            spell = _Spell()
        spell.first_at = spell.first_at or at
        spell.last_at = at
        spell.kinds[signal.kind] = spell.kinds.get(signal.kind, 0) + 1
        spell.event_ids.append(signal.event_id)
        spell.bought_before = bool(sales) and sales[0].at <= at
    _convert(spell, waiting, None)
    return _intent(product, spell, now)


def _fold_single(product: str, signal: Signal, now: datetime) -> Intent | None:
    """The same for one signal and no sale, which is what most products have: no spell is needed to tell."""
    if signal.kind == TAKEN_BACK:
        return None
    at, full = signal.at, BASES[signal.kind]
    score, expires_at = decayed(full, at, now), at + LIFE
    status = EXPIRED if now >= expires_at or score < LOWEST else ACTIVE
    return Intent(
        product, score, status, {signal.kind: 1}, at, at, expires_at, bought_before=False, full_score=full,
        event_ids=(signal.event_id,),
    )  # fmt: skip


def _convert(spell: _Spell, waiting: list[Sale], until: datetime | None) -> None:
    """Let the sales before `until` convert the spell; those that found nothing open are past."""
    while waiting and (until is None or waiting[0].at <= until):
        sale = waiting.pop(0)
        if spell.kinds and not spell.is_over(sale.at):
            spell.converted = sale


def _take_back(spell: _Spell) -> None:
    if spell.converted is None:
        spell.kinds.pop("cart", None)


def _intent(product: str, spell: _Spell, now: datetime) -> Intent | None:
    if not spell.kinds or spell.first_at is None or spell.last_at is None:
        return None
    sale, full = spell.converted, spell.full_score()
    score = decayed(full, spell.last_at, sale.at if sale else now)
    is_expired = now - spell.last_at >= LIFE or score < LOWEST
    return Intent(
        product_id=product,
        score=score,
        status=CONVERTED if sale else EXPIRED if is_expired else ACTIVE,
        signals=dict(sorted(spell.kinds.items())),
        first_at=spell.first_at,
        last_at=spell.last_at,
        expires_at=spell.last_at + LIFE,
        bought_before=spell.bought_before,
        full_score=full,
        converted_at=sale.at if sale else None,
        order_key=sale.order_key if sale else None,
        event_ids=tuple(spell.event_ids),
    )
