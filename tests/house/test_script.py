"""The script `constintel` sets up, heals and updates its environment; tried on a project of one package."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_PYPROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "constintel"
version = "0"
[project.scripts]
constintel = "little:main"
[tool.setuptools]
py-modules = ["little"]
"""
_LITTLE = "import sys\n\n\ndef main():\n    print('little', sys.argv[1:])\n    return 7\n"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of a project with the same script and a lock of one package."""
    folder = tmp_path_factory.mktemp("script") / "check out"
    folder.mkdir()
    shutil.copy(ROOT / "constintel", folder)
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    package = re.search(r"^setuptools==.*(\n    --hash.*)+", lock, re.MULTILINE)
    assert package is not None
    (folder / "requirements.lock").write_text(package[0] + "\n")
    (folder / "requirements-dev.lock").write_text(package[0] + "\n")
    (folder / "pyproject.toml").write_text(_PYPROJECT)
    (folder / "little.py").write_text(_LITTLE)
    return folder


def start(checkout: Path, *arguments: str, cwd: Path | None = None) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHON": sys.executable}
    return subprocess.Popen(
        [str(checkout / "constintel"), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment, cwd=cwd, start_new_session=True,
    )  # fmt: skip


def run(checkout: Path, *arguments: str, cwd: Path | None = None) -> tuple[int, str, str]:
    process = start(checkout, *arguments, cwd=cwd)
    out, err = process.communicate(timeout=180)
    return process.returncode, out, err


def test_two_first_starts_at_once_install_once_and_both_run(checkout: Path, tmp_path: Path) -> None:
    both = [start(checkout, "serve", "a b", cwd=tmp_path) for _ in range(2)]
    told = [process.communicate(timeout=180) for process in both]
    assert [process.returncode for process in both] == [7, 7], told
    assert [out for out, _ in told] == ["little ['serve', 'a b']\n"] * 2
    assert sum("making .venv" in err for _, err in told) == 1


def test_a_later_start_does_no_work_and_works_through_a_link(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(checkout / "constintel")
    done = subprocess.run([str(tmp_path / "link"), "x"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (7, "little ['x']\n", "")


def test_an_environment_cut_off_half_way_is_made_anew(checkout: Path) -> None:
    (checkout / ".venv" / ".installed-main").unlink()
    process = start(checkout, "x")
    assert process.stderr is not None
    for line in process.stderr:
        if "installing the locked" in line:
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    code, out, err = run(checkout, "x")
    assert (code, out) == (7, "little ['x']\n")
    assert "making .venv" in err


def test_a_changed_lock_is_installed_on_top(checkout: Path) -> None:
    with (checkout / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")
    code, _, err = run(checkout, "x")
    assert code == 7
    assert "installing the locked dependencies" in err
    assert "making .venv" not in err
    assert run(checkout, "x")[2] == ""


def test_a_moved_checkout_is_set_up_anew(checkout: Path) -> None:
    moved = checkout.rename(checkout.with_name("moved"))
    try:
        code, out, err = run(moved, "x")
        assert (code, out) == (7, "little ['x']\n")
        assert "making .venv" in err
    finally:
        moved.rename(checkout)


def test_without_a_new_enough_python_it_says_so(checkout: Path, tmp_path: Path) -> None:
    for name in ("sh", "dirname", "cksum", "cat", "grep", "rm", "readlink"):
        found = shutil.which(name)
        assert found is not None
        (tmp_path / name).symlink_to(found)
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    shutil.rmtree(checkout / ".venv", ignore_errors=True)
    done = subprocess.run(
        [str(checkout / "constintel")], capture_output=True, text=True, check=False, env={"PATH": str(tmp_path)}
    )
    assert done.returncode == 1
    assert "no Python 3.11 or newer was found" in done.stderr
