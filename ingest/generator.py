"""Try-out data: believable histories of customers on web, chat, mail and in stores, whose true identities are known."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from core.clock import format_time

_FIRST = (
    "ada",
    "ben",
    "chloe",
    "dev",
    "elena",
    "farid",
    "grace",
    "hugo",
    "ines",
    "jonas",
    "kavya",
    "liam",
    "mara",
    "noor",
)
_LAST = ("almeida", "brown", "chen", "diaz", "eriksen", "fischer", "gupta", "haddad", "ito", "jensen", "kim", "lopez")
_MAIL = ("mailbox.example", "post.example", "inbox.example")
_PRODUCTS = (
    ("TSH-1", "Summer T-Shirt", "Apparel", 2499),
    ("JKT-1", "Rain Jacket", "Apparel", 12900),
    ("SNK-1", "Canvas Sneakers", "Footwear", 7950),
    ("BOT-1", "Leather Boots", "Footwear", 16500),
    ("BAG-1", "Weekend Bag", "Accessories", 8999),
    ("CAP-1", "Wool Cap", "Accessories", 1950),
)
_STORES = ("STORE-001", "STORE-002", "STORE-003")
_ORDERS_PER_PERSON = 2
_CURRENCY = "USD"

# Shares of people and of visits; together they leave some traces that nothing ties to their owner.
_HAS_SECOND_DEVICE = 0.45
_HAS_LOYALTY_CARD = 0.35
_USES_CHAT = 0.3
_SIGNS_IN = 0.55
_SHOP_HANDS_ON_COOKIE = 0.5
_GIVES_PHONE = 0.4
_STAYS_UNKNOWN_IN_STORE = 0.1
_CLICKS_MAIL = 0.4

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class HistoryPlan:
    """What to make: orders, days before `until`, people (half the orders by default), and how many share a device."""

    until: datetime
    orders: int = 500
    days: int = 90
    seed: int = 0
    people: int | None = None
    shared_device_rate: float = 0.02


@dataclass(frozen=True, slots=True)
class TrueEvent:
    """One event: the person who really did it, the (type, value) pairs it carries, and its request body."""

    person: int
    at: datetime
    pairs: Pairs
    body: dict[str, Any]


@dataclass(slots=True)
class _Person:
    number: int
    email: str
    phone: str
    cookies: list[str]
    device: str | None
    loyalty_id: str | None
    uses_chat: bool
    shop: str
    orders: int = field(default=0)


def make_histories(plan: HistoryPlan) -> list[TrueEvent]:
    """The events of all people in order of time; the same plan gives the same events."""
    rng = random.Random(f"histories {plan.seed}")  # noqa: S311 (no secret)
    people = _make_people(plan, rng)
    # A few customers buy often, most buy once or twice.
    weights = [rng.paretovariate(1.6) for _ in people]
    events: list[TrueEvent] = []
    for number in range(plan.orders):
        person = rng.choices(people, weights)[0]
        bought_at = plan.until - timedelta(days=plan.days) * (1 - rng.random())
        events += _visit(person, number, bought_at, rng)
    events.sort(key=lambda event: (event.at, event.person))
    return [_numbered(event, place, plan.seed) for place, event in enumerate(events)]


def _make_people(plan: HistoryPlan, rng: random.Random) -> list[_Person]:
    count = plan.people or max(1, plan.orders // _ORDERS_PER_PERSON)
    people = [_make_person(number, plan.seed, rng) for number in range(count)]
    for person in people[1:]:
        if rng.random() < plan.shared_device_rate:
            # One household, one tablet: the cookie is another person's too.
            person.cookies[0] = rng.choice(people[: person.number]).cookies[0]
    return people


def _make_person(number: int, seed: int, rng: random.Random) -> _Person:
    name = f"{rng.choice(_FIRST)}.{rng.choice(_LAST)}"
    devices = 2 if rng.random() < _HAS_SECOND_DEVICE else 1
    return _Person(
        number=number,
        email=f"{name}{number}@{rng.choice(_MAIL)}",
        phone=f"+1212{2_000_000 + number + (seed % 1000) * 7_919 % 1_000_000:07d}",
        cookies=[f"ck-{seed}-{number}-{place}" for place in range(devices)],
        device=f"dev-{seed}-{number}" if rng.random() < _USES_CHAT else None,
        loyalty_id=f"LOY-{seed}-{number:06d}" if rng.random() < _HAS_LOYALTY_CARD else None,
        uses_chat=rng.random() < _USES_CHAT,
        shop=rng.choice(("shopify", "shopify", "woocommerce")),
    )


def _visit(person: _Person, order: int, at: datetime, rng: random.Random) -> Iterator[TrueEvent]:
    """What leads to one order, the order itself, and what follows it."""
    person.orders += 1
    cookie = rng.choice(person.cookies)
    begin = at - timedelta(minutes=rng.randrange(20, 600))
    if rng.random() < _CLICKS_MAIL:
        clicked: Pairs = (("email", person.email), ("cookie_id", cookie))
        yield _event(person, "email_click", begin - timedelta(minutes=1), clicked, {"campaign": "newsletter"})
    product = rng.choice(_PRODUCTS)
    yield from _browse(person, cookie, begin, product, rng)
    if rng.random() < 0.35:  # noqa: PLR2004 (a third of the sales is made in stores)
        yield _store_sale(person, order, at, product, rng)
    else:
        yield _web_sale(person, order, at, (cookie, product), rng)
    if person.uses_chat:
        sender: Pairs = (("whatsapp", f"whatsapp:{person.phone}"),)
        yield _event(person, "whatsapp_message", at + timedelta(hours=4), sender, {"text": "When will it arrive?"})


def _browse(
    person: _Person, cookie: str, begin: datetime, product: tuple[str, str, str, int], rng: random.Random
) -> Iterator[TrueEvent]:
    seen: Pairs = (("cookie_id", cookie),)
    if person.device is not None and rng.random() < _USES_CHAT:
        seen = (*seen, ("device_id", person.device))
    page = {"page_url": f"https://shop.example/{product[0].lower()}", "product_id": product[0], "category": product[2]}
    for place, event_type in enumerate(("page_view", "product_view", "cart_add")[: rng.randint(1, 3)]):
        yield _event(person, event_type, begin + timedelta(minutes=3 * place), seen, page)
    if rng.random() < _SIGNS_IN:
        pairs = (("email", _spelt(person.email, rng)), ("cookie_id", cookie))
        yield _event(person, "identify", begin + timedelta(minutes=10), pairs, {})


def _web_sale(
    person: _Person, order: int, at: datetime, basket: tuple[str, tuple[str, str, str, int]], rng: random.Random
) -> TrueEvent:
    cookie, product = basket
    pairs = [("email", _spelt(person.email, rng)), ("external_id", f"{person.shop}:{900_000 + person.number}")]
    if rng.random() < _GIVES_PHONE:
        pairs.append(("phone", _written(person.phone, rng)))
    if rng.random() < _SHOP_HANDS_ON_COOKIE:
        pairs.append(("cookie_id", cookie))
    return _event(person, "purchase", at, tuple(pairs), _order(f"W-{order}", product, rng), source=person.shop)


def _store_sale(
    person: _Person, order: int, at: datetime, product: tuple[str, str, str, int], rng: random.Random
) -> TrueEvent:
    pairs: list[tuple[str, str]] = []
    if rng.random() >= _STAYS_UNKNOWN_IN_STORE:
        if person.loyalty_id is not None:
            pairs.append(("loyalty_id", person.loyalty_id))
        if person.loyalty_id is None or rng.random() < _GIVES_PHONE:
            pairs.append(("phone", _written(person.phone, rng)))
    payload = {"store_id": rng.choice(_STORES), **_order(f"T-{order}", product, rng)}
    return _event(person, "pos_transaction", at, tuple(pairs), payload, source="pos")


def _order(order_id: str, product: tuple[str, str, str, int], rng: random.Random) -> dict[str, Any]:
    product_id, name, category, cents = product
    quantity = rng.choice((1, 1, 1, 2))
    item = {"product_id": product_id, "name": name, "category": category, "quantity": quantity, "price": _money(cents)}
    return {"order_id": order_id, "total": _money(cents * quantity), "currency": _CURRENCY, "items": [item]}


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _spelt(email: str, rng: random.Random) -> str:
    """An address as people type it."""
    return rng.choice((email, email, email.upper(), f" {email.title()} "))


def _written(phone: str, rng: random.Random) -> str:
    """A number of ten digits after +1 as people write it."""
    digits = phone.removeprefix("+1")
    area, office, line = digits[:3], digits[3:6], digits[6:]
    return rng.choice((phone, f"+1-{area}-{office}-{line}", f"({area}) {office}-{line}", f"1{digits}"))


_CHANNELS = {"email_click": "email", "pos_transaction": "store", "whatsapp_message": "whatsapp"}


def _event(
    person: _Person, event_type: str, at: datetime, pairs: Pairs, payload: dict[str, Any], source: str = "tracker"
) -> TrueEvent:
    identifiers: dict[str, list[str]] = {}
    for kind, value in pairs:
        identifiers.setdefault(kind, []).append(value)
    body = {
        "type": event_type,
        "channel": _CHANNELS.get(event_type, "website"),
        "source": source,
        "occurred_at": format_time(at),
        "identifiers": identifiers,
        "payload": payload,
    }
    return TrueEvent(person.number, at, pairs, body)


def _numbered(event: TrueEvent, place: int, seed: int) -> TrueEvent:
    """The event with a message id: sending the same history again changes nothing."""
    return TrueEvent(event.person, event.at, event.pairs, {**event.body, "message_id": f"generated-{seed}-{place}"})
