"""Serving over HTTP: what the prediction routes answer."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from core.errors import NotFoundError
from graph.driver import Graph
from graph.repositories.model_runs import RunKind, start_run
from graph.repositories.models import find_bought_once, save_bought_once
from insight.profile360 import get_profile360
from ml.features.store import get_features
from ml.serving.active import ActiveModels
from ml.serving.store import refresh_profiles


def score_now(
    graph: Graph, models: ActiveModels, brand: str, profile_ids: Sequence[str], now: datetime
) -> dict[str, Any]:
    """Compute and store features and predictions; {items, not_found}, items in the order asked for."""
    sections = refresh_profiles(graph, models, brand, profile_ids, now).sections
    items, unknown = [], []
    for asked in dict.fromkeys(profile_ids):
        try:
            found = get_features(graph, brand, asked)
        except NotFoundError:
            unknown.append(asked)
            continue
        items.append({
            "profile_id": found["profile_id"],
            "answered_for": found["answered_for"],
            "features": found["features"],
            "predictions": sections.get(found["profile_id"]),
        })  # fmt: skip
    return {"items": items, "not_found": unknown}


def settings_view(graph: Graph, brand: str) -> dict[str, Any]:
    """What the brand set about its recommendations."""
    products, categories = find_bought_once(graph, brand)
    return {"bought_once": {"products": products, "categories": categories}}


def set_bought_once(graph: Graph, brand: str, told: Mapping[str, Sequence[str]], now: datetime) -> dict[str, Any]:
    """Set `products` and `categories` that are bought once for ever; a scoring run takes it to all profiles."""
    products, categories = ([name.strip() for name in told[kind]] for kind in ("products", "categories"))
    save_bought_once(graph, brand, products, categories)
    start_run(graph, brand, RunKind.SCORE, {}, by="settings", now=now)
    return settings_view(graph, brand)


def next_action(graph: Graph, brand: str, profile_id: str) -> dict[str, Any]:
    """The journey's next action with the predictions that speak for it; raises NotFoundError."""
    found = get_profile360(graph, brand, profile_id, ("journey", "predictions"))
    journey, foretold = found["journey"], found["predictions"]
    churn = None if foretold is None else {name: foretold["churn"][name] for name in ("probability", "band")}
    products = [] if foretold is None else foretold["recommendations"]
    return {
        "profile_id": found["id"],
        **journey["next_action"],
        "stage": journey["stage"],
        "at_risk": journey["at_risk"],
        "churn": churn,
        "product": products[0] if products else None,
    }
