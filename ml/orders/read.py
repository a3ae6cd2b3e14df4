"""An order file in DuckDB: parsed and checked at once, then brought together by customer and day."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInputError
from ml.orders.history import BLOCK_ROWS, UNITS, History, customer_cuts, each_block
from ml.orders.problems import MAX_AMOUNT, OPTIONAL, REQUIRED, bad_row, find_problem, read_header

Rows = dict[str, NDArray[Any]]
_MEMORY = "1500MB"
_EPOCH = date(1970, 1, 1)
_TIME = r"^\d{4}-\d{2}-\d{2}([T ]([01]\d|2[0-3]):\d{2}(:\d{2}([.,]\d{1,9})?)?(Z|[+-]([01]\d|2[0-3]):?[0-5]\d)?)?$"


@dataclass(frozen=True)
class OrderBook:
    """Everything an order file knows before the cutoff: ids in binary order, their history, what is in the database."""

    database: duckdb.DuckDBPyConnection
    customer_ids: list[str]
    history: History
    lines: int
    has_products: bool
    has_categories: bool
    currency: str | None


def day_number(day: date) -> int:
    """Days since 1970."""
    return (day - _EPOCH).days


def day_of(number: int) -> date:
    """The date of a day number."""
    return date.fromordinal(_EPOCH.toordinal() + number)


@contextmanager
def open_orders(path: Path, cutoff: date, threads: int = 2) -> Iterator[OrderBook]:
    """Read the lines before the cutoff; raises InvalidInputError naming the first bad row and its column.

    Rows after the cutoff are checked for their form and then forgotten.
    """
    names = read_header(path)
    with TemporaryDirectory(prefix="constintel-orders-") as folder:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": _MEMORY,
            "temp_directory": folder,
            "threads": str(threads),
            "autoinstall_known_extensions": "false",
            "preserve_insertion_order": "false",
        }
        with duckdb.connect(":memory:", config=config) as database:
            database.execute("SET TimeZone = 'UTC'")
            _parse(database, path, names, cutoff)
            yield _gather(database, names)


def _parse(database: duckdb.DuckDBPyConnection, path: Path, names: list[str], cutoff: date) -> None:
    """Fill the table `lines` with what lies before the cutoff."""
    wanted = {name: f"c{place}" for place, name in enumerate(names) if name in (*REQUIRED, *OPTIONAL)}
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(names)))
    source = (
        f"read_csv($path, header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"',"
        f" columns = {{{columns}}}, max_line_size = 10000000, buffer_size = 33554432)"
    )
    try:
        database.execute(
            "CREATE TABLE lines AS " + _lines_query(wanted, source),
            {"path": str(path), "cutoff": day_number(cutoff)},
        )
    except (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.IOException) as error:
        raise find_problem(path, names, cutoff.isoformat()) or bad_row(1, "(any)", "the file is no CSV") from error
    [(bad, currencies)] = database.execute(
        "SELECT count(*) FILTER (is_bad), count(DISTINCT currency) FILTER (currency <> '' AND NOT is_bad) FROM lines"
    ).fetchall()
    if bad or currencies > 1:
        raise find_problem(path, names, cutoff.isoformat()) or bad_row(1, "(any)", "a row does not fit")


def _lines_query(wanted: dict[str, str], source: str) -> str:
    """SQL of the typed lines before the cutoff, and of every line that does not fit."""
    text = {name: f"coalesce({wanted[name]}, '')" if name in wanted else "''" for name in (*REQUIRED, *OPTIONAL)}
    moment = f"replace(upper(trim({text['ordered_at']})), ',', '.')"
    number = "try_cast(nullif(regexp_replace({0}, '_', 'x'), '') AS DOUBLE)"
    amount, quantity = number.format(text["amount"]), number.format(f"trim({text['quantity']})")
    return f"""
        WITH typed AS (
            SELECT {text["customer_id"]} AS customer_id, {text["order_id"]} AS order_id,
                {text["product_id"]} AS product_id, {text["category"]} AS category,
                upper(trim({text["currency"]})) AS currency,
                CASE WHEN regexp_full_match({moment}, '{_TIME}') THEN
                    floor(epoch_us(try_cast({moment} AS TIMESTAMPTZ)) / 86400000000.0)::INTEGER END AS day,
                {amount} AS amount, {quantity} AS quantity, trim({text["quantity"]}) <> '' AS has_quantity
            FROM {source}
        ), judged AS (
            SELECT *, trim(customer_id) = '' OR trim(order_id) = '' OR day IS NULL
                OR day < {day_number(date.min)} OR amount IS NULL
                OR NOT coalesce(abs(amount) <= {MAX_AMOUNT:.0f}, false)
                OR (has_quantity AND NOT coalesce(abs(quantity) <= {MAX_AMOUNT:.0f}, false)) AS is_bad
            FROM typed
        )
        SELECT customer_id, hash(order_id) AS order_key, product_id, category, currency, day, is_bad,
            CASE WHEN NOT is_bad THEN round(amount * {UNITS:.0f}) END AS amount,
            CASE WHEN NOT is_bad THEN round(coalesce(quantity, 1) * {UNITS:.0f}) END AS quantity
        FROM judged WHERE is_bad OR day < $cutoff
    """  # noqa: S608 (own names)


def _gather(database: duckdb.DuckDBPyConnection, names: list[str]) -> OrderBook:
    """Number the customers and products, and sum the lines by customer and day."""
    ids, history = gather_history(database)
    [(lines, has_products, has_categories, currency)] = database.execute(
        "SELECT count(*), coalesce(bool_or(product_id <> ''), false), coalesce(bool_or(category <> ''), false),"
        " max(currency) FROM lines"
    ).fetchall()
    return OrderBook(
        database, ids, history, lines, has_products and "product_id" in names, has_categories, currency or None
    )


def gather_history(database: duckdb.DuckDBPyConnection) -> tuple[list[str], History]:
    """Customer ids in binary order and their history, from a table `lines`; makes the table `customers`."""
    database.execute(
        "CREATE TABLE customers AS SELECT customer_id, (row_number() OVER (ORDER BY customer_id) - 1)::INTEGER AS c"
        " FROM (SELECT customer_id FROM lines GROUP BY customer_id HAVING max(amount) >= 0)"
    )
    [(has_refunds,)] = database.execute("SELECT coalesce(min(amount) < 0, false) FROM lines").fetchall()
    found = database.execute(_days_query(_SUMS if has_refunds else _PLAIN_SUMS)).fetchnumpy()
    ids = database.execute("SELECT customer_id FROM customers ORDER BY c").fetchnumpy()["customer_id"].tolist()
    return ids, _by_day(len(ids), {name: np.asarray(values) for name, values in found.items()})


def _by_day(customers: int, rows: Rows) -> History:
    """Parts of orders, sorted by customer and day, summed by both: NumPy takes half as long for it as the database."""
    cuts = pairwise(customer_cuts(rows["c"], BLOCK_ROWS))
    blocks = [{name: values[one:after] for name, values in rows.items()} for one, after in cuts]
    summed = each_block(_sum_days, blocks)
    # Column by column, so that parts and whole are not there twice.
    return History(customers, **{name: np.concatenate([one.pop(name) for one in summed]) for name in list(summed[0])})


def _sum_days(rows: Rows) -> Rows:
    """The columns of a history for a block of rows."""
    customer, day = rows["c"].astype(np.int64), rows["day"].astype(np.int64)
    starts = np.flatnonzero((np.diff(customer, prepend=-1) != 0) | (np.diff(day, prepend=0) != 0))
    totals = {
        name: np.add.reduceat(rows[name].astype(np.float64), starts) if len(starts) else np.zeros(0)
        for name in ("is_order", "gross", "net", "items")
    }
    return {
        "customer": customer[starts],
        "day": day[starts],
        "orders": totals["is_order"],
        "gross": totals["gross"],
        "refund": totals["gross"] - totals["net"],
        "items": totals["items"] / UNITS,
    }


# An order is counted on the day of its first line that is no refund; its money on the days of its lines. Nearly every
# order has one day: the few with more are summed again by day. Sums are of whole numbers, exact also as DOUBLE.
_SUMS = """
    max(amount) >= 0 AS is_order, sum(greatest(amount, 0.0)) AS gross, sum(amount) AS net,
    sum(CASE WHEN amount >= 0 THEN quantity ELSE 0.0 END) AS items
"""
# The same where no line is a refund, in three quarters of the time.
_PLAIN_SUMS = "true AS is_order, sum(amount) AS gross, sum(amount) AS net, sum(quantity) AS items"


def _days_query(sums: str) -> str:
    """SQL of the parts of orders, one for each customer, order and day, by customer and day."""
    return f"""
        WITH parts AS MATERIALIZED (
            SELECT c, order_key, min(day) AS day, max(day) AS last, {sums}
            FROM lines JOIN customers USING (customer_id) GROUP BY c, order_key
        ),
        long AS (
            SELECT c, order_key, lines.day AS day, {sums}
            FROM (SELECT c, customer_id, order_key FROM parts JOIN customers USING (c) WHERE day < last)
                JOIN lines USING (customer_id, order_key)
            GROUP BY c, order_key, lines.day
        ),
        counted AS (
            SELECT c, day, is_order AND day = min(day) FILTER (is_order) OVER (PARTITION BY c, order_key) AS is_order,
                gross, net, items FROM long
            UNION ALL
            SELECT c, day, is_order, gross, net, items FROM parts WHERE day = last
        )
        SELECT c, day, is_order, gross, net, items FROM counted ORDER BY c, day
    """  # noqa: S608 (own names)


def check_cutoff(text: str) -> date:
    """The cutoff as a date; raises InvalidInputError when it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError("--cutoff must be a date such as 2025-03-01.", field="cutoff") from error
