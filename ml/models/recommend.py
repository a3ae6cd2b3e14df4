"""Recommendations: own repeat purchases, products bought together (EASE), popular ones in the category and overall."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from scipy import sparse

from ml.orders.baskets import Baskets
from ml.orders.history import Floats, Ints

RANKS = 10
_MOST_PRODUCTS = 2_000
_NEIGHBOURS = 25
_PENALTY = 250.0
_CHUNK = 8_192
_SCORE_BITS, _COLUMN_BITS = 30, 14
_STRONGEST = 4.0
_LEAST_BUYERS = 2


class Why(IntEnum):
    """What a recommendation rests on."""

    OWN = 0
    TOGETHER = 1
    CATEGORY = 2
    POPULAR = 3


@dataclass(frozen=True)
class Ranked:
    """Up to ten products for each customer: parallel arrays, sorted by customer and rank (from 1).

    `score` falls with the rank, between 0 and 1; `driver` is the bought product that speaks most for it, else -1.
    """

    customer: Ints
    rank: Ints
    product: Ints
    score: Floats
    why: Ints
    driver: Ints

    @classmethod
    def joined(cls, parts: "Sequence[Ranked]") -> "Ranked":
        """The parts one after the other."""
        return cls(
            customer=_joined([part.customer for part in parts]),
            rank=_joined([part.rank for part in parts]),
            product=_joined([part.product for part in parts]),
            score=np.concatenate([np.zeros(0), *(part.score for part in parts)]),
            why=_joined([part.why for part in parts]),
            driver=_joined([part.driver for part in parts]),
        )


@dataclass(frozen=True)
class Together:
    """Which products are bought by the same people: for each product its strongest neighbours, by EASE."""

    products: Ints
    """Positions of the products compared, ascending."""
    near: sparse.csr_matrix
    """Weights from a bought product (row) to another (column), the strongest of each row only."""

    def none(self) -> "Together":
        """The same without any neighbours: popular products take their place."""
        return Together(self.products, sparse.csr_matrix(self.near.shape))


def fit_together(baskets: Baskets) -> Together:
    """EASE over the products with most buyers: a closed formula, one inversion; what nobody buys now is left out."""
    alive = np.flatnonzero((baskets.buyers >= _LEAST_BUYERS) & (baskets.recent_buyers > 0))
    order = np.lexsort((alive, -baskets.buyers[alive]))[:_MOST_PRODUCTS]
    products = np.sort(alive[order]).astype(np.int64)
    if len(products) < 2:  # noqa: PLR2004 (one product has no other)
        return Together(products, sparse.csr_matrix((len(products), len(products))))
    matrix = _matrix(baskets, products, np.arange(baskets.customers))
    gram = (matrix.T @ matrix).toarray()
    gram[np.diag_indices_from(gram)] += _PENALTY
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return Together(products, _strongest(weights))


def recommend(baskets: Baskets, together: Together, customers: Ints, *, with_own: bool) -> Ranked:
    """Ten products for each of these customers (ascending positions); `with_own` allows what they bought before."""
    parts = []
    for start in range(0, len(customers), _CHUNK):
        chunk = customers[start : start + _CHUNK]
        picks = _Picks(baskets, chunk)
        if with_own:
            picks.add(*_own(baskets, chunk), Why.OWN)
        picks.add(*_together(baskets, together, chunk), Why.TOGETHER)
        picks.fill(with_own=with_own)
        parts.append(picks.ranked(together))
    return Ranked.joined(parts)


class _Picks:
    """Products chosen so far for a chunk of customers: a table of ten places each, filled from the left."""

    def __init__(self, baskets: Baskets, chunk: Ints) -> None:
        self.baskets, self.chunk = baskets, chunk
        self.count = np.zeros(len(chunk), dtype=np.int64)
        self.product = np.full((len(chunk), RANKS), -1, dtype=np.int64)
        self.strength = np.zeros((len(chunk), RANKS))
        self.why = np.zeros((len(chunk), RANKS), dtype=np.int64)

    def add(self, row: Ints, product: Ints, strength: Floats, why: Why) -> None:
        """Append picks, given by row and best first, as far as there is room; none may be chosen already."""
        starts = np.searchsorted(row, row)
        place = self.count[row] + np.arange(len(row)) - starts
        fits = place < RANKS
        self.product[row[fits], place[fits]] = product[fits]
        self.strength[row[fits], place[fits]] = strength[fits]
        self.why[row[fits], place[fits]] = why
        self.count = np.minimum(self.count + np.bincount(row, minlength=len(self.count)), RANKS)

    def fill(self, *, with_own: bool) -> None:
        """Fill the rest with popular products of the customer's favourite category, then with popular ones."""
        baskets = self.baskets
        by_category: dict[int, list[int]] = {}
        for product in baskets.popular.tolist():
            by_category.setdefault(int(baskets.category[product]), []).append(product)
        everything = baskets.popular.tolist()
        for row in np.flatnonzero(self.count < RANKS).tolist():
            mine = slice(baskets.offsets[self.chunk[row]], baskets.offsets[self.chunk[row] + 1])
            owned = baskets.product[mine]
            taken = set(self.product[row, : self.count[row]].tolist())
            if not with_own:
                taken |= set(owned.tolist())
            favourite = _favourite(baskets.category[owned], baskets.weight[mine])
            for why, shelf in ((Why.CATEGORY, by_category.get(favourite, [])), (Why.POPULAR, everything)):
                self._fill_row(row, shelf if favourite >= 0 or why is Why.POPULAR else [], taken, why)

    def _fill_row(self, row: int, shelf: Sequence[int], taken: set[int], why: Why) -> None:
        place = int(self.count[row])
        for product in shelf:
            if place == RANKS:
                break
            if product not in taken:
                taken.add(product)
                self.product[row, place], self.why[row, place] = product, why
                self.strength[row, place] = self.baskets.recent_buyers[product] / max(self.baskets.customers, 1)
                place += 1
        self.count[row] = place

    def ranked(self, together: Together) -> Ranked:
        """The picks as parallel arrays, with scores that fall with the rank and the product that speaks for each."""
        row, place = np.nonzero(self.product >= 0)
        product, why = self.product[row, place], self.why[row, place]
        strength = self.strength[row, place]
        # Each kind has a band of its own, so that scores of different kinds stay comparable by rank.
        low, wide = np.array([0.5, 0.2, 0.1, 0.0])[why], np.array([0.5, 0.3, 0.1, 0.1])[why]
        score = low + wide * strength / (1.0 + strength)
        driver = _drivers(self.baskets, together, self.chunk[row], product, why == Why.TOGETHER)
        return Ranked(self.chunk[row], place + 1, product, score, why, driver)


def _own(baskets: Baskets, chunk: Ints) -> tuple[Ints, Ints, Floats]:
    """What each customer bought, strongest habit first."""
    rows, places = _rows_of(baskets, chunk)
    order = np.lexsort((baskets.product[rows], -baskets.last_day[rows], -baskets.weight[rows], places))
    return places[order], baskets.product[rows][order], baskets.weight[rows][order]


def _together(baskets: Baskets, together: Together, chunk: Ints) -> tuple[Ints, Ints, Floats]:
    """Products not bought yet that go with what each customer bought: ten each at most, strongest first."""
    owned = _matrix(baskets, together.products, chunk)
    scores = (owned @ together.near).tocoo()
    new = np.asarray(scores.data) > 0
    row, column, value = scores.row[new].astype(np.int64), scores.col[new].astype(np.int64), scores.data[new]
    width = max(len(together.products), 1)
    bought = np.sort(_entries(owned, width))
    keys = row * width + column
    found = np.searchsorted(bought, keys)
    fresh = ~((found < len(bought)) & (bought[np.minimum(found, len(bought) - 1)] == keys)) if len(bought) else new[new]
    row, column, value = row[fresh], column[fresh], value[fresh]
    # Row, inverted score and column in one number: sorting plain integers is several times faster than sorting places.
    top = (1 << _SCORE_BITS) - 1
    inverted = top - np.minimum(value / _STRONGEST * top, top).astype(np.int64)
    packed = np.sort((row << (_SCORE_BITS + _COLUMN_BITS)) | (inverted << _COLUMN_BITS) | column)
    row = packed >> (_SCORE_BITS + _COLUMN_BITS)
    best = np.arange(len(row)) - np.searchsorted(row, row) < RANKS
    packed, row = packed[best], row[best]
    column = packed & ((1 << _COLUMN_BITS) - 1)
    strength = (top - ((packed >> _COLUMN_BITS) & top)) * _STRONGEST / top
    return row, together.products[column], strength


def _drivers(baskets: Baskets, together: Together, customer: Ints, product: Ints, wanted: np.ndarray) -> Ints:
    """For picks of the kind TOGETHER, the bought product with the strongest weight towards them; -1 elsewhere."""
    found = np.full(len(product), -1, dtype=np.int64)
    asked = np.flatnonzero(wanted)
    if not len(asked):
        return found
    place = np.full(baskets.products, -1, dtype=np.int64)
    place[together.products] = np.arange(len(together.products))
    dense = together.near.toarray()
    begin, end = baskets.offsets[customer[asked]], baskets.offsets[customer[asked] + 1]
    counts = end - begin
    starts = np.cumsum(counts) - counts
    rows = np.arange(counts.sum()) - np.repeat(starts - begin, counts)
    bought = place[baskets.product[rows]]
    weight = np.where(bought >= 0, dense[bought, np.repeat(place[product[asked]], counts)], 0.0)
    packed = (np.round(weight * 1e6).astype(np.int64) << _COLUMN_BITS) | np.maximum(bought, 0)
    best = np.maximum.reduceat(packed, starts) & ((1 << _COLUMN_BITS) - 1)
    found[asked] = together.products[best]
    return found


def _favourite(categories: Ints, weight: Floats) -> int:
    """The category bought most; the smallest of equal ones, -1 for none."""
    known = categories >= 0
    if not known.any():
        return -1
    return int(np.argmax(np.bincount(categories[known], weight[known])))


def _rows_of(baskets: Baskets, chunk: Ints) -> tuple[Ints, Ints]:
    """Rows of these customers, and each row's place in the chunk."""
    begin, end = baskets.offsets[chunk], baskets.offsets[chunk + 1]
    counts = end - begin
    places = np.repeat(np.arange(len(chunk)), counts)
    return np.arange(counts.sum()) + np.repeat(begin - (np.cumsum(counts) - counts), counts), places


def _matrix(baskets: Baskets, products: Ints, chunk: Ints) -> sparse.csr_matrix:
    """1 where a customer of the chunk bought a product of the list."""
    place = np.full(baskets.products, -1, dtype=np.int64)
    place[products] = np.arange(len(products))
    rows, places = _rows_of(baskets, chunk)
    column = place[baskets.product[rows]]
    kept = column >= 0
    shape = (len(chunk), len(products))
    return sparse.csr_matrix((np.ones(int(kept.sum())), (places[kept], column[kept])), shape=shape)


def _joined(parts: Sequence[Ints]) -> Ints:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])


def _entries(matrix: sparse.csr_matrix, width: int) -> Ints:
    found = matrix.tocoo()
    keys: Ints = found.row.astype(np.int64) * width + found.col.astype(np.int64)
    return keys


def _strongest(weights: Floats) -> sparse.csr_matrix:
    """Only the strongest positive weights of each row."""
    count = min(_NEIGHBOURS, weights.shape[1])
    best = np.argpartition(-weights, count - 1, axis=1)[:, :count]
    rows = np.repeat(np.arange(len(weights)), count)
    values = weights[rows, best.ravel()]
    kept = values > 0
    return sparse.csr_matrix((values[kept], (rows[kept], best.ravel()[kept])), shape=weights.shape)
