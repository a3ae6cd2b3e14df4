"""Large files through the real process: it takes them in flat memory, plain and packed, and serves others meanwhile."""

import gzip
import shutil
from pathlib import Path

import httpx
import pytest

from tests.integration.api.conftest import Tenant
from tests.sdk.conftest import ServiceProgram

MEGABYTE = 1024 * 1024
SIZE = 200 * MEGABYTE
MOST_MORE = 80 * MEGABYTE
PATH = "/api/integrations/csv"


def peak(program: ServiceProgram) -> int:
    """The most memory that the process ever had, in bytes."""
    status = Path(f"/proc/{program.pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_file_of_200_megabytes_is_taken_in_a_fraction_of_that_memory(
    program: ServiceProgram, shop: Tenant, tmp_path: Path, is_packed: bool
) -> None:
    path = tmp_path / "large.csv"
    row = b"large@example.com,page_view,2026-01-01," + b"x" * 960 + b"\n"
    with path.open("wb") as file:
        file.write(b"email,type,date,note\n")
        for _ in range(SIZE // len(row)):
            file.write(row)
    size = path.stat().st_size
    if is_packed:
        packed = tmp_path / "large.csv.gz"
        with path.open("rb") as plain, gzip.open(packed, "wb", compresslevel=1) as target:
            shutil.copyfileobj(plain, target, MEGABYTE)
        path = packed
    before = peak(program)
    with path.open("rb") as file:
        answer = shop.client.post(PATH, files={"file": (path.name, file)}, timeout=httpx.Timeout(300))
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert (job["state"], job["size"]) == ("queued", size)
    assert peak(program) - before < MOST_MORE
    assert shop.client.post(f"{PATH}/{job['id']}/cancel").json()["state"] == "cancelled"
