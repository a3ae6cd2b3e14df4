"""Bench, first step: the event mix that all five measurements share, as request bodies and as normalised events."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from core.brand import BrandSettings
from core.clock import format_time
from core.events import IncomingEvent
from ingest.steps.normalise import to_incoming
from ingest.steps.validate import parse_event

# Three of four events then meet a person seen before, however many events a measurement takes.
EVENTS_PER_PERSON = 4
_START = datetime(2026, 7, 1, tzinfo=UTC)
_SPAN = timedelta(days=90)
_IDENTIFIER_COUNTS = ((1, 20), (2, 40), (3, 40))
_TYPES = (
    ("page_view", 40),
    ("product_view", 22),
    ("cart_add", 10),
    ("email_click", 8),
    ("search", 8),
    ("purchase", 12),
)
_CHANNELS = {"email_click": "email"}
# How often an event carries the identifier that its person uses most; the rest brings merges about.
_ANCHOR_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Sample:
    """One event of the mix: the true person behind it and its request body."""

    person: int
    body: dict[str, Any]


def make_samples(count: int, seed: int, first_person: int = 0) -> list[Sample]:
    """`count` events of `count / 4` people, numbered from `first_person`; the same numbers give the same events."""
    rng = random.Random(f"bench {seed} {count}")  # noqa: S311 (no secret)
    people = max(1, count // EVENTS_PER_PERSON)
    people_numbers = range(first_person, first_person + people)
    return list(_samples(rng, count, people_numbers, f"{seed}-" if seed else ""))


def encode_bodies(samples: list[Sample]) -> list[bytes]:
    """The request body of each event as JSON bytes."""
    return [msgspec.json.encode(sample.body) for sample in samples]


def to_events(samples: list[Sample], settings: BrandSettings) -> list[IncomingEvent]:
    """The same events as the pipeline hands them to the commit, for the brand of `settings`."""
    now = _START + _SPAN
    return [to_incoming(parse_event(sample.body, settings, now), settings, now) for sample in samples]


def _samples(rng: random.Random, count: int, people: range, prefix: str) -> Iterator[Sample]:
    step = _SPAN / count
    types = [name for name, weight in _TYPES for _ in range(weight)]
    counts = [number for number, weight in _IDENTIFIER_COUNTS for _ in range(weight)]
    for place in range(count):
        person = rng.choice(people)
        event_type = rng.choice(types)
        yield Sample(
            person,
            {
                "type": event_type,
                "channel": _CHANNELS.get(event_type, "website"),
                "source": "bench",
                "occurred_at": format_time(_START + step * place),
                "message_id": f"m-{prefix}{place}",
                "identifiers": _identifiers(rng, person, rng.choice(counts)),
                "payload": _payload(rng, event_type, f"{prefix}{place}"),
            },
        )


def _identifiers(rng: random.Random, person: int, count: int) -> dict[str, str]:
    owned = [
        ("email", f"person{person}@mail{person % 50}.example"),
        ("phone", f"+1212{2_000_000 + person}"),
        ("cookie_id", f"ck-{person:08d}"),
        ("user_id", f"user-{person}"),
    ]
    anchor = owned.pop(person % len(owned))
    if rng.random() < _ANCHOR_SHARE:
        return dict([anchor, *rng.sample(owned, count - 1)])
    return dict(rng.sample(owned, count))


def _payload(rng: random.Random, event_type: str, place: str) -> dict[str, Any]:
    product = rng.randrange(2_000)
    page = {"page_url": f"https://shop.example/products/{product}", "product_id": f"P{product}"}
    if event_type != "purchase":
        return page
    cents = rng.randrange(500, 30_000)
    total = f"{cents // 100}.{cents % 100:02d}"
    item = {
        "product_id": f"P{product}",
        "name": f"Product {product}",
        "category": "Apparel",
        "quantity": 1,
        "price": total,
    }
    return {"order_id": f"B-{place}", "total": total, "currency": "USD", "items": [item]}
