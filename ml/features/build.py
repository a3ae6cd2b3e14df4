"""Features, second step: of many profiles as of a moment; the one function for training, batch, single and stored."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.clock import from_micros
from core.money import minor_digits
from insight.intents import LIFE, LOWEST, decayed
from insight.statistics import category_affinity, channel_shares
from ml.features.customers import Customer, Facts, Moment, history_of
from ml.features.definitions import FEATURES, PURCHASE_FEATURES, STORE_VISIT_DAYS, Feature, FeatureType
from ml.features.purchases import PurchaseFeatures, purchase_features
from ml.orders.history import UNITS

_DAY_MS = 86_400_000.0
_DIGITS = 4
_MESSAGE_CHANNELS = ("email", "sms", "whatsapp")
_ORDERLESS = {feature.name: 0 if feature.is_sum else None for feature in PURCHASE_FEATURES}


@dataclass(frozen=True)
class Profiles:
    """Customers and what their orders say of them as of a moment; `purchases.customer` are positions in `customers`.

    Nothing at or after the moment has any influence on what orders say.
    """

    customers: Sequence[Customer]
    moment: Moment
    purchases: PurchaseFeatures


def look_at(customers: Sequence[Customer], moment: Moment) -> Profiles:
    """The features of these customers; those without an order before the moment have no row in `purchases`."""
    return Profiles(customers, moment, purchase_features(history_of(customers, moment), moment.day))


def feature_values(profiles: Profiles) -> list[dict[str, Any]]:
    """Of each customer every feature of the catalogue, in its order.

    Money is in minor units of the brand's currency; None where a feature has no meaning yet.
    """
    bought = _purchase_values(profiles)
    names = [feature.name for feature in PURCHASE_FEATURES]
    of_buyer = dict(zip(profiles.purchases.customer.tolist(), zip(*bought, strict=True), strict=True))
    found = []
    for place, customer in enumerate(profiles.customers):
        mine = of_buyer.get(place)
        values = dict(_ORDERLESS) if mine is None else dict(zip(names, mine, strict=True))
        found.append(values | _profile_values(customer, profiles.moment))
    return found


def stored_properties(values: dict[str, Any]) -> dict[str, Any]:
    """Features as node properties: money under `<name>_minor`, maps as JSON text."""
    properties = {}
    for feature in FEATURES:
        value = values[feature.name]
        if feature.type is FeatureType.MONEY:
            properties[f"{feature.name}_minor"] = value
        elif feature.type is FeatureType.MAP:
            properties[feature.name] = json.dumps(value, ensure_ascii=False)
        else:
            properties[feature.name] = value
    return properties


def _purchase_values(profiles: Profiles) -> list[list[Any]]:
    """A list for each purchase feature, with a value for each buyer."""
    places = profiles.purchases.customer.tolist()
    units = np.array([10.0 ** minor_digits(profiles.customers[place].currency) for place in places])
    return [_column(feature, profiles.purchases, units) for feature in PURCHASE_FEATURES]


def _column(feature: Feature, purchases: PurchaseFeatures, units: np.ndarray[Any, Any]) -> list[Any]:
    values = purchases[feature.name]
    unknown = np.flatnonzero(~np.isfinite(values))
    whole = feature.type is not FeatureType.NUMBER
    scaled = np.rint(values * units) if feature.type is FeatureType.MONEY else np.round(values, 0 if whole else _DIGITS)
    scaled[unknown] = 0.0
    found: list[Any] = (scaled.astype(np.int64) if whole else scaled).tolist()
    for place in unknown.tolist():
        found[place] = None
    return found


def _profile_values(customer: Customer, moment: Moment) -> dict[str, Any]:
    """What else is known of one profile; orders before the moment, facts as they are now."""
    facts, now = customer.facts, moment.ms
    sales = [sale for sale in customer.sales if sale.at < now]
    returned = [sale for sale in customer.returned if sale.at < now and sale.refunded_at < now]
    unit = 10.0 ** minor_digits(customer.currency) / UNITS
    return {
        "returned_orders": len(returned),
        "returned": round(sum(sale.refund for sale in returned) * unit),
        "store_orders": sum(sale.is_store for sale in sales),
        "category_affinity": category_affinity(sale.categories for sale in sales),
        "tenure_days": _since(facts.first_event_at, now),
        "last_touch_days": _since(facts.last_event_at, now),
        "event_count": sum(facts.events_by_channel.values()),
        "message_events": sum(facts.events_by_channel.get(channel, 0) for channel in _MESSAGE_CHANNELS),
        **_store_visits(facts, now),
        **_wants(facts, moment),
        "channel_shares": channel_shares(facts.events_by_channel),
        "strength": facts.strength,
        "identifier_types": list(facts.identifier_types),
        "cluster_size": facts.cluster_size,
        "merges": facts.merges,
    }


def _store_visits(facts: Facts, now: int) -> dict[str, float | None]:
    """Days with signs of presence in stores, and the time since the last; signs at or after the moment say nothing."""
    past = [at for at in facts.seen if at < now]
    first = now - STORE_VISIT_DAYS * _DAY_MS
    return {
        "store_visit_days": len({at // _DAY_MS for at in past if at >= first}),
        "last_store_visit_days": _since(max(past, default=None), now),
    }


def _wants(facts: Facts, moment: Moment) -> dict[str, int]:
    scores = [
        decayed(full, from_micros(at * 1_000), moment.at)
        for full, at in facts.wants
        if at <= moment.ms and moment.at - from_micros(at * 1_000) < LIFE
    ]
    open_ones = [score for score in scores if score >= LOWEST]
    return {"open_intents": len(open_ones), "top_intent": max(open_ones, default=0)}


def _since(at: int | None, now: int) -> float | None:
    return None if at is None or at >= now else round((now - at) / _DAY_MS, _DIGITS)
