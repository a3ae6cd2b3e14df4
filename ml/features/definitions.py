"""The catalogue of all features, one sentence each: what `build.py` and `purchases.py` make, and the API explains."""

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

_BEFORE = "the customer's orders before as_of"


def _lately(days: int) -> tuple[Feature, Feature]:
    window = f"the last {days} days before as_of"
    return (
        Feature(f"orders_{days}d", FeatureType.COUNT, "orders", window, f"Orders of the last {days} days."),
        Feature(f"spend_{days}d", FeatureType.NUMBER, "currency", window, f"Money of orders of the last {days} days."),
    )


PURCHASE_WINDOWS = (28, 56, 91, 182, 364)
"""Days that the counters of recent orders and spend look back."""

PURCHASE_FEATURES: tuple[Feature, ...] = (
    Feature("order_days", FeatureType.COUNT, "days", _BEFORE, "Days with at least one order."),
    Feature("frequency", FeatureType.COUNT, "orders", _BEFORE, "Distinct counted orders."),
    Feature("recency_days", FeatureType.NUMBER, "days", _BEFORE, "Days since the last counted order."),
    Feature("first_order_days", FeatureType.NUMBER, "days", _BEFORE, "Days since the first counted order."),
    Feature("span_days", FeatureType.NUMBER, "days", _BEFORE, "Days from the first to the last order."),
    Feature("order_day_gap_mean", FeatureType.NUMBER, "days", _BEFORE, "Mean time between order days in a row."),
    Feature("order_day_gap_spread", FeatureType.NUMBER, "days", _BEFORE,
            "Standard deviation of the gaps between order days; none below two gaps."),
    Feature("order_day_gap_last", FeatureType.NUMBER, "days", _BEFORE, "Time between the last two order days."),
    Feature("order_day_gap_ratio", FeatureType.NUMBER, "", _BEFORE, "Recency over the mean gap; none below two days."),
    Feature("recency_share", FeatureType.NUMBER, "", _BEFORE, "Recency over the time since the first order."),
    Feature("monetary_gross", FeatureType.NUMBER, "currency", _BEFORE, "Money of all orders, refunds not taken off."),
    Feature("order_day_value_mean", FeatureType.NUMBER, "currency", _BEFORE, "Mean money of a day with orders."),
    Feature("order_day_value_spread", FeatureType.NUMBER, "currency", _BEFORE,
            "Standard deviation of the money of order days; none below two."),
    Feature("order_day_value_max", FeatureType.NUMBER, "currency", _BEFORE, "Most money of one order day."),
    Feature("order_day_value_first", FeatureType.NUMBER, "currency", _BEFORE, "Money of the first order day."),
    Feature("order_day_value_last", FeatureType.NUMBER, "currency", _BEFORE, "Money of the last order day."),
    Feature("order_day_value_repeat", FeatureType.NUMBER, "currency", _BEFORE,
            "Mean money of order days after the first; none below two."),
    Feature("order_day_value_trend", FeatureType.NUMBER, "", _BEFORE, "Money of the last order day over the mean."),
    Feature("items_mean", FeatureType.NUMBER, "pieces", _BEFORE, "Mean quantity of an order day."),
    Feature("items_last", FeatureType.NUMBER, "pieces", _BEFORE, "Quantity of the last order day."),
    Feature("item_price", FeatureType.NUMBER, "currency", _BEFORE, "Money of all orders over their quantity."),
    *(feature for days in PURCHASE_WINDOWS for feature in _lately(days)),
    Feature("refunded", FeatureType.NUMBER, "currency", _BEFORE, "Money given back."),
    Feature("refund_days", FeatureType.COUNT, "days", _BEFORE, "Days with at least one refund."),
    Feature("refund_share", FeatureType.NUMBER, "", _BEFORE, "Money given back over the money of all orders."),
)  # fmt: skip
"""What models learn from, in currency as numbers; one function makes them for training, batch and single scoring."""

BY_NAME = {feature.name: feature for feature in FEATURES}
