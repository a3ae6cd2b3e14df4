"""Demand beside stock: what is wanted where, what to move where, what is trending, and all about one product."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from core.errors import NotFoundError
from graph.driver import Graph
from graph.repositories.product_names import read_names
from graph.repositories.shop_floor import day_of
from graph.repositories.stock import list_hot_products, list_wanted, read_product_days
from graph.repositories.store_alerts import list_stock_of
from graph.repositories.stores import list_stores
from insight.intents import HIGH_INTENT, LIFE, LOWEST, decayed

MOST_INTENTS = 2_000
"""Demand is told from so many of the newest open intents."""
MOST_STORES = 200
MOST_CANDIDATES = 200
"""So many of the hottest products are looked at for what is trending."""
MOST_DAYS = 30
_BY_HEAT = {"views": 1, "carts": 3, "purchases": 5}


@dataclass(slots=True)
class Place:
    """Demand and stock of one product in one store; `available` None where nobody counts it."""

    intents: int = 0
    high: int = 0
    available: int | None = None

    @property
    def missing(self) -> int:
        """How many more are wanted than there are; 0 where stock is not counted."""
        return 0 if self.available is None else max(0, self.intents - self.available)

    @property
    def spare(self) -> int:
        """How many more there are than are wanted."""
        return 0 if self.available is None else max(0, self.available - self.intents)


@dataclass(slots=True)
class Demand:
    """Open intents of one product, by the store that each customer was last seen in, beside its stock."""

    product_id: str
    title: str | None = None
    intents: int = 0
    high: int = 0
    score: int = 0
    stores: dict[str, Place] = field(default_factory=dict)

    def at(self, store_id: str) -> Place:
        """The place of a store."""
        return self.stores.setdefault(store_id, Place())


def read_demand(graph: Graph, brand: str, now: datetime, product_id: str | None = None) -> list[Demand]:
    """Demand for every product that somebody wants, the most wanted first."""
    found: dict[str, Demand] = {}
    for row in list_wanted(graph, brand, product_id, now - LIFE, MOST_INTENTS):
        score = decayed(row["full"], row["last_at"], now)
        if score < LOWEST:
            continue
        demand = found.setdefault(row["product_id"], Demand(row["product_id"]))
        demand.intents += 1
        demand.high += score >= HIGH_INTENT
        demand.score += score
        if row["store_id"] is not None:
            place = demand.at(row["store_id"])
            place.intents += 1
            place.high += score >= HIGH_INTENT
    return sorted(found.values(), key=lambda one: (-one.score, one.product_id))


def add_stock(graph: Graph, brand: str, demands: Sequence[Demand]) -> None:
    """Put name and stock by store beside demand; a location that no store names is a store of its own."""
    by_id = {demand.product_id: demand for demand in demands}
    store_of = _stores_by_location(graph, brand)
    for product_id, name in read_names(graph, brand, by_id).items():
        by_id[product_id].title = name
    for row in list_stock_of(graph, brand, by_id):
        demand = by_id[row["product_id"]]
        for level in row["levels"]:
            place = demand.at(store_of.get(level["location_id"], level["location_id"]))
            place.available = (place.available or 0) + level["available"]


def _stores_by_location(graph: Graph, brand: str) -> dict[str, str]:
    stores = list_stores(graph, brand, MOST_STORES, None)["items"]
    return {location: store["store_id"] for store in reversed(stores) for location in store["location_ids"]}


def list_demand(graph: Graph, brand: str, store_id: str | None, limit: int, now: datetime) -> list[dict[str, Any]]:
    """What is wanted, beside its stock, the most wanted first; of one store: what its own customers want."""
    demands = read_demand(graph, brand, now)
    if store_id is not None:
        demands = [demand for demand in demands if store_id in demand.stores]
    shown = demands[:limit]
    add_stock(graph, brand, shown)
    return [demand_item(demand, store_id) for demand in shown]


def demand_item(demand: Demand, store_id: str | None = None) -> dict[str, Any]:
    """Demand as the API shows it, of all stores or of one."""
    counted = [place.available for place in demand.stores.values() if place.available is not None]
    return {
        "product_id": demand.product_id,
        "title": demand.title,
        "open_intents": demand.intents,
        "high_intents": demand.high,
        "score": demand.score,
        "available": sum(counted) if counted else None,
        "stores": [
            {
                "store_id": name, "open_intents": place.intents, "high_intents": place.high,
                "available": place.available, "missing": place.missing,
            }
            for name, place in sorted(demand.stores.items())
            if store_id in {None, name}
        ],
        "without_store": demand.intents - sum(place.intents for place in demand.stores.values()),
    }  # fmt: skip


def list_recommendations(
    graph: Graph, brand: str, store_id: str | None, limit: int, now: datetime
) -> list[dict[str, Any]]:
    """What to move from where to where, and what to order, for the most wanted products; of one store: towards it."""
    demands = read_demand(graph, brand, now)[:MOST_CANDIDATES]
    add_stock(graph, brand, demands)
    found = [step for demand in demands for step in recommend(demand)]
    return [step for step in found if store_id in {None, step["to_store"]}][:limit]


def recommend(demand: Demand) -> list[dict[str, Any]]:
    """Moves for one product: the store that misses most is served first, from the store that spares most."""
    spare = {name: place.spare for name, place in demand.stores.items() if place.spare}
    steps = []
    for name, place in sorted(demand.stores.items(), key=lambda item: (-item[1].missing, item[0])):
        missing = place.missing
        while missing and spare:
            source = max(spare, key=lambda one: (spare[one], one))
            quantity = min(missing, spare[source])
            steps.append(_step(demand, "move", source, name, quantity))
            missing -= quantity
            spare[source] -= quantity
            if not spare[source]:
                del spare[source]
        if missing:
            steps.append(_step(demand, "restock", None, name, missing))
    return steps


def _step(demand: Demand, action: str, source: str | None, target: str, quantity: int) -> dict[str, Any]:
    place = demand.stores[target]
    reason = f"{place.intents} customer(s) of this store want it, {place.available} in stock"
    if source is not None:
        other = demand.stores[source]
        reason += f"; {source} has {other.available} and {other.intents} who want it"
    return {
        "product_id": demand.product_id, "title": demand.title, "action": action, "from_store": source,
        "to_store": target, "quantity": quantity, "reason": reason,
    }  # fmt: skip


def list_trending(graph: Graph, brand: str, days: int, limit: int, now: datetime) -> list[dict[str, Any]]:
    """Products of the last `days` days (UTC, today included) beside the days before, most gained first."""
    current, before = _days(now, days), _days(now - timedelta(days=days), days)
    ids = list_hot_products(graph, brand, current, MOST_CANDIDATES)
    counts = _counts(read_product_days(graph, brand, ids, current + before))
    titles = read_names(graph, brand, ids)
    items = [
        _trend(product_id, titles.get(product_id), _sum(counts[product_id], current), _sum(counts[product_id], before))
        for product_id in ids
    ]
    return sorted(items, key=lambda item: (-item["gain"], -item["score"], item["product_id"]))[:limit]


def _trend(product_id: str, title: str | None, now: Mapping[str, int], before: Mapping[str, int]) -> dict[str, Any]:
    score, earlier = _heat(now), _heat(before)
    return {
        "product_id": product_id, "title": title, "score": score, "score_before": earlier, "gain": score - earlier,
        "window": dict(now), "before": dict(before),
    }  # fmt: skip


def get_product_insights(graph: Graph, brand: str, product_id: str, days: int, now: datetime) -> dict[str, Any]:
    """Demand, stock, days and steps to sale of one product; raises NotFoundError when nobody ever told of it."""
    current, before = _days(now, days), _days(now - timedelta(days=days), days)
    known = list_stock_of(graph, brand, [product_id])
    rows = read_product_days(graph, brand, [product_id], current + before)
    demand = next(iter(read_demand(graph, brand, now, product_id)), Demand(product_id))
    if not known and not rows and not demand.intents:
        raise NotFoundError("No such product.")
    add_stock(graph, brand, [demand])
    counts = _counts(rows)[product_id]
    total = _sum(counts, current)
    return {
        **_trend(product_id, demand.title, total, _sum(counts, before)),
        "category": next((row["category"] for row in known if row["category"]), None),
        "days": [{"day": day, **counts[day]} for day in current if day in counts],
        "carts_per_view": _share(total["carts"], total["views"]),
        "purchases_per_cart": _share(total["purchases"], total["carts"]),
        "demand": demand_item(demand),
        "recommendations": recommend(demand),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _days(now: datetime, days: int) -> list[str]:
    return [day_of(now - timedelta(days=back)) for back in range(days - 1, -1, -1)]


def _counts(rows: Iterable[Mapping[str, Any]]) -> defaultdict[str, dict[str, dict[str, int]]]:
    found: defaultdict[str, dict[str, dict[str, int]]] = defaultdict(dict)
    for row in rows:
        found[row["product_id"]][row["day"]] = {name: row[name] for name in _BY_HEAT}
    return found


def _sum(by_day: Mapping[str, Mapping[str, int]], days: Iterable[str]) -> dict[str, int]:
    days = list(days)
    return {name: sum(by_day[day][name] for day in days if day in by_day) for name in _BY_HEAT}


def _heat(counts: Mapping[str, int]) -> int:
    return sum(weight * counts[name] for name, weight in _BY_HEAT.items())
