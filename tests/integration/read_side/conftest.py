"""Small graphs for the read side, each in a brand of its own on the real Neo4j."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.brand import BrandSettings
from core.identifiers import TIERS
from graph.driver import Graph
from graph.tallies import recount_tallies
from graph.transactions import in_transaction

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
_GRAPHS = Path(__file__).parent / "graphs"


def _statements(name: str) -> list[str]:
    return [part.strip() for part in (_GRAPHS / name).read_text().split(";") if part.strip()]


@dataclass
class SmallGraph:
    """Rows of one brand, written by `save`; ids get the brand in front so that tests never meet."""

    graph: Graph
    brand: BrandSettings
    rows: dict[str, list[Any]] = field(default_factory=dict)
    saved_customers: list[str] = field(default_factory=list)
    saved_marks: list[str] = field(default_factory=list)

    def name(self, short: str) -> str:
        return f"{self.brand.id}-{short}"

    def _add(self, kind: str, row: dict[str, Any]) -> dict[str, Any]:
        self.rows.setdefault(kind, []).append(row)
        return row

    def customer(self, short: str, *, root: str | None = None, hours: int = 0, **properties: Any) -> str:
        at = START + timedelta(hours=hours)
        defaults: dict[str, Any] = {
            "id": self.name(short), "brand": self.brand.id, "root_id": self.name(root or short), "created_at": at,
            "currency": "USD", "strength": 40, "ltv_minor": 0, "total_orders": 0, "event_count": 0, "first_seen": at,
            "last_seen": at, "own_last_seen": at, "identifier_types": ["email"], "persona_count": 1, "merge_count": 0,
            "version": 1,
        }  # fmt: skip
        return self._add("customers", {**defaults, **properties})["id"]

    def link(
        self, short: str, kind: str, value: str, *, until: datetime | None = None, trust: str = "transaction"
    ) -> str:
        key = f"{self.brand.id}|{kind}|{value}"
        self._add("links", {
            "customer": self.name(short), "key": key, "type": kind, "value": value, "tier": int(TIERS[kind]),
            "since": START, "until": until, "trust": trust, "source": "shop",
        })  # fmt: skip
        return key

    def event(
        self, short: str, persona: str | None, *, minutes: int = 0, keys: tuple[str, ...] = (), **properties: Any
    ) -> str:
        at = START + timedelta(minutes=minutes)
        defaults: dict[str, Any] = {
            "id": self.name(short), "brand": self.brand.id, "type": "page_view", "channel": "website", "source": "shop",
            "occurred_at": at, "received_at": at, "payload": "{}", "decision": "attached",
            "persona_id": None if persona is None else self.name(persona),
        }  # fmt: skip
        self._add("events", {"properties": {**defaults, **properties}, "keys": list(keys)})
        return defaults["id"]

    def order(self, short: str, persona: str, minor: int, *, minutes: int = 0, **properties: Any) -> str:
        defaults: dict[str, Any] = {
            "key": self.name(short), "brand": self.brand.id, "persona_id": self.name(persona), "counted_minor": minor,
            "total_minor": minor, "refunded_minor": 0, "counts": True, "currency": "USD", "status": "completed",
            "placed_at": START + timedelta(minutes=minutes), "lines": "", "channel": "website",
        }  # fmt: skip
        return self._add("orders", {**defaults, **properties})["key"]

    def merge(self, short: str, survivor: str, *absorbed: str, minutes: int = 0, **properties: Any) -> str:
        defaults: dict[str, Any] = {
            "id": self.name(short), "brand": self.brand.id, "at": START + timedelta(minutes=minutes), "before": "[]",
            "after": "{}", "survivor_id": self.name(survivor), "absorbed_ids": [self.name(id_) for id_ in absorbed],
            "reason": "identifier_match", "decided_by": "rules", "identifiers": [], "rule_version": "1",
        }  # fmt: skip
        return self._add("merges", {**defaults, **properties})["id"]

    def refusal(self, a: str, b: str) -> None:
        self._add("refusals", {"a": self.name(a), "b": self.name(b), "at": START})

    def review(self, short: str, *profiles: str, status: str = "pending", minutes: int = 0) -> str:
        at = START + timedelta(minutes=minutes)
        properties: dict[str, Any] = {
            "id": self.name(short), "brand": self.brand.id, "status": status, "reason": "too many", "created_at": at,
            "identifiers": ["email:a@example.com"], "event_ids": ["evt_1"], "updated_at": at,
        }  # fmt: skip
        self._add("reviews", {"properties": properties, "profile_ids": [self.name(id_) for id_ in profiles]})
        return properties["id"]

    def mark(self, short: str, kind: str, *profiles: str, events: tuple[str, ...] = (), minutes: int = 0) -> str:
        return self._add("marks", {
            "id": self.name(short), "brand": self.brand.id, "kind": kind, "event_ids": list(events), "versions": [],
            "profile_ids": [self.name(id_) for id_ in profiles], "created_at": START + timedelta(minutes=minutes),
        })["id"]  # fmt: skip

    def save(self) -> None:
        """Write all rows added since the last time."""
        kinds = ("customers", "links", "events", "orders", "merges", "refusals", "reviews", "marks")
        params = {kind: self.rows.get(kind, []) for kind in kinds}
        with self.graph.session() as session:
            for statement in _statements("small_graph.cypher"):
                session.run(statement, {"brand": self.brand.id, **params}).consume()
        ids = [row["id"] for row in params["customers"]]
        broken = {row["persona_id"] for row in params["orders"] if isinstance(row["placed_at"], str)}
        tallied = [id_ for id_ in ids if id_ not in broken]
        in_transaction(self.graph, lambda tx: recount_tallies(tx, self.brand.id, tallied), budget_seconds=10)
        self.saved_customers += ids
        self.saved_marks += [row["id"] for row in params["marks"]]
        self.rows.clear()

    def remove(self) -> None:
        """Take away what was saved: checks over the whole database must not find half a customer."""
        with self.graph.session() as session:
            for statement in _statements("remove_brand.cypher"):
                session.run(statement, customers=self.saved_customers, marks=self.saved_marks).consume()


@pytest.fixture
def read_graph(graph: Graph) -> Graph:
    """The migrated database."""
    return graph


@pytest.fixture
def small(read_graph) -> Iterator[SmallGraph]:
    """An empty small graph in a new brand, taken away afterwards."""
    rows = SmallGraph(read_graph, BrandSettings(id=f"read{uuid.uuid4().hex[:10]}"))
    yield rows
    rows.remove()
