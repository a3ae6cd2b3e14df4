"""Computes feature sets for many profiles at once and attaches them; the API reads them here."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import structlog

from core.clock import EARLIEST
from core.errors import NotFoundError
from core.money import to_decimal_string
from graph.driver import Graph
from graph.repositories import features as repository
from graph.values import parse_json, to_time, to_time_text
from insight.orders import order_views
from ml.features.build import FeatureInputs, FeatureValue, build_features
from ml.features.definitions import FEATURES, FeatureType

log = structlog.get_logger(__name__)

# Orders of this many profiles are read at once: a few megabytes for busy customers.
_CHUNK = 250


def compute_features(graph: Graph, brand: str, profile_ids: Sequence[str], as_of: datetime) -> set[str]:
    """Build and store the features of every live profile behind `profile_ids`; ids of live profiles that failed.

    Stale feature sets of absorbed personas are removed; a feature set of a newer profile version is never replaced.
    """
    failed: set[str] = set()
    for chunk in _chunks(sorted(set(profile_ids))):
        rows, clusters = [], []
        for stored in repository.read_inputs(graph, brand, chunk, as_of):
            profile = stored["profile"]
            try:
                built = build_features(_inputs(stored), as_of)
            except (ArithmeticError, KeyError, TypeError, ValueError) as error:
                # One unreadable customer must not keep the others of its batch from their features.
                log.error("features_failed", profile_id=profile["id"], reason=type(error).__name__)
                failed.add(profile["id"])
                continue
            version = profile["version"] or 0
            rows.append({"id": profile["id"], "version": version, "properties": _properties(built, version, as_of)})
            if (profile["persona_count"] or 1) > 1:
                clusters.append(profile["id"])
        if rows:
            repository.store_features(graph, brand, rows)
        if clusters:
            repository.remove_stale(graph, brand, clusters)
    return failed


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


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


def _inputs(stored: dict[str, Any]) -> FeatureInputs:
    profile, channels = stored["profile"], stored["channels"]
    first = [to_time(entry["first_at"]) or EARLIEST for entry in channels]
    last = [to_time(entry["last_at"]) or EARLIEST for entry in channels]
    return FeatureInputs(
        currency=profile["currency"] or "USD",
        orders=order_views(stored["orders"], stored["sales"]),
        events_by_channel={entry["channel"] or "other": entry["events"] for entry in channels},
        first_event_at=min(first, default=None),
        last_event_at=max(last, default=None),
        strength=profile["strength"] or 0,
        identifier_types=tuple(profile["identifier_types"] or ()),
        cluster_size=profile["persona_count"] or 1,
        merges=profile["merge_count"] or 0,
    )


def _properties(built: dict[str, FeatureValue], version: int, as_of: datetime) -> dict[str, Any]:
    """Features as node properties: money under `<name>_minor`, maps as JSON text."""
    properties: dict[str, Any] = {"version": version, "as_of": as_of}
    for feature in FEATURES:
        value = built[feature.name]
        if feature.type is FeatureType.MONEY:
            properties[f"{feature.name}_minor"] = value
        elif feature.type is FeatureType.MAP:
            properties[feature.name] = json.dumps(value, ensure_ascii=False)
        else:
            properties[feature.name] = value
    return properties


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
