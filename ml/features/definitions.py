"""The list of all features, one sentence each: what `build.py` makes, the store keeps and the API explains."""

from dataclasses import dataclass
from enum import StrEnum


class FeatureType(StrEnum):
    """What a feature's value is: `money` is built in minor units and shown as a decimal string."""

    COUNT = "count"
    NUMBER = "number"
    MONEY = "money"
    MAP = "map"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: name, type, unit, the span of time it looks at, and what it means."""

    name: str
    type: FeatureType
    unit: str
    window: str
    sentence: str


_ALL = "all history before as_of"
_NOW = "the profile as it is now"

FEATURES: tuple[Feature, ...] = (
    Feature("recency_days", FeatureType.NUMBER, "days", _ALL, "Days since the last counted order."),
    Feature("frequency", FeatureType.COUNT, "orders", _ALL, "Distinct counted orders."),
    Feature("monetary", FeatureType.MONEY, "currency", _ALL, "Order amounts less refunds in the brand's currency."),
    Feature("order_value_mean", FeatureType.MONEY, "currency", _ALL, "Mean amount of a counted order."),
    Feature("order_value_spread", FeatureType.MONEY, "currency", _ALL,
            "Standard deviation of the amounts of counted orders; none below two orders."),
    Feature("tenure_days", FeatureType.NUMBER, "days", _ALL, "Days since the first event of any kind."),
    Feature("first_order_days", FeatureType.NUMBER, "days", _ALL, "Days since the first counted order."),
    Feature("gap_mean_days", FeatureType.NUMBER, "days", _ALL, "Mean time between counted orders in a row."),
    Feature("gap_spread_days", FeatureType.NUMBER, "days", _ALL,
            "Standard deviation of the gaps between orders; none below two gaps."),
    Feature("gap_ratio", FeatureType.NUMBER, "", _ALL, "Recency over the mean gap; none below two orders."),
    Feature("refunded_orders", FeatureType.COUNT, "orders", _ALL, "Orders with at least one refund."),
    Feature("refunded", FeatureType.MONEY, "currency", _ALL, "Money given back, in the brand's currency."),
    Feature("store_orders", FeatureType.COUNT, "orders", _ALL, "Counted orders made in a store."),
    Feature("event_count", FeatureType.COUNT, "events", _ALL, "Events of any kind."),
    Feature("channel_shares", FeatureType.MAP, "share of events", _ALL, "Share of all events by channel, 0 to 1."),
    Feature("category_affinity", FeatureType.MAP, "orders", _ALL,
            "Counted orders with at least one line of the category, by category."),
    Feature("last_touch_days", FeatureType.NUMBER, "days", _ALL, "Days since the last event of any kind."),
    Feature("strength", FeatureType.COUNT, "points", _NOW, "Profile strength, 0 to 100."),
    Feature("identifier_types", FeatureType.LIST, "", _NOW, "Identifier types that the profile holds."),
    Feature("cluster_size", FeatureType.COUNT, "personas", _NOW, "Personas below the live profile."),
    Feature("merges", FeatureType.COUNT, "merges", _NOW, "Merges that made the profile what it is."),
)  # fmt: skip

BY_NAME = {feature.name: feature for feature in FEATURES}
