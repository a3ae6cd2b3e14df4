"""Intents over many profiles: stored by a task after commits, listed with their decay of now."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from core.clock import EARLIEST, Clock, utc_now
from core.errors import UnreadableDataError
from core.paging import encode_cursor
from graph.driver import Graph
from graph.repositories import intents as repository
from graph.repositories.product_names import read_names
from graph.repositories.profiles import Page
from graph.repositories.visits import read_last_stores
from graph.values import parse_json, to_time, to_time_text
from insight.intents import ACTIVE, HIGH_INTENT, LIFE, LOWEST, Intent, decayed
from insight.interest import Interest, Standing, fold_profile, read_interests

log = structlog.get_logger(__name__)

_CHUNK = 100
# Pages are filled by walking on from the newest; this bounds the walk.
_MOST_LOOKED_AT = 5_000
_STEP = 500
_OF_EACH = ("key", "profile_id", "product_id", "full", "status", "last_at")


def refresh_intents(graph: Graph, brand: str, profile_ids: Sequence[str], now: datetime) -> None:
    """Store what the live profiles among `profile_ids` want now, and the stage they stand at; safe to repeat."""
    ids = sorted(set(profile_ids))
    for start in range(0, len(ids), _CHUNK):
        rows = _rows(graph, brand, ids[start : start + _CHUNK], now)
        if rows:
            repository.replace_intents(graph, brand, rows)


def _rows(graph: Graph, brand: str, ids: Sequence[str], now: datetime) -> list[dict[str, Any]]:
    """All at once; one by one when that fails, so that one unreadable order stops nobody else's."""
    try:
        interests = read_interests(graph, brand, ids)
        return [_row(brand, root, interest, now) for root, interest in interests.items()]
    except (UnreadableDataError, ArithmeticError, KeyError, TypeError, ValueError, AttributeError) as error:
        if len(ids) == 1:
            log.error("intents_failed", profile_id=ids[0], reason=type(error).__name__)
            return []
    return [row for id_ in ids for row in _rows(graph, brand, [id_], now)]


def _row(brand: str, root: str, interest: Interest, now: datetime) -> dict[str, Any]:
    # Counts and churn do not change the stage; the score of the list leaves them out.
    standing = Standing(len(interest.sales), interest.sales[-1].at if interest.sales else None, 1)
    intents, journey = fold_profile(interest, standing, now)
    return {
        "id": root,
        "stage": journey.stage,
        "journey_score": journey.score,
        "intents": [_stored(brand, root, intent) for intent in intents if intent.status == ACTIVE],
    }


def _stored(brand: str, root: str, intent: Intent) -> dict[str, Any]:
    return {
        "key": f"{brand}|{root}|{intent.product_id}",
        "product_id": intent.product_id,
        "full": intent.full_score,
        "status": intent.status,
        "first_at": intent.first_at,
        "last_at": intent.last_at,
        "signals": json.dumps(intent.signals, sort_keys=True),
    }


@dataclass(frozen=True, slots=True)
class IntentFilter:
    """Which intents: of one product or all, of customers last seen in one store or all, from a score of now upwards."""

    product_id: str | None = None
    min_score: int = HIGH_INTENT
    store_id: str | None = None


def list_product_intents(
    graph: Graph, brand: str, where: IntentFilter, page: Page, clock: Clock = utc_now
) -> dict[str, Any]:
    """One page of active intents, newest signal first: {items, next_cursor}; scores are those of now."""
    now = clock()
    params = page.params()
    before, looked_at = (params["before_at"], params["before_id"]), 0
    items: list[dict[str, Any]] = []
    more = True
    while more and len(items) < page.size and looked_at < _MOST_LOOKED_AT:
        rows = repository.list_intents(graph, brand, where.product_id, now - LIFE, before, _STEP)
        more, looked_at = len(rows) == _STEP, looked_at + len(rows)
        # Of one that is replaced while it is read some or all is null.
        rows = [row for row in rows if all(row[name] is not None for name in _OF_EACH)]
        stores = None if where.store_id is None else read_last_stores(graph, brand, (one["profile_id"] for one in rows))
        for place, row in enumerate(rows):
            last_at = to_time(row["last_at"]) or EARLIEST
            before = (last_at, row["key"])
            if stores is not None and stores.get(row["profile_id"]) != where.store_id:
                continue
            score = decayed(row["full"], last_at, now)
            if score >= max(where.min_score, LOWEST):
                items.append(_item(row, score, last_at))
                if len(items) == page.size:
                    more = more or place + 1 < len(rows)
                    break
    names = read_names(graph, brand, (item["product_id"] for item in items))
    named = [{**item, "product_name": names.get(item["product_id"])} for item in items]
    return {"items": named, "next_cursor": encode_cursor(*before) if more else None}


def _item(row: dict[str, Any], score: int, last_at: datetime) -> dict[str, Any]:
    return {
        "profile_id": row["profile_id"],
        "product_id": row["product_id"],
        "score": score,
        "status": row["status"],
        "signals": parse_json(row["signals"], {}),
        "first_at": to_time_text(row["first_at"]),
        "last_at": to_time_text(last_at),
        "expires_at": to_time_text(last_at + LIFE),
    }
