"""Who bought which products, how often and how lately, before a day: what recommendations are made from."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ml.orders.history import Floats, Ints

if TYPE_CHECKING:
    # Workers score without it.
    import duckdb

RECENT_DAYS = 91
DECAY = 0.9
_MILLION = 1_000_000


@dataclass(frozen=True)
class Baskets:
    """One row for each customer and product bought, sorted by both; products are positions in the list of products.

    `weight` counts the days of purchase, each worth 0.9 of the customer's next later one; `times` counts them plainly.
    """

    customers: int
    products: int
    as_of: int
    customer: Ints
    product: Ints
    weight: Floats
    times: Ints
    last_day: Ints
    recent_buyers: Ints
    """By product: customers who bought it in the last 91 days."""
    buyers: Ints
    """By product: customers who ever bought it."""
    category: Ints
    """By product: its category (of most lines), -1 for none."""

    @cached_property
    def offsets(self) -> Ints:
        """Where each customer's rows begin, and the end of the last one's."""
        return np.searchsorted(self.customer, np.arange(self.customers + 1)).astype(np.int64)

    @cached_property
    def popular(self) -> Ints:
        """Products, most recent buyers first, then most buyers ever."""
        return np.lexsort((np.arange(self.products), -self.buyers, -self.recent_buyers)).astype(np.int64)


def number_products(database: "duckdb.DuckDBPyConnection") -> list[str]:
    """Make the tables `products` and `categories`, numbered in binary order; the product ids."""
    database.execute(
        "CREATE TABLE categories AS SELECT category, (row_number() OVER (ORDER BY category) - 1)::INTEGER AS k"
        " FROM (SELECT DISTINCT category FROM lines WHERE category <> '' AND product_id <> '')"
    )
    database.execute(
        "CREATE TABLE products AS SELECT product_id, (row_number() OVER (ORDER BY product_id) - 1)::INTEGER AS p, k"
        " FROM (SELECT product_id, min_by(category, (-n, category)) AS category FROM"
        "   (SELECT product_id, category, count(*) AS n FROM lines WHERE product_id <> '' AND amount >= 0 GROUP BY ALL)"
        "   GROUP BY product_id) LEFT JOIN categories USING (category)"
    )
    database.execute(
        "CREATE TABLE bought AS SELECT DISTINCT c, p, day FROM lines JOIN customers USING (customer_id)"
        " JOIN products USING (product_id) WHERE amount >= 0"
    )
    return [row[0] for row in database.execute("SELECT product_id FROM products ORDER BY p").fetchall()]


def load_baskets(database: "duckdb.DuckDBPyConnection", customers: int, as_of: int, every: int = 1) -> Baskets:
    """What was bought before the day `as_of`, by every so many-th customer; needs the tables of `number_products`."""
    kinds = database.execute("SELECT coalesce(k, -1) AS k FROM products ORDER BY p").fetchnumpy()["k"]
    found = database.execute(_BASKETS, {"as_of": as_of, "every": every}).fetchnumpy()
    rows = {name: np.asarray(found[name], dtype=np.int64) for name in ("c", "p", "weight", "times", "last_day")}
    recent = rows["p"][rows["last_day"] >= as_of - RECENT_DAYS]
    return Baskets(
        customers,
        len(kinds),
        as_of,
        customer=rows["c"],
        product=rows["p"],
        weight=rows["weight"] / float(_MILLION),
        times=rows["times"],
        last_day=rows["last_day"],
        recent_buyers=np.bincount(recent, minlength=len(kinds)).astype(np.int64),
        buyers=np.bincount(rows["p"], minlength=len(kinds)).astype(np.int64),
        category=np.asarray(kinds, dtype=np.int64),
    )


# Weights are whole millionths: sums of whole numbers do not depend on the order of rows.
_BASKETS = f"""
    WITH known AS (SELECT * FROM bought WHERE day < $as_of AND c % $every = 0),
    visits AS (
        SELECT c, day, row_number() OVER (PARTITION BY c ORDER BY day DESC) - 1 AS later
        FROM (SELECT DISTINCT c, day FROM known)
    )
    SELECT c, p, sum(round(power({DECAY}, least(later, 100)) * {_MILLION})::BIGINT)::BIGINT AS weight,
        count(*) AS times, max(day) AS last_day
    FROM known JOIN visits USING (c, day) GROUP BY c, p ORDER BY c, p
"""  # noqa: S608 (own names)
