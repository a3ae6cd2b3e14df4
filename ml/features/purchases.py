"""From a history of purchases to model features as of a day: one function for training, batch and single scoring."""

from dataclasses import dataclass

import numpy as np

from ml.features.definitions import PURCHASE_WINDOWS
from ml.orders.history import BLOCK_ROWS, UNITS, Bools, Floats, History, Ints, each_block


@dataclass(frozen=True)
class PurchaseFeatures:
    """Features of customers as of a day. `customer`: positions in the history; `columns`: name → one value each.

    Money is in currency, time in days; NaN where a feature has no meaning yet.
    """

    as_of: int
    customer: Ints
    columns: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.customer)

    def __getitem__(self, name: str) -> Floats:
        return self.columns[name]

    def matrix(self, names: tuple[str, ...]) -> Floats:
        """Those columns side by side, a row for each customer."""
        return np.column_stack([self.columns[name] for name in names])

    def take(self, rows: Ints | Bools) -> "PurchaseFeatures":
        """Only these customers, given by place in this table."""
        kept = {name: values[rows] for name, values in self.columns.items()}
        return PurchaseFeatures(self.as_of, self.customer[rows], kept)


def purchase_features(history: History, as_of: int) -> PurchaseFeatures:
    """Every feature of `PURCHASE_FEATURES` for the customers with an order before the day `as_of`.

    Rows at or after that day have no influence: they are cut off before anything is computed.
    """
    parts = each_block(lambda block: _features_of(block, as_of), list(history.blocks(BLOCK_ROWS)))
    if len(parts) == 1:
        return parts[0]
    columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns}
    return PurchaseFeatures(as_of, np.concatenate([part.customer for part in parts]), columns)


def _features_of(block: tuple[History, int], as_of: int) -> PurchaseFeatures:
    """The features of a part of a history whose first customer has that position in the whole."""
    history, first = block
    known = history.before(as_of)
    ordered = known.orders > 0
    who = known.customer[ordered]
    starts = np.flatnonzero(np.diff(who, prepend=-1)).astype(np.int64)
    buyers = who[starts]
    rows = _Rows(known, ordered, starts, np.diff(starts, append=len(who)))
    columns = {**_timing(rows, as_of), **_values(rows), **_recent(rows, as_of)}
    columns |= _refunds(known, buyers, columns["monetary_gross"])
    columns["monetary"] = columns["monetary_gross"] - columns["refunded"]
    return PurchaseFeatures(as_of, buyers + first, columns)


class _Rows:
    """The days with an order, grouped by customer: sums, first and last of each group."""

    def __init__(self, known: History, ordered: Bools, starts: Ints, days: Ints) -> None:
        rows = slice(None) if ordered.all() else ordered
        self.day = known.day[rows]
        self.orders = known.orders[rows]
        self.value = known.gross[rows] / UNITS
        self.items = known.items[rows]
        self.starts = starts
        self.ends = starts + days - 1
        self.days = days.astype(np.float64)

    def sum(self, values: Floats) -> Floats:
        return np.add.reduceat(values, self.starts) if len(self.starts) else np.zeros(0)

    def max(self, values: Floats) -> Floats:
        return np.maximum.reduceat(values, self.starts) if len(self.starts) else np.zeros(0)


def _timing(rows: _Rows, as_of: int) -> dict[str, Floats]:
    first, last = rows.day[rows.starts].astype(np.float64), rows.day[rows.ends].astype(np.float64)
    gaps = np.diff(rows.day, prepend=0).astype(np.float64)
    gaps[rows.starts] = 0.0
    count = rows.days - 1
    several = np.where(count > 0, count, np.nan)
    mean = (last - first) / several
    spread = np.sqrt(np.maximum(rows.sum(gaps * gaps) / several - mean * mean, 0.0))
    recency, tenure = as_of - last, as_of - first
    return {
        "order_days": rows.days,
        "frequency": rows.sum(rows.orders),
        "recency_days": recency,
        "first_order_days": tenure,
        "span_days": last - first,
        "order_day_gap_mean": mean,
        "order_day_gap_spread": np.where(count > 1, spread, np.nan),
        "order_day_gap_last": np.where(count > 0, gaps[rows.ends], np.nan),
        "order_day_gap_ratio": recency / mean,
        "recency_share": recency / tenure,
    }


def _values(rows: _Rows) -> dict[str, Floats]:
    total = rows.sum(rows.value)
    mean = total / rows.days
    square = rows.sum(rows.value * rows.value) / rows.days
    first, last = rows.value[rows.starts], rows.value[rows.ends]
    repeats = np.where(rows.days > 1, rows.days - 1, np.nan)
    items = rows.sum(rows.items)
    return {
        "monetary_gross": total,
        "order_day_value_mean": mean,
        "order_day_value_spread": np.where(rows.days > 1, np.sqrt(np.maximum(square - mean * mean, 0.0)), np.nan),
        "order_day_value_max": rows.max(rows.value),
        "order_day_value_first": first,
        "order_day_value_last": last,
        "order_day_value_repeat": (total - first) / repeats,
        "order_day_value_trend": last / np.where(mean > 0, mean, np.nan),
        "items_mean": items / rows.days,
        "items_last": rows.items[rows.ends],
        "item_price": total / np.where(items > 0, items, np.nan),
    }


def _recent(rows: _Rows, as_of: int) -> dict[str, Floats]:
    columns = {}
    age = as_of - rows.day
    for window in PURCHASE_WINDOWS:
        inside = age <= window
        columns[f"orders_{window}d"] = rows.sum(np.where(inside, rows.orders, 0.0))
        columns[f"spend_{window}d"] = rows.sum(np.where(inside, rows.value, 0.0))
    return columns


def _refunds(known: History, buyers: Ints, gross: Floats) -> dict[str, Floats]:
    back = np.bincount(known.customer, known.refund, known.customers)[buyers] / UNITS
    days = np.bincount(known.customer, known.refund > 0, known.customers)[buyers].astype(np.float64)
    return {
        "refunded": back,
        "refund_days": days,
        "refund_share": np.minimum(back / np.where(gross > 0, gross, np.nan), 1.0),
    }
