"""Touchpoints before conversions, a brand's paths, and its channels' removal effects as kept by a task."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from core.clock import EARLIEST, to_micros
from graph.driver import Graph
from graph.values import to_time

_PAGE = 500


def list_conversions(
    graph: Graph, brand: str, root_id: str, limits: tuple[int, int, int], left_out: Sequence[str]
) -> list[dict[str, Any]]:
    """Newest counted orders with touchpoints; `limits` are orders, days of the window, touchpoints of an order."""
    orders, window_days, touches = limits
    return graph.read(
        "insight/read_conversions",
        brand=brand, root=root_id, limit=orders, window_days=window_days, touches=touches, left_out=list(left_out),
    )  # fmt: skip


def sample_paths(
    graph: Graph, brand: str, most: int, limits: tuple[int, int], left_out: Sequence[str]
) -> Iterator[tuple[list[str], bool]]:
    """(channels oldest first, whether an order followed) of up to `most` customers; `limits` are touchpoints, days."""
    after_at, after_id, seen = EARLIEST, "", 0
    while seen < most:
        rows = graph.read(
            "attribution/sample_paths",
            brand=brand, after_at=after_at, after_id=after_id, limit=min(_PAGE, most - seen), touches=limits[0],
            window_days=limits[1], left_out=list(left_out),
        )  # fmt: skip
        for row in rows:
            yield [channel for channel, _ in sorted(row["channels"], key=lambda one: one[1])], bool(row["bought"])
        if len(rows) < min(_PAGE, most - seen):
            return
        seen += len(rows)
        after_at, after_id = to_time(rows[-1]["created_at"]) or EARLIEST, rows[-1]["id"]


def store_effects(
    graph: Graph, brand: str, effects: dict[str, float], paths: int, conversions: int, now: datetime
) -> None:
    """Keep the removal effects of a brand's channels."""
    graph.write(
        "attribution/store_effects",
        brand=brand, effects=json.dumps(effects, sort_keys=True), paths=paths, conversions=conversions,
        now=to_micros(now),
    )  # fmt: skip


def find_effects(graph: Graph, brand: str) -> tuple[dict[str, float], datetime] | None:
    """The removal effects and when they were computed; None before the first time."""
    rows = graph.read("attribution/read_effects", brand=brand)
    if not rows:
        return None
    effects: dict[str, float] = json.loads(rows[0]["effects"])
    return effects, to_time(rows[0]["computed_at"]) or EARLIEST
