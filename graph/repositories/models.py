"""Versions of a brand's models: what was trained, on what, how good it was, and which one scores profiles now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.errors import NotFoundError
from core.paging import encode_cursor
from graph.driver import Graph
from graph.repositories.profiles import Page
from graph.transactions import Transaction, in_transaction
from graph.values import parse_json, to_time, to_time_text

_BUDGET_SECONDS = 10.0
_JSON = ("metrics", "windows", "features", "parameters", "choices", "segments")


def find_active(graph: Graph, brand: str) -> dict[str, Any] | None:
    """Stored properties of the version that scores the brand's profiles; None while day one does."""
    rows = graph.read("models/get_active", brand=brand)
    return rows[0]["model"] if rows else None


def find_bought_once(graph: Graph, brand: str) -> tuple[list[str], list[str]]:
    """Products and categories that the brand says are bought once for ever."""
    rows = graph.read("predictions/get_settings", brand=brand)
    return (rows[0]["products"], rows[0]["categories"]) if rows else ([], [])


def save_bought_once(graph: Graph, brand: str, products: Sequence[str], categories: Sequence[str]) -> None:
    """Keep what is bought once for ever, in place of what was set before."""
    kept = sorted(set(products)), sorted(set(categories))
    graph.write("predictions/set_settings", brand=brand, products=kept[0], categories=kept[1])


def find_version(graph: Graph, brand: str, version_id: str) -> dict[str, Any]:
    """Stored properties of one version; raises NotFoundError when it is unknown or of another brand."""
    rows = graph.read("models/get_version", brand=brand, id=version_id)
    if not rows:
        raise NotFoundError("No such model.")
    found: dict[str, Any] = rows[0]["model"]
    return found


def list_versions(graph: Graph, brand: str, page: Page) -> dict[str, Any]:
    """One page of versions, newest first: {items, next_cursor}."""
    found = [row["model"] for row in graph.read("models/list_versions", brand=brand, **page.params())]
    cursor = None
    if len(found) > page.size:
        last = found[page.size - 1]
        at = to_time(last["created_at"])
        cursor = None if at is None else encode_cursor(at, last["id"])
    return {"items": [version_item(stored) for stored in found[: page.size]], "next_cursor": cursor}


def create_version(graph: Graph, brand: str, version_id: str, properties: Mapping[str, Any]) -> None:
    """Keep a trained version; a repeat changes nothing."""
    graph.write("models/create_version", brand=brand, id=version_id, properties=dict(properties))


@dataclass(frozen=True, slots=True)
class Change:
    """Who lets another version score, when and why; a rollback leaves on record what the version had replaced."""

    by: str
    reason: str
    at: datetime
    is_rollback: bool = False


def activate_version(graph: Graph, brand: str, version_id: str | None, change: Change) -> str | None:
    """Let a version score from now on (None: day one); id of the one before."""

    def work(tx: Transaction) -> str | None:
        rows = tx.run(
            "models/activate_version",
            brand=brand, id=version_id, now=change.at, by=change.by, reason=change.reason,
            is_rollback=change.is_rollback,
        )  # fmt: skip
        return rows[0][0] if rows else None

    return in_transaction(graph, work, budget_seconds=_BUDGET_SECONDS)


def set_drift(graph: Graph, brand: str, version_id: str, drift: str, *, has_alert: bool) -> None:
    """Keep the latest report on a version's drift, as JSON text."""
    graph.write("models/set_drift", brand=brand, id=version_id, drift=drift, has_alert=has_alert)


def version_item(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored version as it is answered."""
    return {
        "id": stored["id"],
        "type": stored["type"],
        "version": stored["version"],
        "active": stored.get("active") is not None,
        "grade": stored.get("grade"),
        "confidence": stored.get("confidence"),
        "horizon_days": stored.get("horizon_days"),
        "samples": stored.get("samples"),
        "data_from": to_time_text(stored.get("data_from")),
        "data_to": to_time_text(stored.get("data_to")),
        "code_version": stored.get("code_version"),
        **{name: parse_json(stored.get(name), None) for name in _JSON},
        "files": parse_json(stored.get("files"), {}),
        "has_alert": bool(stored.get("has_alert")),
        "created_at": to_time_text(stored["created_at"]),
        "run_id": stored.get("run_id"),
        "activated_at": to_time_text(stored.get("activated_at")),
        "activated_by": stored.get("activated_by"),
        "activation_reason": stored.get("activation_reason"),
        "replaced": stored.get("replaced"),
    }
