"""Scenario, last step: what a brand's graph says at the end, as digests that can be compared."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from cli.service import ServiceClient

_TOLD_OF_PROFILES = ("strength", "lifetime_value", "currency", "total_orders", "event_count", "identifiers")
_TOLD_OF_EVENTS = ("type", "channel", "amount", "identifiers")


def graph_digest(client: ServiceClient) -> str:
    """Digest of everything with its ids: equal before and after means that nothing was written."""
    profiles = sorted(client.pages("/api/profiles"), key=lambda profile: str(profile["id"]))
    reviews = sorted(client.pages("/api/reviews"), key=lambda review: str(review["id"]))
    return _digest([profiles, reviews, [_history(client, profile["id"]) for profile in profiles]])


def story_digest(client: ServiceClient) -> str:
    """Digest of what does not depend on ids and times: equal for the same story in two brands."""
    profiles = []
    for profile in client.pages("/api/profiles"):
        merges, events = _history(client, profile["id"])
        profiles.append([
            {name: profile[name] for name in _TOLD_OF_PROFILES},
            _in_any_order(
                [merge["reason"], len(merge["absorbed_ids"]), merge["reverted_at"] is None] for merge in merges
            ),
            _in_any_order([event[name] for name in _TOLD_OF_EVENTS] for event in events),
        ])  # fmt: skip
    reviews = [
        [review["status"], review["reason"], len(review["profile_ids"]), len(review["event_ids"])]
        for review in client.pages("/api/reviews")
    ]
    return _digest([_in_any_order(profiles), _in_any_order(reviews)])


def _in_any_order(items: Iterable[Any]) -> list[Any]:
    """The items in an order that follows from their content alone."""
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


def _history(client: ServiceClient, profile_id: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Merges and events of a profile."""
    merges = client.get(f"/api/profiles/{profile_id}/merge-history")["items"]
    events = [item for item in client.pages(f"/api/customer360/{profile_id}/timeline") if item["type"] != "merge"]
    return merges, events


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
