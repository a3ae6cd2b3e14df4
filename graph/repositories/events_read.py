"""Reads single stored events with their decision, as `GET /api/events/{id}` answers them."""

from collections.abc import Sequence
from typing import Any

from core.clock import format_time
from core.decisions import DecisionKind
from core.errors import NotFoundError
from core.events import IncomingEvent
from core.money import to_decimal_string
from graph.driver import Graph
from graph.values import group_identifiers, parse_json, to_time_text


def get_event(graph: Graph, brand: str, event_id: str) -> dict[str, Any]:
    """One event with payload, identifiers and decision; raises NotFoundError when unknown or of another brand."""
    rows = graph.read("events/get_event", brand=brand, id=event_id)
    if not rows:
        raise NotFoundError("No such event.")
    stored = rows[0]["event"]
    return {
        "event_id": stored["id"],
        "type": stored["type"],
        "channel": stored.get("channel"),
        "source": stored.get("source"),
        "occurred_at": to_time_text(stored.get("occurred_at")),
        "received_at": to_time_text(stored.get("received_at")),
        "decision": stored.get("decision"),
        "profile_id": rows[0]["profile_id"],
        "merged_profile_ids": list(stored.get("merged_ids") or ()),
        "merge_id": stored.get("merge_id"),
        "review_id": stored.get("review_id"),
        "identifiers": group_identifiers(rows[0]["identifiers"]),
        "payload": parse_json(stored.get("payload"), {}),
        "amount": amount_text(stored),
        "currency": stored.get("currency"),
        "trust": stored.get("trust"),
        "rules": list(stored.get("rules") or ()),
        "rule_version": stored.get("rule_version"),
        "warnings": list(stored.get("warnings") or ()),
    }


def queued_event(event: IncomingEvent) -> dict[str, Any]:
    """An event that waits in the inbox, in the same shape: nothing is decided about it yet."""
    order = event.order
    amount = to_decimal_string(order.total_minor, order.currency) if order is not None and order.currency else None
    return {
        "event_id": event.id,
        "type": event.type,
        "channel": event.channel,
        "source": event.source,
        "occurred_at": format_time(event.occurred_at),
        "received_at": format_time(event.received_at),
        "decision": DecisionKind.QUEUED,
        "profile_id": None,
        "merged_profile_ids": [],
        "merge_id": None,
        "review_id": None,
        "identifiers": group_identifiers([list(identifier) for identifier in event.identifiers]),
        "payload": parse_json(event.payload, {}),
        "amount": amount,
        "currency": order.currency if amount is not None and order is not None else None,
        "trust": event.trust,
        "rules": [],
        "rule_version": None,
        "warnings": list(event.warnings),
    }


def list_events_by_id(graph: Graph, brand: str, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Those of `ids` that are events of the brand: id, type, channel, occurred_at (text) and payload (data)."""
    return [
        {
            **row,
            "occurred_at": to_time_text(row["occurred_at"]),
            "payload": parse_json(row["payload"], {}),
        }
        for row in graph.read("events/list_by_ids", brand=brand, ids=list(ids))
    ]


def amount_text(stored: dict[str, Any]) -> str | None:
    """An event's amount as a decimal string; None when it has none."""
    minor, currency = stored.get("amount_minor"), stored.get("currency")
    return None if minor is None or not currency else to_decimal_string(minor, currency)
