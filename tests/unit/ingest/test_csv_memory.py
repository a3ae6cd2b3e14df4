"""Two million rows through the importer's own stage: detection, reading, mapping, validation, in flat memory.

The sink counts instead of committing, which would take the graph most of an hour; what a commit does with such events
is tested with smaller files (`tests/integration/test_csv_imports.py`). Reading and mapping are all that grows with a
file: the commit sees batches of five hundred.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
ROWS = 2_000_000
LIMIT = 300 * 1024 * 1024


def test_two_million_rows_are_read_within_300_megabytes_and_none_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    bad = cents = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("E-Mail;Order Number;Total;Currency;Order Date;First Name\n")
        for number in range(ROWS):
            is_bad = number % 1000 == 999
            bad += is_bad
            cents += 0 if is_bad else number % 10_000
            day = "never" if is_bad else f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}"
            total = f"{number % 10_000 // 100}.{number % 100:02d}"
            file.write(f"c{number % 400_000}@example.com;N{number};{total};USD;{day};Zoë\n")
    words = [sys.executable, "-m", "tests.unit.ingest.csv_counting", str(path)]
    found = json.loads(subprocess.run(words, cwd=ROOT, check=True, capture_output=True).stdout)
    assert found["purchase"] == found["identifiers"] == ROWS - bad
    assert (found["rejected"], found["cents"]) == (bad, cents)
    assert found["peak"] < LIMIT
