"""Command `test`: the checks and all tests, or the tests that pytest's own arguments choose."""

import subprocess
import sys

import typer

from cli.check import ROOT, require_checkout, run_checks


def test(context: typer.Context) -> None:
    """Start what the tests need and run them all; arguments go to pytest as they are.

    Without arguments the checks run first. The exit status is pytest's, or 1 when a check is broken.
    """
    require_checkout()
    arguments = context.args
    holds = bool(arguments) or run_checks()
    sys.stdout.flush()
    tests = subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, check=False)  # noqa: S603
    if not holds:
        typer.echo("the checks before the tests are broken: see above", err=True)
    raise typer.Exit(tests.returncode or (0 if holds else 1))
