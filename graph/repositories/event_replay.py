"""Stored events as the commit was given them: what a replay sends through the same door once more."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.clock import EARLIEST
from core.events import IncomingEvent, OrderFact
from core.identifiers import Identifier
from graph.commit_read import facts_from_json, order_id_of
from graph.driver import Graph
from graph.values import to_time


@dataclass(frozen=True, slots=True)
class ReplayFilter:
    """Which events of a brand: of one type, received from `since` on and before `until`; None for all."""

    type: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_stored(graph: Graph, brand: str, after: str, limit: int, wanted: ReplayFilter) -> list[IncomingEvent]:
    """Events in the order of their ids, behind the id `after`; content that retention removed is not among them."""
    rows = graph.read(
        "events/list_for_replay",
        brand=brand, after=after, limit=limit, type=wanted.type, since=wanted.since, until=wanted.until,
    )  # fmt: skip
    return [_incoming(brand, row) for row in rows]


def _incoming(brand: str, row: dict[str, Any]) -> IncomingEvent:
    stored = row["event"]
    return IncomingEvent(
        id=stored["id"],
        brand=brand,
        type=stored["type"],
        channel=stored["channel"],
        source=stored["source"],
        occurred_at=to_time(stored["occurred_at"]) or EARLIEST,
        received_at=to_time(stored["received_at"]) or EARLIEST,
        payload=stored["payload"],
        identifiers=tuple(sorted(Identifier(*pair) for pair in row["identifiers"])),
        trust=stored["trust"],
        fingerprint=stored.get("fingerprint") or "",
        order=_fact(stored, row["facts"]),
        traits=stored.get("traits") or "",
        warnings=tuple(stored.get("warnings") or ()),
    )


def _fact(stored: dict[str, Any], facts: str | None) -> OrderFact | None:
    """What the event said about its order: the order keeps it."""
    key: str = stored.get("order_key") or ""
    for fact in facts_from_json(facts) if key and facts else ():
        if fact.event_id == stored["id"]:
            return OrderFact(
                key=key,
                kind=fact.kind,
                order_id=order_id_of(key),
                total_minor=fact.total_minor,
                currency=fact.currency,
                counts=fact.counts,
                refund_id=fact.refund_id,
                status=fact.status,
                lines=fact.lines,
                amount=fact.amount,
            )
    return None
