"""Alerts for staff in the graph, and what they are told from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.visits import store_key
from graph.driver import Graph
from graph.values import to_time_text

_TIMES = ("at", "delivered_at", "viewed_at", "dismissed_at")


@dataclass(frozen=True, slots=True)
class Raised:
    """The visit that alerts are about: store, customer (a persona), and all its events."""

    store_id: str
    persona_id: str
    visit_id: str
    event_ids: tuple[str, ...]


def read_visitors(graph: Graph, brand: str, roots: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Value, segment, churn and channels of live profiles by id."""
    return {row["id"]: row for row in graph.read("stores/read_visitors", brand=brand, roots=sorted(set(roots)))}


def read_top_decile(graph: Graph, brand: str) -> tuple[int, int | None]:
    """How many customers bought, and the lifetime value (minor units) from which on they are the top tenth."""
    [row] = graph.read("stores/read_top_decile", brand=brand)
    return row["buyers"], row["top_minor"]


def list_stock_of(graph: Graph, brand: str, product_ids: Iterable[str]) -> list[dict[str, Any]]:
    """Products of these ids with their stock by location: {product_id, title, category, levels}."""
    wanted = sorted(set(product_ids))
    return graph.read("stores/list_stock_of", brand=brand, product_ids=wanted) if wanted else []


def raise_alerts(graph: Graph, brand: str, about: Raised, alerts: Sequence[dict[str, Any]], now: datetime) -> int:
    """Store those alerts that the visit was not told of yet; how many."""
    rows = graph.write(
        "stores/raise_alerts",
        brand=brand, store=store_key(brand, about.store_id), store_id=about.store_id, persona_id=about.persona_id,
        visit_id=about.visit_id, visit_event_ids=list(about.event_ids), alerts=list(alerts), now=now,
    )  # fmt: skip
    return int(rows[0]["raised"]) if rows else 0


def list_alerts(
    graph: Graph, brand: str, store_id: str | None, before: tuple[datetime, str], limit: int
) -> list[dict[str, Any]]:
    """Alerts of one store, or of all, newest first, as the API shows them."""
    params: dict[str, Any] = {"brand": brand, "before_at": before[0], "before_id": before[1], "limit": limit}
    if store_id is None:
        rows = graph.read("stores/list_alerts_in_brand", **params)
    else:
        rows = graph.read("stores/list_alerts_in_store", store=store_key(brand, store_id), **params)
    return [alert_item(row["alert"], row["profile_id"]) for row in rows]


def move_alert(graph: Graph, brand: str, id_: str, wanted: dict[str, Any]) -> tuple[dict[str, Any], bool] | None:
    """The alert after a change of state and whether it moved; None for an unknown one."""
    rows = graph.write("stores/move_alert", brand=brand, id=id_, **wanted)
    return (alert_item(rows[0]["alert"], rows[0]["profile_id"]), rows[0]["moved"]) if rows else None


def alert_item(stored: dict[str, Any], profile_id: str | None) -> dict[str, Any]:
    """An alert as the API shows it."""
    shown = ("id", "kind", "store_id", "visit_id", "score", "reason", "state", "channel")
    return {
        **{name: stored.get(name) for name in shown},
        "product_id": stored.get("product_id") or None,
        "profile_id": profile_id,
        **{name: to_time_text(stored.get(name)) for name in _TIMES},
    }
