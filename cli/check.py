"""Command `check`: every rule of the house that a program can hold; `test` runs it first."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import typer

from cli.house_rules import find_violations
from core.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[1]


def check() -> None:
    """Run ruff, mypy --strict, the layer contracts and the house rules; exit status 1 when one is broken."""
    raise typer.Exit(0 if run_checks() else 1)


def run_checks() -> bool:
    """Run all checks, each to its end; whether all hold."""
    require_checkout()
    steps: dict[str, Callable[[], bool]] = {
        "ruff check": lambda: _run(*_python("ruff"), "check", "--quiet", "--output-format", "concise", "."),
        "ruff format": lambda: _run(*_python("ruff"), "format", "--check", "--quiet", "."),
        "mypy --strict": lambda: _run(*_python("mypy"), "--no-error-summary"),
        "layers": lambda: _run(str(Path(sys.executable).with_name("lint-imports")), "--no-logo"),
        "sizes and queries": _hold_house_rules,
    }
    broken = []
    for name, step in steps.items():
        started = time.monotonic()
        holds = step()
        if not holds:
            broken.append(name)
        _say(f"{'ok    ' if holds else 'BROKEN'} {name} ({time.monotonic() - started:.1f} s)")
    if broken:
        _say(f"broken: {', '.join(broken)}")
    return not broken


def require_checkout() -> None:
    """Raise ConfigurationError where there is no source tree to look at, as in a container."""
    if not (ROOT / "pyproject.toml").exists() or not (ROOT / "tests").is_dir():
        raise ConfigurationError("This command works in a checkout of the project only.")


def _python(module: str) -> tuple[str, ...]:
    return sys.executable, "-m", module


def _run(*words: str) -> bool:
    """Run a tool of this environment on the checkout; what it finds goes to the terminal as it is."""
    sys.stdout.flush()
    return subprocess.run(words, cwd=ROOT, check=False).returncode == 0  # noqa: S603


def _hold_house_rules() -> bool:
    violations = list(find_violations(ROOT))
    for violation in violations:
        _say(violation)
    return not violations


def _say(text: str) -> None:
    typer.echo(text)
    sys.stdout.flush()
