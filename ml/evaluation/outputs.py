"""The CSV files of an evaluation, written by the database: ids exactly as they came in, rows in a fixed order."""

from pathlib import Path

import duckdb
import numpy as np

from ml.models.bundle import Predictions
from ml.models.recommend import Ranked, Why
from ml.models.segments import SEGMENTS
from ml.orders.history import Ints

PREDICTIONS = "predictions.csv"
RECOMMENDATIONS, RECOMMENDATIONS_NEW = "recommendations.csv", "recommendations_new.csv"


def write_predictions(database: duckdb.DuckDBPyConnection, customer: Ints, found: Predictions, out: Path) -> None:
    """One row for every customer with an order before the cutoff, by customer id."""
    table = {
        "c": customer,
        "churn": found.foretold.silence,
        "orders": found.foretold.orders,
        "spend": found.foretold.spend,
        "low": found.low,
        "high": found.high,
        "segment": np.array([SEGMENTS.index(name) for name in found.segments], dtype=np.int64),
    }
    _write(database, table, _PREDICTIONS, out / PREDICTIONS)


_PREDICTIONS = f"""
    SELECT customer_id, churn::DECIMAL(9, 6) AS churn_probability, orders::DECIMAL(18, 6) AS expected_orders,
        spend::DECIMAL(18, 4) AS expected_spend, low::DECIMAL(18, 4) AS spend_low,
        high::DECIMAL(18, 4) AS spend_high, {list(SEGMENTS)}[segment + 1] AS segment
    FROM found JOIN customers USING (c) ORDER BY c
"""  # noqa: S608 (own names)


def write_ranked(database: duckdb.DuckDBPyConnection, ranked: Ranked, path: Path) -> None:
    """Ten rows a customer, by customer id and rank, each with its reason in words."""
    table = {name: getattr(ranked, name) for name in Ranked.__dataclass_fields__}
    table["c"], table["p"] = table.pop("customer"), table.pop("product")
    _write(database, table, _RANKED, path)


_RANKED = f"""
    SELECT customer_id, rank, products.product_id, score::DECIMAL(9, 6) AS score,
        CASE why
            WHEN {Why.OWN:d} THEN 'bought ' || CASE times WHEN 1 THEN 'once' WHEN 2 THEN 'twice'
                ELSE times || ' times' END || ', last '
                || CASE ago WHEN 1 THEN '1 day' ELSE ago || ' days' END || ' ago'
            WHEN {Why.TOGETHER:d} THEN 'often bought by people who buy ' || drivers.product_id
            WHEN {Why.CATEGORY:d} THEN 'popular in ' || categories.category
            ELSE 'popular with all customers' END AS reason
    FROM found JOIN customers USING (c) JOIN products USING (p)
        LEFT JOIN categories USING (k) LEFT JOIN products AS drivers ON drivers.p = driver
    ORDER BY c, rank
"""  # noqa: S608 (own names and numbers)


def _write(database: duckdb.DuckDBPyConnection, table: dict[str, np.ndarray], query: str, path: Path) -> None:
    """Run the query over the arrays as table `found`, into a file that appears only when it is whole."""
    part = path.with_name(path.name + ".part")
    database.register("found", table)
    try:
        database.execute("SET preserve_insertion_order = true")
        database.execute(f"COPY ({query}) TO $path (FORMAT csv, HEADER, DELIMITER ',')", {"path": str(part)})
    finally:
        database.unregister("found")
    part.replace(path)
