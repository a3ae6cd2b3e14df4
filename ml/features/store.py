"""Feature sets in the graph: attached to profiles, and read back for the API."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from core.errors import NotFoundError
from core.money import to_decimal_string
from graph.driver import Graph
from graph.repositories import features as repository
from graph.values import parse_json, to_time_text
from ml.features.build import Profiles, feature_values, stored_properties
from ml.features.definitions import FEATURES, FeatureType


def feature_rows(profiles: Profiles) -> list[dict[str, Any]]:
    """Rows {id, version, properties} of all customers, as they are stored."""
    pairs = zip(profiles.customers, feature_values(profiles), strict=True)
    return [
        {"id": customer.id, "version": customer.version, "properties": stored_properties(values)}
        for customer, values in pairs
    ]


def store_features(
    graph: Graph, brand: str, rows: Sequence[dict[str, Any]], merged: Sequence[str], as_of: datetime
) -> None:
    """Attach feature sets, never in place of a newer profile version's; absorbed personas of `merged` keep none."""
    if rows:
        repository.store_features(graph, brand, rows, as_of)
    if merged:
        repository.remove_stale(graph, brand, merged)


def get_features(graph: Graph, brand: str, profile_id: str) -> dict[str, Any]:
    """The stored features of the live profile; `features` is None while none were computed; raises NotFoundError.

    Money is shown as decimal strings; `is_current` tells whether they know the profile's latest change.
    """
    row = repository.find_features(graph, brand, profile_id)
    if row is None:
        raise NotFoundError("No such profile.")
    stored, currency = row["features"], row["currency"] or "USD"
    return {
        "profile_id": row["profile_id"],
        "answered_for": profile_id if profile_id != row["profile_id"] else None,
        "as_of": None if stored is None else to_time_text(stored["as_of"]),
        "version": row["version"],
        "is_current": stored is not None and stored["version"] == row["version"],
        "currency": currency,
        "features": None if stored is None else _shown(stored, currency),
    }


def _shown(stored: dict[str, Any], currency: str) -> dict[str, Any]:
    """Stored properties as the API shows them, in the order of the definitions."""
    shown: dict[str, Any] = {}
    for feature in FEATURES:
        if feature.type is FeatureType.MONEY:
            minor = stored.get(f"{feature.name}_minor")
            shown[feature.name] = None if minor is None else to_decimal_string(minor, currency)
        elif feature.type is FeatureType.MAP:
            shown[feature.name] = parse_json(stored.get(feature.name), {})
        else:
            shown[feature.name] = stored.get(feature.name)
    return shown
