"""After the commit, for shops: stores and names of products become known, staff is alerted, products are counted."""

from datetime import datetime
from typing import Any

import structlog

from core.clock import Clock, utc_now
from graph.driver import Graph
from graph.repositories.product_names import keep_names
from graph.repositories.shop_floor import count_products, list_shop_marks, read_shop_events
from graph.repositories.stores import keep_stores
from graph.values import parse_json
from insight.product_names import told_names
from insight.store_alerts import raise_for

log = structlog.get_logger(__name__)

_MARKS_AT_ONCE = 50
_MAX_ROUNDS = 20


def work_off(graph: Graph, clock: Clock = utc_now) -> int:
    """Work off what commits left for shops, oldest first; how many marks. Safe to run twice and at once.

    Stores and alerts are written by key; the counts are added in the transaction that takes their marks away.
    """
    done = 0
    for _ in range(_MAX_ROUNDS):
        marks = list_shop_marks(graph, _MARKS_AT_ONCE)
        for brand in sorted({mark["brand"] for mark in marks}):
            _work_off_brand(graph, brand, [mark for mark in marks if mark["brand"] == brand], clock())
        done += len(marks)
        if len(marks) < _MARKS_AT_ONCE:
            break
    if done:
        log.info("shop_marks_worked_off", marks=done)
    return done


def _work_off_brand(graph: Graph, brand: str, marks: list[dict[str, Any]], now: datetime) -> None:
    events = read_shop_events(graph, brand, [id_ for mark in marks for id_ in mark["event_ids"]])
    visits = [event for event in events if event["visit_store"]]
    keep_stores(graph, brand, (tuple(parse_json(event["visit"], ["", ""])[:2]) for event in visits), now)
    keep_names(graph, brand, told_names(events))
    seen = [(event["id"], event["root_id"]) for event in visits if event["root_id"]]
    if seen:
        raised = raise_for(graph, brand, seen, now)
        if raised:
            log.info("store_alerts_raised", alerts=raised)
    count_products(graph, brand, marks, events)
