"""Made-up histories for comparisons with the oracle: overlapping identifiers, shared orders, refunds that come late."""

import random

from core.events import IncomingEvent
from tests.factories import event, fact

_BLOCK = ("email:a{0}@x.io", "email:b{0}@x.io", "email:c{0}@x.io", "phone:+1415555{0:03d}1", "phone:+1415555{0:03d}2")


def overlapping_history(brand: str, seed: int, *, blocks: int, events: int, most: int) -> list[IncomingEvent]:
    """`events` events; each takes 1 to `most` identifiers of one block of five, so that people grow together slowly.

    With `most` up to three no event can meet more than three profiles, whatever came before it.
    """
    rng = random.Random(seed)
    return [_event(brand, rng, number, rng.randrange(blocks), most) for number in range(events)]


def one_event_for_each_identifier(brand: str, *, blocks: int) -> list[IncomingEvent]:
    """Every identifier of every block on its own: nobody is known to be anybody else yet."""
    return [
        event(brand, name.format(block), key=f"s{block}-{place}")
        for block in range(blocks)
        for place, name in enumerate(_BLOCK)
    ]


def _event(brand: str, rng: random.Random, number: int, block: int, most: int) -> IncomingEvent:
    pairs = [name.format(block) for name in rng.sample(_BLOCK, rng.randint(1, most))]
    order_id = f"o{block}-{rng.randrange(3)}"
    total = rng.randrange(100, 10_000)
    key = f"e{number}"
    chance = rng.random()
    if chance < 0.3:
        return event(brand, *pairs, key=key, minute=number, order=fact(brand, order_id, total=total))
    if chance < 0.4:
        # A refund names its order and nobody; it may well come before the purchase.
        refund = fact(brand, order_id, "refund", total // 4, refund_id=f"r{rng.randrange(3)}")
        return event(brand, key=key, minute=number, order=refund)
    if chance < 0.42:
        return event(brand, key=key, minute=number, order=fact(brand, order_id, "cancel", 0))
    return event(brand, *pairs, key=key, minute=number)
