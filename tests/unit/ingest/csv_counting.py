"""Reads a CSV file through detection, mapping and validation into a counting sink, and prints counts and peak memory.

A program of its own: the peak of a process is all of its life.
"""

import json
import sys
from collections import Counter
from pathlib import Path

from core.brand import BrandSettings
from core.clock import utc_now
from ingest.csv_files.detect import TextProbe, detect_delimiter
from ingest.csv_files.options import ImportOptions
from ingest.csv_files.reading import CsvRows, Format
from ingest.csv_files.rows import RowReader

_PIECE = 1024 * 1024


def main() -> None:
    """Count the rows of the file named on the command line."""
    path = Path(sys.argv[1])
    probe = TextProbe()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            probe.feed(piece)
    encoding = probe.encoding()
    rows = CsvRows(path, Format(encoding, detect_delimiter(probe.head, encoding)))
    reader = RowReader(rows.header, ImportOptions(), "digest")
    counts: Counter[str] = Counter()
    cents = 0
    for unit in reader.units(rows, BrandSettings("b"), utc_now()):
        if unit.raw is None:
            counts["rejected"] += 1
            continue
        counts[unit.raw.type] += 1
        counts["identifiers"] += len(unit.raw.identifiers)
        if unit.raw.order is not None:
            cents += int(unit.raw.order.total * 100)
    peak = _peak_bytes()
    sys.stdout.write(json.dumps({**counts, "cents": cents, "peak": peak}))


def _peak_bytes() -> int:
    """The most memory that this program had; what getrusage says begins with that of the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
