"""Bench, second step: the rows that the resolver ends with, computed beforehand, for the raw and the naive writers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from core.brand import BrandSettings
from core.events import IncomingEvent
from core.identifiers import TIERS
from resolver.ids import persona_id_for
from resolver.records import DecidedEvent
from resolver.rules import rule_set_for
from resolver.working_set import WorkingSet

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class RawBatch:
    """One transaction of the raw measurement: only rows, nothing left to decide."""

    customers: Rows
    identifiers: Rows
    links: Rows
    events: Rows
    performed: list[tuple[str, list[int]]]
    """Customer → places of its events in `events`."""
    carried: list[tuple[str, list[int]]]
    """Identifier key → places of the events that carry it."""


@dataclass(frozen=True, slots=True)
class MixFacts:
    """What the mix is made of: shares of the decisions and the mean number of identifiers."""

    events: int
    identifiers_per_event: float
    known_share: float
    decisions: dict[str, int]


def plan_raw(events: Sequence[IncomingEvent], settings: BrandSettings, batch: int) -> list[RawBatch]:
    """The rows of `events` in batches: each batch creates what is new in it and matches what earlier ones created."""
    working, links_after = _fold(events, settings)
    seen: set[str] = set()
    batches = []
    start = 0
    for place in range(0, len(events), batch):
        decided = working.decided[place : place + batch]
        end = links_after[min(place + batch, len(events)) - 1]
        links = working.links[start:end]
        start = end
        new = {i.key(settings.id): i for entry in decided for i in entry.event.identifiers}
        batches.append(
            RawBatch(
                customers=[_customer(entry) for entry in decided if entry.persona_id == persona_id_for(entry.event.id)],
                identifiers=[
                    {"key": key, "type": i.type, "value": i.value, "tier": int(TIERS[i.type])}
                    for key, i in new.items()
                    if key not in seen
                ],
                links=[
                    {
                        "persona_id": link.persona_id,
                        "key": link.identifier.key(settings.id),
                        "since": link.event.occurred_at,
                        "trust": link.event.trust,
                        "source": link.event.source,
                        "event_id": link.event.id,
                    }
                    for link in links
                ],
                events=[_event(entry) for entry in decided],
                performed=_places((entry.persona_id or "", place) for place, entry in enumerate(decided)),
                carried=_places(
                    (identifier.key(settings.id), place)
                    for place, entry in enumerate(decided)
                    for identifier in entry.event.identifiers
                ),
            )
        )
        seen.update(new)
    return batches


def plan_naive(events: Sequence[IncomingEvent], settings: BrandSettings) -> Rows:
    """The same rows one event at a time, for writers that MERGE everything."""
    working, _ = _fold(events, settings)
    return [
        {
            **_event(entry),
            "identifiers": [
                {"key": i.key(settings.id), "type": i.type, "value": i.value, "tier": int(TIERS[i.type])}
                for i in entry.event.identifiers
            ],
        }
        for entry in working.decided
    ]


def describe_mix(events: Sequence[IncomingEvent], settings: BrandSettings) -> MixFacts:
    """How the resolver decides `events` when they come one by one in this order."""
    working, _ = _fold(events, settings)
    decisions: dict[str, int] = {}
    for entry in working.decided:
        decisions[entry.decision] = decisions.get(entry.decision, 0) + 1
    count = len(events)
    return MixFacts(
        events=count,
        identifiers_per_event=round(sum(len(event.identifiers) for event in events) / count, 2),
        known_share=round(1 - decisions.get("created", 0) / count, 3),
        decisions=dict(sorted(decisions.items())),
    )


def _fold(events: Sequence[IncomingEvent], settings: BrandSettings) -> tuple[WorkingSet, list[int]]:
    """All events in one in-memory working set, and how many links there were after each."""
    working = WorkingSet(rule_set_for(settings), settings.currency)
    links_after = []
    for event in events:
        working.take(event)
        links_after.append(len(working.links))
    return working, links_after


def _places(pairs: Iterable[tuple[str, int]]) -> list[tuple[str, list[int]]]:
    """Pairs grouped by their name, sorted: the order in which relationships lock their nodes."""
    grouped: dict[str, list[int]] = {}
    for name, place in pairs:
        grouped.setdefault(name, []).append(place)
    return sorted(grouped.items())


def _customer(entry: DecidedEvent) -> dict[str, Any]:
    at = entry.event.occurred_at
    return {
        "id": entry.persona_id,
        "at": at,
        "amount": entry.event.order.total_minor if entry.event.order else 0,
        "orders": 1 if entry.event.order else 0,
        "types": sorted({identifier.type for identifier in entry.event.identifiers}),
    }


def _event(entry: DecidedEvent) -> dict[str, Any]:
    event, order = entry.event, entry.event.order
    return {
        "id": event.id,
        "type": event.type,
        "channel": event.channel,
        "source": event.source,
        "occurred_at": event.occurred_at,
        "received_at": event.received_at,
        "payload": event.payload,
        "decision": entry.decision,
        "persona_id": entry.persona_id,
        "fingerprint": event.fingerprint,
        "trust": event.trust,
        "order_key": order.key if order else None,
        "amount_minor": order.total_minor if order else None,
        "currency": order.currency if order else None,
    }
