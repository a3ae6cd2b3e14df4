"""The command `import-csv` against a running service, as a program: its words, its files, its exit status."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.api.conftest import Tenant

CONTENT = "email;order_no;sum;day\na@example.com;K-1;10,50;01.02.2026\nb@example.com;K-2;20;31.02.2026\n"


def run(tenant: Tenant, *words: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("constintel")
    access = ["--url", tenant.url, "--key", tenant.created["api_key"]]
    return subprocess.run(
        [str(program), "import-csv", *words, *access], capture_output=True, text=True, check=False, env={**os.environ}
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(CONTENT, encoding="utf-8")
    return path


def test_a_dry_run_and_an_import_with_refused_rows(tenant: Tenant, tmp_path: Path, file: Path) -> None:
    mapping = tmp_path / "mapping.json"
    mapping.write_text(json.dumps({"sum": "payload.total", "day": "occurred_at"}), encoding="utf-8")
    options = ["--mapping", str(mapping), "--decimal", ",", "--date-format", "%d.%m.%Y"]
    tried = run(tenant, str(file), "--dry-run", *options)
    assert tried.returncode == 1
    assert "sum | payload.total" in tried.stdout
    assert "dry run: 2 rows, 1 accepted, 0 repeats, 1 refused" in tried.stdout
    assert tenant.client.get("/api/profiles").json()["items"] == []
    refused = tmp_path / "refused.csv"
    done = run(tenant, str(file), "--rejected", str(refused), *options)
    assert done.returncode == 1
    assert "done: 2 rows, 1 accepted, 0 repeats, 1 refused" in done.stdout
    assert "row 3: occurred_at: does not have the format of the import's times" in done.stderr
    assert refused.read_text(encoding="utf-8-sig").splitlines()[1].startswith("3;")
    found = tenant.client.get("/api/profiles/lookup", params={"type": "email", "value": "a@example.com"}).json()
    assert found["lifetime_value"] == "10.50"


def test_all_rows_taken_is_success_and_a_second_time_only_repeats(tenant: Tenant, file: Path) -> None:
    file.write_text("email\na@example.com\n", encoding="utf-8")
    assert run(tenant, str(file)).returncode == 0
    again = run(tenant, str(file))
    assert (again.returncode, "0 accepted, 1 repeats" in again.stdout) == (0, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--mapping", "no-such-file"], "--mapping"),
        (["--encoding", "klingon"], "encoding"),
        (["--type", "A B"], "type"),
    ],
)
def test_what_does_not_fit_is_one_line_and_a_failure(tenant: Tenant, file: Path, words: list[str], told: str) -> None:
    done = run(tenant, str(file), *words)
    assert done.returncode == 1
    assert told in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr
