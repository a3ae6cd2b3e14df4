"""Imports at work on the real graph: killed at the worst moments, taken over, cancelled, cut off from the database."""

import csv
import subprocess
import sys
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from brands.onboarding import NewBrand, create_brand
from core.brand import BrandSettings
from core.clock import utc_now
from core.errors import UnavailableError
from core.events import RawEvent
from core.settings import Settings, child_environment
from graph.commit import commit_batch
from graph.driver import Graph
from graph.repositories.csv_imports import (
    CsvImport,
    Lease,
    cancel_import,
    claim_import,
    create_import,
    find_due,
    get_import,
)
from ingest.committer import Outcome
from ingest.csv_files.files import rejected_path, source_path
from ingest.csv_files.options import ImportOptions
from ingest.csv_files.run import BATCH, LEASE_SECONDS, Desk, work_on
from ingest.steps import to_incoming
from tests.integration.graph_state import live_profiles

ROOT = Path(__file__).parents[2]
ROWS = 5 * BATCH + 60
LATER = timedelta(seconds=LEASE_SECONDS + 5)


class Fixture:
    """A brand, a file of orders with a bad row in every hundred, and its import."""

    def __init__(self, graph: Graph, folder: Path) -> None:
        self.graph, self.folder = graph, folder
        self.brand = BrandSettings(f"t{uuid.uuid4().hex[:12]}")
        create_brand(graph, NewBrand(self.brand.id))
        self.spent: dict[str, Decimal] = {}
        self.bad: list[int] = []
        self.id = f"imp_{uuid.uuid4().hex}"
        self._write_file()
        options = ImportOptions(encoding="utf-8", delimiter=",").as_dict()
        new = CsvImport(
            self.id, self.brand.id, "orders.csv", self.id, source_path(folder, self.id).stat().st_size, options,
            "test", "queued", utc_now(),
        )  # fmt: skip
        create_import(graph, new)

    def _write_file(self) -> None:
        with source_path(self.folder, self.id).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["email", "order_id", "total", "currency", "date"])
            for number in range(2, ROWS + 2):
                is_bad = number % 100 == 0
                email, total = f"p{number % 300}-{self.brand.id}@example.com", Decimal(number % 90) + Decimal("0.25")
                writer.writerow([email, f"O-{number}", total, "USD", "never" if is_bad else "2026-01-05"])
                if is_bad:
                    self.bad.append(number)
                else:
                    self.spent[email] = self.spent.get(email, Decimal(0)) + total

    def take(self, brand: BrandSettings, raws: Sequence[RawEvent]) -> Sequence[Outcome]:
        now = utc_now()
        return commit_batch(self.graph, brand, [to_incoming(raw, brand, now) for raw in raws], budget_seconds=60)

    def desk(self, owner: str = "test:second", take: Any = None, ahead: timedelta = LATER) -> Desk:
        """Somebody who comes when the lease of the one before is over."""
        return Desk(self.graph, self.folder, take or self.take, owner, lambda: utc_now() + ahead)

    def job(self) -> CsvImport:
        return get_import(self.graph, self.brand.id, self.id)

    def check_all_is_there_once(self) -> None:
        job = self.job()
        progress = job.progress
        assert (job.state, progress.rows, progress.position) == ("done", ROWS, ROWS + 1)
        assert (progress.accepted, progress.rejected, progress.duplicates) == (ROWS - len(self.bad), len(self.bad), 0)
        live = live_profiles(self.graph, self.brand.id)
        assert sum(profile.event_count for profile in live) == ROWS - len(self.bad)
        assert {profile.ltv_minor for profile in live} <= {int(spent * 100) for spent in self.spent.values()}
        assert sum(profile.ltv_minor for profile in live) == int(sum(self.spent.values()) * 100)
        with rejected_path(self.folder, self.id).open(encoding="utf-8-sig", newline="") as file:
            assert [int(row[0]) for row in list(csv.reader(file))[1:]] == self.bad
        assert not source_path(self.folder, self.id).exists()


@pytest.fixture
def new_import(graph: Graph, tmp_path: Path) -> Callable[[], Fixture]:
    return lambda: Fixture(graph, tmp_path)


def run_child(settings: Settings, case: Fixture, point: str, batch: int) -> int:
    words = [sys.executable, "-m", "tests.integration.csv_importer", case.brand.id, case.id, str(case.folder), point]
    return subprocess.run([*words, str(batch)], cwd=ROOT, env=child_environment(settings), check=False).returncode


@pytest.mark.parametrize(
    ("point", "batch"), [("before-commit", 1), ("after-commit", 1), ("before-commit", 4), ("after-commit", 4)]
)
def test_killed_in_the_middle_of_a_batch_every_row_counts_once(
    graph_settings: Settings, new_import: Callable[[], Fixture], point: str, batch: int
) -> None:
    case = new_import()
    assert run_child(graph_settings, case, point, batch) == -9
    assert case.job().progress.position == (1 if batch == 1 else 3 * BATCH + 1)
    assert work_on(case.desk(ahead=timedelta(0)), case.brand, case.id, 600) is None, "the lease still holds"
    # What the dead one wrote of the batch that it never settled is overwritten.
    with rejected_path(case.folder, case.id).open("ab") as file:
        file.write(b"half a li")
    work_on(case.desk(), case.brand, case.id, 600)
    case.check_all_is_there_once()


def test_killed_again_and_again_it_gets_there(
    graph_settings: Settings, graph: Graph, new_import: Callable[[], Fixture]
) -> None:
    case = new_import()
    for ahead, (point, batch) in enumerate([("after-commit", 2), ("after-commit", 1), ("before-commit", 2)]):
        if ahead:
            # The lease of the one who died runs out.
            claimed = claim_import(graph, case.brand.id, case.id, Lease("test:gone", utc_now()), utc_now() + LATER)
            assert claimed is not None
        assert run_child(graph_settings, case, point, batch) == -9
    work_on(case.desk(), case.brand, case.id, 600)
    case.check_all_is_there_once()


def test_in_stretches_it_comes_to_the_same_end(new_import: Callable[[], Fixture]) -> None:
    case = new_import()
    stretches = 0
    while (job := work_on(case.desk(ahead=timedelta(0)), case.brand, case.id, 0)) is not None:
        stretches += 1
        if job.is_over:
            break
    assert stretches >= ROWS // BATCH
    case.check_all_is_there_once()


def test_while_the_database_is_away_nothing_is_lost_and_a_later_turn_goes_on(new_import: Callable[[], Fixture]) -> None:
    case = new_import()
    calls = 0

    def take(brand: BrandSettings, raws: Sequence[RawEvent]) -> Sequence[Outcome]:
        nonlocal calls
        calls += 1
        return case.take(brand, raws) if calls < 3 else [UnavailableError("away")] * len(raws)

    with pytest.raises(UnavailableError):
        work_on(case.desk(take=take, ahead=timedelta(0)), case.brand, case.id, 600)
    assert case.job().progress.position == 2 * BATCH + 1
    work_on(case.desk(), case.brand, case.id, 600)
    case.check_all_is_there_once()


def test_who_lost_the_lease_counts_nothing_any_more(graph: Graph, new_import: Callable[[], Fixture]) -> None:
    case = new_import()

    def take(brand: BrandSettings, raws: Sequence[RawEvent]) -> Sequence[Outcome]:
        # While this one sleeps, another one does all of it.
        work_on(case.desk(ahead=2 * LATER), case.brand, case.id, 600)
        return case.take(brand, raws)

    assert work_on(case.desk("test:slow", take, timedelta(0)), case.brand, case.id, 600) is None
    case.check_all_is_there_once()


def test_cancelled_at_work_it_stops_after_its_batch(graph: Graph, new_import: Callable[[], Fixture]) -> None:
    case = new_import()

    def take(brand: BrandSettings, raws: Sequence[RawEvent]) -> Sequence[Outcome]:
        assert not cancel_import(graph, brand.id, case.id, utc_now()).is_over
        return case.take(brand, raws)

    job = work_on(case.desk(take=take, ahead=timedelta(0)), case.brand, case.id, 600)
    assert job is not None
    assert (job.state, job.progress.rows, case.job().state) == ("cancelled", BATCH, "cancelled")
    assert not source_path(case.folder, case.id).exists()


def test_one_import_at_a_time_is_worked_on_in_the_background(graph: Graph, new_import: Callable[[], Fixture]) -> None:
    first, second = new_import(), new_import()
    # Others of this run may be due as well; with a lease of a worker nobody is.
    held = Lease("worker:busy", utc_now() + timedelta(hours=1))
    assert claim_import(graph, first.brand.id, first.id, held, utc_now()) is not None
    assert find_due(graph, utc_now()) is None
    work_on(first.desk(ahead=timedelta(hours=2)), first.brand, first.id, 600)
    assert find_due(graph, utc_now() + timedelta(hours=3)) is not None
    work_on(second.desk(), second.brand, second.id, 600)


def test_an_import_that_is_made_with_a_lease_is_its_makers_until_that_runs_out(graph: Graph, brand_id: str) -> None:
    create_brand(graph, NewBrand(brand_id))
    now = utc_now()
    mine, other = Lease("test:mine", now + LATER), Lease("test:other", now + LATER)
    new = CsvImport(f"imp_{brand_id}", brand_id, "f", brand_id, 1, {}, "test", "queued", now)
    assert create_import(graph, new, mine).state == "queued"
    assert claim_import(graph, brand_id, new.id, other, now) is None
    assert claim_import(graph, brand_id, new.id, mine, now) is not None
    assert claim_import(graph, brand_id, new.id, other, now + 2 * LATER) is not None
    assert cancel_import(graph, brand_id, new.id, now + 3 * LATER).is_over


def test_a_file_that_is_gone_fails_the_import_and_says_why(new_import: Callable[[], Fixture]) -> None:
    case = new_import()
    source_path(case.folder, case.id).unlink()
    job = work_on(case.desk(), case.brand, case.id, 600)
    assert job is not None
    assert (job.state, "data directory" in (job.error or "")) == ("failed", True)
