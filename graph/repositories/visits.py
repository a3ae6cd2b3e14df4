"""Signs of presence in stores as the graph keeps them beside events: by customer, by store, by brand."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.visits import VisitSign, store_key
from graph.driver import Graph
from graph.values import LATEST, to_time

NEWEST_SIGNS = 400
"""Signs of each persona that visits are folded from."""
MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class StoredSign:
    """A sign and the event that tells it."""

    event_id: str
    event_type: str
    sign: VisitSign


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list of signs goes on: between `from_at` and (`before_at`, `before_id`), newest first."""

    from_at: datetime
    before_at: datetime
    before_id: str


def read_signs(graph: Graph, brand: str, roots: Iterable[str], until: datetime = LATEST) -> dict[str, list[StoredSign]]:
    """The signs of live profiles until a moment, by profile id; profiles without any are left out."""
    rows = graph.read("stores/read_visits", brand=brand, roots=sorted(set(roots)), until=until, newest=NEWEST_SIGNS)
    return {row["root_id"]: [stored_sign(stored) for stored in row["seen"]] for row in rows}


def find_sign(graph: Graph, brand: str, event_id: str) -> dict[str, Any] | None:
    """Whom an event saw in a store and when: {root_id, persona_id, at, channel, identifiers}, None for none."""
    rows = graph.read("stores/find_visit", brand=brand, id=event_id)
    return {**rows[0], "at": to_time(rows[0]["at"])} if rows else None


def list_signs(graph: Graph, brand: str, store_id: str | None, place: Place, limit: int) -> list[dict[str, Any]]:
    """Signs in one store, or in all, newest first: {id, at, root_id}."""
    params: dict[str, Any] = {
        "brand": brand, "from_at": place.from_at, "before_at": place.before_at, "before_id": place.before_id,
        "limit": limit,
    }  # fmt: skip
    if store_id is None:
        rows = graph.read("stores/list_seen_in_brand", **params)
    else:
        rows = graph.read("stores/list_seen_in_store", store=store_key(brand, store_id), **params)
    return [{**row, "at": to_time(row["at"])} for row in rows]


def count_visitors(graph: Graph, brand: str, store_id: str, from_at: datetime, until: datetime) -> dict[str, Any]:
    """Customers seen in a store in a span: {visitors, is_capped}; of the newest ten thousand signs."""
    [row] = graph.read(
        "stores/count_visitors",
        brand=brand, store=store_key(brand, store_id), from_at=from_at, until=until, limit=MOST_COUNTED,
    )  # fmt: skip
    return {"visitors": row["visitors"], "is_capped": row["signs"] >= MOST_COUNTED}


def read_last_stores(graph: Graph, brand: str, roots: Iterable[str]) -> dict[str, str]:
    """The store that each live profile was last seen in; those never seen in one are left out."""
    wanted = sorted(set(roots))
    rows = graph.read("stores/read_last_stores", brand=brand, roots=wanted) if wanted else []
    return {row["root_id"]: json.loads(row["visit"])[0] for row in rows}


def stored_sign(stored: dict[str, Any]) -> StoredSign:
    """A sign as a query returns it: {id, type, at, visit}."""
    store_id, name, out, method, leaves = json.loads(stored["visit"])
    at = to_time(stored["at"])
    assert at is not None  # noqa: S101 (the query asks for it)
    return StoredSign(
        stored["id"], stored["type"], VisitSign(store_id, at, method, to_time(out), leaves=leaves, name=name)
    )
