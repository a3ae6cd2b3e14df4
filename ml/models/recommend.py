"""Recommendations: own repeat purchases, products bought together (EASE), popular ones in the category and overall."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum, StrEnum

import numpy as np
from scipy import sparse

from ml.orders.baskets import Baskets
from ml.orders.history import Bools, Floats, Ints

RANKS = 10
_MOST_PRODUCTS = 2_000
_NEIGHBOURS = 20
_PENALTY = 250.0
_CHUNK = 8_192
_SCORE_BITS, _COLUMN_BITS, _PRODUCT_BITS = 30, 14, 24
_STRONGEST, _HEAVIEST = 4.0, 10.0
_LEAST_BUYERS = 2
_OWNED = 1e3
_SHELF = 40


class Why(IntEnum):
    """What a recommendation rests on."""

    OWN = 0
    TOGETHER = 1
    CATEGORY = 2
    POPULAR = 3


class Own(StrEnum):
    """Where products stand that the customer bought before: in front, behind everything new, or nowhere."""

    FIRST = "first"
    LAST = "last"
    NEVER = "never"


@dataclass(frozen=True)
class Ranked:
    """Up to ten products for each customer: parallel arrays, sorted by customer and rank (from 1).

    `score` falls with the rank, between 0 and 1. `driver` is the bought product that speaks most for one bought
    together; `times` and `ago` say how often and how many days ago an own one was bought; -1 where they do not apply.
    """

    customer: Ints
    rank: Ints
    product: Ints
    score: Floats
    why: Ints
    driver: Ints
    times: Ints
    ago: Ints

    @classmethod
    def joined(cls, parts: "Sequence[Ranked]") -> "Ranked":
        """The parts one after the other."""
        empty = np.zeros(0, dtype=np.int64)
        return cls(*(np.concatenate([empty, *(getattr(part, one.name) for part in parts)]) for one in fields(cls)))


@dataclass(frozen=True)
class Together:
    """Which products are bought by the same people: for each product its strongest neighbours, by EASE."""

    products: Ints
    """Positions of the products compared, ascending."""
    near: sparse.csr_matrix
    """Weights from a bought product (row) to another (column), the strongest of each row only."""

    def none(self) -> "Together":
        """The same without any neighbours: popular products take their place."""
        return Together(self.products, sparse.csr_matrix(self.near.shape, dtype=np.float32))


def fit_together(baskets: Baskets) -> Together:
    """EASE over the products with most buyers: a closed formula, one inversion; what nobody buys now is left out."""
    alive = np.flatnonzero((baskets.buyers >= _LEAST_BUYERS) & (baskets.recent_buyers > 0))
    order = np.lexsort((alive, -baskets.buyers[alive]))[:_MOST_PRODUCTS]
    products = np.sort(alive[order]).astype(np.int64)
    if len(products) < 2:  # noqa: PLR2004 (one product has no other)
        return Together(products, sparse.csr_matrix((len(products), len(products)), dtype=np.float32))
    matrix = _matrix(baskets, products, np.arange(baskets.customers))
    gram = (matrix.T @ matrix).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += _PENALTY
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return Together(products, _strongest(weights))


def recommend(baskets: Baskets, together: Together, customers: Ints, own: Own) -> Ranked:
    """Ten products for each of these customers (ascending positions), as far as there are so many."""
    parts = []
    dense = together.near.toarray()
    for start in range(0, len(customers), _CHUNK):
        chunk = customers[start : start + _CHUNK]
        picks = _Picks(baskets, chunk)
        if own is Own.FIRST:
            picks.add(*_own(baskets, chunk), Why.OWN)
        picks.add(*_together(baskets, together, chunk), Why.TOGETHER)
        picks.fill()
        if own is Own.LAST:
            picks.add(*_own(baskets, chunk), Why.OWN)
        parts.append(picks.ranked(together, dense))
    return Ranked.joined(parts)


class _Picks:
    """Products chosen so far for a chunk of customers: a table of ten places each, filled from the left."""

    def __init__(self, baskets: Baskets, chunk: Ints) -> None:
        self.baskets, self.chunk = baskets, chunk
        self.rows, self.places = _rows_of(baskets, chunk)
        self.count = np.zeros(len(chunk), dtype=np.int64)
        self.product = np.full((len(chunk), RANKS), -1, dtype=np.int64)
        self.strength = np.zeros((len(chunk), RANKS))
        self.why = np.zeros((len(chunk), RANKS), dtype=np.int64)

    def add(self, row: Ints, product: Ints, strength: Floats, why: Why) -> None:
        """Append picks, given by row and best first, as far as there is room; none may be chosen already."""
        place = self.count[row] + np.arange(len(row)) - np.searchsorted(row, row)
        fits = place < RANKS
        self.product[row[fits], place[fits]] = product[fits]
        self.strength[row[fits], place[fits]] = strength[fits]
        self.why[row[fits], place[fits]] = why
        self.count = np.minimum(self.count + np.bincount(row, minlength=len(self.count)), RANKS)

    def fill(self) -> None:
        """Fill the rest with new products: popular ones of the customer's favourite category, then popular ones."""
        if (self.count == RANKS).all():
            return
        baskets = self.baskets
        favourite = self._favourites()
        wanting = self.count < RANKS
        for category in np.unique(favourite[wanting & (favourite >= 0)]).tolist():
            shelf = baskets.popular[baskets.category[baskets.popular] == category]
            self._take(np.flatnonzero(wanting & (favourite == category)), shelf[:_SHELF], Why.CATEGORY)
        for shelf in (baskets.popular[:_SHELF], baskets.popular):
            self._take(np.flatnonzero(self.count < RANKS), shelf, Why.POPULAR)

    def _take(self, rows: Ints, shelf: Ints, why: Why) -> None:
        """Append from the shelf, in its order, what those customers neither bought nor have among their picks."""
        if not len(rows) or not len(shelf):
            return
        baskets = self.baskets
        place = np.full(baskets.products, -1, dtype=np.int64)
        place[shelf] = np.arange(len(shelf))
        line = np.full(len(self.chunk), -1, dtype=np.int64)
        line[rows] = np.arange(len(rows))
        free = np.ones((len(rows), len(shelf)), dtype=bool)
        chosen = self.product[rows]
        taken_row, taken = np.nonzero(chosen >= 0)[0], place[chosen[chosen >= 0]]
        free[taken_row[taken >= 0], taken[taken >= 0]] = False
        owner, owned = line[self.places], place[baskets.product[self.rows]]
        both = (owner >= 0) & (owned >= 0)
        free[owner[both], owned[both]] = False
        room = RANKS - self.count[rows]
        free &= np.cumsum(free, axis=1) <= room[:, None]
        found, column = np.nonzero(free)
        share = baskets.recent_buyers[shelf[column]] / max(baskets.customers, 1)
        self.add(rows[found], shelf[column], share, why)

    def _favourites(self) -> Ints:
        """The category bought most by each customer; the smallest of equal ones, -1 for none."""
        baskets = self.baskets
        kinds = int(baskets.category.max(initial=-1)) + 1
        if not kinds:
            return np.full(len(self.chunk), -1, dtype=np.int64)
        kind = baskets.category[baskets.product[self.rows]]
        known = kind >= 0
        keys = self.places[known] * kinds + kind[known]
        weight = np.bincount(keys, baskets.weight[self.rows[known]], len(self.chunk) * kinds).reshape(-1, kinds)
        return np.where(weight.max(axis=1) > 0, weight.argmax(axis=1), -1).astype(np.int64)

    def ranked(self, together: Together, dense: Floats) -> Ranked:
        """The picks as parallel arrays, with scores that fall with the rank and what is needed to give reasons."""
        baskets = self.baskets
        row, place = np.nonzero(self.product >= 0)
        product, why = self.product[row, place], self.why[row, place]
        strength = self.strength[row, place]
        own = why == Why.OWN
        # Each kind has a band of its own, so that scores fall with the rank; own ones behind new ones have the lowest.
        band = np.where(own & (why[np.maximum(np.arange(len(why)) - place, 0)] != Why.OWN), len(Why), why)
        low, wide = np.array([0.5, 0.3, 0.2, 0.1, 0.0])[band], np.array([0.5, 0.2, 0.1, 0.1, 0.1])[band]
        score = low + wide * strength / (1.0 + strength)
        keys = baskets.customer[self.rows] * baskets.products + baskets.product[self.rows]
        at = self.rows[np.searchsorted(keys, (self.chunk[row] * baskets.products + product)[own])]
        times, ago = np.full(len(row), -1, dtype=np.int64), np.full(len(row), -1, dtype=np.int64)
        times[own], ago[own] = baskets.times[at], baskets.as_of - baskets.last_day[at]
        driver = _drivers(baskets, together.products, dense, (self.chunk[row], product, why == Why.TOGETHER))
        return Ranked(self.chunk[row], place + 1, product, score, why, driver, times, ago)


def _own(baskets: Baskets, chunk: Ints) -> tuple[Ints, Ints, Floats]:
    """What each customer bought, strongest habit first."""
    rows, places = _rows_of(baskets, chunk)
    return _best_first(places, baskets.weight[rows], baskets.product[rows], (_HEAVIEST, 20, _PRODUCT_BITS), None)


def _together(baskets: Baskets, together: Together, chunk: Ints) -> tuple[Ints, Ints, Floats]:
    """Products not bought yet that go with what each customer bought: ten each at most, strongest first."""
    owned = _matrix(baskets, together.products, chunk)
    scores = (owned @ together.near - owned * np.float32(_OWNED)).tocoo()
    new = np.asarray(scores.data) > 0
    row, column = scores.row[new].astype(np.int64), scores.col[new].astype(np.int64)
    value = scores.data[new].astype(np.float64)
    row, column, strength = _best_first(row, value, column, (_STRONGEST, _SCORE_BITS, _COLUMN_BITS), RANKS)
    return row, together.products[column], strength


def _best_first(
    row: Ints, value: Floats, what: Ints, sizes: tuple[float, int, int], most: int | None
) -> tuple[Ints, Ints, Floats]:
    """Sorted by row and falling value, the first `most` of each row; `sizes`: largest value, bits of value and of what.

    Row, inverted value and what are packed into one number: sorting plain integers is several times faster.
    """
    largest, value_bits, what_bits = sizes
    top = (1 << value_bits) - 1
    inverted = top - np.minimum(value / largest * top, top).astype(np.int64)
    packed = np.sort((row << (value_bits + what_bits)) | (inverted << what_bits) | what)
    row = packed >> (value_bits + what_bits)
    if most is not None:
        best = np.arange(len(row)) - np.searchsorted(row, row) < most
        packed, row = packed[best], row[best]
    strength = (top - ((packed >> what_bits) & top)) * largest / top
    return row, packed & ((1 << what_bits) - 1), strength


def _drivers(baskets: Baskets, products: Ints, dense: Floats, picks: tuple[Ints, Ints, Bools]) -> Ints:
    """For picks (customer, product, whether wanted) the bought product with most weight towards it; -1 elsewhere."""
    customer, product, wanted = picks
    found = np.full(len(product), -1, dtype=np.int64)
    asked = np.flatnonzero(wanted)
    if not len(asked):
        return found
    place = np.full(baskets.products, -1, dtype=np.int64)
    place[products] = np.arange(len(products))
    begin, end = baskets.offsets[customer[asked]], baskets.offsets[customer[asked] + 1]
    counts = end - begin
    starts = np.cumsum(counts) - counts
    bought = place[baskets.product[np.arange(counts.sum()) - np.repeat(starts - begin, counts)]]
    weight = np.where(bought >= 0, dense[bought, np.repeat(place[product[asked]], counts)], 0.0)
    packed = (np.round(weight * 1e6).astype(np.int64) << _COLUMN_BITS) | np.maximum(bought, 0)
    found[asked] = products[np.maximum.reduceat(packed, starts) & ((1 << _COLUMN_BITS) - 1)]
    return found


def _rows_of(baskets: Baskets, chunk: Ints) -> tuple[Ints, Ints]:
    """Rows of these customers, and each row's place in the chunk."""
    begin, end = baskets.offsets[chunk], baskets.offsets[chunk + 1]
    counts = end - begin
    places = np.repeat(np.arange(len(chunk)), counts)
    return np.arange(counts.sum()) + np.repeat(begin - (np.cumsum(counts) - counts), counts), places


def _matrix(baskets: Baskets, products: Ints, chunk: Ints) -> sparse.csr_matrix:
    """1 where a customer of the chunk bought a product of the list."""
    place = np.full(baskets.products, -1, dtype=np.int32)
    place[products] = np.arange(len(products))
    rows, places = _rows_of(baskets, chunk)
    column = place[baskets.product[rows]]
    kept = column >= 0
    ends = np.append(0, np.cumsum(np.bincount(places[kept], minlength=len(chunk))))
    parts = (np.ones(int(kept.sum()), dtype=np.float32), column[kept], ends)
    return sparse.csr_matrix(parts, shape=(len(chunk), len(products)))


def _strongest(weights: Floats) -> sparse.csr_matrix:
    """Only the strongest positive weights of each row."""
    count = min(_NEIGHBOURS, weights.shape[1])
    best = np.argpartition(-weights, count - 1, axis=1)[:, :count]
    rows = np.repeat(np.arange(len(weights)), count)
    values = weights[rows, best.ravel()].astype(np.float32)
    kept = values > 0
    return sparse.csr_matrix((values[kept], (rows[kept], best.ravel()[kept])), shape=weights.shape)
