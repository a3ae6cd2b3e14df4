"""The catalogue of all features, one sentence each: what `build.py` makes for models, feature sets and the API."""

from dataclasses import dataclass
from enum import StrEnum


class FeatureType(StrEnum):
    """What a feature's value is: `money` is a number for models, kept in minor units, shown as text."""

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
    is_sum: bool = False
    """Whether it is 0 for a profile without orders, where others have no meaning yet."""


_ORDERS = "the customer's orders before as_of"
_NOW = "the profile as it is now"
STORE_VISIT_DAYS = 90
"""Days that the counter of days in stores looks back."""
_SIGNS = "the newest 400 signs of presence of each persona before as_of"
PURCHASE_WINDOWS = (28, 56, 91, 182, 364)
"""Days that the counters of recent orders and spend look back."""


def _count(name: str, unit: str, sentence: str, window: str = _ORDERS) -> Feature:
    return Feature(name, FeatureType.COUNT, unit, window, sentence, is_sum=True)


def _number(name: str, unit: str, sentence: str, window: str = _ORDERS) -> Feature:
    return Feature(name, FeatureType.NUMBER, unit, window, sentence)


def _money(name: str, sentence: str, window: str = _ORDERS, *, is_sum: bool = False) -> Feature:
    return Feature(name, FeatureType.MONEY, "currency", window, sentence, is_sum)


def _lately(days: int) -> tuple[Feature, Feature]:
    window = f"the last {days} days before as_of"
    return (
        _count(f"orders_{days}d", "orders", f"Orders of the last {days} days.", window),
        _money(f"spend_{days}d", f"Money of orders of the last {days} days.", window, is_sum=True),
    )


PURCHASE_FEATURES: tuple[Feature, ...] = (
    _number("recency_days", "days", "Days since the last counted order; days begun count."),
    _count("frequency", "orders", "Distinct counted orders."),
    _money("monetary", "Order amounts less refunds in the brand's currency.", is_sum=True),
    _money("monetary_gross", "Money of all orders, refunds not taken off.", is_sum=True),
    _count("order_days", "days", "Days with at least one order."),
    _number("first_order_days", "days", "Days since the first counted order."),
    _number("span_days", "days", "Days from the first to the last order."),
    _number("order_day_gap_mean", "days", "Mean time between order days in a row; none below two."),
    _number("order_day_gap_spread", "days", "Standard deviation of the gaps between order days; none below two gaps."),
    _number("order_day_gap_last", "days", "Time between the last two order days."),
    _number("order_day_gap_ratio", "", "Recency over the mean gap; none below two days."),
    _number("recency_share", "", "Recency over the time since the first order."),
    _money("order_day_value_mean", "Mean money of a day with orders."),
    _money("order_day_value_spread", "Standard deviation of the money of order days; none below two."),
    _money("order_day_value_max", "Most money of one order day."),
    _money("order_day_value_first", "Money of the first order day."),
    _money("order_day_value_last", "Money of the last order day."),
    _money("order_day_value_repeat", "Mean money of order days after the first; none below two."),
    _number("order_day_value_trend", "", "Money of the last order day over the mean."),
    _number("items_mean", "pieces", "Mean quantity of an order day."),
    _number("items_last", "pieces", "Quantity of the last order day."),
    _money("item_price", "Money of all orders over their quantity."),
    *(feature for days in PURCHASE_WINDOWS for feature in _lately(days)),
    _money("refunded", "Money given back on orders that still count.", is_sum=True),
    _count("refund_days", "days", "Days with at least one refund."),
    _number("refund_share", "", "Money given back over the money of all orders."),
)
"""What models learn from; `purchases.py` makes them of many customers at once."""

PROFILE_FEATURES: tuple[Feature, ...] = (
    _count("returned_orders", "orders", "Orders given back in full, which count no more."),
    _money("returned", "Money of orders given back in full.", is_sum=True),
    _count("store_orders", "orders", "Counted orders made in a store."),
    Feature("category_affinity", FeatureType.MAP, "orders", _ORDERS,
            "Counted orders with at least one line of the category, by category."),
    _number("tenure_days", "days", "Days since the first event of any kind.", _NOW),
    _number("last_touch_days", "days", "Days since the last event of any kind.", _NOW),
    _count("event_count", "events", "Events of any kind.", _NOW),
    _count("message_events", "events", "Events by e-mail, SMS and WhatsApp.", _NOW),
    _count("store_visit_days", "days", "Days (UTC) with at least one sign of presence in a store.",
           f"the last {STORE_VISIT_DAYS} days before as_of, of {_SIGNS}"),
    _number("last_store_visit_days", "days", "Days since the last sign of presence in a store; none without.", _SIGNS),
    _count("open_intents", "products", "Products that the customer is interested in.", _NOW),
    _count("top_intent", "points", "Strongest of these intents as of now, 0 to 100.", _NOW),
    Feature("channel_shares", FeatureType.MAP, "share of events", _NOW, "Share of all events by channel, 0 to 1."),
    _count("strength", "points", "Profile strength, 0 to 100.", _NOW),
    Feature("identifier_types", FeatureType.LIST, "", _NOW, "Identifier types that the profile holds."),
    _count("cluster_size", "personas", "Personas below the live profile.", _NOW),
    _count("merges", "merges", "Merges that made the profile what it is.", _NOW),
)  # fmt: skip
"""What else is known of one profile."""

FEATURES = PURCHASE_FEATURES + PROFILE_FEATURES
"""Every feature of a feature set, in the order in which they are shown."""
