"""The walk of `constintel evaluate`: order file → history → training → predictions, recommendations, report."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ml.evaluation.outputs import RECOMMENDATIONS, RECOMMENDATIONS_NEW, write_predictions, write_ranked
from ml.evaluation.report import Facts, write_model, write_report
from ml.evaluation.shelves import NEW_ONLY, WITH_OWN, Shelves, judge_shelves
from ml.features.purchases import purchase_features
from ml.models.recommend import fit_together
from ml.orders.baskets import load_baskets, number_products
from ml.orders.history import Ints
from ml.orders.read import OrderBook, day_number, open_orders
from ml.training import Job, Training, train

Tell = Callable[[str], None]
_THREADS = 2
_RANKED = (RECOMMENDATIONS, RECOMMENDATIONS_NEW)


@dataclass(frozen=True, slots=True)
class Summary:
    """What the command line says at the end."""

    customers: int
    orders: int
    training: Training
    files: tuple[str, ...]


def evaluate_file(path: Path, cutoff: date, horizon: int, out: Path, seed: int, tell: Tell) -> Summary:
    """Write all files of the evaluation into `out`; raises InvalidInputError naming the row and column of bad input."""
    job = Job(day_number(cutoff), horizon, seed)
    with open_orders(path, cutoff) as book, _no_leftovers(out), ThreadPoolExecutor(1, "recommendations") as beside:
        tell(f"read: {book.lines} lines of {len(book.customer_ids)} customers before {cutoff.isoformat()}")
        features = purchase_features(book.history, job.cutoff)
        out.mkdir(parents=True, exist_ok=True)
        # Neither needs the other, and most of both is arithmetic that lets other threads run.
        recommending = beside.submit(_recommend, book, features.customer, job, out) if book.has_products else None
        training = train(book.history, job, tell, threads=_THREADS)
        found = training.bundle.predict(features, horizon)
        shelves = recommending.result() if recommending is not None else None
        write_predictions(book.database, features.customer, found, out)
        tell(f"predicted: {len(features)} customers")
        for name in _RANKED:
            if shelves is None:
                (out / name).unlink(missing_ok=True)
            else:
                _waiting(out, name).replace(out / name)
                tell(f"recommended: {name}")
        facts = Facts(cutoff, len(features), int(book.history.orders.sum()), book.lines, book.currency)
        files = [*write_model(training, facts, shelves, out), *write_report(training, facts, shelves, out)]
    names = ("predictions.csv", *(_RANKED if shelves else ()), *files)
    return Summary(len(features), facts.orders, training, names)


def _waiting(out: Path, name: str) -> Path:
    """Where a file waits until everything is there: a folder never holds files of two runs."""
    return out / f"{name}.waiting"


@contextmanager
def _no_leftovers(out: Path) -> Iterator[None]:
    try:
        yield
    finally:
        for name in _RANKED:
            _waiting(out, name).unlink(missing_ok=True)


def _recommend(book: OrderBook, customers: Ints, job: Job, out: Path) -> Shelves:
    """Make both files of recommendations, with the order of shelves that a window before the cutoff judged best."""
    count = len(book.customer_ids)
    # A connection is for one thread.
    with book.database.cursor() as database:
        number_products(database)
        shelves = judge_shelves(database, count, job)
        baskets = load_baskets(database, count, job.cutoff)
        together = fit_together(baskets)
        for kind, name in ((WITH_OWN, RECOMMENDATIONS), (NEW_ONLY, RECOMMENDATIONS_NEW)):
            write_ranked(database, shelves.take(kind, baskets, together, customers), _waiting(out, name))
    return shelves
