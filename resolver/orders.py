"""An order is a fold of its facts: the same facts in any order give the same owner, amount and count."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.money import to_minor

SALE, REFUND, CANCEL, STATUS = "sale", "refund", "cancel", "status"
REFUNDED = "refunded"
"""How much was paid back altogether up to then, from senders that tell sums and not single refunds."""
DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class Fact:
    """What one stored event says about the order; `at` in microseconds, money in minor units.

    `follows` marks an event without identifiers of its own: it belongs to whoever owns the order.
    """

    event_id: str
    kind: str
    at: int
    persona_id: str | None = None
    total_minor: int = 0
    currency: str = ""
    counts: bool = True
    refund_id: str = ""
    status: str = ""
    lines: str = ""
    follows: bool = False
    amount: str = ""
    """Decimal text where no currency is stated: the amount is in the order's, whatever that turns out to be."""
    channel: str = ""

    @property
    def rank(self) -> tuple[int, str]:
        """Event time, made total by the event id."""
        return (self.at, self.event_id)

    def owned_by(self, persona_id: str | None) -> "Fact":
        """The same fact of another persona's event; nobody's follows the order, as one without identifiers does."""
        return replace(self, persona_id=persona_id, follows=persona_id is None)


@dataclass(frozen=True, slots=True)
class OrderState:
    """The folded order: whose it is, what it counts for, and what stands in it."""

    owner_id: str | None = None
    placed_at: int | None = None
    total_minor: int = 0
    refunded_minor: int = 0
    counted_minor: int = 0
    counts: bool = False
    currency: str = ""
    status: str = ""
    lines: str = ""
    channel: str = ""
    """Channel of the earliest sale."""
    delivered_at: int | None = None


NO_ORDER = OrderState()


def fold_order(facts: Sequence[Fact]) -> OrderState:
    """Fold facts into the order's state.

    The owner comes from the earliest sale with identifiers of its own, the time from the earliest sale, the amount from
    the earliest sale that its source says is paid for, lines from the earliest version that has some; a cancellation
    counts nothing, refunds count once by refund id; of their sum and the largest told sum the larger one counts.
    """
    sales = sorted((fact for fact in facts if fact.kind == SALE), key=lambda fact: fact.rank)
    counting = [fact for fact in sales if fact.counts]
    base = next(iter(counting or sales), None)
    refunded = _refunded(facts, base.currency if base else None)
    cancelled = any(fact.kind == CANCEL for fact in facts)
    total = base.total_minor if base else 0
    is_refunded = refunded > 0 and refunded >= total
    return OrderState(
        owner_id=next((fact.persona_id for fact in sales if fact.persona_id and not fact.follows), None),
        placed_at=sales[0].at if sales else None,
        total_minor=total,
        refunded_minor=refunded,
        counted_minor=0 if cancelled or not counting else max(0, total - refunded),
        counts=bool(counting) and not cancelled and not is_refunded,
        currency=base.currency if base else "",
        status=_status(facts, cancelled=cancelled, is_refunded=is_refunded),
        lines=next((fact.lines for fact in sales if fact.lines), ""),
        channel=sales[0].channel if sales else "",
        delivered_at=min((fact.at for fact in facts if fact.status == DELIVERED), default=None),
    )


def _refunded(facts: Sequence[Fact], currency: str | None) -> int:
    """Paid back so far, in `currency` (each fact's own while the order is unknown)."""
    single = sum(_minor_in(fact, currency or fact.currency) for fact in _distinct_refunds(facts))
    told = [_minor_in(fact, currency or fact.currency) for fact in facts if fact.kind == REFUNDED]
    return max([single, *told])


def _minor_in(fact: Fact, currency: str) -> int:
    """A refund in minor units of the order's currency; one stated in another currency cannot be taken off."""
    if fact.currency == currency:
        return fact.total_minor
    return abs(to_minor(fact.amount, currency) or 0) if not fact.currency else 0


def _distinct_refunds(facts: Sequence[Fact]) -> list[Fact]:
    """The earliest fact of each refund id; a refund without an id is one of its own."""
    chosen: dict[str, Fact] = {}
    for fact in sorted((fact for fact in facts if fact.kind == REFUND), key=lambda fact: fact.rank):
        chosen.setdefault(fact.refund_id or fact.event_id, fact)
    return list(chosen.values())


def _largest_sums(facts: Sequence[Fact]) -> dict[str, str]:
    """Currency → the event that tells of most money paid back in it."""
    sums = sorted((fact for fact in facts if fact.kind == REFUNDED), key=lambda fact: (fact.total_minor, fact.rank))
    return {fact.currency: fact.event_id for fact in sums}


def _status(facts: Sequence[Fact], *, cancelled: bool, is_refunded: bool) -> str:
    if cancelled:
        return "cancelled"
    if is_refunded:
        return "refunded"
    stated = [fact for fact in facts if fact.status]
    return max(stated, key=lambda fact: fact.rank).status if stated else "completed"


def add_fact(facts: Sequence[Fact], fact: Fact) -> tuple[Fact, ...]:
    """Facts with `fact` added and with all left out that can never matter again.

    Kept are: the earliest sale, the earliest counting sale, the earliest sale with lines, each refund id's earliest,
    the largest told sum of refunds in each currency, one cancellation, the latest status, the earliest delivery, and
    every fact that follows the order (its event may have to move).
    """
    everything = sorted({known.event_id: known for known in (*facts, fact)}.values(), key=lambda known: known.rank)
    sales = [known for known in everything if known.kind == SALE]
    owning = [sale for sale in sales if sale.persona_id and not sale.follows]
    keep: set[str] = {known.event_id for known in everything if known.follows}
    keep.update(known.event_id for known in (*sales[:1], *owning[:1]))
    keep.update(known.event_id for known in [sale for sale in sales if sale.counts][:1])
    with_lines = next((sale for sale in sales if sale.lines), None)
    keep.update([with_lines.event_id] if with_lines else [])
    keep.update(known.event_id for known in _distinct_refunds(everything))
    keep.update(_largest_sums(everything).values())
    keep.update(known.event_id for known in [known for known in everything if known.kind == CANCEL][:1])
    keep.update(known.event_id for known in [known for known in everything if known.status][-1:])
    keep.update(known.event_id for known in [known for known in everything if known.status == DELIVERED][:1])
    return tuple(
        replace(known, lines="") if known.lines and known is not with_lines else known
        for known in everything
        if known.event_id in keep
    )


def read_lines(text: str) -> list[dict[str, Any]]:
    """Order lines from their JSON text; what is no line is left out."""
    lines = json.loads(text) if text else []
    return [line for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []


def line_categories(text: str) -> tuple[str, ...]:
    """Categories named in an order's lines, sorted, each once: an order speaks once for a category."""
    return _named(text, "category")


def line_products(text: str) -> tuple[str, ...]:
    """Product ids named in an order's lines, sorted, each once."""
    return _named(text, "product_id")


def _named(text: str, name: str) -> tuple[str, ...]:
    values = (line.get(name) for line in read_lines(text))
    return tuple(sorted({value.strip() for value in values if isinstance(value, str) and value.strip()}))
