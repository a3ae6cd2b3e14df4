"""Audiences: profiles like given ones, by standardised features; the comparison is a pure function."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import InvalidInputError
from core.money import to_decimal_string
from graph.driver import Graph
from graph.repositories import audiences as repository
from ml.orders.history import Floats

MOST_LOOKED_AT = 30_000
"""Candidates of one question: in a larger brand those of the cells of the RFM grid nearest to the given profiles."""
_ORDERS, _GIVEN_BACK, _IN_STORES = 1, 6, 7
_NEAREST = 3
_REASONS = 3
_CHUNK = 1_024
_DIGITS = 4
_CELLS = [f"{recency}{frequency}{money}" for recency in "12345" for frequency in "12345" for money in "12345"]


@dataclass(frozen=True, slots=True)
class Column:
    """A feature that is compared, in the order in which the queries read them."""

    words: str
    is_money: bool = False
    is_share: bool = False


COLUMNS = (
    Column("days since the last order"),
    Column("orders"),
    Column("spend", is_money=True),
    Column("money of a day with orders", is_money=True),
    Column("days between orders"),
    Column("days since the first order"),
    Column("share of money given back", is_share=True),
    Column("share of orders in stores", is_share=True),
    Column("events"),
)


@dataclass(frozen=True)
class Compared:
    """The likest candidates, best first: their rows, similarity (0 to 1), and what speaks for each.

    `standard` are their standardised values, `given` those of the given profiles nearest to each, as means.
    """

    rows: list[int]
    similarity: list[float]
    standard: Floats
    given: Floats


def compare(seeds: Floats, candidates: Floats, most: int, least: float) -> Compared:
    """Rank candidates by the mean distance to their three nearest seeds.

    Both have a row of `COLUMNS` each; amounts count by their logarithm, all columns in standard deviations among the
    candidates, unknown values as the mean. Similarity is 1 / (1 + root mean square difference), at least `least`.
    """
    shown = _spread_out(candidates)
    with np.errstate(invalid="ignore"):
        known = np.isfinite(shown)
        count = np.maximum(known.sum(axis=0), 1)
        centre = np.where(known, shown, 0.0).sum(axis=0) / count
        spread = np.sqrt((np.where(known, shown - centre, 0.0) ** 2).sum(axis=0) / count)
    spread[spread < 1e-9] = 1.0  # noqa: PLR2004 (a column that never varies)
    mine, theirs = (np.nan_to_num((rows - centre) / spread) for rows in (shown, _spread_out(seeds)))
    distance = np.zeros(len(mine))
    for start in range(0, len(mine), _CHUNK):
        part = _distances(mine[start : start + _CHUNK], theirs)
        distance[start : start + _CHUNK] = np.sort(part, axis=1)[:, :_NEAREST].mean(axis=1)
    similarity = np.round(1.0 / (1.0 + distance), _DIGITS)
    order = np.argsort(-similarity, kind="stable")[:most]
    order = order[similarity[order] >= least]
    nearest = np.argsort(_distances(mine[order], theirs), axis=1, kind="stable")[:, :_NEAREST]
    given = theirs[nearest].mean(axis=1) if len(order) else np.zeros((0, len(COLUMNS)))
    return Compared(order.tolist(), similarity[order].tolist(), mine[order], given)


def _spread_out(rows: Floats) -> Floats:
    shares = np.array([column.is_share for column in COLUMNS])
    return np.where(shares, rows, np.log1p(np.maximum(rows, 0.0)))


def _distances(mine: Floats, theirs: Floats) -> Floats:
    found: Floats = np.sqrt(((mine[:, None, :] - theirs[None, :, :]) ** 2).mean(axis=2))
    return found


def find_lookalikes(
    graph: Graph, brand: str, profile_ids: Sequence[str], most: int, least: float = 0.0
) -> dict[str, Any]:
    """Profiles with orders that are like the given ones, which are left out; raises InvalidInputError.

    {items, not_found, without_orders, looked_at, is_complete}: `is_complete` is false when others were not looked at.
    """
    rows = repository.read_seeds(graph, brand, profile_ids)
    seeds = {row[1]: row for row in rows if row[2] is not None and row[5] is not None}
    if not seeds:
        raise InvalidInputError("None of these profiles has an order to compare by.", field="profile_ids")
    cells = _nearest_cells({row[2] for row in seeds.values()})
    found = repository.read_candidates(graph, brand, cells, MOST_LOOKED_AT + len(seeds) + 1)
    is_complete = len(found) <= MOST_LOOKED_AT + len(seeds)
    # One whose prediction or features are taken away while they are read has no segment or no orders.
    whole = (row for row in found if row[0] not in seeds and row[1] is not None and row[4] is not None)
    others = sorted(whole, key=lambda row: str(row[0]))[:MOST_LOOKED_AT]
    given, raw = _table([row[4:] for row in seeds.values()]), _table([row[3:] for row in others])
    compared = compare(given, raw, most, least)
    currency = next(iter(seeds.values()))[3] or "USD"
    usual = [_median(values) for values in raw.T]
    items = [
        {
            "profile_id": others[row][0],
            "similarity": compared.similarity[rank],
            "segment": others[row][1],
            "churn_probability": others[row][2],
            "reasons": [
                _in_words(place, raw[row][place], usual[place], currency)
                for place in _common(compared.standard[rank], compared.given[rank])
            ],
        }
        for rank, row in enumerate(compared.rows)
    ]
    known = {row[0] for row in rows}
    return {
        "items": items,
        "not_found": [asked for asked in dict.fromkeys(profile_ids) if asked not in known],
        "without_orders": sorted(row[0] for row in rows if row[1] not in seeds),
        "looked_at": len(others),
        "is_complete": is_complete,
    }


def _nearest_cells(wanted: set[str]) -> list[str]:
    """All cells, those nearest to a wanted one first."""

    def away(cell: str) -> int:
        return min(sum(abs(int(a) - int(b)) for a, b in zip(cell, one, strict=True)) for one in wanted)

    return sorted(_CELLS, key=lambda cell: (away(cell), cell))


def _table(rows: Sequence[Sequence[Any]]) -> Floats:
    """Stored columns as numbers; orders in stores as a share of all."""
    table = np.array([[np.nan if value is None else value for value in row] for row in rows], dtype=np.float64).reshape(
        -1, len(COLUMNS)
    )
    table[:, _IN_STORES] /= np.maximum(table[:, _ORDERS], 1.0)
    table[:, _GIVEN_BACK] = np.nan_to_num(table[:, _GIVEN_BACK])
    return table


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else np.nan


def _common(standard: Floats, given: Floats) -> list[int]:
    """Columns in which a profile is like the given ones and unlike most others, strongest first; one at least."""
    speaks = np.abs(given) - np.abs(standard - given)
    order: list[int] = np.argsort(-speaks, kind="stable")[:_REASONS].tolist()
    return [place for place in order if speaks[place] > 0] or order[:1]


def _in_words(place: int, value: float, usual: float, currency: str) -> str:
    return f"{COLUMNS[place].words}: {_shown(value, place, currency)} (usually {_shown(usual, place, currency)})"


def _shown(value: float, place: int, currency: str) -> str:
    column = COLUMNS[place]
    if not np.isfinite(value):
        return "unknown"
    if column.is_share:
        return f"{value:.0%}"
    return to_decimal_string(round(value), currency) if column.is_money else f"{round(value)}"
