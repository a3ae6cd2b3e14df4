"""Webhook addresses under their brand's hand: list, change over, say whose account and how fields are called."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graph.driver import Graph
from graph.repositories.brands import seal_endpoint_secret
from graph.values import parse_json, to_time, to_time_text


@dataclass(frozen=True, slots=True)
class ChangeOver:
    """A new secret for a source, and a new address when `new_id` is given; the old ones hold until `until`."""

    source: str
    secret: str
    until: datetime
    new_id: str | None = None


def list_endpoints(graph: Graph, brand: str) -> list[dict[str, Any]]:
    """All addresses of a brand, by source and the newest first: id, account, mapping and times; no secrets."""
    return [
        {
            "id": row["id"],
            "source": row["source"],
            "account": row["account"],
            "mapping": parse_json(row["mapping"], {}),
            "created_at": to_time_text(row["created_at"]),
            "rotated_at": to_time_text(row["rotated_at"]),
            "old_until": to_time(row["old_until"]),
            "until": to_time(row["until"]),
        }
        for row in graph.read("brands/list_endpoints", brand=brand)
    ]


def change_over(graph: Graph, brand: str, change: ChangeOver, *, at: datetime) -> None:
    """Give a source another secret; running the same change again changes nothing."""
    graph.write(
        "brands/rotate_endpoint",
        brand=brand,
        source=change.source,
        secret=seal_endpoint_secret(graph, brand, change.source, change.secret),
        new_id=change.new_id,
        until=change.until,
        at=at,
    )


def set_account(graph: Graph, brand: str, source: str, account: str | None) -> None:
    """Say which shop domain or account a source speaks for."""
    graph.write("brands/set_endpoint", brand=brand, source=source, name="account", value=account)


def set_mapping(graph: Graph, brand: str, source: str, mapping: Mapping[str, str]) -> None:
    """Say where a source's bodies hold our fields; an empty mapping takes it away."""
    value = json.dumps(mapping, ensure_ascii=False) if mapping else None
    graph.write("brands/set_endpoint", brand=brand, source=source, name="mapping", value=value)
