"""Versions of a brand's identity rules in the graph, and the history that a preview replays."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from core.events import IncomingEvent
from core.identifiers import Identifier
from core.rules import IdentityRules, rules_from_dict, rules_to_dict
from graph.driver import Graph

VERSION_PREFIX = "v"
_PAGE = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StoredProfile:
    """A live profile as a preview compares it; money in minor units of the brand's currency."""

    id: str
    ltv_minor: int
    identifiers: frozenset[str]


def list_rule_sets(graph: Graph, brand: str) -> list[dict[str, Any]]:
    """Every version, newest first, with its rules and times (aware datetimes)."""
    return [
        {
            **row,
            "rules": rules_to_dict(rules_from_dict(json.loads(row["rules"]), row["version"])),
            "created_at": row["created_at"].to_native(),
            "activated_at": row["activated_at"].to_native() if row["activated_at"] else None,
        }
        for row in graph.read("rules/list_rule_sets", brand=brand)
    ]


def create_rule_set(graph: Graph, brand: str, rules: IdentityRules, *, note: str, by: str, op: str) -> str:
    """Store a new version, not yet active; its name. `op` makes a replay harmless."""
    rows = graph.write(
        "rules/create_rule_set",
        brand=brand, prefix=VERSION_PREFIX, rules=json.dumps(rules_to_dict(rules), sort_keys=True), note=note, by=by,
        at=datetime.now(UTC), op=op,
    )  # fmt: skip
    return str(rows[0]["version"])


def activate_rule_set(graph: Graph, brand: str, version: str, *, by: str, reason: str = "") -> bool:
    """Let this version decide from now on; False when the brand has none of that name."""
    rows = graph.write(
        "rules/activate_rule_set", brand=brand, version=version, by=by, reason=reason, at=datetime.now(UTC)
    )
    return bool(rows)


def reset_rule_set(graph: Graph, brand: str) -> None:
    """Go back to the built-in rules."""
    graph.write("rules/reset_rule_set", brand=brand)


def read_profiles(graph: Graph, brand: str) -> Iterator[StoredProfile]:
    """All live profiles, in pages."""
    after = ""
    while rows := graph.read("rules/list_profiles_for_replay", brand=brand, after=after, limit=_PAGE):
        after = rows[-1]["id"]
        for row in rows:
            yield StoredProfile(row["id"], row["ltv_minor"], frozenset(row["identifiers"]))


def read_history(graph: Graph, brand: str, limit: int) -> tuple[list[IncomingEvent], bool]:
    """Up to `limit` events in the order they came, and whether there are more."""
    found: list[tuple[int, IncomingEvent]] = []
    after = ""
    while rows := graph.read("rules/list_events_for_replay", brand=brand, after=after, limit=_PAGE):
        after = rows[-1]["persona_id"]
        for row in rows:
            found += [(event[2], _event(brand, event)) for event in row["events"]]
        if len(found) > limit:
            break
    found.sort(key=lambda pair: (pair[0], pair[1].id))
    return [event for _, event in found[:limit]], len(found) > limit


def _event(brand: str, row: list[Any]) -> IncomingEvent:
    event_id, occurred, received, trust, identifiers = row
    return IncomingEvent(
        id=event_id, brand=brand, type="", channel="", source="",
        occurred_at=_EPOCH + timedelta(microseconds=occurred), received_at=_EPOCH + timedelta(microseconds=received),
        payload="", trust=trust or "", identifiers=tuple(sorted(Identifier(*pair) for pair in identifiers)),
    )  # fmt: skip
